//! `strata runs`: the runs that lie in directories.

mod compare;
mod ls;
mod remove;
mod show;
mod table;
mod tail;

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::{Args, Subcommand};
use strata_track::runs::{RunFacts, find_run_directories};

use crate::exit::{Ended, Failure};

#[derive(Debug, Args)]
pub(crate) struct RunsArgs {
    #[command(subcommand)]
    command: RunsCommand,
}

#[derive(Debug, Subcommand)]
enum RunsCommand {
    /// List runs with their state and figures
    Ls(ls::LsArgs),
    /// Show one run
    Show(show::ShowArgs),
    /// Compare runs: where their configurations differ, and their figures
    Compare(compare::CompareArgs),
    /// Print the last rows of a run, and those to come
    Tail(tail::TailArgs),
    /// Remove runs
    Rm(remove::RmArgs),
    /// Remove runs that came to nothing, or checkpoints that nobody needs
    Gc(remove::GcArgs),
}

pub(crate) fn run(args: &RunsArgs) -> Result<Ended, Failure> {
    match &args.command {
        RunsCommand::Ls(args) => ls::run(args),
        RunsCommand::Show(args) => show::run(args),
        RunsCommand::Compare(args) => compare::run(args),
        RunsCommand::Tail(args) => tail::run(args),
        RunsCommand::Rm(args) => remove::rm(args),
        RunsCommand::Gc(args) => remove::gc(args),
    }
}

/// The runs below some paths, by default below `runs/` and `multirun/`; one that cannot be read is told and left out.
fn runs_below(paths: &[PathBuf]) -> Result<Vec<RunFacts>, Failure> {
    let paths = if paths.is_empty() {
        let usual = ["runs", "multirun"].map(PathBuf::from);
        usual.into_iter().filter(|path| path.exists()).collect()
    } else {
        paths.to_vec()
    };
    if let Some(missing) = paths.iter().find(|path| !path.exists()) {
        return Err(Failure::Usage(anyhow!(
            "there is no `{}`",
            missing.display()
        )));
    }
    let mut runs = Vec::new();
    for path in find_run_directories(&paths) {
        match RunFacts::read(&path) {
            Ok(run) => runs.push(run),
            Err(error) => anstream::eprintln!("warning: {error}"),
        }
    }
    Ok(runs)
}

fn run_at(path: &Path) -> Result<RunFacts, Failure> {
    RunFacts::read(path).map_err(|error| Failure::Work(error.into()))
}

/// Keys that no run knows are mistakes.
fn check_keys<'a>(
    runs: &[RunFacts],
    keys: impl IntoIterator<Item = &'a str>,
) -> Result<(), Failure> {
    if runs.is_empty() {
        return Ok(());
    }
    for key in keys {
        if runs.iter().any(|run| run.get(key).is_some()) {
            continue;
        }
        // Known to all that have come so far.
        if matches!(key, "seconds" | "epoch") {
            continue;
        }
        let known: Vec<String> = runs.iter().flat_map(RunFacts::keys).collect();
        let meant = strata_diag::closest(key, known.iter().map(String::as_str));
        let meant = meant.map_or(String::new(), |meant| format!("; did you mean `{meant}`?"));
        return Err(Failure::Usage(anyhow!("no run knows `{key}`{meant}")));
    }
    Ok(())
}

/// Two significant units of a time.
fn duration(seconds: f64) -> String {
    let whole = seconds as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, _) => format!("{seconds:.1} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// Bytes in the unit that suits them.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    let mut value = bytes as f64;
    let mut unit = "B";
    for next in UNITS {
        if value < 1000.0 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    if unit == "B" {
        format!("{bytes} B")
    } else {
        format!("{value:.1} {unit}")
    }
}
