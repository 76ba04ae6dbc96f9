//! The thread that starts, watches and ends the child processes of one submission.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::task::{Task, TaskLog, TaskState};

/// What is to be run, and how.
pub(super) struct Plan {
    pub(super) tasks: Vec<Task>,
    pub(super) logs: Vec<TaskLog>,
    pub(super) at_once: usize,
    pub(super) time_limit: Option<Duration>,
    pub(super) grace: Duration,
}

/// What the supervisor is told.
pub(super) enum Message {
    /// This task's process has ended, and is still to be reaped.
    Ended(usize),
    /// All are to end.
    Cancel,
}

/// The states, where the supervisor writes them and the submission reads them.
#[derive(Clone)]
pub(super) struct Board {
    shared: Arc<(Mutex<Shared>, Condvar)>,
}

struct Shared {
    states: Vec<TaskState>,
    /// Whether they have been asked for since the last change.
    is_read: bool,
}

impl Board {
    pub(super) fn new(count: usize) -> Self {
        let waiting = TaskState::Pending {
            reason: "other jobs first".to_owned(),
            requeues: 0,
        };
        let shared = Shared {
            states: vec![waiting; count],
            is_read: false,
        };
        Self {
            shared: Arc::new((Mutex::new(shared), Condvar::new())),
        }
    }

    pub(super) fn states(&self) -> Vec<TaskState> {
        let mut shared = self.lock();
        shared.is_read = true;
        shared.states.clone()
    }

    pub(super) fn wait(&self, at_most: Duration) {
        let has_no_news =
            |shared: &mut Shared| shared.is_read && !shared.states.iter().all(TaskState::is_final);
        let waited = self
            .shared
            .1
            .wait_timeout_while(self.lock(), at_most, has_no_news);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn set(&self, task: usize, state: TaskState) {
        let mut shared = self.lock();
        shared.states[task] = state;
        shared.is_read = false;
        self.shared.1.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts the thread. It ends when all tasks have.
///
/// # Errors
/// The system gives no more threads.
pub(super) fn start(plan: Plan, board: Board) -> io::Result<(Sender<Message>, JoinHandle<()>)> {
    let (sender, messages) = mpsc::channel();
    let supervisor = Supervisor {
        waiting: (0..plan.tasks.len()).collect(),
        running: Vec::new(),
        plan,
        board,
        sender: sender.clone(),
    };
    let thread = thread::Builder::new()
        .name("supervisor of jobs".to_owned())
        .spawn(move || supervisor.run(&messages))?;
    Ok((sender, thread))
}

struct Supervisor {
    plan: Plan,
    board: Board,
    waiting: VecDeque<usize>,
    running: Vec<Running>,
    sender: Sender<Message>,
}

/// A process that has not been reaped: its number, and that of its group, are those of no other.
struct Running {
    task: usize,
    child: Child,
    /// Why it is to end, and what it was sent last.
    ending: Option<(Why, Stern)>,
    /// When it is to be sent the next signal.
    deadline: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Cancelled,
    TimedOut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stern {
    Interrupted,
    Terminated,
    Killed,
}

impl Supervisor {
    fn run(mut self, messages: &Receiver<Message>) {
        loop {
            while self.running.len() < self.plan.at_once
                && let Some(task) = self.waiting.pop_front()
            {
                self.start(task);
            }
            if self.running.is_empty() {
                return;
            }
            match self.next_message(messages) {
                Some(Message::Ended(task)) => self.reap(task),
                Some(Message::Cancel) => self.cancel(),
                None => self.keep_deadlines(),
            }
        }
    }

    /// None when a deadline is there first.
    fn next_message(&self, messages: &Receiver<Message>) -> Option<Message> {
        let deadline = self
            .running
            .iter()
            .filter_map(|running| running.deadline)
            .min();
        let Some(deadline) = deadline else {
            // The supervisor has a sender itself: there is always another message to come.
            return messages.recv().ok();
        };
        let left = deadline.saturating_duration_since(Instant::now());
        messages.recv_timeout(left).ok()
    }

    fn start(&mut self, task: usize) {
        match self.spawn(task) {
            Ok(child) => {
                self.running.push(Running {
                    task,
                    child,
                    ending: None,
                    deadline: self.plan.time_limit.map(|limit| Instant::now() + limit),
                });
                self.board.set(task, TaskState::Running);
            }
            Err(error) => self.board.set(
                task,
                TaskState::Failed {
                    exit_code: None,
                    signal: None,
                    reason: format!("it cannot be started: {error}"),
                },
            ),
        }
    }

    fn spawn(&self, index: usize) -> io::Result<Child> {
        let task = &self.plan.tasks[index];
        let (stdout, stderr) = open_log(&self.plan.logs[index])?;
        // The system's message for a folder that is not there is the one for a program that is not there.
        fs_err::metadata(&task.working_dir)?;
        let mut child = Command::new(&task.program)
            .args(&task.args)
            .current_dir(&task.working_dir)
            .envs(&task.environment)
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .process_group(0)
            .spawn()
            .map_err(|error| {
                io::Error::new(
                    error.kind(),
                    format!("`{}`: {error}", task.program.display()),
                )
            })?;
        let pid = Pid::from_child(&child);
        let sender = self.sender.clone();
        let watcher = thread::Builder::new().name(format!("watcher of job {index}"));
        let watched = watcher.spawn(move || {
            // It stays to be reaped, by the one who sends it signals: until then nobody else has its number.
            let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while waitid(WaitId::Pid(pid), ended).is_err_and(|error| error == Errno::INTR) {}
            // Nobody is interested any more if this fails.
            let _ = sender.send(Message::Ended(index));
        });
        if let Err(error) = watched {
            send(&child, Signal::KILL);
            child.wait()?;
            return Err(error);
        }
        Ok(child)
    }

    fn reap(&mut self, task: usize) {
        let Some(index) = self.running.iter().position(|running| running.task == task) else {
            return;
        };
        let mut ended = self.running.swap_remove(index);
        if ended.ending.is_some() {
            // What it has started and left behind was to end too.
            send(&ended.child, Signal::KILL);
        }
        let state = match ended.child.wait() {
            Ok(status) => self.state_of(&ended, status),
            Err(error) => TaskState::Failed {
                exit_code: None,
                signal: None,
                reason: error.to_string(),
            },
        };
        self.board.set(task, state);
    }

    fn state_of(&self, ended: &Running, status: ExitStatus) -> TaskState {
        let resumable = self.plan.tasks[ended.task].resumable_exit_code;
        match (ended.ending, status.code()) {
            (_, Some(0)) => TaskState::Completed,
            (Some((Why::Cancelled, _)), _) => TaskState::Cancelled,
            (Some((Why::TimedOut, _)), _) => TaskState::TimedOut,
            (None, code) if code.is_some() && code == resumable => TaskState::Preempted,
            (None, exit_code) => TaskState::Failed {
                exit_code,
                signal: status.signal(),
                reason: String::new(),
            },
        }
    }

    fn cancel(&mut self) {
        for task in self.waiting.drain(..) {
            self.board.set(task, TaskState::Cancelled);
        }
        for running in &mut self.running {
            running.end(Why::Cancelled, self.plan.grace);
        }
    }

    fn keep_deadlines(&mut self) {
        let now = Instant::now();
        for running in &mut self.running {
            if running.deadline.is_some_and(|deadline| deadline <= now) {
                running.end(Why::TimedOut, self.plan.grace);
            }
        }
    }
}

impl Running {
    /// Asks for the end, more sternly each time. The first reason stays.
    fn end(&mut self, why: Why, grace: Duration) {
        let (why, stern) = match self.ending {
            None if why == Why::Cancelled => (why, Stern::Interrupted),
            None => (why, Stern::Terminated),
            Some((first, Stern::Interrupted)) => (first, Stern::Terminated),
            Some((first, Stern::Terminated | Stern::Killed)) => (first, Stern::Killed),
        };
        let signal = match stern {
            Stern::Interrupted => Signal::INT,
            Stern::Terminated => Signal::TERM,
            Stern::Killed => Signal::KILL,
        };
        send(&self.child, signal);
        self.ending = Some((why, stern));
        self.deadline = (stern != Stern::Killed).then(|| Instant::now() + grace);
    }
}

/// To a process and all of its group. One that has ended already is as good as reached.
fn send(leader: &Child, signal: Signal) {
    let _ = kill_process_group(Pid::from_child(leader), signal);
}

fn open_log(log: &TaskLog) -> io::Result<(Stdio, Stdio)> {
    if let Some(folder) = log.stdout.parent() {
        fs_err::create_dir_all(folder)?;
    }
    let append = |path| -> io::Result<File> {
        let file = fs_err::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)?;
        Ok(file.into())
    };
    let stdout = append(&log.stdout)?;
    let stderr = match &log.stderr {
        Some(path) => append(path)?,
        None => stdout.try_clone()?,
    };
    Ok((stdout.into(), stderr.into()))
}
