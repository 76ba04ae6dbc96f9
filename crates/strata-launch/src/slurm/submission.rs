//! Watching and cancelling the tasks of one job.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use super::SlurmLauncher;
use super::commands::{Failure, SlurmCommands};
use super::queue::{Listed, listing};
use super::traces::{requeues, trace};
use crate::error::LaunchError;
use crate::paths::{EXIT, REQUEUES, STDOUT, TaskPaths};
use crate::task::{Submission, TaskLog, TaskState};

/// How often the disk is looked at while somebody waits.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

pub(super) struct SlurmSubmission {
    commands: SlurmCommands,
    retries: Vec<Duration>,
    poll_interval: Duration,
    settling: Duration,
    patience: Duration,
    stderr_to_stdout: bool,
    paths: TaskPaths,
    job: String,
    tasks: Vec<Watched>,
    /// When the queue is to be asked again; at once if none.
    next_poll: Option<Instant>,
    /// Since when it has not answered.
    silent_since: Option<Instant>,
    is_cancelled: bool,
    is_detached: bool,
}

/// A task, and what is known of it.
struct Watched {
    id: String,
    state: TaskState,
    /// Since when Slurm has not counted it among those that wait or run, while its exit code is still missing.
    gone_since: Option<Instant>,
}

impl SlurmSubmission {
    pub(super) fn new(
        launcher: &SlurmLauncher,
        paths: TaskPaths,
        job: String,
        ids: Vec<String>,
    ) -> Self {
        let tasks = ids.into_iter().map(|id| Watched {
            id,
            state: TaskState::Pending {
                reason: "just submitted".to_owned(),
                requeues: 0,
            },
            gone_since: None,
        });
        Self {
            commands: launcher.commands.clone(),
            retries: launcher.retries.clone(),
            poll_interval: launcher.poll_interval,
            settling: launcher.settling,
            patience: launcher.patience,
            stderr_to_stdout: launcher.config.common.stderr_to_stdout,
            paths,
            job,
            tasks: tasks.collect(),
            next_poll: None,
            silent_since: None,
            is_cancelled: false,
            is_detached: false,
        }
    }

    fn has_unfinished(&self) -> bool {
        self.tasks.iter().any(|task| !task.state.is_final())
    }

    /// What has ended by itself, which needs no word from Slurm.
    fn look_at_the_disk(&mut self) {
        for task in self.tasks.iter_mut().filter(|task| !task.state.is_final()) {
            let left = trace(&self.paths.file_of(&task.id, EXIT));
            if let Some(trace) = left.filter(|trace| trace.is_by_itself) {
                task.state = trace.state;
            }
        }
    }

    fn ask_the_queue(&mut self) -> Result<(), LaunchError> {
        let now = Instant::now();
        if self.next_poll.is_some_and(|next| now < next) {
            return Ok(());
        }
        self.next_poll = Some(now + self.poll_interval);
        match self.commands.list(&self.job) {
            Ok(text) => {
                self.silent_since = None;
                self.take(&listing(&text), now);
                Ok(())
            }
            // What was known stays true enough, for a while.
            Err(Failure::Busy(_)) if self.is_patient(now) => Ok(()),
            Err(failure) => Err(failure.into_error()),
        }
    }

    fn is_patient(&mut self, now: Instant) -> bool {
        let since = *self.silent_since.get_or_insert(now);
        now.duration_since(since) <= self.patience
    }

    fn take(&mut self, listed: &BTreeMap<String, Listed>, now: Instant) {
        for index in 0..self.tasks.len() {
            let task = &self.tasks[index];
            if task.state.is_final() {
                continue;
            }
            let (state, is_gone) = match listed.get(&task.id) {
                Some(Listed::Pending(reason)) => {
                    let requeues = requeues(&self.paths.file_of(&task.id, REQUEUES));
                    (
                        Some(TaskState::Pending {
                            reason: reason.clone(),
                            requeues,
                        }),
                        false,
                    )
                }
                Some(Listed::Active) => (Some(TaskState::Running), false),
                Some(Listed::Ended(state)) => (self.ended(task, Some(state), now), true),
                None => (self.ended(task, None, now), true),
            };
            let task = &mut self.tasks[index];
            task.gone_since = is_gone.then(|| task.gone_since.unwrap_or(now));
            if let Some(state) = state {
                task.state = state;
            }
        }
    }

    /// The state of a task that neither waits nor runs; none while its exit code may still appear.
    fn ended(
        &self,
        task: &Watched,
        in_queue: Option<&TaskState>,
        now: Instant,
    ) -> Option<TaskState> {
        let trace = trace(&self.paths.file_of(&task.id, EXIT)).map(|trace| trace.state);
        if trace == Some(TaskState::Completed) {
            return trace;
        }
        // Slurm's word goes before that of a script that Slurm has ended: it knows whether for time or for another job.
        // Of a failure it knows less.
        let of_slurm = in_queue.filter(|state| !matches!(state, TaskState::Failed { .. }));
        if let Some(state) = of_slurm.cloned().or(trace) {
            return Some(state);
        }
        let since = task.gone_since.unwrap_or(now);
        if now.duration_since(since) < self.settling {
            return None;
        }
        // A task of an array that is cancelled before it starts vanishes without a word. One that has started has a log.
        let never_started = matches!(task.state, TaskState::Pending { requeues: 0, .. })
            && !self.paths.file_of(&task.id, STDOUT).exists();
        Some(match in_queue {
            Some(state) => state.clone(),
            None if self.is_cancelled || never_started => TaskState::Cancelled,
            None => TaskState::Lost,
        })
    }
}

impl Submission for SlurmSubmission {
    fn name(&self) -> String {
        format!("Slurm job {}", self.job)
    }

    fn handle(&self) -> Option<String> {
        Some(self.job.clone())
    }

    fn states(&mut self) -> Result<Vec<TaskState>, LaunchError> {
        self.look_at_the_disk();
        if self.has_unfinished() {
            self.ask_the_queue()?;
        }
        Ok(self.tasks.iter().map(|task| task.state.clone()).collect())
    }

    fn wait(&mut self, at_most: Duration) {
        if self.has_unfinished() {
            thread::sleep(at_most.min(BETWEEN_LOOKS).min(self.poll_interval));
        }
    }

    fn cancel(&mut self) -> Result<(), LaunchError> {
        self.is_cancelled = true;
        self.commands
            .patiently(&self.retries, |commands| commands.cancel(&self.job))?;
        self.next_poll = None;
        Ok(())
    }

    fn detach(&mut self) {
        self.is_detached = true;
    }

    fn log_of(&self, task: usize) -> TaskLog {
        self.paths
            .log_of(&self.tasks[task].id, self.stderr_to_stdout)
    }
}

impl Drop for SlurmSubmission {
    fn drop(&mut self) {
        if !self.is_detached && !self.is_cancelled && self.has_unfinished() {
            // Nobody is left to be told.
            let _ = self.cancel();
        }
    }
}
