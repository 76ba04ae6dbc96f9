//! One job of a sweep.

use std::path::PathBuf;

use strata_config::{Composition, compose};
use strata_experiment::{
    ExperimentConfig, Launch, ResumeRequest, RunEnd, RunFailure, Standing, Supervision, resume,
    run, standing,
};

use crate::error::SweepError;
use crate::sweep::{Failed, Sweep};

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JobEnd {
    /// It ran to its end.
    Finished,
    /// It had been done before.
    WasDone,
    /// It was not worth going on with.
    Pruned,
    /// The user stopped it.
    Interrupted,
    /// It failed, now or before.
    Failed(String),
}

/// What is known of a job before a process is started for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Known {
    /// There is something to do.
    Open,
    /// It was done before.
    Done,
    /// It failed before, and failed jobs are not to be run again.
    FailedForGood(String),
}

/// A job that is composed and can run.
pub(crate) struct Job {
    composition: Composition,
    config: ExperimentConfig,
    directory: PathBuf,
}

impl Job {
    /// Composes and checks a job.
    pub(crate) fn compose(
        sweep: &Sweep,
        number: usize,
        overrides: &[String],
    ) -> Result<Self, SweepError> {
        let request = sweep.composition.job_request(number, overrides);
        let mut composition = compose(&request)?;
        composition.assume_output_dir()?;
        composition.apply_env_set()?;
        Ok(Self {
            config: ExperimentConfig::from_composition(&composition)?,
            directory: composition.run_dir()?,
            composition,
        })
    }

    pub(crate) fn config(&self) -> &ExperimentConfig {
        &self.config
    }

    pub(crate) fn directory(&self) -> &PathBuf {
        &self.directory
    }

    /// Whether there is something to do.
    pub(crate) fn known(&self, sweep: &Sweep) -> Result<Known, SweepError> {
        Ok(match standing(&self.directory, &self.config)? {
            Standing::Done => Known::Done,
            Standing::Failed { error } if sweep.failed == Failed::Stay => {
                Known::FailedForGood(error)
            }
            _ => Known::Open,
        })
    }

    /// Runs what is left of it.
    pub(crate) fn run(self, sweep: &Sweep, supervision: &Supervision<'_>) -> JobEnd {
        let known = match standing(&self.directory, &self.config) {
            Ok(known) => known,
            Err(error) => return JobEnd::Failed(error.to_string()),
        };
        let request = ResumeRequest {
            run: self.directory.clone(),
        };
        let ended = match known {
            Standing::Done => return JobEnd::WasDone,
            // What was given up in a search is no done job of a grid; there it goes on.
            Standing::Pruned if supervision.reports.is_some() => return JobEnd::Pruned,
            Standing::Alive => {
                let directory = self.directory.display();
                return JobEnd::Failed(format!("another process is at it in {directory}"));
            }
            Standing::Failed { error } if sweep.failed == Failed::Stay => {
                return JobEnd::Failed(error);
            }
            Standing::Pruned | Standing::Unfinished | Standing::Failed { .. } => {
                resume(&request, supervision)
            }
            Standing::New => run(self.launch(sweep), supervision),
            Standing::Other { difference } => match self.make_room(&difference) {
                Ok(()) => run(self.launch(sweep), supervision),
                Err(error) => return JobEnd::Failed(error.to_string()),
            },
        };
        match ended {
            Ok(RunEnd::Finished) => JobEnd::Finished,
            Ok(RunEnd::Pruned) => JobEnd::Pruned,
            Ok(RunEnd::Interrupted) => JobEnd::Interrupted,
            Err(RunFailure::BeforeTheLog(error)) => JobEnd::Failed(error.to_string()),
            Err(RunFailure::Logged) => JobEnd::Failed("its log says why".to_owned()),
        }
    }

    fn launch(self, sweep: &Sweep) -> Launch {
        Launch {
            composition: self.composition,
            config: self.config,
            config_source: sweep.config_source.clone(),
        }
    }

    /// Moves a run with another configuration out of the way: `0` becomes `0_before`, or `0_before_2`.
    fn make_room(&self, difference: &str) -> Result<(), SweepError> {
        let free = (1..).map(|n| {
            let mut name = self.directory.clone().into_os_string();
            name.push("_before");
            if n > 1 {
                name.push(format!("_{n}"));
            }
            PathBuf::from(name)
        });
        let mut free = free.skip_while(|path| path.exists());
        let path = free.next().expect("there is a free name");
        std::fs::rename(&self.directory, &path).map_err(|source| SweepError::Io {
            path: self.directory.clone(),
            source,
        })?;
        crate::progress::say(&format!(
            "{} holds a run that differs in {difference}: moved to {}",
            self.directory.display(),
            path.display()
        ));
        Ok(())
    }
}
