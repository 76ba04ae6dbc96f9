//! A process of a sweep whose jobs run elsewhere: what it is told, and what it does.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use strata_config::ConfigSource;

use crate::error::SweepError;
use crate::search::Worker;
use crate::settings::SearchSettings;
use crate::sweep::{Failed, Sweep, SweepEnd};
use crate::{grid, search};

/// What a process of a sweep is to do: the argument of the hidden command `sweep-worker`, as JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WorkerRequest {
    /// The sweep's directory; absolute, and there on every machine that takes part.
    pub directory: PathBuf,
    /// Its part.
    pub work: Work,
    /// A job that failed before is run again.
    pub retry_failed: bool,
    /// The threads of a training; without it, the cores that Slurm gave, or all.
    pub threads: Option<usize>,
    /// The process without which this one is to stop.
    pub parent: Option<u32>,
}

/// A part of a sweep.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// The job of a number.
    Job(usize),
    /// Trials, until no more are to be begun.
    Trials {
        /// Which of the workers this is.
        worker: usize,
        /// No trial begins later than this, in seconds since 1970.
        until: Option<u64>,
    },
}

/// How often it is looked whether the parent is still there.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

impl WorkerRequest {
    /// As one word of a command line.
    pub(crate) fn to_argument(&self) -> String {
        serde_json::to_string(self).expect("plain data")
    }

    /// What [`sweep-worker`](WorkerRequest) was given.
    ///
    /// # Errors
    /// It is no request.
    pub fn from_argument(argument: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(argument)
    }
}

/// Does a process's part of a sweep; `embedded` is the tree in the binary.
///
/// # Errors
/// The sweep cannot be opened, or the job failed.
pub fn work(
    request: &WorkerRequest,
    embedded: ConfigSource,
    interrupted: &AtomicBool,
) -> Result<SweepEnd, SweepError> {
    thread::scope(|scope| {
        // Dropped when the work is over, however it ends.
        let (_end, ended) = channel::<()>();
        if let Some(parent) = request.parent {
            scope.spawn(move || {
                while ended.recv_timeout(BETWEEN_LOOKS) == Err(RecvTimeoutError::Timeout) {
                    if std::os::unix::process::parent_id() != parent {
                        interrupted.store(true, Ordering::Relaxed);
                        return;
                    }
                }
            });
        }
        do_part(request, embedded, interrupted)
    })
}

fn do_part(
    request: &WorkerRequest,
    embedded: ConfigSource,
    interrupted: &AtomicBool,
) -> Result<SweepEnd, SweepError> {
    let failed = if request.retry_failed {
        Failed::Retry
    } else {
        Failed::Stay
    };
    let sweep = Sweep::join(&request.directory, embedded, failed)?;
    let threads = request.threads.or_else(cores_of_slurm);
    match request.work {
        Work::Job(number) => grid::work(&sweep, number, threads, interrupted),
        Work::Trials { worker, until } => {
            let settings = SearchSettings::of(&sweep.composition)?;
            let worker = Worker {
                index: worker,
                until,
                threads,
            };
            search::work(&sweep, &settings, &worker, interrupted)
        }
    }
}

/// The cores that Slurm has given to this job. Not every cluster keeps a process from using the others.
fn cores_of_slurm() -> Option<usize> {
    let cores = std::env::var("SLURM_CPUS_ON_NODE").ok()?;
    cores.parse().ok().filter(|&cores| cores > 0)
}
