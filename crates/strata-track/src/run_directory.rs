//! The directory of a run: made once, read by everything that comes later.

use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;
use jiff::Timestamp;

use crate::{
    JsonlSink, MetricsError, Mode, Rows, RunRecord, RunState, SinkError, Summary, SummarySink,
};

/// Held while `run.json` does not exist yet, so that of two jobs that start at once one gets the directory.
const CLAIM: &str = ".run.json.claim";

/// Why a run's directory could not be made, written or read.
#[derive(Debug, thiserror::Error)]
pub enum RunDirectoryError {
    /// The directory belongs to another run.
    #[error(
        "`{}` already holds a run, which is not overwritten; choose another `hydra.run.dir`, or move the old run away",
        path.display()
    )]
    Occupied {
        /// The directory.
        path: PathBuf,
    },
    /// Another job is taking the directory, or died while it did.
    #[error(
        "another job is making a run in `{}`; choose another `hydra.run.dir`, or delete `{CLAIM}` in it if no such job lives",
        path.display()
    )]
    Claimed {
        /// The directory.
        path: PathBuf,
    },
    /// There is no run here.
    #[error("`{}` is not a run's directory: it has no `run.json`", path.display())]
    NotARun {
        /// The directory.
        path: PathBuf,
    },
    /// The system refused.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// `read`, `write`, `make`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that is not what it should be.
    #[error("{}:{}:{}: damaged: {source}", path.display(), source.line(), source.column())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the JSON reader said.
        source: serde_json::Error,
    },
}

/// A run's directory, being written or being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDirectory {
    path: PathBuf,
}

impl RunDirectory {
    /// Makes the directory (parents too) and writes `run.json`. Other files that are there stay as they are.
    ///
    /// # Errors
    /// [`RunDirectoryError::Occupied`] if there is a `run.json` already, whatever its state.
    pub fn create(path: &Path, record: &RunRecord) -> Result<Self, RunDirectoryError> {
        fs::create_dir_all(path).map_err(|source| failed("make", path, source))?;
        let directory = Self {
            path: path.to_owned(),
        };
        let claim = path.join(CLAIM);
        match fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&claim)
        {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let path = path.to_owned();
                return Err(RunDirectoryError::Claimed { path });
            }
            Err(source) => return Err(failed("write", &claim, source)),
        }
        let written = if directory.record_path().exists() {
            Err(RunDirectoryError::Occupied {
                path: path.to_owned(),
            })
        } else {
            directory.write_record(record)
        };
        let released = fs::remove_file(&claim).map_err(|source| failed("write", &claim, source));
        written.and(released).map(|()| directory)
    }

    /// As [`RunDirectory::create`] in a new directory: `path`, or if that exists `path_2`, `path_3`, …
    ///
    /// For paths made from the time of day, where two jobs may start in the same second.
    pub fn create_unique(path: &Path, record: &RunRecord) -> Result<Self, RunDirectoryError> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|source| failed("make", parent, source))?;
        }
        let mut candidate = path.to_owned();
        let mut number = 1u64;
        loop {
            match fs::create_dir(&candidate) {
                Ok(()) => return Self::create(&candidate, record),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(source) => return Err(failed("make", &candidate, source)),
            }
            number += 1;
            path.clone_into(&mut candidate);
            candidate.as_mut_os_string().push(format!("_{number}"));
        }
    }

    /// The directory, whatever is in it.
    pub(crate) fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// Opens the directory of a run, going on or over.
    ///
    /// # Errors
    /// [`RunDirectoryError::NotARun`] without a `run.json`.
    pub fn open(path: &Path) -> Result<Self, RunDirectoryError> {
        let directory = Self::at(path);
        if directory.record_path().is_file() {
            Ok(directory)
        } else {
            Err(RunDirectoryError::NotARun {
                path: path.to_owned(),
            })
        }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `run.json`.
    pub fn record_path(&self) -> PathBuf {
        self.path.join("run.json")
    }

    /// `metrics.jsonl`.
    pub fn metrics_path(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }

    /// `summary.json`.
    pub fn summary_path(&self) -> PathBuf {
        self.path.join("summary.json")
    }

    /// A file of `artifacts/`, such as `best_model.safetensors`; makes nothing.
    pub fn artifact_path(&self, name: &str) -> PathBuf {
        self.path.join("artifacts").join(name)
    }

    /// A file of `checkpoints/`; makes nothing.
    pub fn checkpoint_path(&self, name: &str) -> PathBuf {
        self.path.join("checkpoints").join(name)
    }

    /// A file of `figures/`; makes nothing.
    pub fn figure_path(&self, name: &str) -> PathBuf {
        self.path.join("figures").join(name)
    }

    /// The sink of a new `metrics.jsonl`.
    pub fn metrics_sink(&self) -> Result<JsonlSink, SinkError> {
        JsonlSink::create(&self.metrics_path())
    }

    /// The sink of the `metrics.jsonl` of a run that goes on from its first `length` bytes.
    pub fn reopen_metrics_sink(&self, length: u64) -> Result<JsonlSink, SinkError> {
        JsonlSink::reopen(&self.metrics_path(), length)
    }

    /// Whether a process writes this run now.
    pub fn is_alive(&self) -> bool {
        JsonlSink::is_held(&self.metrics_path())
    }

    /// The sink of `summary.json`; `swept` as in [`SummarySink::new`].
    pub fn summary_sink(&self, swept: Option<(String, Mode)>) -> SummarySink {
        SummarySink::new(&self.summary_path(), swept)
    }

    /// Reads `run.json`.
    pub fn record(&self) -> Result<RunRecord, RunDirectoryError> {
        read_json(&self.record_path())
    }

    /// Reads `run.json`, changes it and writes it back whole; keys of later versions are kept.
    pub fn update(&self, change: impl FnOnce(&mut RunRecord)) -> Result<(), RunDirectoryError> {
        let mut record = self.record()?;
        change(&mut record);
        self.write_record(&record)
    }

    /// Writes down that the run ended now in `state`, with the message of the error that ended it.
    pub fn finish(&self, state: RunState, error: Option<&str>) -> Result<(), RunDirectoryError> {
        self.update(|record| {
            record.state = state;
            record.finished = Some(Timestamp::now());
            record.error = error.map(str::to_owned);
        })
    }

    /// The rows of `metrics.jsonl`, read as they are asked for.
    pub fn rows(&self) -> Result<Rows, MetricsError> {
        Rows::open(&self.metrics_path())
    }

    /// Reads `summary.json`; `None` if nothing was logged yet.
    pub fn summary(&self) -> Result<Option<Summary>, RunDirectoryError> {
        let path = self.summary_path();
        if path.exists() {
            read_json(&path).map(Some)
        } else {
            Ok(None)
        }
    }

    fn write_record(&self, record: &RunRecord) -> Result<(), RunDirectoryError> {
        let path = self.record_path();
        let mut bytes = serde_json::to_vec_pretty(record)
            .map_err(|error| failed("write", &path, error.into()))?;
        bytes.push(b'\n');
        strata_fs::write_atomically(&path, &bytes)
            .map_err(|error| failed("write", &path, io::Error::other(error)))
    }
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> RunDirectoryError {
    RunDirectoryError::Io {
        action,
        path: path.to_owned(),
        source,
    }
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, RunDirectoryError> {
    let bytes = fs::read(path).map_err(|source| failed("read", path, source))?;
    serde_json::from_slice(&bytes).map_err(|source| RunDirectoryError::Damaged {
        path: path.to_owned(),
        source,
    })
}
