//! `strata data status`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};
use strata_pipeline::project::revisions::{Difference, Side, difference};
use strata_pipeline::remote::Cloud;
use strata_pipeline::{PipelineError, Project};

use super::volume::Volume;
use super::{open, open_at};
use crate::exit::{Ended, Failure};
use crate::interrupt;
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata data status
  strata data status --granular --json
  strata data status --unchanged --untracked-files data/raw")]
pub(crate) struct DataStatusArgs {
    /// Only these outputs, files and folders
    targets: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// The files of folders as well
    #[arg(long)]
    granular: bool,
    /// What has not changed as well
    #[arg(long)]
    unchanged: bool,
    /// Files that neither Git nor strata tracks as well
    #[arg(long, value_name = "WHICH", num_args = 0..=1, default_missing_value = "all")]
    untracked_files: Option<Untracked>,
    /// With --not-in-remote: the remote
    #[arg(short, long)]
    remote: Option<String>,
    /// What the remote does not have as well
    #[arg(long)]
    not_in_remote: bool,
    #[command(flatten)]
    volume: Volume,
}

/// Which files without a tracker are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Untracked {
    /// None
    No,
    /// All
    All,
}

/// Paths with their hashes; a folder ends with `/`.
type Objects = BTreeMap<String, String>;

/// Sections with their titles and hints, in DVC's order.
const SECTIONS: [(&str, &str, &[&str]); 6] = [
    (
        "not_in_cache",
        "Not in cache",
        &["use \"strata fetch <file>...\" to download files"],
    ),
    (
        "not_in_remote",
        "Not in remote",
        &["use \"strata push <file>...\" to upload files"],
    ),
    (
        "committed",
        "DVC committed changes",
        &["git commit the corresponding dvc files to update the repo"],
    ),
    (
        "uncommitted",
        "DVC uncommitted changes",
        &[
            "use \"strata commit <file>...\" to track changes",
            "use \"strata checkout <file>...\" to discard changes",
        ],
    ),
    (
        "untracked",
        "Untracked files",
        &["use \"git add <file> ...\" or \"strata add <file>...\" to commit to git or to dvc"],
    ),
    ("unchanged", "DVC unchanged files", &[]),
];

pub(crate) fn run(args: &DataStatusArgs) -> Result<Ended, Failure> {
    args.volume.apply();
    let project = open()?;
    let status = status(args, &project)?;
    let text = if args.json {
        format!("{}\n", Value::Object(status))
    } else {
        let git = project.repository.git.as_ref();
        let is_dirty = git.is_some_and(|git| git.has_changes().unwrap_or(true));
        to_text(&status, is_dirty)
    };
    output::print(&text)?;
    Ok(Ended::Done)
}

fn to_text(status: &Map<String, Value>, is_dirty: bool) -> String {
    let mut parts = Vec::new();
    for (section, title, hints) in SECTIONS {
        let Some(content) = status.get(section) else {
            continue;
        };
        let mut text = format!("{title}:\n");
        for hint in hints {
            let _ = writeln!(text, "  ({hint})");
        }
        for line in lines(content) {
            let _ = writeln!(text, "        {line}");
        }
        parts.push(text);
    }
    let others = if parts.is_empty() { "" } else { "other " };
    let mut text = if parts.is_empty() {
        "No changes.\n".to_owned()
    } else {
        parts.join("\n")
    };
    if is_dirty {
        let _ = writeln!(
            text,
            "(there are {others}changes not tracked by dvc, use \"git status\" to see)"
        );
    }
    text
}

/// Paths, or groups of them.
fn lines(content: &Value) -> Vec<String> {
    let path = |value: &Value| match value {
        Value::Object(renamed) => {
            let ends = renamed.values().filter_map(Value::as_str);
            ends.collect::<Vec<_>>().join(" -> ")
        }
        value => value.as_str().unwrap_or_default().to_owned(),
    };
    let paths = |values: &Value| values.as_array().into_iter().flatten().map(path).collect();
    match content {
        Value::Object(groups) => groups
            .iter()
            .flat_map(|(word, values)| {
                let paths: Vec<String> = paths(values);
                paths.into_iter().map(move |path| format!("{word}: {path}"))
            })
            .collect(),
        values => paths(values),
    }
}

fn status(args: &DataStatusArgs, project: &Project) -> Result<Map<String, Value>, Failure> {
    let chosen = |objects: Objects| args.chosen(project, objects);
    let locked = chosen(project.objects(Side::Locked)?);
    let present = chosen(project.objects(Side::Present)?);
    let mut status = Map::new();
    let mut missing = Vec::new();
    for (path, md5) in &locked {
        if !project
            .repository
            .cache
            .has(md5)
            .map_err(PipelineError::from)?
        {
            missing.push(path.clone());
        }
    }
    put(&mut status, "not_in_cache", missing);
    if args.not_in_remote {
        put(&mut status, "not_in_remote", args.not_in_remote(project)?);
    }
    let is_same = |a: &Objects, b: &Objects, path: &String| a.get(path) == b.get(path);
    let mut unchanged: Vec<String> = locked
        .keys()
        .filter(|path| is_same(&locked, &present, path))
        .cloned()
        .collect();
    // Before the first commit there is nothing to compare with.
    let git = project.repository.git.as_ref();
    if git.is_some_and(|git| git.commits(&["-1", "HEAD"]).is_ok()) {
        let committed = chosen(open_at("HEAD")?.objects(Side::Locked)?);
        unchanged.retain(|path| is_same(&locked, &committed, path));
        insert(&mut status, "committed", &difference(&committed, &locked));
    }
    insert(&mut status, "uncommitted", &difference(&locked, &present));
    if args.untracked_files == Some(Untracked::All) {
        put(&mut status, "untracked", args.untracked(project)?);
    }
    if args.unchanged {
        put(&mut status, "unchanged", unchanged);
    }
    project.repository.save_state();
    Ok(status)
}

impl DataStatusArgs {
    /// Those of the targets; folders stand for their files, unless those are asked for.
    fn chosen(&self, project: &Project, objects: Objects) -> Objects {
        let folders: Vec<String> = objects
            .keys()
            .filter(|path| path.ends_with('/') && !self.granular)
            .cloned()
            .collect();
        let is_inside = |path: &String| {
            folders
                .iter()
                .any(|folder| path != folder && path.starts_with(folder))
        };
        objects
            .into_iter()
            .filter(|(path, _)| !is_inside(path) && self.is_meant(project, path))
            .collect()
    }

    fn is_meant(&self, project: &Project, path: &str) -> bool {
        let meant = |target: &String| {
            let shown = project.display(&project.path(target));
            let path = path.trim_end_matches('/');
            shown == "." || path == shown || path.starts_with(&format!("{shown}/"))
        };
        self.targets.is_empty() || self.targets.iter().any(meant)
    }

    fn not_in_remote(&self, project: &Project) -> Result<Vec<String>, Failure> {
        let all: Vec<usize> = (0..project.stages.len()).collect();
        let stop = interrupt::flag()?;
        let cloud = Cloud::open(project, self.remote.as_deref(), None, &*stop)?;
        let status = cloud.status(&all)?;
        let entries = status.as_object().into_iter().flatten();
        let lacking = entries
            .filter(|(path, word)| word.as_str() == Some("new") && self.is_meant(project, path));
        Ok(lacking.map(|(path, _)| path.clone()).collect())
    }

    fn untracked(&self, project: &Project) -> Result<Vec<String>, PipelineError> {
        let Some(git) = &project.repository.git else {
            return Ok(Vec::new());
        };
        let files = git.untracked()?.into_iter();
        let shown = files.map(|file| project.display(&project.repository.root.join(file)));
        Ok(shown.filter(|path| self.is_meant(project, path)).collect())
    }
}

fn put(status: &mut Map<String, Value>, section: &str, paths: Vec<String>) {
    if !paths.is_empty() {
        status.insert(section.to_owned(), json!(paths));
    }
}

fn insert(status: &mut Map<String, Value>, section: &str, found: &Difference) {
    let mut groups = Map::new();
    let lists = [
        ("modified", &found.modified),
        ("added", &found.added),
        ("deleted", &found.deleted),
    ];
    for (word, paths) in lists {
        put(&mut groups, word, paths.clone());
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
