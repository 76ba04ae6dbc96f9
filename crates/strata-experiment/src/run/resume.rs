//! A run that was interrupted, or killed, goes on.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use strata_track::{JobLog, RunDirectory, RunRecord, RunState};
use thiserror::Error;

use super::checkpoint::{self, Checkpoint};
use super::job::Job;
use super::{CONFIG_KEY, JOB_CWD_KEY, LOG_KEY, RESUMED_KEY, RunEnd, RunFailure, Supervision};
use super::{change_directory, conclude, in_its_folder};
use crate::config::ExperimentConfig;
use crate::error::ExperimentError;
use crate::job_log::LogSettings;

/// A second in all.
const GRACE_TURNS: u32 = 20;
const GRACE_TURN: Duration = Duration::from_millis(50);

/// Which run goes on.
#[derive(Debug, Clone)]
pub struct ResumeRequest {
    /// The run directory.
    pub run: PathBuf,
}

/// Why a run cannot go on.
#[derive(Debug, Error)]
pub enum ResumeError {
    /// It is going on already.
    #[error("{} is going on, in process {}", .run.display(), pid(*.process))]
    Alive {
        /// The run directory.
        run: PathBuf,
        /// The process.
        process: Option<u32>,
    },
    /// It is over.
    #[error("{} is finished: there is nothing to go on with", .run.display())]
    Finished {
        /// The run directory.
        run: PathBuf,
    },
    /// Its record does not say how it was started.
    #[error("{}: `run.json` does not hold what is needed to go on: {problem}", .run.display())]
    Record {
        /// The run directory.
        run: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

fn pid(process: Option<u32>) -> String {
    process.map_or_else(|| "unknown".to_owned(), |process| process.to_string())
}

/// Lets a run go on from its last checkpoint, from the one before where that is damaged, or from the
/// beginning where there is none. It ends as if it had never been interrupted: metrics and log are cut
/// back to the checkpoint. `run.json` tells how often it was resumed.
///
/// # Errors
/// As [`super::run`]; and if the run is over or going on.
pub fn resume(
    request: &ResumeRequest,
    supervision: &Supervision<'_>,
) -> Result<RunEnd, RunFailure> {
    in_its_folder(|| go_on(request, supervision))
}

fn go_on(request: &ResumeRequest, supervision: &Supervision<'_>) -> Result<RunEnd, RunFailure> {
    let prepared = Prepared::new(request, supervision).map_err(RunFailure::BeforeTheLog)?;
    let Prepared {
        directory,
        config,
        log,
        from,
    } = prepared;
    let job = Job {
        config: &config,
        directory: &directory,
        log: &log,
        supervision,
        resumed: from.is_some(),
    };
    conclude(&directory, &log, job.run(from))
}

/// A run that can go on.
struct Prepared {
    directory: RunDirectory,
    config: ExperimentConfig,
    log: JobLog,
    from: Option<Checkpoint>,
}

impl Prepared {
    fn new(
        request: &ResumeRequest,
        supervision: &Supervision<'_>,
    ) -> Result<Self, ExperimentError> {
        let run = std::path::absolute(&request.run).unwrap_or_else(|_| request.run.clone());
        let directory = RunDirectory::open(&request.run)?;
        let record = directory.record()?;
        if stays_alive(&directory) {
            let process = record.pid;
            return Err(ResumeError::Alive { run, process }.into());
        }
        if record.state == RunState::Finished {
            return Err(ResumeError::Finished { run }.into());
        }
        let settings: LogSettings = kept(&record, LOG_KEY, &run)?;
        let mut config = ExperimentConfig::from_record(&entry(&record, CONFIG_KEY, &run)?)
            .map_err(|problem| ResumeError::Record {
                run: run.clone(),
                problem,
            })?;
        if let Some(threads) = supervision.threads {
            config.training.threads = Some(threads);
        }
        let job_cwd: PathBuf = kept(&record, JOB_CWD_KEY, &run)?;
        // The path as it was given stays good if the folder does not change.
        let directory = if std::env::current_dir().is_ok_and(|cwd| cwd == job_cwd) {
            directory
        } else {
            change_directory(&job_cwd)?;
            RunDirectory::open(&run)?
        };
        let from = checkpoint::read(&directory)?;
        let log_bytes = from.as_ref().map_or(0, |from| from.progress.log_bytes);
        let log = settings.reopen(directory.path(), log_bytes, supervision.silent)?;
        tell(&directory, &log, from.as_ref())?;
        Ok(Self {
            directory,
            config,
            log,
            from,
        })
    }
}

/// Whether a process writes the run and goes on doing so: one that was killed a moment ago may hold its
/// files while the system clears it away.
fn stays_alive(directory: &RunDirectory) -> bool {
    for _ in 0..GRACE_TURNS {
        if !directory.is_alive() {
            return false;
        }
        std::thread::sleep(GRACE_TURN);
    }
    directory.is_alive()
}

/// Says where the run goes on: on the console and in `run.json`, not in the log, which is to be that of a
/// run without interruption.
fn tell(
    directory: &RunDirectory,
    log: &JobLog,
    from: Option<&Checkpoint>,
) -> Result<(), ExperimentError> {
    let step = from.map_or(0, |from| from.progress.trainer.steps);
    if let Some(problem) = from.and_then(|from| from.fell_back.as_ref()) {
        let warning = format!("warning: {problem}; going on from the checkpoint before it");
        log.console().line(&warning);
    }
    let folder = directory.path().display();
    log.console().line(&match from {
        None => format!("{folder} has no checkpoint yet: it begins anew"),
        Some(from) => format!(
            "{folder} goes on after step {step}, {} epochs done",
            from.progress.epochs_done
        ),
    });
    directory.update(|record| {
        record.state = RunState::Running;
        record.finished = None;
        record.error = None;
        record.pid = Some(std::process::id());
        let resumed = record
            .other
            .entry(RESUMED_KEY)
            .or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(resumed) = resumed {
            resumed.push(json!({"time": Timestamp::now(), "step": step}));
        }
    })?;
    Ok(())
}

fn entry(record: &RunRecord, key: &str, run: &Path) -> Result<Value, ResumeError> {
    let missing = || ResumeError::Record {
        run: run.to_owned(),
        problem: format!("`{key}` is missing"),
    };
    record.other.get(key).cloned().ok_or_else(missing)
}

fn kept<T: for<'de> Deserialize<'de>>(
    record: &RunRecord,
    key: &str,
    run: &Path,
) -> Result<T, ResumeError> {
    serde_json::from_value(entry(record, key, run)?).map_err(|error| ResumeError::Record {
        run: run.to_owned(),
        problem: format!("`{key}`: {error}"),
    })
}

/// In the directory of a sweep.
const SWEEP_MARK: &str = "sweep.json";

/// Folders below this one are not searched.
const DEEPEST: usize = 5;

/// The newest run below a folder that was interrupted or killed, and when it began. The jobs of a sweep do not count: they
/// go on with it.
pub fn newest_interrupted(below: &Path) -> Option<(Timestamp, PathBuf)> {
    let mut found = Vec::new();
    collect(below, DEEPEST, &mut found);
    found.into_iter().max()
}

fn collect(folder: &Path, depth: usize, found: &mut Vec<(Timestamp, PathBuf)>) {
    if let Ok(directory) = RunDirectory::open(folder) {
        let Ok(record) = directory.record() else {
            return;
        };
        let open = matches!(record.state, RunState::Interrupted | RunState::Running);
        if open && !directory.is_alive() {
            found.push((record.started, folder.to_owned()));
        }
        return;
    }
    if folder.join(SWEEP_MARK).is_file() {
        return;
    }
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && depth > 0 {
            collect(&entry.path(), depth - 1, found);
        }
    }
}
