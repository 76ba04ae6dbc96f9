//! The processes of a sweep whose jobs run elsewhere.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use strata_launch::{Submission, Task, TaskState, threads_of_worker};

use crate::error::SweepError;
use crate::place::Elsewhere;
use crate::progress::say;
use crate::sweep::{Failed, Sweep};
use crate::worker::{Work, WorkerRequest};

/// The file in a sweep's directory with the handle of each submission, one a line: should this process be killed, the
/// next one ends what is left of them.
const SUBMITTED: &str = ".sweep.submitted";

/// A process that is killed is started again. One that has been killed so often at the same job is not.
pub(crate) const MOST_KILLS: u32 = 3;

/// What a worker exits with when it was interrupted; the same command line goes on.
const INTERRUPTED: i32 = 130;

const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// The processes of a sweep, each known by a number: that of its job, or of the worker.
pub(crate) struct Fleet<'a> {
    sweep: &'a Sweep,
    elsewhere: &'a Elsewhere,
    submitted: Vec<Submitted>,
    is_cancelled: bool,
}

struct Submitted {
    submission: Box<dyn Submission>,
    numbers: Vec<usize>,
    states: Vec<TaskState>,
}

/// A process whose state has changed.
pub(crate) struct Change {
    pub(crate) number: usize,
    pub(crate) state: TaskState,
    /// Where its messages are.
    pub(crate) log: PathBuf,
}

impl<'a> Fleet<'a> {
    pub(crate) fn new(sweep: &'a Sweep, elsewhere: &'a Elsewhere) -> Self {
        Self {
            sweep,
            elsewhere,
            submitted: Vec::new(),
            is_cancelled: false,
        }
    }

    /// Starts a process for each piece of work.
    pub(crate) fn submit(&mut self, works: Vec<(usize, Work)>) -> Result<(), SweepError> {
        let program = std::env::current_exe().map_err(|source| SweepError::Io {
            path: PathBuf::from("strata"),
            source,
        })?;
        let directory = absolute(&self.sweep.directory);
        let at_once = self
            .elsewhere
            .at_once_here
            .map(|most| most.min(works.len()));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let tasks: Vec<Task> = works
            .iter()
            .enumerate()
            .map(|(place, (_, work))| {
                let request = WorkerRequest {
                    directory: directory.clone(),
                    work: work.clone(),
                    retry_failed: self.sweep.failed == Failed::Retry,
                    threads: at_once
                        .map(|at_once| threads_of_worker(cores, at_once, place % at_once)),
                    parent: at_once.map(|_| std::process::id()),
                };
                let args = ["sweep-worker".to_owned(), request.to_argument()];
                Task {
                    resumable_exit_code: Some(INTERRUPTED),
                    ..Task::new(&program, args, &self.sweep.record.cwd)
                }
            })
            .collect();
        let submission = self.elsewhere.launcher.submit(&tasks)?;
        if let Some(handle) = submission.handle() {
            note(&self.sweep.directory, &handle)?;
        }
        let unknown = TaskState::Pending {
            reason: String::new(),
            requeues: 0,
        };
        self.submitted.push(Submitted {
            submission,
            states: vec![unknown; works.len()],
            numbers: works.into_iter().map(|(number, _)| number).collect(),
        });
        Ok(())
    }

    /// What to call what was submitted last.
    pub(crate) fn name(&self) -> String {
        let last = self.submitted.last();
        last.map_or_else(String::new, |last| last.submission.name())
    }

    /// The processes whose state is another than at the last call.
    pub(crate) fn changes(&mut self) -> Result<Vec<Change>, SweepError> {
        let mut changes = Vec::new();
        for part in &mut self.submitted {
            let states = part.submission.states()?;
            for (task, state) in states.into_iter().enumerate() {
                if part.states[task] == state {
                    continue;
                }
                part.states[task] = state.clone();
                let log = part.submission.log_of(task);
                changes.push(Change {
                    number: part.numbers[task],
                    state,
                    log: log.stderr.unwrap_or(log.stdout),
                });
            }
        }
        Ok(changes)
    }

    /// Whether all processes have ended.
    pub(crate) fn is_over(&self) -> bool {
        let mut states = self.submitted.iter().flat_map(|part| &part.states);
        states.all(TaskState::is_final)
    }

    /// Waits a little, or until something has changed.
    pub(crate) fn wait(&mut self) {
        // A change in another submission is seen as late as this.
        let running = self.submitted.iter_mut();
        let mut running = running.filter(|part| part.states.iter().any(|state| !state.is_final()));
        if let Some(part) = running.next() {
            part.submission.wait(BETWEEN_LOOKS);
        }
    }

    /// Tells all processes to end; once.
    pub(crate) fn cancel(&mut self) -> Result<(), SweepError> {
        if self.is_cancelled {
            return Ok(());
        }
        self.is_cancelled = true;
        if !self.is_over() {
            say("the jobs are told to stop and to keep what they have");
        }
        for part in &mut self.submitted {
            part.submission.cancel()?;
        }
        Ok(())
    }

    /// Nothing of it is left for another process to end.
    pub(crate) fn disband(self) {
        // What ended is no harm in the list.
        let _ = std::fs::remove_file(self.sweep.directory.join(SUBMITTED));
    }
}

fn note(directory: &Path, handle: &str) -> Result<(), SweepError> {
    let path = directory.join(SUBMITTED);
    let file = std::fs::File::options()
        .create(true)
        .append(true)
        .open(&path);
    let written = file.and_then(|mut file| writeln!(file, "{handle}"));
    written.map_err(|source| SweepError::Io { path, source })
}

/// Ends what a process that was killed has submitted.
pub(crate) fn end_left_behind(sweep: &Sweep, elsewhere: &Elsewhere) -> Result<(), SweepError> {
    let path = sweep.directory.join(SUBMITTED);
    let handles = std::fs::read_to_string(&path).unwrap_or_default();
    for handle in handles.lines() {
        say(&format!("ending what is left of job {handle}"));
        elsewhere.launcher.end_left_behind(handle)?;
    }
    match std::fs::remove_file(&path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(SweepError::Io { path, source })
        }
        _ => Ok(()),
    }
}

pub(crate) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Whether a process has ended without having had a say in it.
pub(crate) fn was_killed(state: &TaskState) -> bool {
    match state {
        TaskState::Failed {
            exit_code, signal, ..
        } => signal.is_some() || exit_code.is_none(),
        TaskState::Lost => true,
        _ => false,
    }
}

/// Counts how often processes were killed.
#[derive(Default)]
pub(crate) struct Kills {
    of: HashMap<u64, u32>,
}

impl Kills {
    /// Counts one more for a job; whether it may be started again.
    pub(crate) fn may_go_on(&mut self, job: u64) -> bool {
        let kills = self.of.entry(job).or_default();
        *kills += 1;
        *kills < MOST_KILLS
    }
}

/// The last line of a log that says something.
pub(crate) fn last_words(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let mut lines = text.lines().rev().map(str::trim);
    lines
        .find(|line| !line.is_empty())
        .unwrap_or_default()
        .to_owned()
}
