//! Jobs that are command lines: what every launcher promises.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::LaunchError;

/// A job that is a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The program: a path, or a name that is looked for in `PATH` where the task runs.
    pub program: PathBuf,
    /// Its arguments, as the program is to see them; nothing needs quoting.
    pub args: Vec<OsString>,
    /// The folder it runs in.
    pub working_dir: PathBuf,
    /// Variables in addition to those of this process.
    pub environment: BTreeMap<OsString, OsString>,
    /// The exit code by which the program says that it was told to stop, and that the same command line goes on from
    /// there. Where there is a queue such a task is queued again.
    pub resumable_exit_code: Option<i32>,
}

impl Task {
    /// A command line in a folder, without further variables, that is never queued again.
    pub fn new(
        program: impl Into<PathBuf>,
        args: impl IntoIterator<Item = impl Into<OsString>>,
        working_dir: impl Into<PathBuf>,
    ) -> Self {
        Self {
            program: program.into(),
            args: args.into_iter().map(Into::into).collect(),
            working_dir: working_dir.into(),
            environment: BTreeMap::new(),
            resumable_exit_code: None,
        }
    }
}

/// What has become of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskState {
    /// It waits for its turn.
    Pending {
        /// What for, in the queue's own word: `Resources`, `Priority`, `BeginTime`.
        reason: String,
        /// How often it has run already and was queued again, to go on where it stopped.
        requeues: u32,
    },
    /// It runs.
    Running,
    /// It ended with exit code 0.
    Completed,
    /// It ended otherwise, by itself or by force.
    Failed {
        /// The exit code, if there was one. A shell's code for a signal, 128 and its number, counts as one too.
        exit_code: Option<i32>,
        /// The signal that ended it.
        signal: Option<i32>,
        /// What more is known; may be empty.
        reason: String,
    },
    /// It was told to end by [`Submission::cancel`], or by somebody else's `scancel`.
    Cancelled,
    /// Its time was up, and it is not queued again.
    TimedOut,
    /// It was told to stop before its time was up, and is not queued again. It may go on later.
    Preempted,
    /// The queue knows nothing of it any more, and it has left nothing that says how it ended.
    Lost,
}

impl TaskState {
    /// Whether it will not change any more.
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Pending { .. } | Self::Running)
    }

    /// What an exit code that a shell reports stands for.
    pub(crate) fn of_shell_exit_code(code: i32) -> Self {
        match code {
            0 => Self::Completed,
            _ => Self::Failed {
                exit_code: Some(code),
                signal: (129..=192).contains(&code).then_some(code - 128),
                reason: String::new(),
            },
        }
    }
}

impl fmt::Display for TaskState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pending { reason, requeues } => {
                f.write_str(if *requeues == 0 {
                    "pending"
                } else {
                    "queued again"
                })?;
                in_parentheses(f, reason)
            }
            Self::Running => f.write_str("running"),
            Self::Completed => f.write_str("completed"),
            Self::Failed {
                exit_code,
                signal,
                reason,
            } => {
                match (exit_code, signal) {
                    (_, Some(signal)) => write!(f, "killed by signal {signal}")?,
                    (Some(code), None) => write!(f, "failed with exit code {code}")?,
                    (None, None) => f.write_str("failed")?,
                }
                in_parentheses(f, reason)
            }
            Self::Cancelled => f.write_str("cancelled"),
            Self::TimedOut => f.write_str("out of time"),
            Self::Preempted => f.write_str("stopped early, and can go on later"),
            Self::Lost => f.write_str("lost: the queue has forgotten it, and it left no exit code"),
        }
    }
}

fn in_parentheses(f: &mut fmt::Formatter<'_>, reason: &str) -> fmt::Result {
    if reason.is_empty() {
        Ok(())
    } else {
        write!(f, " ({reason})")
    }
}

/// The files that a task writes its output to. They are there once it has started, and are appended to when it starts
/// again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskLog {
    /// Its standard output.
    pub stdout: PathBuf,
    /// Its standard error; none if that goes to `stdout` too.
    pub stderr: Option<PathBuf>,
}

/// A place where tasks run.
pub trait TaskLauncher {
    /// Starts tasks, or queues them. Tasks run in any order, and several at the same time.
    ///
    /// # Errors
    /// None of them will run. That a single one cannot be started is its [`TaskState`] instead.
    fn submit(&self, tasks: &[Task]) -> Result<Box<dyn Submission>, LaunchError>;

    /// Ends what another process has submitted and has left running when it died, and waits until it is gone. `handle` is
    /// what [`Submission::handle`] gave that process. What has ended already is no error.
    ///
    /// # Errors
    /// The queue does not answer, or the tasks do not end within minutes.
    fn end_left_behind(&self, handle: &str) -> Result<(), LaunchError>;
}

/// Tasks that have been submitted together.
///
/// Who drops one that has unfinished tasks cancels them, unless [`Submission::detach`] said otherwise.
pub trait Submission: Send {
    /// What to call it: `Slurm job 4711`.
    fn name(&self) -> String;

    /// What [`TaskLauncher::end_left_behind`] knows it by, if it can outlive this process.
    fn handle(&self) -> Option<String>;

    /// The state of each task, in the order in which they were submitted. A state that is final stays as it is.
    ///
    /// # Errors
    /// The queue has not answered for a long time. A few answers that fail are made up for by those before.
    fn states(&mut self) -> Result<Vec<TaskState>, LaunchError>;

    /// Waits until it is worth asking for the states again, but no longer than `at_most`.
    fn wait(&mut self, at_most: Duration);

    /// Tells all unfinished tasks to end. They get some time to do so: ask for the states to see that they have.
    ///
    /// # Errors
    /// The queue does not take the request.
    fn cancel(&mut self) -> Result<(), LaunchError>;

    /// From now on the tasks are left to themselves when this is dropped.
    fn detach(&mut self);

    /// Where the output of a task goes.
    fn log_of(&self, task: usize) -> TaskLog;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_read_as_words() {
        let words = |state: TaskState| state.to_string();
        let pending = |requeues| TaskState::Pending {
            reason: "Resources".to_owned(),
            requeues,
        };
        assert_eq!(words(pending(0)), "pending (Resources)");
        assert_eq!(words(pending(1)), "queued again (Resources)");
        assert_eq!(
            words(TaskState::of_shell_exit_code(3)),
            "failed with exit code 3"
        );
        assert_eq!(
            words(TaskState::of_shell_exit_code(137)),
            "killed by signal 9"
        );
        assert_eq!(
            words(TaskState::of_shell_exit_code(255)),
            "failed with exit code 255"
        );
    }
}
