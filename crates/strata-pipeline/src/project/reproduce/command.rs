//! The commands of a stage.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Seek as _};
use std::os::unix::process::ExitStatusExt as _;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};

use super::interruption::Interruption;
use crate::definition::Command;
use crate::error::PipelineError;
use crate::project::Project;
use crate::stage::Stage;

/// The commands of one stage, ready to be run in any thread.
#[derive(Debug)]
pub(super) struct Job {
    lines: Vec<String>,
    folder: PathBuf,
    root: PathBuf,
    /// The stage's address.
    name: String,
}

/// How a stage's commands ended.
#[derive(Debug)]
pub(super) enum JobEnd {
    /// All of them well.
    Done,
    /// One with another exit code than 0, and the others were not run.
    Failed {
        /// The command.
        command: String,
        /// Its exit code; minus the signal's number where one ended it.
        code: i32,
    },
    /// Not all of them were run, because the user wants to stop.
    Interrupted,
    /// The shell cannot be started.
    Shell(io::Error),
    /// The thread that ran them panicked.
    Panicked,
}

impl JobEnd {
    pub(super) fn into_result(self) -> Result<(), PipelineError> {
        match self {
            Self::Done => Ok(()),
            Self::Failed { command, code } => Err(PipelineError::CommandFailed { command, code }),
            Self::Interrupted => Err(PipelineError::Interrupted {
                details: String::new(),
            }),
            Self::Shell(error) => Err(error.into()),
            Self::Panicked => {
                Err(io::Error::other("the thread that ran its commands panicked").into())
            }
        }
    }

    /// What `run` gives; also of one that panics, which must not keep those waiting who wait for its end.
    pub(super) fn of(run: impl FnOnce() -> Self) -> Self {
        panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or(Self::Panicked)
    }
}

/// Where commands write to: files without a name, so that a process that is left over by a command keeps nobody waiting.
#[derive(Debug)]
pub(super) struct Captured {
    /// Standard output, and standard error as well where both of `strata` go to the same place.
    pub(super) stdout: File,
    /// Standard error.
    pub(super) stderr: File,
}

impl Captured {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            stdout: tempfile::tempfile()?,
            stderr: tempfile::tempfile()?,
        })
    }

    /// Both from their beginnings.
    pub(super) fn rewind(&mut self) -> io::Result<()> {
        self.stdout.rewind()?;
        self.stderr.rewind()
    }

    fn connect(&self, process: &mut Process) -> io::Result<()> {
        let stderr = if are_one_stream() {
            &self.stdout
        } else {
            &self.stderr
        };
        process
            .stdin(Stdio::null())
            .stdout(self.stdout.try_clone()?)
            .stderr(stderr.try_clone()?);
        Ok(())
    }
}

/// Whether standard output and standard error of this process go to the same place; lines keep their order there.
fn are_one_stream() -> bool {
    let identity = |stat: rustix::fs::Stat| (stat.st_dev, stat.st_ino, stat.st_rdev);
    let stdout = rustix::fs::fstat(io::stdout()).map(identity);
    stdout.is_ok() && stdout == rustix::fs::fstat(io::stderr()).map(identity)
}

impl Job {
    pub(super) fn new(project: &Project, stage: &Stage, name: &str, command: &Command) -> Self {
        Self {
            lines: lines_of(command),
            folder: stage.folder.clone(),
            root: project.repository.root.clone(),
            name: name.to_owned(),
        }
    }

    /// The commands, each for a shell of its own.
    pub(super) fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Runs the commands one after the other, each in a shell of its own, until one fails. `announce` is told each before
    /// it starts.
    pub(super) fn run(
        &self,
        interruption: &Interruption,
        captured: Option<&Captured>,
        announce: &mut dyn FnMut(&str),
    ) -> JobEnd {
        // The folder may be one that the stage makes files in for the first time.
        if let Err(error) = fs_err::create_dir_all(&self.folder) {
            return JobEnd::Shell(error);
        }
        for line in &self.lines {
            announce(line);
            let mut process = self.process(line);
            let connected = captured.map_or(Ok(()), |captured| captured.connect(&mut process));
            let ended = connected.and_then(|()| interruption.run(&mut process));
            let status = match ended {
                Ok(Some(status)) => status,
                Ok(None) => return JobEnd::Interrupted,
                Err(error) => {
                    let shell = process.get_program().display();
                    let text = format!("cannot start the shell '{shell}': {error}");
                    return JobEnd::Shell(io::Error::new(error.kind(), text));
                }
            };
            if !status.success() {
                let signal = status.signal().map(|signal| -signal);
                return JobEnd::Failed {
                    command: line.clone(),
                    code: status.code().or(signal).unwrap_or(1),
                };
            }
        }
        JobEnd::Done
    }

    fn process(&self, line: &str) -> Process {
        let shell = env::var_os("SHELL").filter(|shell| !shell.is_empty());
        let shell = shell.unwrap_or_else(|| "/bin/sh".into());
        let name = Path::new(&shell).file_name().and_then(|name| name.to_str());
        let flags: &[&str] = match name {
            Some("zsh") => &["--no-rcs"],
            Some("bash") => &["--noprofile", "--norc"],
            Some("fish") => &["--no-config"],
            _ => &[],
        };
        let mut process = Process::new(&shell);
        process
            .args(flags)
            .arg("-c")
            .arg(line)
            .current_dir(&self.folder)
            .env("DVC_STAGE", &self.name)
            .env("PATH", path_with_own_folder());
        // As in DVC, the outermost of projects within projects.
        if env::var_os("DVC_ROOT").is_none() {
            process.env("DVC_ROOT", &self.root);
        }
        process
    }
}

/// The commands of a stage: DVC gives each line of a text a shell of its own.
pub(super) fn lines_of(command: &Command) -> Vec<String> {
    match command {
        Command::Text(text) => text.lines().map(str::to_owned).collect(),
        Command::List(items) => items.clone(),
    }
}

/// A stage that calls `strata` gets this very program.
fn path_with_own_folder() -> OsString {
    let path = env::var_os("PATH").unwrap_or_default();
    let own = env::current_exe().ok();
    let own = own.as_deref().and_then(Path::parent).map(Path::to_owned);
    let folders = own.into_iter().chain(env::split_paths(&path));
    env::join_paths(folders).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_end_too() {
        assert!(matches!(JobEnd::of(|| JobEnd::Done), JobEnd::Done));
        let end = JobEnd::of(|| panic!("as planned"));
        assert!(
            end.into_result()
                .is_err_and(|error| error.to_string().contains("panicked"))
        );
    }
}
