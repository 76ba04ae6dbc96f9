//! One run, from a composed configuration to its run directory.
//!
//! 1. [`ExperimentConfig::from_composition`] reads and checks the typed configuration.
//! 2. [`run`] makes the run directory, loads the data, trains, evaluates, and leaves the metrics, the
//!    best model and the figures behind. It ends in order when it is interrupted.
//! 3. [`SavedModel`] reads the best model back; [`evaluate_run`] and [`predict`] put it to work.
//!
//! The rooms below know nothing of each other: the data set does not know the engine
//! ([`samples`] joins them), the engine does not know what is logged ([`run`] does).

mod artifact;
mod config;
mod engine;
mod error;
mod evaluate;
mod figures;
mod job_log;
mod load;
mod predict;
mod run;
mod samples;

pub use artifact::{BEST_MODEL, SavedModel};
pub use config::{
    AugmentationsConfig, DataConfig, ExperimentConfig, Invalid, LoggingConfig, MatplotlibConfig,
    ModelConfig, ModelName, NamedParams, NormalizationConfig, Params, SourceName, SweepConfig,
    SweepMode, TensorboardConfig, TrainingConfig, WandbConfig, WandbMode, WatchConfig,
};
pub use error::ExperimentError;
pub use evaluate::{EvaluateRequest, EvaluatedRun, evaluate_run};
pub use load::{data_request, load_splits};
pub use predict::{ClassProbability, Prediction, predict};
pub use run::{Launch, RunEnd, RunFailure, run};
