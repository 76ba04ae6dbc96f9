//! `strata runs ls`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use indexmap::IndexSet;
use strata_track::runs::{Fact, Filter, RunFacts, STATES};

use super::reading::{check_keys, runs_below};
use super::{duration, local_time};
use crate::commands::table::{FormatArgs, Table};
use crate::exit::{Ended, Failure};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata runs ls
  strata runs ls --filter 'model.dropout>0.2' --sort -best/validation/accuracy --limit 10
  strata runs ls multirun/2026-01-31/14-05-09 --diff
  strata runs ls --columns model.dropout,test/accuracy --csv > runs.csv

A key is one of run, state, started, seconds, epoch and step; of the configuration, as
model.dropout; or a metric, as validation/accuracy for its last value and best/validation/accuracy
for its best. The operators are = != < <= > >= and ~ for a part of a text.")]
pub(super) struct LsArgs {
    /// Run directories, or folders above them [default: runs and multirun]
    paths: Vec<PathBuf>,

    /// Only runs of which this holds, such as 'model.dropout>0.2' or state=finished; may be given several times
    #[arg(short, long, value_name = "CONDITION")]
    filter: Vec<String>,

    /// Sort by this key; with a minus before it, the largest first [default: started]
    #[arg(short, long, value_name = "KEY", allow_hyphen_values = true)]
    sort: Option<String>,

    /// Columns after the run's name, separated by commas
    #[arg(short, long, value_name = "KEYS", value_delimiter = ',')]
    columns: Vec<String>,

    /// Show the keys of the configuration in which the runs differ
    #[arg(short, long)]
    diff: bool,

    /// Not more runs than this
    #[arg(short = 'n', long, value_name = "N")]
    limit: Option<usize>,

    #[command(flatten)]
    format: FormatArgs,
}

pub(super) fn run(args: &LsArgs) -> Result<Ended, Failure> {
    let filters = args.filter.iter().map(|text| Filter::parse(text));
    let filters: Vec<Filter> = filters
        .collect::<Result<_, _>>()
        .map_err(|error| Failure::Usage(error.into()))?;
    check_states(&filters)?;
    let sort = args.sort.as_deref().unwrap_or("started");
    let (descending, sort) = match sort.strip_prefix('-') {
        Some(key) => (true, key),
        None => (false, sort),
    };
    let mut runs = runs_below(&args.paths)?;
    let asked = filters.iter().map(Filter::key).chain([sort]);
    check_keys(&runs, asked.chain(args.columns.iter().map(String::as_str)))?;
    runs.retain(|run| filters.iter().all(|filter| filter.admits(run)));
    let rank = |run: &RunFacts| {
        run.get(sort)
            .filter(|fact| !matches!(fact, Fact::Number(n) if n.is_nan()))
    };
    runs.sort_by(|a, b| match (rank(a), rank(b)) {
        (Some(a), Some(b)) if descending => b.compare(&a),
        (Some(a), Some(b)) => a.compare(&b),
        // Runs that have nothing to say come last, whichever way.
        (a, b) => a.is_none().cmp(&b.is_none()),
    });
    runs.truncate(args.limit.unwrap_or(usize::MAX));
    let columns = args.columns_of(&runs);
    let for_the_eye = !args.format.is_for_programs();
    let rows = runs.iter().map(|run| {
        let cells = columns.iter().map(|key| cell(run, key, for_the_eye));
        cells.collect()
    });
    let table = Table {
        rows: rows.collect(),
        columns,
    };
    table.print(args.format)?;
    Ok(Ended::Done)
}

/// A state that no run can be in is a mistake; one that no run is in is none.
fn check_states(filters: &[Filter]) -> Result<(), Failure> {
    let states = filters.iter().filter(|filter| filter.key() == "state");
    let unknown = states
        .filter(|filter| filter.is_equality())
        .map(Filter::value)
        .find(|state| !STATES.contains(state));
    let Some(unknown) = unknown else {
        return Ok(());
    };
    let meant = strata_diag::closest(unknown, STATES);
    let meant = meant.map_or(String::new(), |meant| format!("did you mean `{meant}`? "));
    Err(Failure::Usage(anyhow!(
        "`{unknown}` is no state of a run; {meant}There are {}",
        STATES.join(", ")
    )))
}

impl LsArgs {
    fn columns_of(&self, runs: &[RunFacts]) -> Vec<String> {
        let mut columns = IndexSet::from(["run".to_owned()]);
        if self.columns.is_empty() {
            columns.extend(["state", "started", "seconds", "epoch"].map(str::to_owned));
        }
        if self.diff {
            columns.extend(differing_keys(runs));
        }
        if self.columns.is_empty() {
            columns.extend(usual_metrics(runs));
        }
        columns.extend(self.columns.iter().cloned());
        columns.into_iter().collect()
    }
}

/// Best and last value of what the runs were chosen by; of runs that were chosen by nothing what is mostly looked at.
fn usual_metrics(runs: &[RunFacts]) -> Vec<String> {
    let chosen: BTreeSet<&str> = runs.iter().filter_map(RunFacts::chosen_by).collect();
    if chosen.is_empty() {
        return ["validation/accuracy", "validation/loss"]
            .map(str::to_owned)
            .to_vec();
    }
    let metrics = chosen.into_iter();
    metrics
        .flat_map(|metric| [format!("best/{metric}"), metric.to_owned()])
        .collect()
}

fn cell(run: &RunFacts, key: &str, for_the_eye: bool) -> Option<Fact> {
    let fact = run.get(key)?;
    if !for_the_eye {
        return Some(fact);
    }
    Some(match (key, fact) {
        ("seconds", Fact::Number(seconds)) => Fact::Text(duration(seconds)),
        ("started", _) => Fact::Text(local_time(run.started()?)),
        (_, fact) if run.is_metric(key) => fact.rounded(),
        (_, fact) => fact,
    })
}

/// The keys of the configuration that do not say the same in all runs, in their order.
pub(super) fn differing_keys(runs: &[RunFacts]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let keys = runs.iter().flat_map(|run| run.config.keys());
    keys.filter(|key| seen.insert((*key).clone()))
        .filter(|key| {
            let first = without_own_path(&runs[0], key);
            let mut others = runs.iter().map(|run| without_own_path(run, key));
            others.any(|other| other != first)
        })
        .cloned()
        .collect()
}

/// That runs lie in different directories is no difference of their configurations.
fn without_own_path(run: &RunFacts, key: &str) -> Option<String> {
    let fact = run.config.get(key)?.to_string();
    let path = std::path::absolute(&run.path).unwrap_or_default();
    Some(fact.replace(&*path.to_string_lossy(), ""))
}
