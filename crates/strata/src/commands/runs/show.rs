//! `strata runs show`.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value, json};
use strata_track::runs::{Fact, RunFacts};

use super::{duration, run_at, size};
use crate::exit::{Ended, Failure};
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata runs show runs/2026-01-31_14-05-09
  strata runs show runs/first --json")]
pub(super) struct ShowArgs {
    /// The run's directory
    run: PathBuf,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ShowArgs) -> Result<Ended, Failure> {
    let run = run_at(&args.run)?;
    let files = files_of(&args.run);
    output::print(&if args.json {
        as_json(&run, &files)
    } else {
        as_text(&run, &files)
    })?;
    Ok(Ended::Done)
}

/// Paths relative to the run's directory, and bytes.
fn files_of(folder: &Path) -> Vec<(String, u64)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let Ok(entries) = fs_err::read_dir(&next) else {
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(path),
                _ => {
                    let name = path.strip_prefix(folder).unwrap_or(&path);
                    let bytes = entry.metadata().map_or(0, |metadata| metadata.len());
                    files.push((name.to_string_lossy().into_owned(), bytes));
                }
            }
        }
    }
    files.sort();
    files
}

fn as_json(run: &RunFacts, files: &[(String, u64)]) -> String {
    let config = run.config.iter();
    let config: Map<String, Value> = config
        .map(|(key, fact)| (key.clone(), fact.json()))
        .collect();
    let files: Map<String, Value> = files
        .iter()
        .map(|(name, bytes)| (name.clone(), json!(bytes)))
        .collect();
    let shown = json!({
        "run": run.path,
        "state": run.state(),
        "seconds": run.seconds(),
        "record": run.record,
        "config": config,
        "summary": run.summary,
        "files": files,
    });
    format!("{shown:#}\n")
}

fn as_text(run: &RunFacts, files: &[(String, u64)]) -> String {
    let record = &run.record;
    let mut lines = vec![format!("{}: {}", run.path.display(), run.state())];
    if let Some(error) = &record.error {
        lines.push(format!("error      {error}"));
    }
    lines.push(format!("started    {}", record.started));
    if let Some(seconds) = run.seconds() {
        lines.push(format!("took       {}", duration(seconds)));
    }
    let text = |name: &str, value: Option<String>| value.map(|value| format!("{name:<10} {value}"));
    let git = record.git.as_ref();
    let git = git.map(|git| format!("{}{}", git.commit, if git.dirty { ", changed" } else { "" }));
    let trackers = record.tracker_ids.iter();
    let trackers: Vec<String> = trackers.map(|(name, id)| format!("{name} {id}")).collect();
    lines.extend(
        [
            text("command", Some(record.command_line.join(" "))),
            text("program", Some(record.program_version.clone())),
            text("git", git),
            text("host", record.host.clone()),
            text("threads", record.threads.map(|threads| threads.to_string())),
            text("data", record.data_fingerprint.clone()),
            text(
                "trackers",
                (!trackers.is_empty()).then(|| trackers.join(", ")),
            ),
        ]
        .into_iter()
        .flatten(),
    );
    if !run.summary.last.is_empty() {
        lines.push(String::new());
        let width = run.summary.last.keys().map(String::len).max().unwrap_or(0);
        lines.push(format!(
            "{:<width$}  {:>10}  {:>10}  epoch",
            "metric", "last", "best"
        ));
        for (name, last) in &run.summary.last {
            let best = run.summary.best.get(name);
            let value = best.map_or("-".to_owned(), |best| Fact::Number(best.value).to_string());
            let epoch = best.and_then(|best| best.epoch);
            let epoch = epoch.map_or(String::new(), |epoch| epoch.to_string());
            let last = Fact::Number(*last).to_string();
            let line = format!("{name:<width$}  {last:>10}  {value:>10}  {epoch}");
            lines.push(line.trim_end().to_owned());
        }
    }
    lines.push(String::new());
    for (name, bytes) in files {
        lines.push(format!("{:>9}  {name}", size(*bytes)));
    }
    lines.join("\n") + "\n"
}
