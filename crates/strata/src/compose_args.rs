//! Which tree to compose and with which overrides: Hydra's flags, shared by the commands.

use std::path::{Path, PathBuf};

use clap::Args;
use strata_config::{ComposeRequest, Composition, ConfigError, ConfigSource};
use strata_experiment::ExperimentConfig;

use crate::{embedded_conf, warn};

/// The tree in this binary.
pub(crate) fn embedded_conf() -> ConfigSource {
    ConfigSource::Embedded {
        name: "strata's own conf".to_owned(),
        files: embedded_conf::FILES,
    }
}

/// Flags and overrides that decide a composition.
#[derive(Debug, Clone, Args)]
pub(crate) struct ComposeArgs {
    /// Folder of the configuration tree [default: ./conf, else the tree in this binary]
    #[arg(long, value_name = "DIR", help_heading = "Configuration")]
    pub(crate) config_path: Option<PathBuf>,

    /// Primary configuration of that tree
    #[arg(
        long,
        value_name = "NAME",
        default_value = "config",
        help_heading = "Configuration"
    )]
    pub(crate) config_name: String,

    /// A further folder of configurations
    #[arg(long, value_name = "DIR", help_heading = "Configuration")]
    pub(crate) config_dir: Option<PathBuf>,

    /// `key=value`, `+key=value`, `++key=value`, `~key`, or `group=option`
    #[arg(value_name = "OVERRIDES")]
    pub(crate) overrides: Vec<String>,
}

impl ComposeArgs {
    /// A tree, nothing overridden.
    pub(crate) fn of_tree(config_path: Option<PathBuf>, config_name: &str) -> Self {
        Self {
            config_path,
            config_name: config_name.to_owned(),
            config_dir: None,
            overrides: Vec::new(),
        }
    }

    /// The tree that these flags choose.
    pub(crate) fn source(&self) -> ConfigSource {
        let folder = Path::new("conf");
        match &self.config_path {
            Some(folder) => ConfigSource::Directory(folder.clone()),
            None if folder.is_dir() => ConfigSource::Directory(folder.to_owned()),
            None => embedded_conf(),
        }
    }

    /// The tree in words, for `run.json`.
    pub(crate) fn source_in_words(&self) -> String {
        match self.source() {
            ConfigSource::Directory(folder) => folder.display().to_string(),
            ConfigSource::Embedded { .. } => "embedded".to_owned(),
        }
    }

    /// What to compose for the job `job_name`.
    pub(crate) fn request(&self, job_name: &str) -> ComposeRequest {
        let mut request = ComposeRequest::new(self.source(), &self.config_name);
        request.config_dirs.extend(self.config_dir.clone());
        request.overrides.clone_from(&self.overrides);
        job_name.clone_into(&mut request.job_name);
        request
    }

    /// Composes the tree for the job `job_name`.
    pub(crate) fn compose(&self, job_name: &str) -> Result<Composition, ConfigError> {
        let composition = strata_config::compose(&self.request(job_name))?;
        warn::of_composition(&composition);
        Ok(composition)
    }

    /// The checked configuration of a job that does not run.
    pub(crate) fn checked(&self) -> Result<ExperimentConfig, ConfigError> {
        self.checked_composition().map(|(_, config)| config)
    }

    /// The same, and what it was read from.
    pub(crate) fn checked_composition(
        &self,
    ) -> Result<(Composition, ExperimentConfig), ConfigError> {
        let mut composition = self.compose("train")?;
        composition.assume_output_dir()?;
        let config = ExperimentConfig::from_composition(&composition)?;
        Ok((composition, config))
    }
}
