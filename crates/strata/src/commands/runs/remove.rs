//! `strata runs rm` and `strata runs gc`.

use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use strata_track::Mode;
use strata_track::runs::{Fact, RunFacts};

use super::{check_keys, run_at, runs_below, size};
use crate::exit::{Ended, Failure};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata runs rm runs/first
  strata runs rm runs/2026-01-* --yes")]
pub(super) struct RmArgs {
    /// The runs' directories
    #[arg(required = true)]
    runs: Vec<PathBuf>,

    #[command(flatten)]
    consent: ConsentArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata runs gc --dry-run                                  what came to nothing
  strata runs gc --state finished --older-than 30d
  strata runs gc --keep-best 5 --metric validation/accuracy
  strata runs gc --checkpoints                              checkpoints of runs that are over")]
pub(super) struct GcArgs {
    /// Run directories, or folders above them [default: runs and multirun]
    paths: Vec<PathBuf>,

    /// Runs in these states, separated by commas [default: failed,interrupted,crashed; with --keep-best also finished]
    #[arg(long, value_name = "STATES", value_delimiter = ',')]
    state: Vec<String>,

    /// Only runs that began so long ago, as 7d, 12h or 30min
    #[arg(long, value_name = "TIME", value_parser = age)]
    older_than: Option<SignedDuration>,

    /// Keep the best so many of all runs
    #[arg(long, value_name = "N", requires = "metric")]
    keep_best: Option<usize>,

    /// What is best: this metric's best value, least for losses and errors
    #[arg(long)]
    metric: Option<String>,

    /// Remove only the checkpoints: the runs and their models stay, but cannot go on
    #[arg(long)]
    checkpoints: bool,

    /// Print what would be removed, and remove nothing
    #[arg(short = 'n', long)]
    dry_run: bool,

    #[command(flatten)]
    consent: ConsentArgs,
}

#[derive(Debug, Args)]
struct ConsentArgs {
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

const STATES: [&str; 5] = ["running", "finished", "failed", "interrupted", "crashed"];

pub(super) fn rm(args: &RmArgs) -> Result<Ended, Failure> {
    let mut doomed = Vec::new();
    for path in &args.runs {
        let run = run_at(path)?;
        if run.is_alive {
            let path = path.display();
            return Err(Failure::Work(anyhow!(
                "`{path}` is going on; stop it first"
            )));
        }
        doomed.push(run.path);
    }
    remove(&doomed, &args.consent)
}

pub(super) fn gc(args: &GcArgs) -> Result<Ended, Failure> {
    let states = args.states()?;
    let mut runs = runs_below(&args.paths)?;
    if let (Some(metric), Some(count)) = (&args.metric, args.keep_best) {
        let key = format!("best/{metric}");
        check_keys(&runs, [key.as_str()])?;
        keep_best(&mut runs, &key, metric, count);
    }
    let now = Timestamp::now();
    runs.retain(|run| {
        let age = now.duration_since(run.record.started);
        let is_old = args.older_than.is_none_or(|least| age >= least);
        !run.is_alive && is_old && states.contains(&run.state())
    });
    let doomed = runs.into_iter().map(|run| run.path);
    let doomed: Vec<PathBuf> = if args.checkpoints {
        let folders = doomed.map(|path| path.join("checkpoints"));
        folders.filter(|folder| folder.is_dir()).collect()
    } else {
        doomed.collect()
    };
    if args.dry_run {
        list(&doomed);
        return Ok(Ended::Done);
    }
    remove(&doomed, &args.consent)
}

/// Takes the runs out that are to be kept.
fn keep_best(runs: &mut Vec<RunFacts>, key: &str, metric: &str, count: usize) {
    let mode = Mode::of_name(metric);
    let value = |run: &RunFacts| match run.get(key) {
        Some(Fact::Number(value)) if !value.is_nan() => match mode {
            Mode::Min => value,
            Mode::Max => -value,
        },
        _ => f64::INFINITY,
    };
    runs.sort_by(|a, b| value(a).total_cmp(&value(b)));
    runs.drain(..count.min(runs.len()));
}

impl GcArgs {
    fn states(&self) -> Result<Vec<&str>, Failure> {
        let unknown = self
            .state
            .iter()
            .find(|state| !STATES[1..].contains(&state.as_str()));
        if let Some(unknown) = unknown {
            let choices = STATES[1..].join(", ");
            return Err(Failure::Usage(anyhow!(
                "`{unknown}` is no state; choose among {choices}"
            )));
        }
        if !self.state.is_empty() {
            return Ok(self.state.iter().map(String::as_str).collect());
        }
        Ok(if self.checkpoints {
            // The others may go on still, from just these files.
            vec!["finished"]
        } else if self.keep_best.is_some() {
            STATES[1..].to_vec()
        } else {
            vec!["failed", "interrupted", "crashed"]
        })
    }
}

fn age(text: &str) -> Result<SignedDuration, String> {
    let split = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: i64 = number
        .parse()
        .map_err(|_| "a number and a unit, as 7d".to_owned())?;
    let seconds = match unit {
        "d" => 86_400,
        "h" => 3_600,
        "min" => 60,
        "s" => 1,
        _ => return Err("the unit is one of d, h, min, s".to_owned()),
    };
    Ok(SignedDuration::from_secs(number.saturating_mul(seconds)))
}

fn list(doomed: &[PathBuf]) -> u64 {
    let mut total = 0;
    for path in doomed {
        let bytes = bytes_below(path);
        total += bytes;
        anstream::println!("{:>9}  {}", size(bytes), path.display());
    }
    total
}

fn remove(doomed: &[PathBuf], consent: &ConsentArgs) -> Result<Ended, Failure> {
    if doomed.is_empty() {
        anstream::println!("nothing to remove");
        return Ok(Ended::Done);
    }
    let total = list(doomed);
    if !consent.yes && !asked(doomed.len(), total)? {
        return Ok(Ended::Differs);
    }
    for path in doomed {
        // Links in it are removed, not followed.
        fs_err::remove_dir_all(path).map_err(anyhow::Error::from)?;
    }
    anstream::println!("removed {} of {}", size(total), doomed.len());
    Ok(Ended::Done)
}

fn asked(count: usize, bytes: u64) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage(anyhow!(
            "nobody can be asked whether to remove {count} folders; say --yes"
        )));
    }
    anstream::eprint!("remove these {count}, {}? [y/N] ", size(bytes));
    let mut answer = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut answer)
        .context("cannot read the answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn bytes_below(path: &Path) -> u64 {
    let Ok(entries) = fs_err::read_dir(path) else {
        return 0;
    };
    let sizes = entries.flatten().map(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => bytes_below(&entry.path()),
        _ => entry.metadata().map_or(0, |metadata| metadata.len()),
    });
    sizes.sum()
}
