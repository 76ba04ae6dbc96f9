//! A search: trials that a study asks for, run as jobs.

mod elsewhere;

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
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
use crate::place::Place;
use crate::progress::{Progress, say};
use crate::results;
use crate::search_space::Space;
use crate::settings::SearchSettings;
use crate::sweep::{Failed, Sweep, SweepEnd};

/// The attribute of a trial that names the sweep it belongs to: a storage may hold those of several.
const SWEEP: &str = "strata:sweep";

/// The attribute of a trial that names the worker which runs it, if several processes do.
const WORKER: &str = "strata:worker";

/// The attribute of a trial that is another try of a failed one: the number of that.
const RETRY_OF: &str = "failed_trial";

/// The journal in the directory of a sweep without a storage.
pub const STUDY_JOURNAL: &str = "study.journal";

/// Runs the trials that are left, several side by side; each that ends is replaced at once.
pub(crate) fn run(
    sweep: &Sweep,
    settings: &SearchSettings,
    place: &Place,
    interrupted: &AtomicBool,
) -> Result<SweepEnd, SweepError> {
    let space = Space::of(&sweep.composition)?;
    let study = study(sweep, settings, &space)?;
    if sweep.failed == Failed::Retry {
        retry_failed(&study, &sweep.record.id)?;
    }
    let search = Search {
        until: settings.timeout.map(|timeout| Instant::now() + timeout),
        ..Search::new(sweep, settings, &space, &study, interrupted)?
    };
    search.announce()?;
    let left = match place {
        Place::Here { workers } => {
            search.work_on(*workers);
            0
        }
        Place::Elsewhere(elsewhere) => elsewhere::supervise(&search, elsewhere)?,
    };
    search.conclude(left)
}

/// Runs trials as one of several processes, until no more are to be begun.
pub(crate) fn work(
    sweep: &Sweep,
    settings: &SearchSettings,
    worker: &Worker,
    interrupted: &AtomicBool,
) -> Result<SweepEnd, SweepError> {
    let space = Space::of(&sweep.composition)?;
    let study = study(sweep, settings, &space)?;
    let search = Search {
        worker: Some(worker),
        ..Search::new(sweep, settings, &space, &study, interrupted)?
    };
    search.work_on(1);
    let state = search.into_state();
    match state.error {
        Some(error) => Err(error),
        None if interrupted.load(Ordering::Relaxed) => Ok(SweepEnd::Interrupted),
        None => Ok(SweepEnd::Finished),
    }
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

/// Lets the values of each failed trial of a sweep be tried once more, unless they were; marked as Optuna marks retried
/// trials.
fn retry_failed(study: &Study, sweep: &str) -> Result<(), StorageError> {
    let trials = study.trials()?;
    let retried = retried(&trials);
    for failed in of_sweep(&trials, sweep) {
        if failed.state != TrialState::Fail || retried.contains(&failed.number) {
            continue;
        }
        let values = failed.params.iter();
        let values = values.map(|(name, param)| (name.clone(), param.value()));
        let number = Json::Int(failed.number as i64);
        let mark = Attributes::from([(RETRY_OF.to_owned(), number)]);
        study.enqueue(values.collect(), mark)?;
    }
    Ok(())
}

/// The numbers of trials that were or will be tried once more.
fn retried(trials: &[Arc<Trial>]) -> HashSet<u64> {
    let numbers = trials
        .iter()
        .filter_map(|trial| trial.system_attrs.get(RETRY_OF)?.as_i64());
    numbers
        .filter_map(|number| u64::try_from(number).ok())
        .collect()
}

/// The trials that a sweep has begun.
fn of_sweep<'t>(trials: &'t [Arc<Trial>], sweep: &str) -> impl Iterator<Item = &'t Arc<Trial>> {
    let id = Json::from(sweep);
    trials
        .iter()
        .filter(move |trial| trial.system_attrs.get(SWEEP) == Some(&id))
}

/// How many of a sweep's trials were begun, without those that are tried once more.
fn begun(trials: &[Arc<Trial>], sweep: &str) -> u64 {
    let retried = retried(trials);
    let own = of_sweep(trials, sweep);
    own.filter(|trial| !retried.contains(&trial.number)).count() as u64
}

/// A process that is one of several which run the trials of a sweep.
pub(crate) struct Worker {
    /// Which one. What it has begun and not ended, it alone goes on with.
    pub(crate) index: usize,
    /// No trial begins later than this, in seconds since 1970.
    pub(crate) until: Option<u64>,
    /// The threads of a training, unless the configuration says it.
    pub(crate) threads: Option<usize>,
}

/// What the workers share.
pub(crate) struct Search<'a> {
    sweep: &'a Sweep,
    settings: &'a SearchSettings,
    space: &'a Space,
    study: &'a Study,
    interrupted: &'a AtomicBool,
    /// None in the process that runs or watches over the whole sweep.
    worker: Option<&'a Worker>,
    /// No trial begins later.
    until: Option<Instant>,
    progress: Progress,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The trials that this process is at or has been at, by number.
    taken: HashSet<u64>,
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
        let retried = retried(&trials);
        let ended = of_sweep(&trials, &sweep.record.id)
            .filter(|trial| trial.state.is_finished() && !retried.contains(&trial.number));
        Ok(Self {
            progress: Progress::new(settings.n_trials, settings.workers, &settings.metric),
            state: Mutex::new(State {
                ended: ended.count(),
                ..State::default()
            }),
            sweep,
            settings,
            space,
            study,
            interrupted,
            worker: None,
            until: None,
        })
    }

    /// Runs trials on threads of this process until no more are to be begun.
    fn work_on(&self, workers: usize) {
        run_jobs(
            workers,
            |_| self.next(),
            |worker, begun| self.run(worker, begun),
            |_, begun, ended| self.tell(begun, ended),
        );
    }

    fn announce(&self) -> Result<(), SweepError> {
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
        let trials = self.study.trials()?;
        let begun = begun(&trials, &self.sweep.record.id);
        if begun > 0 {
            let own = of_sweep(&trials, &self.sweep.record.id);
            let left = own.filter(|trial| trial.state == TrialState::Running);
            say(&format!(
                "{begun} trials of this sweep are there already, {} of them go on",
                left.count()
            ));
        }
        if self.space.distributions().is_empty() {
            say(
                "nothing is varied: every trial is the same job; give `key=interval(…)`, `range(…)` or `choice(…)`",
            );
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_over(&self, state: &State) -> bool {
        state.error.is_some() || self.interrupted.load(Ordering::Relaxed) || self.is_too_late()
    }

    fn is_too_late(&self) -> bool {
        let of_worker = self.worker.and_then(|worker| worker.until);
        self.until.is_some_and(|until| Instant::now() >= until)
            || of_worker.is_some_and(|until| Timestamp::now().as_second() >= until as i64)
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
        // Others may be about to begin the last trial, too.
        let _turn = self.worker.map(|_| self.sweep.turn()).transpose()?;
        let trials = self.study.trials()?;
        let mut own = of_sweep(&trials, &self.sweep.record.id);
        let mut trial = if let Some(left) = own.find(|trial| self.was_left(trial, state)) {
            self.study.adopt(left)?
        } else {
            let is_enough = begun(&trials, &self.sweep.record.id) >= self.settings.n_trials;
            if is_enough || self.study.is_exhausted()? {
                return Ok(None);
            }
            let fixed = self.space.fixed().iter();
            let fixed = fixed.map(|(key, text)| (key.clone(), Json::from(text.as_str())));
            self.study.ask_with(fixed.collect(), self.marks())?
        };
        state.taken.insert(trial.number());
        let values = self.space.varied().suggest(&mut trial)?;
        Ok(Some(Begun {
            number: trial.number() as usize,
            overrides: self.space.overrides(&values, trial.trial()),
            trial: Mutex::new(Some(trial)),
        }))
    }

    /// Whether a trial of this sweep was begun by a process that is no more, and is for this one to go on with.
    fn was_left(&self, trial: &Trial, state: &State) -> bool {
        let of_whom = trial.system_attrs.get(WORKER);
        let is_mine = self
            .worker
            .is_none_or(|worker| of_whom == Some(&Json::Int(worker.index as i64)));
        trial.state == TrialState::Running && is_mine && !state.taken.contains(&trial.number)
    }

    /// The attributes by which a trial is known as this process's.
    fn marks(&self) -> Attributes {
        let sweep = Json::from(self.sweep.record.id.as_str());
        let mut marks = Attributes::from([(SWEEP.to_owned(), sweep)]);
        if let Some(worker) = self.worker {
            marks.insert(WORKER.to_owned(), Json::Int(worker.index as i64));
        }
        marks
    }

    fn run(&self, worker: usize, begun: &Begun<'a>) -> Result<JobEnd, SweepError> {
        let number = begun.number;
        self.progress.begin(worker, number, &begun.overrides);
        let job = Job::compose(self.sweep, number, &begun.overrides)?;
        let directory = job.directory().clone();
        let threads = self.threads(job.config(), worker);
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
        // Of several processes the one that watches over them sees all failures.
        if self.worker.is_some() {
            return Ok(());
        }
        self.check_failures(state)
    }

    fn check_failures(&self, state: &State) -> Result<(), SweepError> {
        let failed = state.failures.len();
        let rate = failed as f64 / state.ended.max(1) as f64;
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

    fn into_state(self) -> State {
        let state = self.state.into_inner();
        state.unwrap_or_else(PoisonError::into_inner)
    }

    /// `left` are trials that could not be brought to an end here.
    fn conclude(self, left: u64) -> Result<SweepEnd, SweepError> {
        self.progress.clear();
        let trials = self.study.trials()?;
        results::write(&self.sweep.directory, &trials, self.settings.direction)?;
        let error = self.lock().error.take();
        if let Some(error) = error {
            return Err(error);
        }
        if self.interrupted.load(Ordering::Relaxed) {
            say(&format!(
                "interrupted; `strata resume {}` goes on",
                self.sweep.directory.display()
            ));
            return Ok(SweepEnd::Interrupted);
        }
        if left > 0 {
            say(&format!(
                "{left} trials are not done, since their processes were ended; `strata resume {}` goes on",
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

    /// The configured threads, or else a fair share of the cores.
    fn threads(&self, config: &ExperimentConfig, worker: usize) -> Option<usize> {
        let workers = self.settings.workers;
        let share = match self.worker {
            Some(worker) => worker.threads,
            None if workers == 1 => None,
            None => {
                let cores = std::thread::available_parallelism().map_or(1, usize::from);
                Some(threads_of_worker(cores, workers, worker))
            }
        };
        config.training.threads.or(share)
    }
}
