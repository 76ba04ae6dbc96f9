//! `strata runs compare`.

use std::path::PathBuf;

use clap::Args;
use indexmap::IndexSet;
use strata_track::runs::{Fact, RunFacts};

use super::ls::differing_keys;
use super::reading::run_at;
use crate::commands::table::{FormatArgs, Table};
use crate::exit::{Ended, Failure};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata runs compare runs/a runs/b
  strata runs compare multirun/2026-01-31/14-05-09/*/ --csv")]
pub(super) struct CompareArgs {
    /// The runs' directories
    #[arg(required = true, num_args = 2..)]
    runs: Vec<PathBuf>,

    /// Also the keys of the configuration that are the same in all
    #[arg(short, long)]
    all: bool,

    #[command(flatten)]
    format: FormatArgs,
}

pub(super) fn run(args: &CompareArgs) -> Result<Ended, Failure> {
    let runs = args.runs.iter().map(|path| run_at(path));
    let runs: Vec<RunFacts> = runs.collect::<Result<_, _>>()?;
    let mut keys: IndexSet<String> = IndexSet::from(["state".to_owned(), "epoch".to_owned()]);
    if args.all {
        keys.extend(runs.iter().flat_map(|run| run.config.keys().cloned()));
    } else {
        keys.extend(differing_keys(&runs));
    }
    for run in &runs {
        for name in run.summary.last.keys() {
            keys.insert(name.clone());
            if run.summary.best.contains_key(name) {
                keys.insert(format!("best/{name}"));
            }
        }
    }
    let for_the_eye = !args.format.is_for_programs();
    let cell = |run: &RunFacts, key: &str| {
        let fact = run.get(key)?;
        let is_rounded = for_the_eye && run.is_metric(key);
        Some(if is_rounded { fact.rounded() } else { fact })
    };
    let rows = keys.iter().map(|key| {
        let name = Some(Fact::Text(key.clone()));
        let cells = runs.iter().map(|run| cell(run, key));
        [name].into_iter().chain(cells)
    });
    let names = runs.iter().map(|run| run.path.display().to_string());
    let table = Table {
        rows: rows.map(Iterator::collect).collect(),
        columns: ["key".to_owned()].into_iter().chain(names).collect(),
    };
    table.print(args.format)?;
    Ok(Ended::Done)
}
