//! One run, from a composed configuration to its run directory.
//!
//! 1. [`ExperimentConfig::from_composition`] reads and checks the typed configuration.
//! 2. [`run`] makes the run directory, loads the data, trains, evaluates, and leaves the metrics, the
//!    best model and the figures behind. It ends in order when it is interrupted.
//! 3. [`resume`] lets an interrupted run go on, to the same end as if it had not been.
//! 4. [`SavedModel`] reads the best model back; [`evaluate_run`] and [`predict`] put it to work.
//! 5. [`synth`] makes a set of synthetic images from [`SynthParams`]; `data.use_synthetic` adds it.
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
mod standing;
mod synth;
mod synthetic;

pub use artifact::{BEST_MODEL, BEST_MODEL_PT, EVALUATION, SavedModel};
pub use config::{
    AugmentationsConfig, CheckpointConfig, CheckpointInterval, DataConfig, DropoutFormName,
    EarlyStoppingConfig, ExperimentConfig, IntervalName, Invalid, LoggingConfig, MatplotlibConfig,
    MismatchAction, ModelConfig, ModelName, NormName, NormalizationConfig, OptimizerParams, Params,
    PenaltyOn, PenaltyParams, PerLayer, SchedulerParams, SmoothingName, SourceName, SweepConfig,
    SweepMode, TensorboardConfig, TrainingConfig, WandbConfig, WandbMode, WarmupConfig,
    WatchConfig,
};
pub use error::ExperimentError;
pub use evaluate::{EvaluateRequest, EvaluatedPart, EvaluatedRun, evaluate_run, evaluate_weights};
pub use load::{data_request, load_splits};
pub use predict::{ClassProbability, Prediction, predict};
pub use run::{
    Launch, Report, ResumeError, ResumeRequest, RunEnd, RunFailure, Supervision,
    newest_interrupted, resume, run,
};
pub use standing::{Standing, evaluations, standing};
pub use synth::{SynthParams, SynthReport, synth};
