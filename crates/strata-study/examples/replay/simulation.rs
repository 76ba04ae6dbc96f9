//! A search whose trainings are looked up.

use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use strata_study::{ActiveTrial, Direction, Study, TrialState};

use crate::recorded::best;

/// What a trial would show if it were trained to its end.
pub(crate) struct Outcome {
    /// What is reported after each epoch.
    pub(crate) curve: Vec<f64>,
    /// What its value is without the noise.
    pub(crate) truth: f64,
}

/// A trial that has ended.
struct Ended {
    state: TrialState,
    /// Epochs that all trials had been trained by then.
    spent: usize,
    value: f64,
    truth: f64,
}

/// What happened in a search.
pub(crate) struct Course {
    direction: Direction,
    /// In the order in which they ended.
    ended: Vec<Ended>,
    /// What asking for the trials took.
    pub(crate) proposing: Duration,
}

impl Course {
    /// The truth about the best complete trial among those that had ended after so many epochs.
    pub(crate) fn found_after(&self, epochs: usize) -> Option<f64> {
        self.found(|_, ended| ended.spent <= epochs)
    }

    /// The same after so many trials.
    pub(crate) fn found_by(&self, trials: usize) -> Option<f64> {
        self.found(|index, _| index < trials)
    }

    fn found(&self, counts: impl Fn(usize, &Ended) -> bool) -> Option<f64> {
        let ended = self.ended.iter().enumerate();
        let complete = ended
            .filter(|(index, ended)| counts(*index, ended) && ended.state == TrialState::Complete);
        let best = complete.map(|(_, ended)| ended).reduce(|best, next| {
            if self.direction.is_better(next.value, best.value) {
                next
            } else {
                best
            }
        });
        best.map(|ended| ended.truth)
    }

    /// Trials that have ended.
    pub(crate) fn trials(&self) -> usize {
        self.ended.len()
    }

    /// Epochs until so many trials had ended; fewer trials have taken what all of them took.
    pub(crate) fn epochs_of(&self, trials: usize) -> usize {
        let last = self.ended[..trials.min(self.ended.len())].last();
        last.map_or(0, |ended| ended.spent)
    }

    /// The part of the trials that was pruned.
    pub(crate) fn pruned(&self) -> f64 {
        let pruned = self.ended.iter();
        let pruned = pruned.filter(|ended| ended.state == TrialState::Pruned);
        pruned.count() as f64 / self.ended.len().max(1) as f64
    }
}

/// When a search is over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) epochs: usize,
    pub(crate) trials: usize,
    /// Trials side by side; each epoch takes as long as any other.
    pub(crate) workers: usize,
}

/// Takes the parameters of a trial, and foretells what will come of it.
type Begin<'a> = dyn FnMut(&mut ActiveTrial<'_>) -> Result<Outcome, Box<dyn Error>> + 'a;

/// Runs the study by the rules of a sweep: the pruner is asked after each epoch but the last, and a trial's value is the
/// best that it has reported. It ends when both limits are reached, or when there is nothing more to `begin`.
pub(crate) fn simulate(
    study: &Study,
    limits: Limits,
    begin: &mut Begin<'_>,
) -> Result<Course, Box<dyn Error>> {
    let direction = study.directions()[0];
    let mut course = Course {
        direction,
        ended: Vec::new(),
        proposing: Duration::ZERO,
    };
    let mut spent = 0;
    let mut workers: Vec<Option<(ActiveTrial<'_>, Outcome, usize)>> = Vec::new();
    workers.resize_with(limits.workers, || None);
    while spent < limits.epochs || course.trials() < limits.trials {
        for worker in &mut workers {
            let (mut trial, outcome, epoch) = if let Some(running) = worker.take() {
                running
            } else {
                let began = Instant::now();
                let mut trial = study.ask()?;
                let outcome = begin(&mut trial)?;
                course.proposing += began.elapsed();
                (trial, outcome, 0)
            };
            trial.report(epoch as i64 + 1, outcome.curve[epoch])?;
            spent += 1;
            let is_last = epoch + 1 == outcome.curve.len();
            let (state, value) = if is_last {
                let value = best(direction, &outcome.curve);
                (trial.complete(&[value])?, value)
            } else if trial.should_prune()? {
                (trial.prune()?, outcome.curve[epoch])
            } else {
                *worker = Some((trial, outcome, epoch + 1));
                continue;
            };
            course.ended.push(Ended {
                state,
                spent,
                value,
                truth: outcome.truth,
            });
        }
    }
    Ok(course)
}

/// Does a task for each number, on all cores; the results are in the order of the numbers.
pub(crate) fn for_each<T: Send>(
    n: usize,
    task: impl Fn(usize) -> Result<T, Box<dyn Error>> + Sync,
) -> Result<Vec<T>, Box<dyn Error>> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Result<T, String>)>> = Mutex::new(Vec::new());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= n {
                        return;
                    }
                    let result = task(number).map_err(|error| error.to_string());
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.push((number, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(number, _)| *number);
    let results = done.into_iter().map(|(_, result)| result);
    Ok(results.collect::<Result<_, _>>()?)
}
