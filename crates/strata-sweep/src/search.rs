//! A search: trials that a study asks for, run as jobs.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use strata_experiment::{ExperimentConfig, ExperimentError, Report, Supervision, evaluations};
use strata_json::Json;
use strata_launch::{JobPanic, run_jobs, threads_of_worker};
use strata_study::storage::{self, AttributeKind};
use strata_study::{
    ActiveTrial, Attributes, Direction, StorageError, Study, Trial, TrialState, best_of,
};
use strata_track::RunDirectory;

use crate::error::SweepError;
use crate::job::{Job, JobEnd};
use crate::progress::{Progress, say};
use crate::results;
use crate::search_space::Space;
use crate::settings::SearchSettings;
use crate::sweep::{Failed, Sweep, SweepEnd};

/// The attribute of a trial that names the sweep it belongs to: a storage may hold those of several.
const SWEEP: &str = "strata:sweep";

/// The attribute of a trial that is another try of a failed one: the number of that.
const RETRY_OF: &str = "failed_trial";

/// The journal in the directory of a sweep without a storage.
pub const STUDY_JOURNAL: &str = "study.journal";

/// Runs the trials that are left, several side by side; each that ends is replaced at once.
pub(crate) fn run(
    sweep: &Sweep,
    settings: &SearchSettings,
    interrupted: &AtomicBool,
) -> Result<SweepEnd, SweepError> {
    let space = Space::of(&sweep.composition)?;
    let study = study(sweep, settings, &space)?;
    let search = Search::new(sweep, settings, &space, &study, interrupted)?;
    search.announce();
    run_jobs(
        search.workers(),
        |_| search.next(),
        |worker, begun| search.run(worker, begun),
        |_, begun, ended| search.tell(begun, ended),
    );
    search.conclude()
}

fn study(sweep: &Sweep, settings: &SearchSettings, space: &Space) -> Result<Study, SweepError> {
    let journal = || {
        format!(
            "journal://{}",
            sweep.directory.join(STUDY_JOURNAL).display()
        )
    };
    let storage = storage::open(&settings.storage.clone().unwrap_or_else(journal))?;
    let name = settings.study_name.clone();
    let name = name.unwrap_or_else(|| sweep.record.name.clone());
    let grid = if settings.is_grid() {
        space.grid()?
    } else {
        Vec::new()
    };
    let known = "checked with the settings";
    Ok(Study::open_or_create(
        storage,
        &name,
        &[settings.direction],
        settings.seed,
        settings.sampler(&grid).expect(known),
        settings.pruner().expect(known),
    )?)
}

/// Lets the values of a failed trial be tried once more, unless they were; marked as Optuna marks retried trials.
fn retry(study: &Study, failed: &Trial, all: &[Arc<Trial>]) -> Result<(), StorageError> {
    let number = Json::Int(failed.number as i64);
    if all
        .iter()
        .any(|other| other.system_attrs.get(RETRY_OF) == Some(&number))
    {
        return Ok(());
    }
    let values = failed.params.iter();
    let values = values.map(|(name, param)| (name.clone(), param.value()));
    let mark = Attributes::from([(RETRY_OF.to_owned(), number)]);
    study.enqueue(values.collect(), mark)
}

/// What the workers share.
struct Search<'a> {
    sweep: &'a Sweep,
    settings: &'a SearchSettings,
    space: &'a Space,
    study: &'a Study,
    interrupted: &'a AtomicBool,
    began: Instant,
    progress: Progress,
    state: Mutex<State>,
}

struct State {
    /// Trials of this sweep that an earlier process has left.
    left: Vec<Arc<Trial>>,
    /// Trials of this sweep so far, whatever their state.
    begun: u64,
    ended: usize,
    failures: Vec<String>,
    error: Option<SweepError>,
}

/// A trial with the overrides of its job.
struct Begun<'a> {
    trial: Mutex<Option<ActiveTrial<'a>>>,
    number: usize,
    overrides: Vec<String>,
}

impl<'a> Search<'a> {
    fn new(
        sweep: &'a Sweep,
        settings: &'a SearchSettings,
        space: &'a Space,
        study: &'a Study,
        interrupted: &'a AtomicBool,
    ) -> Result<Self, SweepError> {
        let trials = study.trials()?;
        let id = Json::from(sweep.record.id.as_str());
        let own: Vec<&Arc<Trial>> = trials
            .iter()
            .filter(|trial| trial.system_attrs.get(SWEEP) == Some(&id))
            .collect();
        let count = |state: TrialState| own.iter().filter(|trial| trial.state == state).count();
        let failed = count(TrialState::Fail);
        let ended = own.iter().filter(|trial| trial.state.is_finished()).count();
        let retried = if sweep.failed == Failed::Retry {
            failed
        } else {
            0
        };
        if sweep.failed == Failed::Retry {
            for trial in own.iter().filter(|trial| trial.state == TrialState::Fail) {
                retry(study, trial, &trials)?;
            }
        }
        let left = own
            .iter()
            .filter(|trial| trial.state == TrialState::Running);
        let left: Vec<Arc<Trial>> = left.map(|trial| Arc::clone(trial)).rev().collect();
        Ok(Self {
            progress: Progress::new(settings.n_trials, settings.workers, &settings.metric),
            state: Mutex::new(State {
                left,
                begun: (own.len() - retried) as u64,
                ended: ended - retried,
                failures: Vec::new(),
                error: None,
            }),
            sweep,
            settings,
            space,
            study,
            interrupted,
            began: Instant::now(),
        })
    }

    fn workers(&self) -> usize {
        self.settings.workers
    }

    fn announce(&self) {
        let settings = self.settings;
        let pruner = match settings.methods.1.as_str() {
            "" | "none" | "nop" | "NopPruner" => "no pruner",
            name => name,
        };
        let better = match settings.direction {
            Direction::Maximize => "maximise",
            Direction::Minimize => "minimise",
        };
        say(&format!(
            "Search to {better} {}: {} trials, {} side by side, {} with {pruner}, study `{}`",
            settings.metric,
            settings.n_trials,
            settings.workers,
            settings.methods.0,
            self.study.name(),
        ));
        let left = self.lock();
        if left.begun > 0 {
            say(&format!(
                "{} trials of this sweep are there already, {} of them go on",
                left.begun,
                left.left.len()
            ));
        }
        if self.space.distributions().is_empty() {
            say(
                "nothing is varied: every trial is the same job; give `key=interval(…)`, `range(…)` or `choice(…)`",
            );
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_over(&self, state: &State) -> bool {
        let timeout = self.settings.timeout;
        state.error.is_some()
            || self.interrupted.load(Ordering::Relaxed)
            || timeout.is_some_and(|timeout| self.began.elapsed() >= timeout)
    }

    /// The next trial: one that was left, or a new one. Trials are asked for one at a time, so that each sees those
    /// before it.
    fn next(&self) -> Option<Begun<'a>> {
        let mut state = self.lock();
        if self.is_over(&state) {
            return None;
        }
        match self.begin(&mut state) {
            Ok(begun) => begun,
            Err(error) => {
                state.error = Some(error);
                None
            }
        }
    }

    fn begin(&self, state: &mut State) -> Result<Option<Begun<'a>>, SweepError> {
        let mut trial = if let Some(left) = state.left.pop() {
            self.study.adopt(&left)?
        } else {
            if state.begun >= self.settings.n_trials || self.study.is_exhausted()? {
                return Ok(None);
            }
            let id = Json::from(self.sweep.record.id.as_str());
            let fixed = self.space.fixed().iter();
            let fixed = fixed.map(|(key, text)| (key.clone(), Json::from(text.as_str())));
            let mark = Attributes::from([(SWEEP.to_owned(), id)]);
            let trial = self.study.ask_with(fixed.collect(), mark)?;
            state.begun += 1;
            trial
        };
        let values = self.space.varied().suggest(&mut trial)?;
        Ok(Some(Begun {
            number: trial.number() as usize,
            overrides: self.space.overrides(&values, trial.trial()),
            trial: Mutex::new(Some(trial)),
        }))
    }

    fn run(&self, worker: usize, begun: &Begun<'a>) -> Result<JobEnd, SweepError> {
        let number = begun.number;
        self.progress.begin(worker, number, &begun.overrides);
        let job = Job::compose(self.sweep, number, &begun.overrides)?;
        let directory = job.directory().clone();
        let threads = threads(job.config(), self.settings.workers, worker);
        let failure: Mutex<Option<StorageError>> = Mutex::new(None);
        let reports = |report: &Report| {
            self.progress.report(worker, report);
            let mut trial = begun.trial.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(trial) = trial.as_mut() else {
                return ControlFlow::Break(());
            };
            let verdict = trial
                .report(report.epoch as i64, report.value)
                .and_then(|()| Ok(report.epoch < report.epochs && trial.should_prune()?));
            match verdict {
                Ok(false) => ControlFlow::Continue(()),
                Ok(true) => ControlFlow::Break(()),
                Err(error) => {
                    *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    ControlFlow::Break(())
                }
            }
        };
        let supervision = Supervision {
            interrupted: self.interrupted,
            reports: Some(&reports),
            silent: true,
            threads,
        };
        let ended = job.run(self.sweep, &supervision);
        if let Some(error) = failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error.into());
        }
        if ended == JobEnd::WasDone {
            self.catch_up(begun, &directory)?;
        }
        Ok(ended)
    }

    /// Tells the study what a job had found before its process was killed.
    fn catch_up(&self, begun: &Begun<'a>, directory: &Path) -> Result<(), SweepError> {
        let run = RunDirectory::open(directory).map_err(ExperimentError::from)?;
        let found = evaluations(&run, &self.settings.metric)?;
        let mut trial = begun.trial.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(trial) = trial.as_mut() {
            for (epoch, value) in found {
                if !trial
                    .trial()
                    .intermediate_values
                    .contains_key(&(epoch as i64))
                {
                    trial.report(epoch as i64, value)?;
                }
            }
        }
        Ok(())
    }

    fn tell(&self, begun: Begun<'a>, ended: Result<Result<JobEnd, SweepError>, JobPanic>) {
        let trial = begun
            .trial
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let trial = trial.expect("only this takes it");
        let mut state = self.lock();
        let told = match ended {
            Ok(Ok(end)) => self.conclude_trial(trial, end, &mut state),
            Ok(Err(error)) => {
                // What is wrong with one job's configuration is told of that job.
                let end = JobEnd::Failed(error.to_string());
                self.conclude_trial(trial, end, &mut state)
            }
            Err(panic) => self.conclude_trial(trial, JobEnd::Failed(panic.to_string()), &mut state),
        };
        if let Err(error) = told {
            state.error.get_or_insert(error);
        }
    }

    fn conclude_trial(
        &self,
        mut trial: ActiveTrial<'_>,
        end: JobEnd,
        state: &mut State,
    ) -> Result<(), SweepError> {
        let number = trial.number();
        let reported = trial.trial().intermediate_values.values().copied();
        let value = self.settings.direction.best(reported);
        match end {
            // It stays as it is, and goes on with the sweep.
            JobEnd::Interrupted => return Ok(()),
            JobEnd::Finished | JobEnd::WasDone => {
                let values: Vec<f64> = value.into_iter().collect();
                if trial.complete(&values)? == TrialState::Fail {
                    let problem = format!("{} was not a number", self.settings.metric);
                    state.failures.push(format!("trial {number}: {problem}"));
                    self.progress.failed(number, &problem);
                }
            }
            JobEnd::Pruned => {
                trial.prune()?;
            }
            JobEnd::Failed(problem) => {
                trial.set_attr(AttributeKind::User, "error", Json::from(problem.as_str()))?;
                trial.fail()?;
                state.failures.push(format!("trial {number}: {problem}"));
                self.progress.failed(number, &problem);
            }
        }
        state.ended += 1;
        let trials = self.study.trials()?;
        self.progress
            .ended(&trials, number, self.settings.direction);
        let failed = state.failures.len();
        let rate = failed as f64 / state.ended as f64;
        if rate > self.settings.max_failure_rate {
            return Err(SweepError::TooManyFailures {
                failed,
                ended: state.ended,
                allowed: self.settings.max_failure_rate,
                first: state.failures[0].clone(),
            });
        }
        Ok(())
    }

    fn conclude(self) -> Result<SweepEnd, SweepError> {
        self.progress.clear();
        let trials = self.study.trials()?;
        results::write(&self.sweep.directory, &trials, self.settings.direction)?;
        let state = self
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = state.error {
            return Err(error);
        }
        if self.interrupted.load(Ordering::Relaxed) {
            say(&format!(
                "interrupted; `strata resume {}` goes on",
                self.sweep.directory.display()
            ));
            return Ok(SweepEnd::Interrupted);
        }
        if let Some(best) = best_of(&trials, self.settings.direction) {
            say(&format!(
                "Best: trial {} with {} = {}: {}",
                best.number,
                self.settings.metric,
                best.values[0],
                results::params_in_words(&best)
            ));
        }
        Ok(SweepEnd::Finished)
    }
}

/// The configured threads, or else a fair share of the cores.
fn threads(config: &ExperimentConfig, workers: usize, worker: usize) -> Option<usize> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = (workers > 1).then(|| threads_of_worker(cores, workers, worker));
    config.training.threads.or(share)
}
