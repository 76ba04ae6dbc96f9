//! `strata diff`.

use std::fmt::Write as _;

use serde_json::{Value, json};
use strata_pipeline::PipelineError;
use strata_pipeline::project::revisions::{Difference, difference};

use super::{open, open_at};
use crate::exit::{Ended, Failure};
use crate::output;
use crate::pipeline_cli::DiffArgs;

pub(crate) fn run(args: &DiffArgs) -> Result<Ended, Failure> {
    let found = compare(args)?;
    let text = if args.json {
        format!("{}\n", to_json(&found))
    } else {
        to_text(&found)
    };
    output::print(&text)?;
    Ok(Ended::Done)
}

fn compare(args: &DiffArgs) -> Result<Difference, PipelineError> {
    let before = open_at(&args.a_rev)?.objects()?;
    let after = match &args.b_rev {
        Some(revision) => open_at(revision)?.objects()?,
        None => open()?.objects_in_workspace()?,
    };
    Ok(difference(&before, &after))
}

fn is_empty(found: &Difference) -> bool {
    found.added.is_empty()
        && found.deleted.is_empty()
        && found.modified.is_empty()
        && found.renamed.is_empty()
}

fn to_json(found: &Difference) -> Value {
    if is_empty(found) {
        return json!({});
    }
    let paths = |paths: &[String]| {
        let entries = paths.iter().map(|path| json!({"path": path}));
        Value::Array(entries.collect())
    };
    let renamed = found.renamed.iter();
    let renamed = renamed.map(|(from, to)| json!({"path": {"old": from, "new": to}}));
    json!({
        "added": paths(&found.added),
        "deleted": paths(&found.deleted),
        "modified": paths(&found.modified),
        "renamed": renamed.collect::<Vec<_>>(),
        "not in cache": [],
    })
}

fn to_text(found: &Difference) -> String {
    let mut text = String::new();
    let sections = [
        ("Added", &found.added),
        ("Deleted", &found.deleted),
        ("Modified", &found.modified),
    ];
    for (title, paths) in sections {
        if !paths.is_empty() {
            let _ = writeln!(text, "{title}:");
        }
        for path in paths {
            let _ = writeln!(text, "    {path}");
        }
    }
    if !found.renamed.is_empty() {
        text.push_str("Renamed:\n");
    }
    for (from, to) in &found.renamed {
        let _ = writeln!(text, "    {from} -> {to}");
    }
    text
}
