//! `strata diff`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::Args;
use serde_json::{Map, Value, json};
use strata_pipeline::project::revisions::{Side, difference};
use strata_pipeline::{PipelineError, Project};

use super::compare::Revisions;
use super::table;
use super::volume::Volume;
use crate::exit::{Ended, Failure};
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata diff                   outputs of the last commit and of the workspace
  strata diff HEAD~1 HEAD --json
  strata diff --targets data/raw --show-hash")]
pub(crate) struct DiffArgs {
    #[command(flatten)]
    revisions: Revisions,
    /// Only these outputs, or files in them
    #[arg(long, num_args = 0.., value_name = "PATH")]
    targets: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// The hashes as well
    #[arg(long)]
    show_hash: bool,
    /// Print a table of Markdown
    #[arg(long)]
    md: bool,
    /// Do not tell what the cache lacks
    #[arg(long)]
    hide_missing: bool,
    #[command(flatten)]
    volume: Volume,
}

/// A path that differs; a folder ends with `/`.
struct Entry {
    path: String,
    /// Where it was.
    from: Option<String>,
    old: Option<String>,
    new: Option<String>,
}

/// Names of groups, and what belongs to each.
type Groups = Vec<(&'static str, Vec<Entry>)>;

pub(crate) fn run(args: &DiffArgs) -> Result<Ended, Failure> {
    args.volume.apply();
    let groups = compare(args)?;
    let text = if args.json {
        format!("{}\n", to_json(&groups, args.show_hash))
    } else if args.md {
        to_markdown(&groups, args.show_hash)
    } else {
        to_text(&groups, args.show_hash)
    };
    output::print(&text)?;
    Ok(Ended::Done)
}

fn compare(args: &DiffArgs) -> Result<Groups, PipelineError> {
    let [earlier, later] = args.revisions.open()?;
    let with_workspace = args.revisions.with_workspace();
    let mut before = earlier.objects(Side::Locked)?;
    let mut after = later.objects(if with_workspace {
        Side::Present
    } else {
        Side::Locked
    })?;
    if !args.targets.is_empty() {
        let mut wanted = Vec::new();
        for target in &args.targets {
            let shown = later.display(&later.path(target));
            let folder = format!("{shown}/");
            let is_in = |path: &String| *path == shown || path.starts_with(&folder);
            if !before.keys().chain(after.keys()).any(is_in) {
                return Err(PipelineError::NoSuchFile {
                    path: target.clone(),
                });
            }
            wanted.push((shown, folder));
        }
        let is_wanted = |path: &String| {
            wanted
                .iter()
                .any(|(shown, folder)| path == shown || path.starts_with(folder))
        };
        before.retain(|path, _| is_wanted(path));
        after.retain(|path, _| is_wanted(path));
    }
    let missing = if args.hide_missing || !with_workspace {
        None
    } else {
        Some(missing(&later, &before)?)
    };
    let found = difference(&before, &after);
    let hash = |objects: &BTreeMap<String, String>, path: &String| objects.get(path).cloned();
    let entries = |paths: &[String]| {
        let entries = paths.iter().map(|path| Entry {
            path: path.clone(),
            from: None,
            old: hash(&before, path),
            new: hash(&after, path),
        });
        entries.collect::<Vec<_>>()
    };
    let renamed = found.renamed.iter().map(|(from, to)| Entry {
        path: to.clone(),
        from: Some(from.clone()),
        old: hash(&before, from),
        new: hash(&after, to),
    });
    let mut groups = vec![
        ("added", entries(&found.added)),
        ("deleted", entries(&found.deleted)),
        ("renamed", renamed.collect()),
        ("modified", entries(&found.modified)),
    ];
    groups.extend(missing.map(|missing| ("not in cache", missing)));
    Ok(groups)
}

/// What the earlier side has and could not be checked out.
fn missing(
    project: &Project,
    before: &BTreeMap<String, String>,
) -> Result<Vec<Entry>, PipelineError> {
    let mut missing = Vec::new();
    for (path, md5) in before {
        if !project.repository.cache.has(md5)? {
            missing.push(Entry {
                path: path.clone(),
                from: None,
                old: Some(md5.clone()),
                new: None,
            });
        }
    }
    Ok(missing)
}

fn to_json(groups: &Groups, with_hash: bool) -> Value {
    if groups.iter().all(|(_, entries)| entries.is_empty()) {
        return json!({});
    }
    let entry = |entry: &Entry| {
        let mut map = Map::new();
        map.insert(
            "path".to_owned(),
            match &entry.from {
                Some(from) => json!({"old": from, "new": entry.path}),
                None => json!(entry.path),
            },
        );
        if with_hash {
            let hash = match (&entry.old, &entry.new) {
                (Some(old), Some(new)) if old == new => json!(old),
                (Some(old), Some(new)) => json!({"old": old, "new": new}),
                (old, new) => json!(old.as_ref().or(new.as_ref())),
            };
            map.insert("hash".to_owned(), hash);
        }
        Value::Object(map)
    };
    let groups = groups.iter().map(|(name, entries)| {
        let entries = entries.iter().map(entry).collect();
        ((*name).to_owned(), Value::Array(entries))
    });
    Value::Object(groups.collect())
}

/// The first eight digits, of both sides where they differ.
fn short_hash(entry: &Entry) -> String {
    let short = |md5: &String| md5.chars().take(8).collect::<String>();
    match (&entry.old, &entry.new) {
        (Some(old), Some(new)) if old != new => format!("{}..{}", short(old), short(new)),
        (old, new) => old.as_ref().or(new.as_ref()).map(short).unwrap_or_default(),
    }
}

fn shown_path(entry: &Entry) -> String {
    match &entry.from {
        Some(from) => format!("{from} -> {}", entry.path),
        None => entry.path.clone(),
    }
}

fn to_markdown(groups: &Groups, with_hash: bool) -> String {
    let mut header = vec!["Status", "Hash", "Path"];
    let rows = groups.iter().flat_map(|(name, entries)| {
        entries
            .iter()
            .map(move |entry| vec![(*name).to_owned(), short_hash(entry), shown_path(entry)])
    });
    let mut rows: Vec<Vec<String>> = rows.collect();
    if !with_hash {
        header.remove(1);
        for row in &mut rows {
            row.remove(1);
        }
    }
    table::markdown(&header, &rows)
}

fn to_text(groups: &Groups, with_hash: bool) -> String {
    let mut parts = Vec::new();
    let mut counts = Vec::new();
    for (name, entries) in groups.iter().filter(|(_, entries)| !entries.is_empty()) {
        let (first, rest) = name.split_at(1);
        let mut text = format!("{}{rest}:\n", first.to_uppercase());
        for entry in entries {
            let hash = if with_hash {
                short_hash(entry) + "  "
            } else {
                String::new()
            };
            let _ = writeln!(text, "    {hash}{}", shown_path(entry));
        }
        parts.push(text);
        let files = entries.iter().filter(|entry| !entry.path.ends_with('/'));
        let files = files.count();
        if files > 0 {
            counts.push(format!("{files} {name}"));
        }
    }
    if !parts.is_empty() {
        parts.push(format!("files summary: {}\n", counts.join(", ")));
    }
    parts.join("\n")
}
