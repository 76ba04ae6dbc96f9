//! `strata study best`.

use anyhow::anyhow;
use clap::Args;
use strata_json::{Json, Style};

use super::export::trial_json;
use super::opened::StudyChoice;
use super::trials::table;
use crate::commands::table::FormatArgs;
use crate::exit::{Ended, Failure};
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata study best multirun/2026-01-31/14-05-09
  strata train $(strata study best sqlite:///study.db --overrides)")]
pub(super) struct BestArgs {
    #[command(flatten)]
    study: StudyChoice,

    /// Print the parameters as overrides, quoted for a shell
    #[arg(long, conflicts_with_all = ["json", "csv"])]
    overrides: bool,

    #[command(flatten)]
    format: FormatArgs,
}

pub(super) fn run(args: &BestArgs) -> Result<Ended, Failure> {
    let mut study = args.study.open()?;
    let best = study.best();
    let Some(first) = best.first() else {
        return Err(Failure::Work(anyhow!(
            "no trial of `{}` is complete",
            study.record.name
        )));
    };
    if args.overrides {
        let overrides = first.params.iter().map(|(name, param)| {
            let value = match param.value() {
                Json::Str(text) => text,
                other => other.written(Style::Default),
            };
            format!("{name}={value}")
        });
        let overrides: Vec<String> = overrides.collect();
        output::print(&format!("{}\n", overrides.join("\n")))?;
        return Ok(Ended::Done);
    }
    if args.format.is_json() {
        let trials = Json::List(best.iter().map(|trial| trial_json(trial)).collect());
        output::print(&format!("{}\n", trials.written(Style::Default)))?;
        return Ok(Ended::Done);
    }
    study.trials = best;
    table(&study).print(args.format)?;
    Ok(Ended::Done)
}
