//! A search whose trials run in processes of their own. They ask the study for trials themselves; this process watches.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use strata_experiment::Report;
use strata_json::Json;
use strata_launch::TaskState;
use strata_study::storage::AttributeKind;
use strata_study::{Trial, TrialState};

use super::{SWEEP, Search, WORKER, begun, of_sweep};
use crate::error::SweepError;
use crate::fleet::{Change, Fleet, Kills, MOST_KILLS, last_words, was_killed};
use crate::place::Elsewhere;
use crate::progress::say;
use crate::worker::Work;

/// Lets processes run the trials that are left, until all have ended; the number of trials that were not brought to an
/// end.
pub(super) fn supervise(search: &Search<'_>, elsewhere: &Elsewhere) -> Result<u64, SweepError> {
    let mut watch = Watch {
        search,
        fleet: Fleet::new(search.sweep, elsewhere),
        is_here: elsewhere.at_once_here.is_some(),
        kills: Kills::default(),
        idle_kills: Kills::default(),
        seen: HashMap::new(),
        problem: None,
    };
    let trials = search.study.trials()?;
    let left = watch.left(&trials);
    if left == 0 {
        return Ok(0);
    }
    let workers = left.min(search.settings.workers as u64) as usize;
    watch.hand_over(&trials, workers)?;
    watch.note_those_before(&trials);
    let works = (0..workers).map(|worker| (worker, watch.work_of(worker)));
    let works = works.collect();
    watch.fleet.submit(works)?;
    say(&format!("{workers} workers: {}", watch.fleet.name()));
    loop {
        let changes = watch.fleet.changes()?;
        watch.look_at_the_trials()?;
        for change in changes {
            watch.take(&change)?;
        }
        let is_failing = search.lock().error.is_some();
        if is_failing || search.interrupted.load(Ordering::Relaxed) {
            watch.fleet.cancel()?;
        }
        if watch.fleet.is_over() {
            break;
        }
        watch.fleet.wait();
    }
    let left = watch.left(&search.study.trials()?);
    watch.fleet.disband();
    match watch.problem {
        Some(problem) if left > 0 => Err(problem),
        _ => Ok(left),
    }
}

/// What the watching process knows.
struct Watch<'s, 'a> {
    search: &'s Search<'a>,
    fleet: Fleet<'s>,
    is_here: bool,
    /// By trial.
    kills: Kills,
    /// By worker, of those that had no trial.
    idle_kills: Kills,
    /// How far each trial was when it was looked at last.
    seen: HashMap<u64, Seen>,
    /// Why the first worker that failed did so.
    problem: Option<SweepError>,
}

/// How far a trial was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Seen {
    params: usize,
    is_announced: bool,
    reports: usize,
    is_ended: bool,
}

impl Watch<'_, '_> {
    fn sweep_id(&self) -> &str {
        &self.search.sweep.record.id
    }

    /// The trials that still have to be begun or ended.
    fn left(&self, trials: &[Arc<Trial>]) -> u64 {
        let own = of_sweep(trials, self.sweep_id());
        let running = own
            .filter(|trial| trial.state == TrialState::Running)
            .count() as u64;
        let is_over =
            self.search.is_too_late() || self.search.study.is_exhausted().unwrap_or(false);
        let new = self
            .search
            .settings
            .n_trials
            .saturating_sub(begun(trials, self.sweep_id()));
        running + if is_over { 0 } else { new }
    }

    /// Gives the trials that an earlier process has left to the workers, in turn.
    fn hand_over(&self, trials: &[Arc<Trial>], workers: usize) -> Result<(), SweepError> {
        let own = of_sweep(trials, self.sweep_id());
        let running = own.filter(|trial| trial.state == TrialState::Running);
        for (place, trial) in running.enumerate() {
            let worker = Json::Int((place % workers) as i64);
            if trial.system_attrs.get(WORKER) != Some(&worker) {
                let storage = self.search.study.storage();
                storage.set_trial_attr(trial.id, AttributeKind::System, WORKER, &worker)?;
            }
        }
        Ok(())
    }

    /// What has ended before is not told again.
    fn note_those_before(&mut self, trials: &[Arc<Trial>]) {
        for trial in trials.iter().filter(|trial| trial.state.is_finished()) {
            let seen = Seen {
                is_ended: true,
                ..Seen::default()
            };
            self.seen.insert(trial.number, seen);
        }
    }

    fn work_of(&self, worker: usize) -> Work {
        let left = self
            .search
            .until
            .map(|until| until.saturating_duration_since(Instant::now()));
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Work::Trials {
            worker,
            until: left.map(|left| (now + left).as_secs()),
        }
    }

    /// Tells what the workers have done since the last look.
    fn look_at_the_trials(&mut self) -> Result<(), SweepError> {
        let search = self.search;
        let trials = search.study.trials()?;
        let id = Json::from(self.sweep_id());
        for trial in trials
            .iter()
            .filter(|trial| trial.system_attrs.get(SWEEP) == Some(&id))
        {
            let seen = self.seen.entry(trial.number).or_default();
            if seen.is_ended {
                continue;
            }
            let worker = trial
                .system_attrs
                .get(WORKER)
                .and_then(Json::as_i64)
                .unwrap_or(0);
            let worker = worker as usize % search.settings.workers;
            // Parameters are stored one after the other.
            let is_whole =
                seen.params == trial.params.len() || !trial.intermediate_values.is_empty();
            seen.params = trial.params.len();
            if is_whole && !seen.is_announced {
                seen.is_announced = true;
                let values = trial
                    .params
                    .iter()
                    .map(|(name, param)| (name.clone(), param.value()));
                let overrides = search.space.overrides(&values.collect(), trial);
                search
                    .progress
                    .begin(worker, trial.number as usize, &overrides);
            }
            if seen.reports < trial.intermediate_values.len() {
                seen.reports = trial.intermediate_values.len();
                if let Some((epoch, value)) = trial.last_step() {
                    search.progress.report(
                        worker,
                        &Report {
                            epoch: epoch as usize,
                            epochs: search.settings.epochs,
                            value,
                        },
                    );
                }
            }
            if trial.state.is_finished() {
                seen.is_ended = true;
                self.tell_the_end(trial, &trials);
            }
        }
        Ok(())
    }

    fn tell_the_end(&self, trial: &Trial, trials: &[Arc<Trial>]) {
        let search = self.search;
        let mut state = search.lock();
        if trial.state == TrialState::Fail {
            let error = trial.user_attrs.get("error").and_then(Json::as_str);
            let error = error.unwrap_or("its value was not a number");
            state
                .failures
                .push(format!("trial {}: {error}", trial.number));
            search.progress.failed(trial.number, error);
        }
        state.ended += 1;
        search
            .progress
            .ended(trials, trial.number, search.settings.direction);
        if let Err(error) = search.check_failures(&state) {
            state.error.get_or_insert(error);
        }
    }

    /// What becomes of a worker whose process has changed its state.
    fn take(&mut self, change: &Change) -> Result<(), SweepError> {
        let Change { number, state, log } = change;
        let is_stopping =
            self.search.lock().error.is_some() || self.search.interrupted.load(Ordering::Relaxed);
        match state {
            TaskState::Completed | TaskState::Running => {}
            // On this machine it waits for nothing.
            TaskState::Pending { .. } if self.is_here => {}
            _ if was_killed(state) && !is_stopping => self.replace(*number, state)?,
            TaskState::Failed { .. } if !is_stopping => {
                let words = last_words(log);
                say(&format!(
                    "worker {number} {state}: {words} ({})",
                    log.display()
                ));
                self.problem.get_or_insert(SweepError::Worker {
                    worker: format!("worker {number}"),
                    state: state.to_string(),
                    words,
                    log: log.clone(),
                });
            }
            _ => say(&format!("worker {number} is {state}")),
        }
        Ok(())
    }

    /// Starts a worker again that was killed; the trial that it was at goes on, or fails if it has been too often.
    fn replace(&mut self, worker: usize, state: &TaskState) -> Result<(), SweepError> {
        let trials = self.search.study.trials()?;
        let label = Json::Int(worker as i64);
        let mut own = of_sweep(&trials, &self.search.sweep.record.id);
        let at = own.find(|trial| {
            trial.state == TrialState::Running && trial.system_attrs.get(WORKER) == Some(&label)
        });
        let may_go_on = match at {
            Some(trial) => {
                if !self.kills.may_go_on(trial.number) {
                    let problem = format!(
                        "its process was ended {MOST_KILLS} times, the last time it was {state}"
                    );
                    let storage = self.search.study.storage();
                    let problem = Json::from(problem.as_str());
                    storage.set_trial_attr(trial.id, AttributeKind::User, "error", &problem)?;
                    storage.set_trial_state(trial.id, TrialState::Fail, &[])?;
                    self.look_at_the_trials()?;
                }
                true
            }
            None => self.idle_kills.may_go_on(worker as u64),
        };
        if may_go_on && self.left(&self.search.study.trials()?) > 0 {
            say(&format!(
                "worker {worker} was ended ({state}); it is started again"
            ));
            let work = self.work_of(worker);
            self.fleet.submit(vec![(worker, work)])?;
        } else {
            say(&format!("worker {worker} was ended ({state})"));
        }
        Ok(())
    }
}
