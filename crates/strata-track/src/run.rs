//! A run for any training program: what `wandb.init` and `SummaryWriter` give a Python script.

use std::path::{Path, PathBuf};

use crate::wandb::{Settings, WandbSink};
use crate::{
    Console, Event, Fields, Init, JobLog, JsonlSink, Level, Logged, QueuedSink, RunRecord,
    RunState, SinkError, TensorBoardSink, Tracker, Value,
};

/// Where a [`Run`] goes.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// Gets `wandb/`, `tensorboard/` and `metrics.jsonl`; made if it is missing.
    pub directory: PathBuf,
    /// A run of Weights & Biases, sent or kept as `WANDB_MODE` and the key say.
    pub wandb: bool,
    /// Event files that TensorBoard shows.
    pub tensorboard: bool,
    /// A line of numbers for each step.
    pub jsonl: bool,
    /// Who the run is.
    pub init: Init,
}

/// A run that a program logs to from its loop.
///
/// Everything is handed to threads of their own, and a place that fails is told once on standard error and does not end
/// the program. A run that is dropped without [`Run::finish`] counts as one that failed.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// use strata_track::{Init, Run, RunOptions};
///
/// let mut run = Run::start(RunOptions {
///     directory: folder.path().to_owned(),
///     tensorboard: true,
///     jsonl: true,
///     init: Init {
///         name: Some("first".to_owned()),
///         ..Init::default()
///     },
///     ..RunOptions::default()
/// })?;
/// for epoch in 0..3 {
///     run.log([("train/loss", 1.0 / f64::from(epoch + 1))]);
/// }
/// run.finish(0);
/// assert!(folder.path().join("metrics.jsonl").exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Run {
    tracker: Option<Tracker>,
}

impl Run {
    /// Begins a run.
    ///
    /// # Errors
    /// If the directory or a file in it cannot be made, or a setting of W&B cannot be used.
    pub fn start(options: RunOptions) -> Result<Self, SinkError> {
        let RunOptions {
            directory,
            wandb,
            tensorboard,
            jsonl,
            init,
        } = options;
        let failed = |source| SinkError::Write {
            path: directory.clone(),
            source,
        };
        fs_err::create_dir_all(&directory).map_err(failed)?;
        let log = JobLog::console_only(Console::stderr(), Level::Info);
        let mut tracker = Tracker::new(log.clone());
        if jsonl {
            let sink = JsonlSink::append(&directory.join("metrics.jsonl"))?;
            tracker.add(QueuedSink::new(sink).map_err(failed)?);
        }
        if tensorboard {
            let sink = TensorBoardSink::new(&directory.join("tensorboard"));
            tracker.add(QueuedSink::new(sink).map_err(failed)?);
        }
        if wandb {
            tracker.add(QueuedSink::new(wandb_sink(&directory, log)?).map_err(failed)?);
        }
        tracker.take(&Event::Init(init));
        Ok(Self {
            tracker: Some(tracker),
        })
    }

    /// Logs values at the step after the last.
    pub fn log<N: Into<String>, V: Into<Value>>(
        &mut self,
        values: impl IntoIterator<Item = (N, V)>,
    ) {
        self.tell(Event::Log(Logged {
            values: fields(values),
            ..Logged::default()
        }));
    }

    /// Logs values at a step.
    pub fn log_at<N: Into<String>, V: Into<Value>>(
        &mut self,
        step: u64,
        values: impl IntoIterator<Item = (N, V)>,
    ) {
        self.tell(Event::Log(Logged {
            values: fields(values),
            step: Some(step),
            commit: None,
        }));
    }

    /// Tells anything else that a run can be told: definitions of metrics, a summary, hyperparameters, an alert.
    pub fn tell(&mut self, event: Event) {
        if let Some(tracker) = &mut self.tracker {
            tracker.take(&event);
        }
    }

    /// The run is over: waits until everything is where it belongs. An exit code of 0 is success.
    pub fn finish(mut self, exit_code: i32) {
        self.tell(Event::Finish { exit_code });
        if let Some(tracker) = self.tracker.take() {
            tracker.finish(if exit_code == 0 {
                RunState::Finished
            } else {
                RunState::Failed
            });
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if let Some(tracker) = self.tracker.take() {
            tracker.finish(RunState::Failed);
        }
    }
}

fn wandb_sink(directory: &Path, log: JobLog) -> Result<WandbSink, SinkError> {
    let other = |error: Box<dyn std::error::Error + Send + Sync>| SinkError::Other(error);
    let environment = std::env::vars().collect();
    let here = std::env::current_dir().map_err(|error| other(error.into()))?;
    let settings = Settings::load(&environment, &here).map_err(|error| other(error.into()))?;
    let is_silent = settings.silent;
    let record = RunRecord::begin(env!("CARGO_PKG_VERSION"));
    let notices = move |line: &str| {
        if !is_silent {
            log.info("strata.wandb", line);
        }
    };
    Ok(WandbSink::new(
        directory.to_owned(),
        settings,
        record,
        notices,
    ))
}

fn fields<N: Into<String>, V: Into<Value>>(values: impl IntoIterator<Item = (N, V)>) -> Fields {
    let values = values.into_iter();
    values
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}
