//! `strata study ls`.

use clap::Args;
use strata_study::{TrialState, best_of};
use strata_track::runs::Fact;

use super::opened::{directions, open_storage, work};
use crate::commands::table::{FormatArgs, Table};
use crate::exit::{Ended, Failure};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata study ls sqlite:///study.db
  strata study ls multirun/2026-01-31/14-05-09")]
pub(super) struct LsArgs {
    /// The directory of a sweep, a file, or an address such as sqlite:///study.db
    storage: String,

    #[command(flatten)]
    format: FormatArgs,
}

pub(super) fn run(args: &LsArgs) -> Result<Ended, Failure> {
    let storage = open_storage(&args.storage)?;
    let mut rows = Vec::new();
    for study in storage.studies().map_err(work)? {
        let trials = storage.trials(study.id).map_err(work)?;
        let count = |state: TrialState| {
            let count = trials.iter().filter(|trial| trial.state == state).count();
            Some(Fact::Number(count as f64))
        };
        let best = match study.directions[..] {
            [direction] => best_of(&trials, direction),
            _ => None,
        };
        rows.push(vec![
            Some(Fact::Text(study.name)),
            Some(Fact::Text(directions(&study.directions))),
            Some(Fact::Number(trials.len() as f64)),
            count(TrialState::Complete),
            count(TrialState::Pruned),
            count(TrialState::Fail),
            count(TrialState::Running),
            count(TrialState::Waiting),
            best.map(|best| Fact::Number(best.values[0])),
        ]);
    }
    let columns = [
        "study",
        "direction",
        "trials",
        "complete",
        "pruned",
        "failed",
        "running",
        "waiting",
        "best",
    ];
    let table = Table {
        columns: columns.map(str::to_owned).to_vec(),
        rows,
    };
    table.print(args.format)?;
    Ok(Ended::Done)
}
