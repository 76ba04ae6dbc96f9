//! The typed configuration of an experiment: the groups `data`, `model`, `training` and `logging`.
//!
//! The types say which keys exist and what they hold; serde's `deny_unknown_fields` makes every other
//! key an error. [`ExperimentConfig::from_composition`] then checks ranges and combinations, so that
//! whoever holds an [`ExperimentConfig`] need not check again. Errors point at the file and line, or
//! at the override, that set the value.

mod data;
mod invalid;
mod logging;
mod model;
mod training;

pub use data::{AugmentationsConfig, DataConfig, MismatchAction, NormalizationConfig, SourceName};
pub use invalid::Invalid;
pub use logging::{
    LoggingConfig, MatplotlibConfig, TensorboardConfig, WandbConfig, WandbMode, WatchConfig,
};
pub use model::{DropoutFormName, ModelConfig, ModelName, NormName};
pub use training::{
    CheckpointConfig, CheckpointInterval, EarlyStoppingConfig, IntervalName, OptimizerParams,
    Params, PenaltyOn, PenaltyParams, PerLayer, SchedulerParams, SmoothingName, SweepConfig,
    SweepMode, TrainingConfig, WarmupConfig,
};

use serde::{Deserialize, Deserializer, Serialize};
use strata_config::{Composition, ConfigError};

use crate::engine;

/// Everything that decides one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExperimentConfig {
    /// Where the images come from and how they become batches.
    pub data: DataConfig,
    /// The network.
    pub model: ModelConfig,
    /// The optimisation, and when to evaluate.
    pub training: TrainingConfig,
    /// Where the run's figures and metrics go.
    pub logging: LoggingConfig,
}

impl ExperimentConfig {
    /// Reads the four groups of a composed tree and checks them.
    ///
    /// # Errors
    /// An unknown, missing or wrongly typed key, a value out of range, or a combination that is not
    /// built; each names the key and the place that set it.
    pub fn from_composition(composition: &Composition) -> Result<Self, ConfigError> {
        let config = Self {
            data: composition.extract("data")?,
            model: composition.extract("model")?,
            training: composition.extract("training")?,
            logging: composition.extract("logging")?,
        };
        config.check().map_err(|invalid| invalid.at(composition))?;
        Ok(config)
    }

    /// Reads what an earlier run has kept in its `run.json`.
    ///
    /// # Errors
    /// What is wrong with it, by key.
    pub(crate) fn from_record(record: &serde_json::Value) -> Result<Self, String> {
        let config: Self =
            serde_json::from_value(record.clone()).map_err(|error| error.to_string())?;
        config
            .check()
            .map_err(|invalid| format!("`{}` {}", invalid.key, invalid.problem))?;
        Ok(config)
    }

    fn check(&self) -> Result<(), Invalid> {
        self.data.check()?;
        self.model.check()?;
        self.training.check()?;
        self.logging.check()?;
        engine::mlp_config(&self.model)?;
        engine::trainer_config(self)?;
        Ok(())
    }
}

/// A value that may be null, but whose key must be there: serde by itself takes a missing key for null,
/// and a misspelt one would go unnoticed wherever unknown keys are allowed.
fn nullable<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer)
}
