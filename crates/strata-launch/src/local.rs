//! Tasks as child processes on this machine (`hydra/launcher=submitit_local`).
//!
//! Each task leads a process group of its own, so that a Ctrl-C in the terminal reaches this program alone, and whatever a
//! task has started can be ended with it. A thread of the [`Submission`] starts and ends them ([`supervisor`]).
//!
//! Differences from submitit: tasks beyond a number wait for their turn rather than all starting at once, and a task whose
//! time is up is not started again.

mod supervisor;

use std::num::NonZeroUsize;
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::config::SubmititConfig;
use crate::error::LaunchError;
use crate::paths::TaskPaths;
use crate::task::{Submission, Task, TaskLauncher, TaskLog, TaskState};
use supervisor::{Board, Message, Plan};

/// Runs tasks in child processes, a number of them at once.
#[derive(Debug, Clone)]
pub struct LocalLauncher {
    /// Where the output goes, and whether both outputs go to one file.
    pub config: SubmititConfig,
    /// How many tasks run at the same time.
    pub at_once: NonZeroUsize,
    /// How long a task may run; none for any time.
    pub time_limit: Option<Duration>,
    /// How long a task that was asked to end may take to do so before it is asked more sternly: SIGINT, SIGTERM, SIGKILL.
    pub grace: Duration,
}

impl LocalLauncher {
    /// The time limit is that of the configuration; the grace is 30 seconds, as Slurm's `KillWait` is.
    pub fn new(config: SubmititConfig, at_once: NonZeroUsize) -> Self {
        let minutes = u64::from(config.timeout_min);
        Self {
            config,
            at_once,
            time_limit: (minutes > 0).then(|| Duration::from_mins(minutes)),
            grace: Duration::from_secs(30),
        }
    }
}

impl TaskLauncher for LocalLauncher {
    fn submit(&self, tasks: &[Task]) -> Result<Box<dyn Submission>, LaunchError> {
        /// submitit's id is the process id of its helper. Ours is that of this process, and a count.
        static COUNT: AtomicUsize = AtomicUsize::new(0);

        if tasks.is_empty() {
            return Err(LaunchError::NoTasks);
        }
        let paths = TaskPaths::new(&self.config.submitit_folder)?;
        fs_err::create_dir_all(paths.independent_folder())?;
        let first = COUNT.fetch_add(tasks.len(), Ordering::Relaxed);
        let ids = (first..)
            .take(tasks.len())
            .map(|number| format!("{}_{number}", process::id()));
        let logs: Vec<TaskLog> = ids
            .map(|id| paths.log_of(&id, self.config.stderr_to_stdout))
            .collect();

        let board = Board::new(tasks.len());
        let plan = Plan {
            tasks: tasks.to_vec(),
            logs: logs.clone(),
            at_once: self.at_once.get(),
            time_limit: self.time_limit,
            grace: self.grace,
        };
        let (messages, thread) = supervisor::start(plan, board.clone())?;
        Ok(Box::new(LocalSubmission {
            logs,
            board,
            messages,
            thread: Some(thread),
            is_detached: false,
        }))
    }

    /// There is nothing to be found again: what watches its parent ends by itself.
    fn end_left_behind(&self, _handle: &str) -> Result<(), LaunchError> {
        Ok(())
    }
}

struct LocalSubmission {
    logs: Vec<TaskLog>,
    board: Board,
    messages: Sender<Message>,
    thread: Option<JoinHandle<()>>,
    is_detached: bool,
}

impl Submission for LocalSubmission {
    fn name(&self) -> String {
        format!("processes of {}", process::id())
    }

    fn handle(&self) -> Option<String> {
        None
    }

    fn states(&mut self) -> Result<Vec<TaskState>, LaunchError> {
        Ok(self.board.states())
    }

    fn wait(&mut self, at_most: Duration) {
        self.board.wait(at_most);
    }

    /// Sends SIGINT; SIGTERM and SIGKILL follow when the grace is over, or at the next call.
    fn cancel(&mut self) -> Result<(), LaunchError> {
        // A supervisor that has gone has nothing left to cancel.
        let _ = self.messages.send(Message::Cancel);
        Ok(())
    }

    /// What runs goes on, also beyond the end of this program; what waits is started only as long as this program lives.
    fn detach(&mut self) {
        self.is_detached = true;
    }

    fn log_of(&self, task: usize) -> TaskLog {
        self.logs[task].clone()
    }
}

impl Drop for LocalSubmission {
    fn drop(&mut self) {
        if self.is_detached {
            return;
        }
        let _ = self.messages.send(Message::Cancel);
        if let Some(thread) = self.thread.take() {
            // Its panic has been printed by the hook.
            let _ = thread.join();
        }
    }
}
