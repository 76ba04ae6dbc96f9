//! The choice of a launcher: the typed `hydra.launcher` of a composed configuration.
//!
//! The keys, their types and defaults are those of Hydra 1.3's launchers; what a key means to one of them stands at the
//! field. A key that cannot mean anything here is no error, since Hydra takes it, but a warning.

mod joblib;
mod submitit;

use serde::Deserialize;
use strata_config::{Composition, ConfigError, Value};

pub use joblib::JoblibConfig;
pub use submitit::{ParameterValue, SlurmConfig, SlurmQueue, SubmititConfig};

/// Where the configuration has the launcher.
const PATH: &str = "hydra.launcher";

/// The launcher that `hydra/launcher` chooses.
#[derive(Debug, Clone, PartialEq)]
pub enum LauncherConfig {
    /// `basic`: one job after the other, in this process.
    Basic,
    /// `joblib`: jobs side by side, in this process.
    Joblib(JoblibConfig),
    /// `submitit_local`: each job in a process of its own, on this machine.
    SubmititLocal(SubmititConfig),
    /// `submitit_slurm`: the jobs as a job array of Slurm.
    SubmititSlurm(Box<SlurmConfig>),
}

impl LauncherConfig {
    /// The launcher of a configuration, and what to tell the user: one line for each key that has been set and means
    /// nothing here.
    ///
    /// The last word of `hydra.launcher._target_` chooses, so that a launcher of Hydra's is known by its class. No
    /// launcher at all is `basic`, as in Hydra's own configuration.
    ///
    /// # Errors
    /// A target that is none of the four, or a value that a key cannot have, with its place.
    pub fn of(composition: &Composition) -> Result<(Self, Vec<String>), ConfigError> {
        #[derive(Deserialize)]
        struct Target {
            #[serde(rename = "_target_")]
            target: String,
        }

        let launcher = composition.select(PATH)?;
        if launcher.is_none_or(|node| matches!(node.value, Value::Null)) {
            return Ok((Self::Basic, Vec::new()));
        }
        let target = composition.extract::<Target>(PATH)?.target;
        let mut warnings = Warnings::default();
        let config = match target.rsplit('.').next().unwrap_or_default() {
            "BasicLauncher" => Self::Basic,
            "JoblibLauncher" => Self::Joblib(JoblibConfig::of(composition, &mut warnings)?),
            "LocalLauncher" => {
                Self::SubmititLocal(SubmititConfig::of_local(composition, &mut warnings)?)
            }
            "SlurmLauncher" => {
                Self::SubmititSlurm(Box::new(SlurmConfig::of(composition, &mut warnings)?))
            }
            _ => {
                return Err(composition.error_at(
                    "hydra.launcher._target_",
                    &format!("there is no launcher `{target}`"),
                    Some(
                        "choose one by `hydra/launcher=`: basic, joblib, submitit_local, submitit_slurm",
                    ),
                ));
            }
        };
        Ok((config, warnings.lines))
    }
}

/// What has been set and means nothing.
#[derive(Debug, Default)]
struct Warnings {
    lines: Vec<String>,
}

impl Warnings {
    /// A key of the launcher that has been set, and why that changes nothing.
    fn without_effect(&mut self, key: &str, value: impl std::fmt::Display, why: &str) {
        self.lines.push(format!(
            "`{PATH}.{key}={value}` changes nothing here: {why}"
        ));
    }

    /// A key that does not do what it looks like.
    fn say(&mut self, line: String) {
        self.lines.push(line);
    }
}

#[cfg(test)]
mod tests {
    use strata_config::{ComposeRequest, ConfigSource, compose};

    use super::*;

    pub(super) fn composed(overrides: &[&str]) -> Result<Composition, ConfigError> {
        let mut request = ComposeRequest::new(
            ConfigSource::Embedded {
                name: "test".to_owned(),
                files: &[("config.yaml", "lr: 0.1\n")],
            },
            "config",
        );
        request.overrides = overrides.iter().map(|&text| text.to_owned()).collect();
        request.multirun = true;
        compose(&request)
    }

    pub(super) fn launcher(overrides: &[&str]) -> (LauncherConfig, Vec<String>) {
        LauncherConfig::of(&composed(overrides).unwrap()).unwrap()
    }

    pub(super) fn refusal(overrides: &[&str]) -> String {
        let error = composed(overrides).and_then(|composition| LauncherConfig::of(&composition));
        error.unwrap_err().to_string()
    }

    #[test]
    fn hydra_s_default_is_basic() {
        assert_eq!(launcher(&[]), (LauncherConfig::Basic, Vec::new()));
    }

    #[test]
    fn no_option_of_hydra_s_warns_of_anything() {
        for option in ["basic", "joblib", "submitit_local", "submitit_slurm"] {
            let (_, warnings) = launcher(&[&format!("hydra/launcher={option}")]);
            assert_eq!(warnings, Vec::<String>::new(), "{option}");
        }
    }

    #[test]
    fn an_unknown_target_names_those_that_exist() {
        let message = refusal(&["hydra.launcher._target_=hydra_plugins.ray.RayLauncher"]);
        assert!(message.contains("there is no launcher `hydra_plugins.ray.RayLauncher`"));
        assert!(message.contains("basic, joblib, submitit_local, submitit_slurm"));
    }
}
