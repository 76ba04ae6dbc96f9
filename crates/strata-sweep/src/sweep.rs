//! A sweep's directory, and what runs in it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use jiff::Timestamp;
use strata_config::{Composition, ConfigSource};

use crate::error::SweepError;
use crate::record::{SweepRecord, SweepState};
use crate::settings::{Method, SearchSettings};
use crate::{grid, search};

/// Locked by the process that runs the sweep.
const LOCK: &str = ".sweep.lock";

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
        let Some(record) = SweepRecord::read(&whole)? else {
            return Err(SweepError::Record {
                path: whole,
                problem: "there is no sweep".to_owned(),
            });
        };
        let lock = hold(&whole)?;
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
    let path = directory.join(LOCK);
    let opened = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path);
    let lock = opened.map_err(|source| SweepError::Io { path, source })?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(_) => Err(SweepError::Alive(directory.to_owned())),
    }
}

fn run_jobs(sweep: &Sweep, interrupted: &AtomicBool) -> Result<SweepEnd, SweepError> {
    match Method::of(&sweep.composition)? {
        Method::Grid { workers } => grid::run(sweep, workers, interrupted),
        Method::Search => {
            let settings = SearchSettings::of(&sweep.composition)?;
            search::run(sweep, &settings, interrupted)
        }
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
