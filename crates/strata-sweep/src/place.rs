//! Where the jobs of a sweep run.

use std::num::NonZeroUsize;

use strata_config::{Composition, Value};
use strata_launch::{LauncherConfig, LocalLauncher, SlurmLauncher, TaskLauncher};

use crate::error::SweepError;
use crate::progress::say;

/// Where the jobs of a sweep run.
pub(crate) enum Place {
    /// On threads of this process, on one copy of the data.
    Here {
        /// Jobs side by side.
        workers: usize,
    },
    /// In processes of their own.
    Elsewhere(Elsewhere),
}

/// What starts the processes.
pub(crate) struct Elsewhere {
    /// What submitit calls it.
    pub(crate) name: &'static str,
    pub(crate) launcher: Box<dyn TaskLauncher>,
    /// For processes on this machine: how many run at once. They share its cores, and end when this process is no more.
    pub(crate) at_once_here: Option<usize>,
}

impl Place {
    /// What `hydra.launcher` says. `searching` are the trials side by side that a search asks for, whose sweeper and not
    /// launcher has their number.
    ///
    /// # Errors
    /// A launcher that is not known, or a value that makes no sense.
    pub(crate) fn of(
        composition: &Composition,
        searching: Option<usize>,
    ) -> Result<Self, SweepError> {
        let (launcher, warnings) = LauncherConfig::of(composition)?;
        for warning in warnings {
            say(&format!("warning: {warning}"));
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let workers = match launcher {
            LauncherConfig::Basic => searching.unwrap_or(1),
            LauncherConfig::Joblib(joblib) => searching.unwrap_or_else(|| joblib.workers(cores)),
            LauncherConfig::SubmititLocal(config) => {
                let at_once = NonZeroUsize::new(searching.unwrap_or(cores));
                let at_once = at_once.unwrap_or(NonZeroUsize::MIN);
                return Ok(Self::Elsewhere(Elsewhere {
                    name: "local",
                    launcher: Box::new(LocalLauncher::new(config, at_once)),
                    at_once_here: Some(at_once.get()),
                }));
            }
            LauncherConfig::SubmititSlurm(config) => {
                return Ok(Self::Elsewhere(Elsewhere {
                    name: "slurm",
                    launcher: Box::new(SlurmLauncher::new(*config)),
                    at_once_here: None,
                }));
            }
        };
        Ok(Self::Here {
            workers: that_fit(composition, workers)?,
        })
    }
}

/// A process has one working folder: jobs that change it run one at a time.
fn that_fit(composition: &Composition, workers: usize) -> Result<usize, SweepError> {
    let chdir = composition.select("hydra.job.chdir")?;
    let changes = chdir.is_some_and(|node| node.value == Value::Bool(true));
    if changes && workers > 1 {
        say(
            "warning: `hydra.job.chdir=true`: the jobs run one after the other, since a process has one working folder",
        );
        return Ok(1);
    }
    Ok(workers)
}
