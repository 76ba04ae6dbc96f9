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
    let cwd = std::env::current_dir();
    let ended = strata_experiment::run(launch, interrupted);
    // `hydra.job.chdir` has led into the run's folder; the next job of a sweep starts where this one did.
    if let Ok(cwd) = cwd {
        std::env::set_current_dir(cwd).map_err(anyhow::Error::from)?;
    }
    match ended {
        Ok(RunEnd::Finished) => Ok(Ended::Done),
        Ok(RunEnd::Interrupted) => Ok(Ended::Interrupted),
        Err(RunFailure::BeforeTheLog(error)) => Err(error.into()),
        Err(RunFailure::Logged) => Err(Failure::Reported),
    }
}
