//! A run from its directory to its last figure.
//!
//! [`run`] makes the directory and starts a [`job::Job`]; [`resume`] opens one and lets its job go on.
//! The job loads the data; [`tracking`] opens what the run is told to, [`training`] is its loop, [`best`]
//! keeps the best model, [`checkpoint`] all that is needed to go on.

mod best;
mod checkpoint;
mod events;
mod job;
mod resume;
mod rows;
mod supervision;
mod tags;
mod tracking;
mod training;

use std::path::Path;

use serde_json::json;
use strata_config::{Composition, Value};
use strata_track::{JobLog, RunDirectory, RunRecord, RunState};

use crate::config::{ExperimentConfig, TrainingConfig};
use crate::engine;
use crate::error::{ExperimentError, write_file};
use crate::job_log::LogSettings;
use job::Job;
use tracking::{IDENTITY_KEY, Identity, group_of};

pub use resume::{ResumeError, ResumeRequest, newest_interrupted, resume};
pub use supervision::{Report, Reports, Supervision};

/// What a run is started with.
pub struct Launch {
    /// The composed configuration, for `.hydra/`.
    pub composition: Composition,
    /// The same, typed and checked.
    pub config: ExperimentConfig,
    /// Where the tree came from, for `run.json`.
    pub config_source: String,
}

/// How a run ended in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunEnd {
    /// All epochs are done.
    Finished,
    /// Who watches over it found it not worth going on with.
    Pruned,
    /// The user stopped it.
    Interrupted,
}

/// How a run failed.
#[derive(Debug)]
pub enum RunFailure {
    /// There was no log yet to say it in, or none that anybody sees.
    BeforeTheLog(ExperimentError),
    /// The log, and with it the console, says why.
    Logged,
}

const LOGGER: &str = "strata.train";

/// Keys of `run.json` that are ours alone.
pub(crate) const CONFIG_KEY: &str = "config";
pub(crate) const ENGINE_KEY: &str = "engine_version";
/// There, and true, once a run was ended as not worth going on with.
pub(crate) const PRUNED_KEY: &str = "pruned";
const CWD_KEY: &str = "cwd";
const JOB_CWD_KEY: &str = "job_cwd";
const LOG_KEY: &str = "log";
const RESUMED_KEY: &str = "resumed";

/// Trains from a configuration and leaves a run directory, whatever happens.
///
/// `supervision` may end it in order before its time.
///
/// # Errors
/// The directory cannot be made, the data cannot be had, or training cannot go on. Once there is a
/// directory the reason stands in its `run.json` and its log.
pub fn run(launch: Launch, supervision: &Supervision<'_>) -> Result<RunEnd, RunFailure> {
    in_its_folder(|| start(launch, supervision))
}

/// The work may change the folder; whoever called goes on where they were.
fn in_its_folder(work: impl FnOnce() -> Result<RunEnd, RunFailure>) -> Result<RunEnd, RunFailure> {
    let cwd = std::env::current_dir();
    let ended = work();
    if let Ok(cwd) = cwd {
        change_directory(&cwd).map_err(RunFailure::BeforeTheLog)?;
    }
    ended
}

fn start(mut launch: Launch, supervision: &Supervision<'_>) -> Result<RunEnd, RunFailure> {
    let directory = make_directory(&mut launch, supervision).map_err(RunFailure::BeforeTheLog)?;
    let settings = LogSettings::of(&launch.composition, directory.path());
    let opened = settings
        .map_err(ExperimentError::from)
        .and_then(|settings| {
            directory.update(|record| {
                record.other.insert(LOG_KEY.to_owned(), json!(settings));
            })?;
            settings.open(directory.path(), supervision.silent)
        });
    let log = opened.map_err(|error| {
        // The run ends here; if its record cannot be written either, the log's error is the first.
        let _ = directory.finish(RunState::Failed, Some(&error.to_string()));
        RunFailure::BeforeTheLog(error)
    })?;
    let job = Job {
        config: &launch.config,
        directory: &directory,
        log: &log,
        supervision,
        resumed: false,
    };
    conclude(&directory, &log, job.run(None))
}

/// Writes down how the job ended.
fn conclude(
    directory: &RunDirectory,
    log: &JobLog,
    ended: Result<RunEnd, ExperimentError>,
) -> Result<RunEnd, RunFailure> {
    let ended = match ended {
        Err(ExperimentError::Interrupted) => Ok(RunEnd::Interrupted),
        ended => ended,
    };
    let (state, error) = match &ended {
        Ok(RunEnd::Finished | RunEnd::Pruned) => (RunState::Finished, None),
        Ok(RunEnd::Interrupted) => (RunState::Interrupted, None),
        Err(error) => (RunState::Failed, Some(error.to_string())),
    };
    let marked = match &ended {
        Ok(RunEnd::Pruned) => directory.update(|record| {
            record.other.insert(PRUNED_KEY.to_owned(), json!(true));
        }),
        _ => Ok(()),
    };
    if let Err(error) = marked.and_then(|()| directory.finish(state, error.as_deref())) {
        log.error(LOGGER, &error.to_string());
        return Err(RunFailure::Logged);
    }
    let folder = directory.path().display();
    match &ended {
        Ok(RunEnd::Finished) => log.info(LOGGER, &format!("finished: {folder}")),
        Ok(RunEnd::Pruned) => log.info(LOGGER, &format!("pruned: {folder}")),
        Ok(RunEnd::Interrupted) => log.warning(
            LOGGER,
            &format!("interrupted; `strata resume {folder}` goes on"),
        ),
        Err(error) => log.error(LOGGER, &error.to_string()),
    }
    ended.map_err(|error| {
        if log.console().is_silent() {
            RunFailure::BeforeTheLog(error)
        } else {
            RunFailure::Logged
        }
    })
}

/// The run directory with `run.json` and `.hydra/`.
fn make_directory(
    launch: &mut Launch,
    supervision: &Supervision<'_>,
) -> Result<RunDirectory, ExperimentError> {
    if let Some(threads) = supervision.threads {
        launch.config.training.threads = Some(threads);
    }
    let cwd = std::env::current_dir().unwrap_or_default();
    let chdir = launch.composition.select("hydra.job.chdir")?;
    let chdir = chdir.is_some_and(|node| node.value == Value::Bool(true));
    let wanted = launch.composition.run_dir()?;
    // From within the directory its relative path would lead elsewhere.
    let wanted = if chdir { cwd.join(wanted) } else { wanted };
    let mut record = RunRecord::begin(env!("CARGO_PKG_VERSION"));
    record.seed = Some(launch.config.training.seed);
    record.config_source = Some(launch.config_source.clone());
    record.threads = Some(engine::threads(launch.config.training.threads) as u64);
    record.other.insert(CWD_KEY.to_owned(), json!(cwd));
    let directory = if launch.composition.run_dir_is_of_its_time()? {
        RunDirectory::create_unique(&wanted, &record)?
    } else {
        RunDirectory::create(&wanted, &record)?
    };
    launch
        .composition
        .set_output_dir(&cwd.join(directory.path()));
    // Once more, since some values name the directory that exists only now.
    let config = ExperimentConfig::from_composition(&launch.composition)?;
    launch.config = ExperimentConfig {
        training: TrainingConfig {
            threads: launch.config.training.threads,
            ..config.training
        },
        ..config
    };
    if let Some(subdir) = launch.composition.output_subdir()? {
        for (name, text) in launch.composition.hydra_files()? {
            write_file(&directory.path().join(&subdir).join(name), text.as_bytes())?;
        }
    }
    if chdir {
        change_directory(directory.path())?;
    }
    let identity = identity_of(&launch.composition)?;
    let job_cwd = std::env::current_dir().unwrap_or(cwd);
    directory.update(|record| {
        let config = json!(launch.config);
        record.other.insert(CONFIG_KEY.to_owned(), config);
        let engine = json!(strata_nn::ENGINE_VERSION);
        record.other.insert(ENGINE_KEY.to_owned(), engine);
        record.other.insert(JOB_CWD_KEY.to_owned(), json!(job_cwd));
        record
            .other
            .insert(IDENTITY_KEY.to_owned(), json!(identity));
    })?;
    Ok(directory)
}

fn identity_of(composition: &Composition) -> Result<Identity, ExperimentError> {
    let name = composition.select("experiment_name")?;
    let name = name.and_then(|node| node.as_str().map(str::to_owned));
    let group = if composition.is_job_of_a_sweep() {
        group_of(&composition.sweep_dir()?)
    } else {
        None
    };
    Ok(Identity {
        name,
        group,
        config: composition.extract("")?,
    })
}

fn change_directory(path: &Path) -> Result<(), ExperimentError> {
    std::env::set_current_dir(path).map_err(|source| ExperimentError::ChangeDirectory {
        path: path.to_owned(),
        source,
    })
}
