//! `strata runs gc`.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use strata_track::Mode;
use strata_track::runs::RunFacts;

use super::reading::{check_keys, runs_below};
use super::removal::{ConsentArgs, Doomed, holds_another, list, remove, without_bystanders};
use crate::exit::{Ended, Failure};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata runs gc --dry-run                                  what came to nothing
  strata runs gc --state finished --older-than 30d
  strata runs gc --keep-best 5 --metric validation/accuracy
  strata runs gc --checkpoints                              checkpoints of runs that are over

Runs that go on are never touched, nor are those whose run.json is damaged; `strata runs rm`
removes the latter.")]
pub(super) struct GcArgs {
    /// Run directories, or folders above them [default: runs and multirun]
    paths: Vec<PathBuf>,

    /// Runs in these states, separated by commas [default: failed,interrupted,crashed; with --keep-best also finished;
    /// with --checkpoints finished]
    #[arg(long, value_name = "STATES", value_delimiter = ',')]
    state: Vec<String>,

    /// Only runs that began so long ago, as 7d, 12h or 30min
    #[arg(long, value_name = "TIME", value_parser = age)]
    older_than: Option<SignedDuration>,

    /// Keep the best so many of all runs
    #[arg(long, value_name = "N", requires = "metric")]
    keep_best: Option<usize>,

    /// What is best: this metric's best value, small or large as the runs themselves take it
    #[arg(long, value_name = "KEY", requires = "keep_best")]
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

/// States that runs may be chosen by: what goes on or is damaged stays.
const OVER: [&str; 4] = ["finished", "failed", "interrupted", "crashed"];

pub(super) fn run(args: &GcArgs) -> Result<Ended, Failure> {
    let states = args.states()?;
    let mut runs = runs_below(&args.paths)?;
    if let (Some(metric), Some(count)) = (&args.metric, args.keep_best) {
        check_keys(&runs, [format!("best/{metric}").as_str()])?;
        let mode = mode_of(&runs, metric)?;
        keep_best(&mut runs, metric, mode, count);
    }
    let now = Timestamp::now();
    runs.retain(|run| {
        let age = run.started().map(|started| now.duration_since(started));
        let is_old = match (args.older_than, age) {
            (None, _) => true,
            (Some(least), Some(age)) => age >= least,
            (Some(_), None) => false,
        };
        is_old && states.contains(&run.state())
    });
    let doomed = runs.into_iter();
    let doomed: Vec<Doomed> = if args.checkpoints {
        doomed.filter_map(Doomed::checkpoints).collect()
    } else {
        doomed.map(Doomed::whole).collect()
    };
    let (doomed, refused) = without_bystanders(doomed);
    for (run, stays) in &refused {
        anstream::eprintln!("warning: {}", holds_another(run, stays));
    }
    if args.dry_run && !doomed.is_empty() {
        list(&doomed);
        return Ok(Ended::Done);
    }
    remove(&doomed, &args.consent)
}

/// What is good, as it stands in the summaries, which know a sweep's own mode.
fn mode_of(runs: &[RunFacts], metric: &str) -> Result<Mode, Failure> {
    let mode = |run: &RunFacts| run.summary.best.get(metric).map(|best| best.mode);
    let Some(first) = runs.iter().find(|run| mode(run).is_some()) else {
        return Ok(Mode::of_name(metric));
    };
    let expected = mode(first).unwrap_or(Mode::of_name(metric));
    let other = runs
        .iter()
        .find(|run| mode(run).is_some_and(|mode| mode != expected));
    match other {
        None => Ok(expected),
        Some(other) => Err(Failure::Usage(anyhow!(
            "`{}` and `{}` do not agree whether small or large is good for `{metric}`; name paths of runs that do",
            first.path.display(),
            other.path.display()
        ))),
    }
}

/// Takes the runs out that are to be kept.
fn keep_best(runs: &mut Vec<RunFacts>, metric: &str, mode: Mode, count: usize) {
    let value = |run: &RunFacts| {
        let best = run.summary.best.get(metric);
        best.map_or(f64::INFINITY, |best| match mode {
            Mode::Min => best.value,
            Mode::Max => -best.value,
        })
    };
    runs.sort_by(|a, b| value(a).total_cmp(&value(b)));
    runs.drain(..count.min(runs.len()));
    // What cannot be read might have been the best.
    runs.retain(|run| run.problems.is_empty() || run.summary.best.contains_key(metric));
}

impl GcArgs {
    fn states(&self) -> Result<Vec<&str>, Failure> {
        let unknown = self
            .state
            .iter()
            .find(|state| !OVER.contains(&state.as_str()));
        if let Some(unknown) = unknown {
            let meant = strata_diag::closest(unknown, OVER);
            let meant = meant.map_or(String::new(), |meant| format!("did you mean `{meant}`? "));
            return Err(Failure::Usage(anyhow!(
                "`{unknown}` is no state of a run that is over; {meant}There are {}",
                OVER.join(", ")
            )));
        }
        if !self.state.is_empty() {
            return Ok(self.state.iter().map(String::as_str).collect());
        }
        Ok(if self.checkpoints {
            // The others may go on still, from just these files.
            vec!["finished"]
        } else if self.keep_best.is_some() {
            OVER.to_vec()
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
