//! What can go wrong with a sweep.

use std::io;
use std::path::PathBuf;

use strata_config::ConfigError;
use strata_experiment::ExperimentError;
use strata_launch::LaunchError;
use strata_study::{InvalidSpace, StorageError, StudyError};

/// What ends a sweep.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The configuration of the sweep or of a job.
    #[error("{0}")]
    Config(Box<ConfigError>),
    /// A file of the sweep's directory.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// `sweep.json` cannot be understood.
    #[error("{}: {problem}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// Another process runs the sweep.
    #[error("{} is going on in another process", .0.display())]
    Alive(PathBuf),
    /// The study.
    #[error(transparent)]
    Study(#[from] StudyError),
    /// Its storage.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Its space.
    #[error("the search space: {0}")]
    Space(#[from] InvalidSpace),
    /// Something about a job's directory.
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    /// Processes for the jobs.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// A worker ended before the trials did.
    #[error("{worker} {state}: {words}; its messages are in {}", log.display())]
    Worker {
        /// Which one.
        worker: String,
        /// How it ended.
        state: String,
        /// What it said last.
        words: String,
        /// The file with its messages.
        log: PathBuf,
    },
    /// A process was to run a job that the sweep does not have.
    #[error("there is no job {number}: the sweep has {count}")]
    NoJob {
        /// Its number.
        number: usize,
        /// The jobs of the sweep.
        count: usize,
    },
    /// Jobs failed.
    #[error("{}", failed_jobs(.first, *.count))]
    Jobs {
        /// The first, and why.
        first: String,
        /// How many.
        count: usize,
    },
    /// More trials failed than may.
    #[error(
        "{failed} of {ended} trials failed, more than `hydra.sweeper.max_failure_rate={allowed}` allows; the first: {first}"
    )]
    TooManyFailures {
        /// Failed trials.
        failed: usize,
        /// Trials that ended.
        ended: usize,
        /// The rate that is allowed.
        allowed: f64,
        /// Why the first failed.
        first: String,
    },
}

fn failed_jobs(first: &str, count: usize) -> String {
    match count {
        1 => first.to_owned(),
        count => format!("{count} jobs failed; the first: {first}"),
    }
}

impl From<ConfigError> for SweepError {
    fn from(error: ConfigError) -> Self {
        Self::Config(Box::new(error))
    }
}

impl SweepError {
    /// Whether what was typed or configured is wrong, rather than the work.
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Config(_) | Self::Space(_) => true,
            Self::Study(error) => matches!(error, StudyError::OtherDirections { .. }),
            _ => false,
        }
    }
}
