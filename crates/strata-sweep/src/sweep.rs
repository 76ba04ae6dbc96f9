//! A sweep's directory, and what runs in it.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use strata_config::{Composition, ConfigSource};

use crate::error::SweepError;
use crate::fleet::end_left_behind;
use crate::place::Place;
use crate::progress::say;
use crate::record::{SweepRecord, SweepState};
use crate::settings::{Method, SearchSettings};
use crate::{grid, search};

/// Locked by the process that runs the sweep.
const LOCK: &str = ".sweep.lock";

/// Locked by the processes that run its jobs, together.
const WORKERS_LOCK: &str = ".sweep.workers.lock";

/// Locked by a worker while it begins a trial.
const TURN_LOCK: &str = ".sweep.turn.lock";

/// How often it is looked whether the workers of a process that was killed have ended.
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// What becomes of jobs that have failed before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed {
    /// They stay failed.
    Stay,
    /// They are run again, from their last checkpoint.
    Retry,
}

/// How a sweep ended in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SweepEnd {
    /// Nothing is left to do.
    Finished,
    /// The user stopped it.
    Interrupted,
}

/// A sweep, held by this process.
pub struct Sweep {
    /// The sweep's own composition.
    pub(crate) composition: Composition,
    /// Where the tree came from, for the `run.json` of its jobs.
    pub(crate) config_source: String,
    pub(crate) directory: PathBuf,
    pub(crate) record: SweepRecord,
    pub(crate) failed: Failed,
    /// Freed with the process, however it ends.
    _lock: File,
}

impl Sweep {
    /// Makes the sweep's directory, or takes up what an earlier sweep has left in it: its finished jobs are not run
    /// again if they are the same.
    ///
    /// # Errors
    /// The directory cannot be made, or another process runs a sweep in it.
    pub fn begin(composition: Composition, config_source: String) -> Result<Self, SweepError> {
        let directory = composition.sweep_dir()?;
        fs_err::create_dir_all(&directory).map_err(|source| SweepError::Io {
            path: directory.clone(),
            source,
        })?;
        let lock = hold(&directory)?;
        let mut record = SweepRecord::begin(composition.request(), &directory);
        if let Some(earlier) = SweepRecord::read(&directory)? {
            record.id = earlier.id;
            record.name = earlier.name;
        }
        let path = directory.join("multirun.yaml");
        strata_fs::write_atomically(&path, composition.multirun_yaml().as_bytes())
            .map_err(|source| SweepError::Io { path, source })?;
        record.write(&directory)?;
        Ok(Self {
            composition,
            config_source,
            directory,
            record,
            failed: Failed::Retry,
            _lock: lock,
        })
    }

    /// Opens the sweep of a directory to go on with it. The process changes to the folder in which it was typed.
    /// `embedded` is the tree in the binary.
    ///
    /// # Errors
    /// There is none, another process runs it, or its configuration cannot be composed any more.
    pub fn open(
        directory: &Path,
        embedded: ConfigSource,
        failed: Failed,
    ) -> Result<Self, SweepError> {
        let whole = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
        let lock = hold(&whole)?;
        Self::of_directory(whole, embedded, failed, lock)
    }

    /// Opens the sweep of a directory as one of the processes that run its jobs.
    ///
    /// # Errors
    /// Those of [`Sweep::open`].
    pub(crate) fn join(
        directory: &Path,
        embedded: ConfigSource,
        failed: Failed,
    ) -> Result<Self, SweepError> {
        let lock = lock_file(directory, WORKERS_LOCK)?;
        if is_refused(lock.try_lock_shared()) {
            return Err(SweepError::Alive(directory.to_owned()));
        }
        Self::of_directory(directory.to_owned(), embedded, failed, lock)
    }

    fn of_directory(
        whole: PathBuf,
        embedded: ConfigSource,
        failed: Failed,
        lock: File,
    ) -> Result<Self, SweepError> {
        let Some(record) = SweepRecord::read(&whole)? else {
            return Err(SweepError::Record {
                path: whole,
                problem: "there is no sweep".to_owned(),
            });
        };
        std::env::set_current_dir(&record.cwd).map_err(|source| SweepError::Io {
            path: record.cwd.clone(),
            source,
        })?;
        let config_source = record.config_path.as_ref();
        let config_source =
            config_source.map_or_else(|| "embedded".to_owned(), |path| path.display().to_string());
        let mut request = record.request(embedded);
        let mut composition = strata_config::compose(&request)?;
        if record.cwd.join(composition.sweep_dir()?) != whole {
            // It was moved.
            let quoted = whole.display().to_string().replace('\'', "\\'");
            request
                .overrides
                .push(format!("hydra.sweep.dir='{quoted}'"));
            composition = strata_config::compose(&request)?;
        }
        Ok(Self {
            directory: composition.sweep_dir()?,
            composition,
            config_source,
            record,
            failed,
            _lock: lock,
        })
    }

    /// The sweep's directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// What `sweep.json` holds.
    pub fn record(&self) -> &SweepRecord {
        &self.record
    }

    /// Waits until no process runs jobs of the sweep any more. As long as the file is kept, none begins.
    fn wait_for_workers(&self) -> Result<File, SweepError> {
        let lock = lock_file(&self.directory, WORKERS_LOCK)?;
        let mut is_told = false;
        while is_refused(lock.try_lock()) {
            if !is_told {
                say("waiting for the jobs of a process that is no more to end");
                is_told = true;
            }
            thread::sleep(BETWEEN_LOOKS);
        }
        Ok(lock)
    }

    /// Waits until no other worker begins a trial; none does so as long as the file is kept.
    pub(crate) fn turn(&self) -> Result<File, SweepError> {
        let path = self.directory.join(TURN_LOCK);
        let lock = lock_file(&self.directory, TURN_LOCK)?;
        lock.lock()
            .map_err(|source| SweepError::Io { path, source })?;
        Ok(lock)
    }

    fn note(&mut self, state: SweepState) -> Result<(), SweepError> {
        self.record.state = state;
        self.record.ended = (state != SweepState::Running).then(Timestamp::now);
        self.record.write(&self.directory)
    }
}

/// Whether a process runs the sweep of a directory.
pub(crate) fn is_held(directory: &Path) -> bool {
    let lock = File::options().write(true).open(directory.join(LOCK));
    lock.is_ok_and(|lock| lock.try_lock().is_err())
}

fn hold(directory: &Path) -> Result<File, SweepError> {
    let lock = lock_file(directory, LOCK)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(_) => Err(SweepError::Alive(directory.to_owned())),
    }
}

fn lock_file(directory: &Path, name: &str) -> Result<File, SweepError> {
    let path = directory.join(name);
    let opened = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path);
    opened.map_err(|source| SweepError::Io { path, source })
}

/// Whether another process has the lock. A file system that knows no locks refuses nothing.
fn is_refused(locked: Result<(), TryLockError>) -> bool {
    matches!(locked, Err(TryLockError::WouldBlock))
}

fn run_jobs(sweep: &Sweep, interrupted: &AtomicBool) -> Result<SweepEnd, SweepError> {
    let composition = &sweep.composition;
    let mut settings = match Method::of(composition)? {
        Method::Grid => None,
        Method::Search => Some(SearchSettings::of(composition)?),
    };
    let place = Place::of(composition, settings.as_ref().map(|search| search.workers))?;
    if let Place::Elsewhere(elsewhere) = &place {
        end_left_behind(sweep, elsewhere)?;
    }
    let alone = sweep.wait_for_workers()?;
    match &place {
        Place::Here { workers } => {
            if let Some(settings) = &mut settings {
                settings.workers = *workers;
            }
        }
        Place::Elsewhere(_) => drop(alone),
    }
    match settings {
        None => grid::run(sweep, &place, interrupted),
        Some(settings) => search::run(sweep, &settings, &place, interrupted),
    }
}

/// Runs what is left of a sweep. `interrupted` ends it in order: its jobs write checkpoints.
///
/// # Errors
/// What is wrong with the configuration, or that jobs failed; the directory's `sweep.json` says so, too.
pub fn run(mut sweep: Sweep, interrupted: &AtomicBool) -> Result<SweepEnd, SweepError> {
    sweep.note(SweepState::Running)?;
    let ended = run_jobs(&sweep, interrupted);
    sweep.note(match &ended {
        Ok(SweepEnd::Finished) => SweepState::Finished,
        Ok(SweepEnd::Interrupted) => SweepState::Interrupted,
        Err(_) => SweepState::Failed,
    })?;
    ended
}
