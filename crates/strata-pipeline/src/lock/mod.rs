//! Locks that DVC and strata both take, so that they can work on one project at the same time.
//!
//! * [`RepositoryLock`] is held while files of the project are changed, and let go while a stage's command runs.
//! * [`PathLocks`] say which paths a stage reads and writes, also while its command runs.

mod paths;
mod repository;

pub use paths::{PathLocks, PathsGuard};
pub use repository::RepositoryLock;

use std::time::Duration;

use thiserror::Error;

/// How often a lock is tried before it is given up, and the time between.
const TRIES: u32 = 7;
const BETWEEN_TRIES: Duration = Duration::from_millis(500);

/// Why a lock cannot be had.
#[derive(Debug, Error)]
pub enum LockError {
    /// Another process holds the project's lock.
    #[error(
        "Unable to acquire lock. Most likely another DVC process is running or was terminated abruptly. \
         The lock is '{path}'{holder}."
    )]
    Busy {
        /// The lock file.
        path: String,
        /// Who holds it, as far as the file says: ` (process 42)`, or nothing.
        holder: String,
    },
    /// Another process works with a path.
    #[error("'{path}' is busy, it is being blocked by:\n{holders}")]
    PathBusy {
        /// The path.
        path: String,
        /// A line for each: `  (PID 42): dvc repro`.
        holders: String,
    },
    /// The lock file cannot be used.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
