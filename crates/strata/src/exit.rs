//! How a command ends, and the exit code that says so.

use std::process::ExitCode;

use strata_config::ConfigError;
use strata_data::DataError;
use strata_experiment::{ExperimentError, RunEnd, RunFailure};
use strata_pipeline::PipelineError;
use strata_sweep::{SweepEnd, SweepError};

/// A command that came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The work is done: 0.
    Done,
    /// The user stopped it, and it left everything in order: 130, as shells do for SIGINT.
    Interrupted,
    /// What was asked about has changed: 1, said by the exit code alone.
    Differs,
}

impl Ended {
    /// How a run ended.
    pub(crate) fn of_run(ended: Result<RunEnd, RunFailure>) -> Result<Self, Failure> {
        match ended {
            Ok(RunEnd::Finished | RunEnd::Pruned) => Ok(Self::Done),
            Ok(RunEnd::Interrupted) => Ok(Self::Interrupted),
            Err(RunFailure::BeforeTheLog(error)) => Err(error.into()),
            Err(RunFailure::Logged) => Err(Failure::Reported),
        }
    }

    /// How a sweep ended.
    pub(crate) fn of_sweep(ended: Result<SweepEnd, SweepError>) -> Result<Self, Failure> {
        Ok(match ended? {
            SweepEnd::Finished => Self::Done,
            SweepEnd::Interrupted => Self::Interrupted,
        })
    }
}

impl From<Ended> for ExitCode {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Done => Self::SUCCESS,
            Ended::Interrupted => Self::from(130),
            Ended::Differs => Self::FAILURE,
        }
    }
}

/// The commands that stand in for those of DVC, with its exit code for what cannot be understood.
const LIKE_DVC: [&str; 26] = [
    "init",
    "repro",
    "status",
    "add",
    "checkout",
    "commit",
    "freeze",
    "unfreeze",
    "remove",
    "unprotect",
    "gc",
    "stage",
    "push",
    "fetch",
    "pull",
    "remote",
    "dag",
    "move",
    "check-ignore",
    "diff",
    "params",
    "metrics",
    "plots",
    "root",
    "doctor",
    "version",
];

/// Prints what was asked for instead of a command, or what cannot be understood: 0, 2, or 254 where DVC says so.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    // Nobody reads a message that cannot be printed.
    let _ = error.print();
    if !error.use_stderr() {
        return ExitCode::SUCCESS;
    }
    let command = std::env::args().nth(1).unwrap_or_default();
    if LIKE_DVC.contains(&command.as_str()) {
        ExitCode::from(254)
    } else {
        ExitCode::from(2)
    }
}

/// A command that did not.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What was typed or configured is wrong: 2.
    Usage(anyhow::Error),
    /// The configuration is wrong: 2, with the place that set it.
    Config(Box<ConfigError>),
    /// The work failed: 1.
    Work(anyhow::Error),
    /// A command that stands in for one of DVC failed, with DVC's exit code.
    Pipeline(Box<PipelineError>, u8),
    /// The work failed, and the run's log has said why on the console already: 1.
    Reported,
}

impl Failure {
    /// The same of a command that ends with 1 where others of DVC end with 255.
    pub(crate) fn caught(self) -> Self {
        match self {
            Self::Pipeline(error, 255) => Self::Pipeline(error, 1),
            other => other,
        }
    }

    /// Says what went wrong on stderr.
    pub(crate) fn report(self) -> ExitCode {
        match self {
            Self::Usage(error) => {
                anstream::eprintln!("error: {error:#}");
                ExitCode::from(2)
            }
            Self::Config(error) => {
                anstream::eprintln!("{}", error.diagnostic().render_styled());
                ExitCode::from(2)
            }
            Self::Work(error) => {
                anstream::eprintln!("error: {error:#}");
                ExitCode::FAILURE
            }
            Self::Pipeline(error, code) => {
                anstream::eprintln!("ERROR: {error}");
                if let Some(help) = error.help() {
                    anstream::eprintln!("hint: {help}");
                }
                ExitCode::from(code)
            }
            Self::Reported => ExitCode::FAILURE,
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Config(Box::new(error))
    }
}

impl From<PipelineError> for Failure {
    fn from(error: PipelineError) -> Self {
        let code = error.exit_code();
        Self::Pipeline(Box::new(error), code)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Work(error)
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        Self::Work(error.into())
    }
}

impl From<SweepError> for Failure {
    fn from(error: SweepError) -> Self {
        match error {
            SweepError::Config(error) => (*error).into(),
            error if error.is_usage() => Self::Usage(error.into()),
            error => Self::Work(error.into()),
        }
    }
}

impl From<ExperimentError> for Failure {
    fn from(error: ExperimentError) -> Self {
        match error {
            ExperimentError::Config(error) => error.into(),
            error => Self::Work(error.into()),
        }
    }
}
