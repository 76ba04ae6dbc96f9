//! The job's log as `hydra.job_logging` and `hydra.verbose` want it.

use std::path::PathBuf;

use strata_config::{Composition, ConfigError, Node, Value};
use strata_track::{Console, JobLog, Level};

use crate::error::ExperimentError;

/// What of Python's logging configuration means something here.
struct Wanted {
    console: bool,
    file: Option<PathBuf>,
    lowest: Level,
}

/// Opens the log; what it has no file or console for is not written there.
pub(crate) fn open(composition: &Composition) -> Result<JobLog, ExperimentError> {
    let wanted = Wanted::of(composition)?;
    let console = if wanted.console {
        Console::stderr()
    } else {
        Console::silent()
    };
    Ok(match &wanted.file {
        Some(path) => JobLog::open(path, console, wanted.lowest)?,
        None => JobLog::console_only(console, wanted.lowest),
    })
}

impl Wanted {
    fn of(composition: &Composition) -> Result<Self, ConfigError> {
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
