//! The jobs of a sweep, one after the other in this process, as Hydra's basic launcher runs them.

use std::sync::atomic::AtomicBool;

use anyhow::{Context, anyhow};
use strata_config::{Composition, Node, SweepPlan};

use super::job;
use crate::cli::TrainArgs;
use crate::exit::{Ended, Failure};
use crate::warn;

/// The overrides of each job as JSON, one line a job; each job is composed, so that a wrong one is found.
pub(crate) fn dry_run(composition: &Composition, multirun: bool) -> Result<String, Failure> {
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
        compose(composition, number, overrides)?;
        lines += &serde_json::to_string(overrides).map_err(anyhow::Error::from)?;
        lines.push('\n');
    }
    Ok(lines)
}

/// Refuses a sweeper that is not built, and says that a launcher is not.
pub(crate) fn check_plugins(composition: &Composition) -> Result<(), Failure> {
    let name = |key: &str| -> Result<String, Failure> {
        let node = composition.select(key)?;
        let target = node.as_ref().and_then(Node::as_str).unwrap_or_default();
        Ok(target.rsplit('.').next().unwrap_or_default().to_owned())
    };
    let sweeper = name("hydra.sweeper._target_")?;
    if sweeper != "BasicSweeper" {
        return Err(Failure::Usage(anyhow!(
            "the sweeper {sweeper} cannot run yet; without `hydra/sweeper` every combination of the values is run"
        )));
    }
    let launcher = name("hydra.launcher._target_")?;
    if launcher != "BasicLauncher" {
        anstream::eprintln!(
            "warning: the launcher {launcher} cannot run yet: the jobs run one after the other"
        );
    }
    Ok(())
}

/// Runs the sweep: batch by batch, each composed as a whole before its first job starts. A batch is
/// finished even if a job of it fails; then the sweep ends.
pub(crate) fn run(
    args: &TrainArgs,
    composition: &Composition,
    interrupted: &AtomicBool,
) -> Result<Ended, Failure> {
    let plan = composition.sweep_plan()?;
    let folder = composition.sweep_dir()?;
    std::fs::create_dir_all(&folder)
        .and_then(|()| {
            let text = composition.multirun_yaml();
            strata_fs::write_atomically(&folder.join("multirun.yaml"), text.as_bytes())
        })
        .with_context(|| format!("cannot write to {}", folder.display()))?;
    let size = plan.max_batch_size.unwrap_or(plan.jobs.len()).max(1);
    for (batch, jobs) in plan.jobs.chunks(size).enumerate() {
        let first = batch * size;
        let numbered = || (first..).zip(jobs);
        for (number, overrides) in numbered() {
            compose(composition, number, overrides)?;
        }
        warn::hydra_log(&format!("Launching {} jobs locally", jobs.len()));
        let mut first_failure = None;
        for (number, overrides) in numbered() {
            warn::hydra_log(&format!("\t#{number} : {}", overrides.join(" ")));
            let job = compose(composition, number, overrides)?;
            match job::run(args, job, interrupted) {
                Ok(Ended::Done | Ended::Differs) => {}
                Ok(Ended::Interrupted) => return Ok(Ended::Interrupted),
                Err(failure) => {
                    let words: Vec<String> =
                        overrides.iter().map(|text| format!("'{text}'")).collect();
                    warn::hydra_log(&format!(
                        "Error executing job #{number} with overrides: [{}]",
                        words.join(", ")
                    ));
                    match first_failure {
                        None => first_failure = Some(failure),
                        Some(_) => {
                            failure.report();
                        }
                    }
                }
            }
        }
        if let Some(failure) = first_failure {
            return Err(failure);
        }
    }
    Ok(Ended::Done)
}

fn compose(
    sweep: &Composition,
    number: usize,
    overrides: &[String],
) -> Result<Composition, Failure> {
    Ok(strata_config::compose(
        &sweep.job_request(number, overrides),
    )?)
}
