//! `strata data status`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use strata_pipeline::PipelineError;
use strata_pipeline::project::revisions::{Difference, difference};

use super::{open, open_at};
use crate::exit::{Ended, Failure};
use crate::output;

pub(crate) fn run(as_json: bool, granular: bool) -> Result<Ended, Failure> {
    let status = status(granular)?;
    if as_json {
        output::print(&format!("{}\n", Value::Object(status)))?;
        return Ok(Ended::Done);
    }
    let mut text = String::new();
    for (section, groups) in &status {
        let _ = writeln!(text, "{section}:");
        if let Some(paths) = groups.as_array() {
            for path in paths.iter().filter_map(Value::as_str) {
                let _ = writeln!(text, "    {path}");
            }
        }
        for (word, paths) in groups.as_object().into_iter().flatten() {
            for path in paths
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
            {
                let _ = writeln!(text, "    {word}: {path}");
            }
        }
    }
    if text.is_empty() {
        text.push_str("No changes.\n");
    }
    output::print(&text)?;
    Ok(Ended::Done)
}

fn status(granular: bool) -> Result<Map<String, Value>, PipelineError> {
    let project = open()?;
    let locked = chosen(project.objects()?, granular);
    let present = chosen(project.objects_in_workspace()?, granular);
    let mut status = Map::new();
    let mut missing = Vec::new();
    for (path, md5) in &locked {
        if !project.repository.cache.has(md5)? {
            missing.push(path.clone());
        }
    }
    if !missing.is_empty() {
        status.insert("not_in_cache".to_owned(), json!(missing));
    }
    // Before the first commit there is nothing to compare with.
    let has_commit = project
        .repository
        .git
        .as_ref()
        .is_some_and(|git| git.commits(&["-1", "HEAD"]).is_ok());
    if has_commit {
        let committed = chosen(open_at("HEAD")?.objects()?, granular);
        insert(&mut status, "committed", &difference(&committed, &locked));
    }
    insert(&mut status, "uncommitted", &difference(&locked, &present));
    project.repository.save_state();
    Ok(status)
}

/// Folders stand for their files, unless those are asked for.
fn chosen(objects: BTreeMap<String, String>, granular: bool) -> BTreeMap<String, String> {
    if granular {
        return objects;
    }
    let folders: Vec<String> = objects
        .keys()
        .filter(|path| path.ends_with('/'))
        .cloned()
        .collect();
    let inside = |path: &String| {
        folders
            .iter()
            .any(|folder| path != folder && path.starts_with(folder))
    };
    objects
        .into_iter()
        .filter(|(path, _)| !inside(path))
        .collect()
}

fn insert(status: &mut Map<String, Value>, section: &str, found: &Difference) {
    let mut groups = Map::new();
    let lists = [
        ("added", &found.added),
        ("modified", &found.modified),
        ("deleted", &found.deleted),
    ];
    for (word, paths) in lists {
        if !paths.is_empty() {
            groups.insert(word.to_owned(), json!(paths));
        }
    }
    if !found.renamed.is_empty() {
        let renamed = found
            .renamed
            .iter()
            .map(|(from, to)| json!({"old": from, "new": to}));
        groups.insert("renamed".to_owned(), Value::Array(renamed.collect()));
    }
    if !groups.is_empty() {
        status.insert(section.to_owned(), Value::Object(groups));
    }
}
