//! One job.

use std::sync::atomic::AtomicBool;

use strata_config::Composition;
use strata_experiment::{ExperimentConfig, Launch, Supervision};

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
    Ended::of_run(strata_experiment::run(
        launch,
        &Supervision::of(interrupted),
    ))
}
