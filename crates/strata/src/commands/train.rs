//! `strata train`.

use strata_config::Composition;
use strata_experiment::{ExperimentConfig, Launch, RunEnd, RunFailure};

use crate::cli::{CfgPart, InfoPart, TrainArgs};
use crate::exit::{Ended, Failure};
use crate::{interrupt, output};

const JOB_NAME: &str = "train";

pub(crate) fn run(args: &TrainArgs) -> Result<Ended, Failure> {
    let mut composition = args.compose.compose(JOB_NAME)?;
    if let Some(text) = shown_instead(args, &composition)? {
        output::print(&text)?;
        return Ok(Ended::Done);
    }
    composition.assume_output_dir()?;
    let config = ExperimentConfig::from_composition(&composition)?;
    let interrupted = interrupt::flag()?;
    let launch = Launch {
        composition,
        config,
        config_source: args.compose.source_in_words(),
        job_name: JOB_NAME.to_owned(),
    };
    match strata_experiment::run(launch, &interrupted) {
        Ok(RunEnd::Finished) => Ok(Ended::Done),
        Ok(RunEnd::Interrupted) => Ok(Ended::Interrupted),
        Err(RunFailure::BeforeTheLog(error)) => Err(error.into()),
        Err(RunFailure::Logged) => Err(Failure::Reported),
    }
}

/// What is printed in place of running; any tree composes here, whether or not a job could use it.
fn shown_instead(args: &TrainArgs, composition: &Composition) -> Result<Option<String>, Failure> {
    let package = args.package.as_deref();
    let text = match (args.cfg, args.info) {
        (Some(CfgPart::Job), _) => composition.job_yaml(args.resolve, package)?,
        (Some(CfgPart::Hydra), _) => composition.hydra_yaml(args.resolve, package)?,
        (Some(CfgPart::All), _) => composition.all_yaml(args.resolve, package)?,
        (None, Some(part)) => info(part, composition)?,
        (None, None) if args.dry_run => {
            let overrides = composition.task_overrides();
            serde_json::to_string(&overrides).map_err(anyhow::Error::from)? + "\n"
        }
        (None, None) => return Ok(None),
    };
    Ok(Some(text))
}

fn info(part: InfoPart, composition: &Composition) -> Result<String, Failure> {
    Ok(match part {
        InfoPart::Defaults => composition.defaults_list_text(),
        InfoPart::DefaultsTree => composition.defaults_tree_text(),
        InfoPart::Config => composition.job_yaml(false, None)?,
        InfoPart::All => [
            composition.defaults_tree_text(),
            composition.defaults_list_text(),
            composition.job_yaml(false, None)?,
        ]
        .join("\n"),
    })
}
