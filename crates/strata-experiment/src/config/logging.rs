//! `logging`: where the run's figures and metrics go.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::invalid::{Invalid, require};
use super::nullable;

/// The group `logging`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggingConfig {
    /// Weights & Biases.
    pub wandb: WandbConfig,
    /// TensorBoard.
    pub tensorboard: TensorboardConfig,
    /// A table of all rows.
    #[serde(default)]
    pub csv: CsvConfig,
    /// The run's own figures.
    pub matplotlib: MatplotlibConfig,
}

/// `logging.wandb`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WandbConfig {
    /// Whether the run is tracked.
    pub enabled: bool,
    /// Project on the server.
    pub project: String,
    /// Team or user that owns the project; null for the user's default.
    #[serde(deserialize_with = "nullable")]
    pub entity: Option<String>,
    /// Tags of the run.
    pub tags: Vec<String>,
    /// Runs that belong together; null for none, and for the jobs of a sweep the sweep.
    #[serde(default)]
    pub group: Option<String>,
    /// What the run is within its group.
    #[serde(default)]
    pub job_type: Option<String>,
    /// A longer text about the run.
    #[serde(default)]
    pub notes: Option<String>,
    /// Whether the best model is uploaded.
    pub log_model: bool,
    /// Whether the run is sent, kept on disk, or not tracked.
    pub mode: WandbMode,
    /// What of the network is tracked; null for nothing.
    #[serde(deserialize_with = "nullable")]
    pub watch: Option<WatchConfig>,
}

/// W&B's modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WandbMode {
    /// Sent to the server.
    Online,
    /// Kept on disk.
    Offline,
    /// Not tracked.
    Disabled,
}

/// `wandb.watch`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchConfig {
    /// `gradients`, `parameters`, `all`, or null.
    #[serde(deserialize_with = "nullable")]
    pub log: Option<String>,
    /// Steps between two histograms.
    pub log_freq: u64,
}

/// `logging.tensorboard`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TensorboardConfig {
    /// Whether event files are written.
    pub enabled: bool,
    /// Folder of the event files.
    pub log_dir: PathBuf,
}

/// `logging.csv`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CsvConfig {
    /// Whether `metrics.csv` is written.
    pub enabled: bool,
}

/// `logging.matplotlib`: the figures of a run, in Matplotlib's look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatplotlibConfig {
    /// Whether figures are drawn.
    pub enabled: bool,
    /// Images in the figure of the first batch.
    pub num_samples: usize,
    /// Dots per inch.
    pub dpi: u32,
}

const WATCHABLE: [&str; 3] = ["gradients", "parameters", "all"];

impl LoggingConfig {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        if let Some(watch) = &self.wandb.watch {
            let known = watch
                .log
                .as_deref()
                .is_none_or(|log| WATCHABLE.contains(&log));
            let value = format!("`{}`", watch.log.as_deref().unwrap_or_default());
            let rule = "one of gradients, parameters, all, or null";
            require(known, "logging.wandb.watch.log", rule, value)?;
            require(
                watch.log_freq >= 1,
                "logging.wandb.watch.log_freq",
                "at least 1",
                watch.log_freq,
            )?;
        }
        let matplotlib = &self.matplotlib;
        require(
            (1..=1024).contains(&matplotlib.num_samples),
            "logging.matplotlib.num_samples",
            "between 1 and 1024",
            matplotlib.num_samples,
        )?;
        require(
            (10..=1200).contains(&matplotlib.dpi),
            "logging.matplotlib.dpi",
            "between 10 and 1200",
            matplotlib.dpi,
        )
    }
}
