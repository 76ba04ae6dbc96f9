//! `strata study importance`.

use clap::Args;
use strata_study::importances;
use strata_track::runs::Fact;

use super::opened::StudyChoice;
use crate::commands::table::{FormatArgs, Table};
use crate::exit::{Ended, Failure};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata study importance multirun/2026-01-31/14-05-09
  strata study importance sqlite:///study.db --study-name mlp --json

How much each parameter decides whether a trial is among the best tenth, by PED-ANOVA; the shares add up to 1.")]
pub(super) struct ImportanceArgs {
    #[command(flatten)]
    study: StudyChoice,

    #[command(flatten)]
    format: FormatArgs,
}

pub(super) fn run(args: &ImportanceArgs) -> Result<Ended, Failure> {
    let study = args.study.open()?;
    let found = importances(&study.trials, &study.record.directions);
    let rows = found.into_iter().map(|(name, importance)| {
        let importance = Fact::Number(importance);
        let shown = if args.format.is_for_programs() {
            importance
        } else {
            importance.rounded()
        };
        vec![Some(Fact::Text(name)), Some(shown)]
    });
    let table = Table {
        columns: ["parameter", "importance"].map(str::to_owned).to_vec(),
        rows: rows.collect(),
    };
    table.print(args.format)?;
    Ok(Ended::Done)
}
