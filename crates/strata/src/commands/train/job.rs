//! One job.

use std::sync::atomic::AtomicBool;

use strata_config::Composition;
use strata_experiment::{ExperimentConfig, Launch, RunEnd, RunFailure};

use crate::cli::TrainArgs;
use crate::exit::{Ended, Failure};

/// Runs the job of a composition in this process.
pub(crate) fn run(
    args: &TrainArgs,
    mut composition: Composition,
    interrupted: &AtomicBool,
) -> Result<Ended, Failure> {
    composition.assume_output_dir()?;
    composition.apply_env_set()?;
    let config = ExperimentConfig::from_composition(&composition)?;
    let launch = Launch {
        config,
        config_source: args.compose.source_in_words(),
        composition,
    };
    match strata_experiment::run(launch, interrupted) {
        Ok(RunEnd::Finished) => Ok(Ended::Done),
        Ok(RunEnd::Interrupted) => Ok(Ended::Interrupted),
        Err(RunFailure::BeforeTheLog(error)) => Err(error.into()),
        Err(RunFailure::Logged) => Err(Failure::Reported),
    }
}
