//! `strata runs show`.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value, json};
use strata_track::runs::{Fact, RunFacts};

use super::reading::run_at;
use super::{duration, kept_config, local_time, size};
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
    let overrides = kept_config::overrides(&args.run);
    output::print(&if args.json {
        as_json(&run, &overrides, &files)
    } else {
        as_text(&run, &overrides, &files)
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

fn as_json(run: &RunFacts, overrides: &[String], files: &[(String, u64)]) -> String {
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
        "epoch": run.epoch(),
        "record": run.record,
        "overrides": overrides,
        "config": config,
        "summary": run.summary,
        "problems": run.problems,
        "files": files,
    });
    format!("{shown:#}\n")
}

fn as_text(run: &RunFacts, overrides: &[String], files: &[(String, u64)]) -> String {
    let mut lines = vec![format!("{}: {}", run.path.display(), run.state())];
    let named = |(name, value): (&str, Option<String>)| Some(format!("{name:<10} {}", value?));
    lines.extend(about(run, overrides).into_iter().filter_map(named));
    if !run.summary.last.is_empty() {
        lines.push(String::new());
        lines.extend(metrics(run));
    }
    if !files.is_empty() {
        lines.push(String::new());
    }
    for (name, bytes) in files {
        lines.push(format!("{:>9}  {name}", size(*bytes)));
    }
    lines.join("\n") + "\n"
}

/// What the record says, and what the run came to, by names.
fn about(run: &RunFacts, overrides: &[String]) -> Vec<(&'static str, Option<String>)> {
    let joined = |texts: &[String], between: &str| (!texts.is_empty()).then(|| texts.join(between));
    let mut about = Vec::new();
    if let Some(record) = &run.record {
        let git = record.git.as_ref();
        let git =
            git.map(|git| format!("{}{}", git.commit, if git.dirty { ", changed" } else { "" }));
        let trackers = record.tracker_ids.iter();
        let trackers: Vec<String> = trackers.map(|(name, id)| format!("{name} {id}")).collect();
        about.extend([
            ("error", record.error.clone()),
            ("started", Some(local_time(record.started))),
            ("took", run.seconds().map(duration)),
            ("command", joined(&record.command_line, " ")),
            ("overrides", joined(overrides, " ")),
            ("seed", record.seed.map(|seed| seed.to_string())),
            (
                "program",
                Some(record.program_version.clone()).filter(|it| !it.is_empty()),
            ),
            ("git", git),
            ("host", record.host.clone()),
            ("threads", record.threads.map(|threads| threads.to_string())),
            ("data", record.data_fingerprint.clone()),
            ("trackers", joined(&trackers, ", ")),
        ]);
    }
    about.push(("epoch", run.epoch().map(|epoch| epoch.to_string())));
    about.push(("best", best(run)));
    about
}

/// The value that the run's model was chosen by, and where it was reached.
fn best(run: &RunFacts) -> Option<String> {
    let metric = run.chosen_by()?;
    let best = run.summary.best.get(metric)?;
    let epoch = best.epoch.map(|epoch| format!(" in epoch {epoch}"));
    let value = Fact::Number(best.value).rounded();
    Some(format!("{metric} {value}{}", epoch.unwrap_or_default()))
}

fn metrics(run: &RunFacts) -> Vec<String> {
    let width = run.summary.last.keys().map(String::len).max().unwrap_or(0);
    let mut lines = vec![format!(
        "{:<width$}  {:>10}  {:>10}  epoch",
        "metric", "last", "best"
    )];
    for (name, last) in &run.summary.last {
        let best = run.summary.best.get(name);
        let value = best.map_or("-".to_owned(), |best| {
            Fact::Number(best.value).rounded().to_string()
        });
        let epoch = best.and_then(|best| best.epoch);
        let epoch = epoch.map_or(String::new(), |epoch| epoch.to_string());
        let last = Fact::Number(*last).rounded().to_string();
        let line = format!("{name:<width$}  {last:>10}  {value:>10}  {epoch}");
        lines.push(line.trim_end().to_owned());
    }
    lines
}
