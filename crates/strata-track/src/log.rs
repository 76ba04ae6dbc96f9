//! The log of a job: lines in `<job>.log` and on the console, as Hydra writes them.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use fs_err::File;
use jiff::ZonedDateTime;
use serde::{Deserialize, Serialize};

use crate::Console;

/// How grave a line is; names and order are Python's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// For looking for mistakes.
    Debug,
    /// What goes on.
    Info,
    /// Something is not as wished; the work goes on.
    Warning,
    /// Something failed.
    Error,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
        }
    }

    /// The colours of `hydra/job_logging=colorlog` (hydra-colorlog 1.2).
    fn colour(self) -> &'static str {
        match self {
            Self::Debug => "\x1b[35m",
            Self::Info => "\x1b[32m",
            Self::Warning => "\x1b[33m",
            Self::Error => "\x1b[31m",
        }
    }
}

/// Why a log could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file could not be opened for appending.
    #[error("cannot open the log `{}`: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A job's log; clones write to the same file and console.
///
/// A line is `[2026-01-31 14:05:09,123][logger][INFO] - message` in local time, in the file without and on
/// a terminal with colorlog's colours.
#[derive(Clone)]
pub struct JobLog {
    console: Console,
    lowest: Level,
    file: Arc<Mutex<Option<File>>>,
    listener: Arc<Mutex<Option<Box<Listener>>>>,
}

/// Hears the lines of a log, without colours and with their ends.
type Listener = dyn Fn(&str) + Send;

impl JobLog {
    /// A log that appends to `path`, which Hydra does too; lines below `lowest` are dropped.
    pub fn open(path: &Path, console: Console, lowest: Level) -> Result<Self, LogError> {
        let file = fs_err::OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .map_err(|source| LogError::Open {
                path: path.to_owned(),
                source,
            })?;
        Ok(Self {
            console,
            lowest,
            file: Arc::new(Mutex::new(Some(file))),
            listener: Arc::default(),
        })
    }

    /// The log of a run that goes on, its file cut back to its first `length` bytes.
    pub fn reopen(
        path: &Path,
        length: u64,
        console: Console,
        lowest: Level,
    ) -> Result<Self, LogError> {
        let log = Self::open(path, console, lowest)?;
        let cut = |file: &File| -> io::Result<()> {
            // A file that is shorter was written by somebody else in the meantime: kept as it is.
            if file.metadata()?.len() > length {
                file.set_len(length)?;
            }
            Ok(())
        };
        let guard = log.file.lock().unwrap_or_else(PoisonError::into_inner);
        let cut = guard.as_ref().map_or(Ok(()), cut);
        drop(guard);
        cut.map_err(|source| LogError::Open {
            path: path.to_owned(),
            source,
        })?;
        Ok(log)
    }

    /// Bytes in the file; 0 without one.
    pub fn length(&self) -> u64 {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let metadata = file.as_ref().and_then(|file| file.metadata().ok());
        metadata.map_or(0, |metadata| metadata.len())
    }

    /// A log that has no file.
    pub fn console_only(console: Console, lowest: Level) -> Self {
        Self {
            console,
            lowest,
            file: Arc::new(Mutex::new(None)),
            listener: Arc::default(),
        }
    }

    /// Lets somebody hear all lines from now on, in place of who did before.
    pub fn listen(&self, listener: impl Fn(&str) + Send + 'static) {
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(listener));
    }

    /// Nobody hears the lines any more.
    pub fn end_listening(&self) {
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The console the log prints on.
    pub fn console(&self) -> &Console {
        &self.console
    }

    /// Writes one line of `level`; `logger` is the name in the second brackets.
    pub fn write(&self, level: Level, logger: &str, message: &str) {
        self.write_at(&ZonedDateTime::now(), level, logger, message);
    }

    /// Writes a line of [`Level::Debug`].
    pub fn debug(&self, logger: &str, message: &str) {
        self.write(Level::Debug, logger, message);
    }

    /// Writes a line of [`Level::Info`].
    pub fn info(&self, logger: &str, message: &str) {
        self.write(Level::Info, logger, message);
    }

    /// Writes a line of [`Level::Warning`].
    pub fn warning(&self, logger: &str, message: &str) {
        self.write(Level::Warning, logger, message);
    }

    /// Writes a line of [`Level::Error`].
    pub fn error(&self, logger: &str, message: &str) {
        self.write(Level::Error, logger, message);
    }

    fn write_at(&self, now: &ZonedDateTime, level: Level, logger: &str, message: &str) {
        if level < self.lowest {
            return;
        }
        let time = time_of(now);
        let plain = format!("[{time}][{logger}][{}] - {message}", level.name());
        if self.console.is_coloured() {
            self.console.line(&coloured(&time, level, logger, message));
        } else {
            self.console.line(&plain);
        }
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(listener) = &*listener {
            listener(&format!("{plain}\n"));
        }
        drop(listener);
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(open) = file.as_mut() else { return };
        if let Err(error) = open.write_all(format!("{plain}\n").as_bytes()) {
            *file = None;
            self.console.line(&format!(
                "warning: {error}; further lines go to the console only"
            ));
        }
    }
}

/// A line as Hydra's own logger writes it: `[2026-01-31 14:05:09,123][HYDRA] message`.
pub fn hydra_line(message: &str) -> String {
    format!("[{}][HYDRA] {message}", time_of(&ZonedDateTime::now()))
}

/// Python's `%(asctime)s`.
fn time_of(now: &ZonedDateTime) -> String {
    now.strftime("%Y-%m-%d %H:%M:%S,%3f").to_string()
}

/// The format of hydra-colorlog 1.2.
fn coloured(time: &str, level: Level, logger: &str, message: &str) -> String {
    const CYAN: &str = "\x1b[36m";
    const BLUE: &str = "\x1b[34m";
    const RESET: &str = "\x1b[0m";
    format!(
        "[{CYAN}{time}{RESET}][{BLUE}{logger}{RESET}][{}{}{RESET}] - {message}",
        level.colour(),
        level.name()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_in_the_file_is_as_hydra_writes_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("train.log");
        let log =
            JobLog::open(&path, Console::silent(), Level::Info).expect("the folder is writable");
        let now: jiff::Timestamp = "2026-01-31T14:05:09.1239Z".parse().expect("a time");
        let now = now.to_zoned_datetime(jiff::tz::TimeZone::UTC);
        log.write_at(&now, Level::Warning, "strata.train", "naïve");
        log.write_at(&now, Level::Debug, "strata.train", "dropped");
        let text = fs_err::read_to_string(&path).expect("the file is there");
        assert_eq!(
            text,
            "[2026-01-31 14:05:09,123][strata.train][WARNING] - naïve\n"
        );
    }

    #[test]
    fn colours_are_those_of_colorlog() {
        assert_eq!(
            coloured("T", Level::Info, "n", "m"),
            "[\x1b[36mT\x1b[0m][\x1b[34mn\x1b[0m][\x1b[32mINFO\x1b[0m] - m"
        );
    }
}
