//! `hydra/launcher=joblib`: jobs side by side in this process.

use serde::Deserialize;
use strata_config::{Composition, ConfigError};

use super::{PATH, Warnings};

/// What `hydra/launcher=joblib` sets, as far as it means something to threads.
///
/// joblib runs jobs in processes (`loky`), since Python's threads get into each other's way. Ours do not.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct JoblibConfig {
    /// How many jobs run side by side; see [`JoblibConfig::workers`].
    pub n_jobs: i64,
    /// The seconds that one job may take; a longer one makes the whole multirun fail.
    pub timeout: Option<f64>,
    /// How much joblib says of its progress; 0 is nothing.
    pub verbose: i64,
}

/// joblib's keys about how processes share memory and are fed.
#[derive(Deserialize)]
struct Ignored {
    backend: Option<String>,
    prefer: String,
    require: Option<String>,
    pre_dispatch: String,
    batch_size: String,
    temp_folder: Option<String>,
    max_nbytes: Option<String>,
    mmap_mode: String,
}

impl JoblibConfig {
    pub(super) fn of(
        composition: &Composition,
        warnings: &mut Warnings,
    ) -> Result<Self, ConfigError> {
        let config: Self = composition.extract(PATH)?;
        if config.n_jobs == 0 {
            return Err(composition.error_at(
                "hydra.launcher.n_jobs",
                "`hydra.launcher.n_jobs=0` has no meaning",
                Some("a number of jobs, or `-1` for as many as there are cores, `-2` for one less"),
            ));
        }
        if config
            .timeout
            .is_some_and(|seconds| seconds.is_nan() || seconds <= 0.0)
        {
            return Err(composition.error_at(
                "hydra.launcher.timeout",
                "`hydra.launcher.timeout` must be a number of seconds above 0",
                Some("`null` lets a job take any time"),
            ));
        }
        composition.extract::<Ignored>(PATH)?.warn(warnings);
        Ok(config)
    }

    /// The number of workers on a machine of so many cores: `-1` is all of them, `-k` is `k - 1` less, and at least one,
    /// as joblib counts.
    pub fn workers(&self, cores: usize) -> usize {
        usize::try_from(self.n_jobs).unwrap_or_else(|_| {
            let left_free = usize::try_from(-1 - self.n_jobs).unwrap_or(usize::MAX);
            cores.saturating_sub(left_free).max(1)
        })
    }
}

impl Ignored {
    fn warn(&self, warnings: &mut Warnings) {
        const THREADS: &str = "the jobs are threads of this process";
        const ONE_BY_ONE: &str = "a worker gets its next job when it is free";
        if let Some(backend) = self.backend.as_deref().filter(|name| *name != "threading") {
            warnings.without_effect("backend", backend, THREADS);
        }
        // What joblib itself would choose threads for.
        if !matches!(self.prefer.as_str(), "processes" | "threads") {
            warnings.without_effect("prefer", &self.prefer, THREADS);
        }
        if let Some(require) = self.require.as_deref().filter(|name| *name != "sharedmem") {
            warnings.without_effect("require", require, THREADS);
        }
        if self.pre_dispatch != "2*n_jobs" {
            warnings.without_effect("pre_dispatch", &self.pre_dispatch, ONE_BY_ONE);
        }
        if self.batch_size != "auto" {
            warnings.without_effect("batch_size", &self.batch_size, ONE_BY_ONE);
        }
        if let Some(folder) = &self.temp_folder {
            warnings.without_effect("temp_folder", folder, THREADS);
        }
        if let Some(size) = &self.max_nbytes {
            warnings.without_effect("max_nbytes", size, THREADS);
        }
        if self.mmap_mode != "r" {
            warnings.without_effect("mmap_mode", &self.mmap_mode, THREADS);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::LauncherConfig;
    use crate::config::tests::{launcher, refusal};

    use super::*;

    fn joblib(overrides: &[&str]) -> (JoblibConfig, Vec<String>) {
        let overrides = [&["hydra/launcher=joblib"], overrides].concat();
        match launcher(&overrides) {
            (LauncherConfig::Joblib(config), warnings) => (config, warnings),
            other => panic!("not joblib: {other:?}"),
        }
    }

    #[test]
    fn negative_n_jobs_leave_cores_free_as_in_joblib() {
        let workers = |n_jobs, cores| {
            let config = JoblibConfig {
                n_jobs,
                timeout: None,
                verbose: 0,
            };
            config.workers(cores)
        };
        // joblib.effective_n_jobs: max(cores + 1 + n_jobs, 1) below 0, as it is above.
        assert_eq!(
            [-1, -2, -8, -9, -100].map(|n_jobs| workers(n_jobs, 8)),
            [8, 7, 1, 1, 1]
        );
        assert_eq!([1, 3, 100].map(|n_jobs| workers(n_jobs, 8)), [1, 3, 100]);
        assert_eq!(workers(i64::MIN, 8), 1);
    }

    #[test]
    fn no_jobs_at_all_are_refused_at_the_place() {
        let message = refusal(&["hydra/launcher=joblib", "hydra.launcher.n_jobs=0"]);
        assert!(
            message.contains("`hydra.launcher.n_jobs=0` has no meaning"),
            "{message}"
        );
    }

    #[test]
    fn settings_of_processes_are_told_to_change_nothing() {
        let (config, warnings) = joblib(&[
            "hydra.launcher.n_jobs=4",
            "hydra.launcher.timeout=90",
            "hydra.launcher.backend=loky",
            "hydra.launcher.max_nbytes=1M",
        ]);
        assert_eq!((config.n_jobs, config.timeout), (4, Some(90.0)));
        assert_eq!(
            warnings,
            [
                "`hydra.launcher.backend=loky` changes nothing here: the jobs are threads of this process",
                "`hydra.launcher.max_nbytes=1M` changes nothing here: the jobs are threads of this process",
            ]
        );
        assert_eq!(
            joblib(&["hydra.launcher.backend=threading"]).1,
            Vec::<String>::new()
        );
    }
}
