//! All combinations, batch by batch.

mod elsewhere;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use strata_experiment::Supervision;
use strata_launch::{run_jobs, threads_of_worker};

use crate::error::SweepError;
use crate::job::{Job, JobEnd};
use crate::place::Place;
use crate::progress::say;
use crate::sweep::{Sweep, SweepEnd};

type Overrides = Vec<String>;

/// What became of the jobs of a batch.
#[derive(Debug, Default)]
struct Outcome {
    failures: Vec<String>,
    /// Jobs whose processes were ended before they were done.
    unfinished: usize,
}

/// Runs the grid: of each batch all jobs are composed before the first starts. A batch is finished even if a job of it
/// fails; then the sweep ends.
pub(crate) fn run(
    sweep: &Sweep,
    place: &Place,
    interrupted: &AtomicBool,
) -> Result<SweepEnd, SweepError> {
    let plan = sweep.composition.sweep_plan()?;
    let size = plan.max_batch_size.unwrap_or(plan.jobs.len()).max(1);
    for (batch, jobs) in plan.jobs.chunks(size).enumerate() {
        let numbered: Vec<(usize, &Overrides)> = (batch * size..).zip(jobs).collect();
        for (number, overrides) in &numbered {
            Job::compose(sweep, *number, overrides)?;
        }
        let outcome = match place {
            Place::Here { workers } => {
                say(&format!("Launching {} jobs locally", jobs.len()));
                run_batch(sweep, &numbered, *workers, interrupted)
            }
            Place::Elsewhere(elsewhere) => {
                elsewhere::run_batch(sweep, &numbered, elsewhere, interrupted)?
            }
        };
        if interrupted.load(Ordering::Relaxed) {
            return Ok(SweepEnd::Interrupted);
        }
        if let [first, ..] = outcome.failures.as_slice() {
            return Err(SweepError::Jobs {
                first: first.clone(),
                count: outcome.failures.len(),
            });
        }
        if outcome.unfinished > 0 {
            say(&format!(
                "{} jobs are not done, since their processes were ended; `strata resume {}` goes on",
                outcome.unfinished,
                sweep.directory.display()
            ));
            return Ok(SweepEnd::Interrupted);
        }
    }
    Ok(SweepEnd::Finished)
}

/// Runs one job in this process, which is there for nothing else.
pub(crate) fn work(
    sweep: &Sweep,
    number: usize,
    threads: Option<usize>,
    interrupted: &AtomicBool,
) -> Result<SweepEnd, SweepError> {
    let plan = sweep.composition.sweep_plan()?;
    let Some(overrides) = plan.jobs.get(number) else {
        return Err(SweepError::NoJob {
            number,
            count: plan.jobs.len(),
        });
    };
    let job = Job::compose(sweep, number, overrides)?;
    let supervision = Supervision {
        threads: job.config().training.threads.or(threads),
        ..Supervision::of(interrupted)
    };
    match job.run(sweep, &supervision) {
        JobEnd::Finished | JobEnd::WasDone | JobEnd::Pruned => Ok(SweepEnd::Finished),
        JobEnd::Interrupted => Ok(SweepEnd::Interrupted),
        JobEnd::Failed(first) => Err(SweepError::Jobs { first, count: 1 }),
    }
}

fn say_failure(number: usize, overrides: &Overrides) {
    let words: Vec<String> = overrides.iter().map(|text| format!("'{text}'")).collect();
    say(&format!(
        "Error executing job #{number} with overrides: [{}]",
        words.join(", ")
    ));
}

fn run_batch(
    sweep: &Sweep,
    jobs: &[(usize, &Overrides)],
    workers: usize,
    interrupted: &AtomicBool,
) -> Outcome {
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
                say_failure(*number, overrides);
                let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
                failures.push(format!("job #{number}: {problem}"));
            }
            JobEnd::Finished | JobEnd::Pruned | JobEnd::Interrupted => {}
        },
    );
    let failures = failures.into_inner();
    Outcome {
        failures: failures.unwrap_or_else(PoisonError::into_inner),
        unfinished: 0,
    }
}
