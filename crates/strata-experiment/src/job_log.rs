//! The job's log as `hydra.job_logging` and `hydra.verbose` want it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use strata_config::{Composition, ConfigError, Node, Value};
use strata_track::{Console, JobLog, Level};

use crate::error::ExperimentError;

/// What of Python's logging configuration means something here; kept in `run.json` for a run that goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct LogSettings {
    /// Whether lines go to the console.
    console: bool,
    /// The log's file, relative to the run directory if it lies in there.
    file: Option<PathBuf>,
    /// Lines below this are dropped.
    lowest: Level,
}

impl LogSettings {
    /// What the configuration wants for the run in `run`.
    pub(crate) fn of(composition: &Composition, run: &Path) -> Result<Self, ConfigError> {
        let mut wanted = Self::from_hydra(composition)?;
        if let Some(file) = &mut wanted.file {
            let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.into());
            let whole = absolute(file);
            let within = whole.strip_prefix(absolute(run)).map(Path::to_owned);
            *file = within.unwrap_or(whole);
        }
        Ok(wanted)
    }

    /// Opens the log; what it has no file or console for is not written there, nor to a console that is to be `silent`.
    pub(crate) fn open(&self, run: &Path, silent: bool) -> Result<JobLog, ExperimentError> {
        Ok(match &self.file {
            Some(file) => JobLog::open(&run.join(file), self.console(silent), self.lowest)?,
            None => JobLog::console_only(self.console(silent), self.lowest),
        })
    }

    /// The same for a run that goes on after the first `length` bytes of its log.
    pub(crate) fn reopen(
        &self,
        run: &Path,
        length: u64,
        silent: bool,
    ) -> Result<JobLog, ExperimentError> {
        Ok(match &self.file {
            Some(file) => {
                JobLog::reopen(&run.join(file), length, self.console(silent), self.lowest)?
            }
            None => JobLog::console_only(self.console(silent), self.lowest),
        })
    }

    fn console(&self, silent: bool) -> Console {
        if self.console && !silent {
            Console::stderr()
        } else {
            Console::silent()
        }
    }

    fn from_hydra(composition: &Composition) -> Result<Self, ConfigError> {
        let mut wanted = Self {
            console: false,
            file: None,
            lowest: Level::Info,
        };
        if let Some(level) = composition.select("hydra.job_logging.root.level")? {
            wanted.lowest = level_of(level.as_str().unwrap_or_default());
        }
        let verbose = composition.select("hydra.verbose")?;
        let is_verbose = verbose.is_some_and(|node| match &node.value {
            Value::Null | Value::Bool(false) => false,
            Value::List(names) => !names.is_empty(),
            _ => true,
        });
        if is_verbose {
            wanted.lowest = Level::Debug;
        }
        let handlers = composition.select("hydra.job_logging.root.handlers")?;
        let Some(Value::List(names)) = handlers.map(|node| node.value) else {
            return Ok(wanted);
        };
        for name in names.iter().filter_map(Node::as_str) {
            let of_handler = |key: &str| format!("hydra.job_logging.handlers.{name}.{key}");
            let class = composition.select(&of_handler("class"))?;
            let class = class.as_ref().and_then(Node::as_str).unwrap_or_default();
            if class.ends_with("FileHandler") {
                wanted.file = Some(composition.extract(&of_handler("filename"))?);
            } else if class.ends_with("StreamHandler") {
                wanted.console = true;
            }
        }
        Ok(wanted)
    }
}

/// Python's names; what is unknown tells what goes on.
fn level_of(name: &str) -> Level {
    match name {
        "NOTSET" | "DEBUG" => Level::Debug,
        "WARNING" | "WARN" => Level::Warning,
        "ERROR" | "CRITICAL" | "FATAL" => Level::Error,
        _ => Level::Info,
    }
}
