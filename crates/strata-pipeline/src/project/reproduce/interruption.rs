//! Ctrl-C and SIGTERM while stages run.
//!
//! The first lets the commands that run come to their end, as DVC does, which ignores SIGINT in the meantime: the
//! terminal has sent it to them too. SIGTERM, which the sender means for `strata` alone, is passed on. Nothing new is started.
//! The second kills the commands with all that they have started.

use std::collections::BTreeSet;
use std::env;
use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use crate::progress::Stop;

/// The variable by which the processes of a reproduction are known, whoever their parents are by now. One
/// reproduction within another adds its mark to that of the outer one.
const MARK: &str = "STRATA_REPRO";

/// Signals within this time are one: `timeout` sends its own to a process and to the group that it is in.
const ONE_REQUEST: Duration = Duration::from_millis(100);

/// The time between two looks at what an interrupted command has left running.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// How the user asks to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopSignal {
    /// SIGINT, Ctrl-C: all processes of the terminal's foreground have got it.
    Interrupt,
    /// SIGTERM: `strata` has got it.
    Terminate,
}

/// What came of a request to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopping {
    /// No command runs, and the reproduction stops when it has done what it is at; or this was asked a moment ago.
    Soon,
    /// Commands run, which may come to their end.
    Waits,
    /// They have been killed.
    Killed,
    /// It was asked before, and no command runs: nothing speaks against ending the process.
    Now,
}

/// Whether the user wants the reproduction to stop, and the commands that this concerns.
#[derive(Debug)]
pub struct Interruption {
    mark: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    first: Option<Instant>,
    is_killing: bool,
    shells: Vec<Pid>,
}

impl Default for Interruption {
    fn default() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |time| time.as_nanos());
        Self {
            mark: format!("{}-{now}", std::process::id()),
            state: Mutex::default(),
        }
    }
}

impl Interruption {
    /// What this reproduction is known by: its process and the time of its start.
    pub(super) fn mark(&self) -> &str {
        &self.mark
    }

    /// Takes a signal.
    pub fn request(&self, signal: StopSignal) -> Stopping {
        let mut state = self.state();
        let runs = !state.shells.is_empty();
        let Some(first) = state.first else {
            state.first = Some(Instant::now());
            if signal == StopSignal::Terminate {
                for pid in self.processes(&state) {
                    send(pid, Signal::TERM);
                }
            }
            return if runs {
                Stopping::Waits
            } else {
                Stopping::Soon
            };
        };
        if first.elapsed() < ONE_REQUEST {
            return Stopping::Soon;
        }
        state.is_killing = true;
        self.kill(&state);
        if runs {
            Stopping::Killed
        } else {
            Stopping::Now
        }
    }

    /// Runs a process to its end; nothing if none is to be started any more.
    ///
    /// # Errors
    /// It cannot be started.
    pub(super) fn run(&self, process: &mut Command) -> io::Result<Option<ExitStatus>> {
        let Some(mut child) = self.start(process)? else {
            return Ok(None);
        };
        let pid = Pid::from_child(&child);
        // Not reaped yet: until it is off the list, its number must not be that of another process.
        let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while waitid(WaitId::Pid(pid), ended).is_err_and(|error| error == Errno::INTR) {}
        self.forget(pid);
        child.wait().map(Some)
    }

    fn start(&self, process: &mut Command) -> io::Result<Option<Child>> {
        let mut marks = env::var_os(MARK).unwrap_or_default();
        if !marks.is_empty() {
            marks.push(" ");
        }
        marks.push(&self.mark);
        process.env(MARK, marks);
        let mut state = self.state();
        if state.first.is_some() {
            return Ok(None);
        }
        let child = process.spawn()?;
        state.shells.push(Pid::from_child(&child));
        Ok(Some(child))
    }

    /// Takes a shell that has ended off the list. What an interrupted one has started may outlive it, and must not
    /// outlive the reproduction: the last one waits for it.
    fn forget(&self, shell: Pid) {
        loop {
            let mut state = self.state();
            let is_last = state.first.is_some() && state.shells.len() == 1;
            if !is_last || marked(&self.mark).iter().all(|pid| *pid == shell) {
                state.shells.retain(|other| *other != shell);
                return;
            }
            if state.is_killing {
                self.kill(&state);
            }
            drop(state);
            thread::sleep(BETWEEN_LOOKS);
        }
    }

    fn kill(&self, state: &State) {
        let mut stopped = BTreeSet::new();
        loop {
            // A stopped process starts no others: in the end none has been overlooked.
            let found = self.processes(state);
            let new: Vec<Pid> = found
                .into_iter()
                .filter(|pid| stopped.insert(pid.as_raw_pid()))
                .collect();
            if new.is_empty() {
                break;
            }
            for pid in new {
                send(pid, Signal::STOP);
            }
        }
        for pid in stopped.into_iter().filter_map(Pid::from_raw) {
            send(pid, Signal::KILL);
        }
    }

    /// The shells, and all that they have started.
    fn processes(&self, state: &State) -> Vec<Pid> {
        let mut processes = marked(&self.mark);
        for shell in &state.shells {
            if !processes.contains(shell) {
                processes.push(*shell);
            }
        }
        processes
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stop for Interruption {
    /// Nothing new is to be started then.
    fn is_requested(&self) -> bool {
        self.state().first.is_some()
    }
}

/// One that has ended already is as good as reached.
fn send(pid: Pid, signal: Signal) {
    let _ = kill_process(pid, signal);
}

/// The living processes that a reproduction has started, where the system tells (`/proc`). What has gone into a session
/// of its own is meant to go on.
pub(super) fn marked(mark: &str) -> Vec<Pid> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let own_session = session(Path::new("/proc/self"));
    let pids = entries.flatten().filter_map(|entry| {
        let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
        let environment = std::fs::read(entry.path().join("environ")).ok()?;
        let is_marked = environment
            .split(|&byte| byte == 0)
            .filter_map(|variable| variable.strip_prefix(MARK.as_bytes())?.strip_prefix(b"="))
            .any(|marks| {
                marks
                    .split(|&byte| byte == b' ')
                    .any(|one| one == mark.as_bytes())
            });
        (is_marked && session(&entry.path()) == own_session).then_some(pid)
    });
    pids.collect()
}

/// The session that a process is in, by its folder below `/proc`. The number is 0 where the session's leader is outside
/// the container that this process sees: the reason why `getsid`, whose numbers have to be those of processes, will not do.
fn session(process: &Path) -> Option<u32> {
    session_in(&std::fs::read_to_string(process.join("stat")).ok()?)
}

/// The sixth field of `proc_pid_stat(5)`. The second, the command's name, is in parentheses and may hold anything.
fn session_in(stat: &str) -> Option<u32> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_read_behind_any_name_and_may_be_outside() {
        assert_eq!(session_in("42 (sh) S 1 42 17 0 -1 4194304"), Some(17));
        assert_eq!(session_in("42 (a) 1 (b) S 1 42 17 0 -1"), Some(17));
        assert_eq!(session_in("2 (cat) R 1 0 0 0 -1 4194304"), Some(0));
        assert_eq!(session_in("42 (sh"), None);
    }
}
