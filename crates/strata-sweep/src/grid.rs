//! All combinations, batch by batch.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use strata_experiment::Supervision;
use strata_launch::{run_jobs, threads_of_worker};

use crate::error::SweepError;
use crate::job::{Job, JobEnd};
use crate::progress::say;
use crate::sweep::{Sweep, SweepEnd};

/// Runs the grid: of each batch all jobs are composed before the first starts. A batch is finished even if a job of it
/// fails; then the sweep ends.
pub(crate) fn run(
    sweep: &Sweep,
    workers: usize,
    interrupted: &AtomicBool,
) -> Result<SweepEnd, SweepError> {
    let plan = sweep.composition.sweep_plan()?;
    let size = plan.max_batch_size.unwrap_or(plan.jobs.len()).max(1);
    for (batch, jobs) in plan.jobs.chunks(size).enumerate() {
        let numbered: Vec<(usize, &Vec<String>)> = (batch * size..).zip(jobs).collect();
        for (number, overrides) in &numbered {
            Job::compose(sweep, *number, overrides)?;
        }
        say(&format!("Launching {} jobs locally", jobs.len()));
        let failures = run_batch(sweep, &numbered, workers, interrupted);
        if interrupted.load(Ordering::Relaxed) {
            return Ok(SweepEnd::Interrupted);
        }
        if let [first, ..] = failures.as_slice() {
            return Err(SweepError::Jobs {
                first: first.clone(),
                count: failures.len(),
            });
        }
    }
    Ok(SweepEnd::Finished)
}

fn run_batch(
    sweep: &Sweep,
    jobs: &[(usize, &Vec<String>)],
    workers: usize,
    interrupted: &AtomicBool,
) -> Vec<String> {
    let workers = workers.min(jobs.len());
    let begun = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    run_jobs(
        workers,
        |_| {
            if interrupted.load(Ordering::Relaxed) {
                return None;
            }
            jobs.get(begun.fetch_add(1, Ordering::Relaxed))
        },
        |worker, (number, overrides)| {
            say(&format!("\t#{number} : {}", overrides.join(" ")));
            let job = match Job::compose(sweep, *number, overrides) {
                Ok(job) => job,
                Err(error) => return JobEnd::Failed(error.to_string()),
            };
            let is_alone = workers == 1;
            let threads = job.config().training.threads;
            let supervision = Supervision {
                silent: !is_alone,
                threads: threads.or((!is_alone).then(|| threads_of_worker(cores, workers, worker))),
                ..Supervision::of(interrupted)
            };
            job.run(sweep, &supervision)
        },
        |_, (number, overrides), ended| match ended
            .unwrap_or_else(|panic| JobEnd::Failed(panic.to_string()))
        {
            JobEnd::WasDone => say(&format!("\t#{number} was done before")),
            JobEnd::Failed(problem) => {
                let words: Vec<String> = overrides.iter().map(|text| format!("'{text}'")).collect();
                say(&format!(
                    "Error executing job #{number} with overrides: [{}]",
                    words.join(", ")
                ));
                let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
                failures.push(format!("job #{number}: {problem}"));
            }
            JobEnd::Finished | JobEnd::Pruned | JobEnd::Interrupted => {}
        },
    );
    failures
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
}
