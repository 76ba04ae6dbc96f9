//! The jobs of a sweep.

use std::sync::atomic::AtomicBool;

use strata_config::{Composition, SweepPlan};
use strata_sweep::{Method, Sweep};

use crate::cli::TrainArgs;
use crate::exit::{Ended, Failure};

/// The overrides of each job as JSON, one line a job; each job is composed, so that a wrong one is found.
pub(crate) fn dry_run(composition: &Composition, multirun: bool) -> Result<String, Failure> {
    if multirun && Method::of(composition)? == Method::Search {
        return Err(Failure::Usage(anyhow::anyhow!(
            "the jobs of a search follow from the results of those before them; `strata config search-space` shows what is searched"
        )));
    }
    let plan = if multirun {
        composition.sweep_plan()?
    } else {
        SweepPlan {
            jobs: vec![composition.task_overrides()],
            max_batch_size: None,
        }
    };
    let mut lines = String::new();
    for (number, overrides) in plan.jobs.iter().enumerate() {
        strata_config::compose(&composition.job_request(number, overrides))?;
        lines += &serde_json::to_string(overrides).map_err(anyhow::Error::from)?;
        lines.push('\n');
    }
    Ok(lines)
}

/// Runs the sweep of a composition.
pub(crate) fn run(
    args: &TrainArgs,
    composition: Composition,
    interrupted: &AtomicBool,
) -> Result<Ended, Failure> {
    let sweep = Sweep::begin(composition, args.compose.source_in_words())?;
    Ended::of_sweep(strata_sweep::run(sweep, interrupted))
}
