//! `training`: the optimisation, and when to evaluate.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::invalid::{Invalid, require};
use super::nullable;

/// Named parameters of an optimiser, a scheduler or an activation, checked by the engine.
pub type Params = BTreeMap<String, serde_json::Value>;

/// The group `training`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// Passes over the training images.
    pub epochs: usize,
    /// Seed of initialisation, split, order and dropout.
    pub seed: u64,
    /// Accepted; the CPU engine is used.
    pub use_cuda: bool,
    /// Accepted; the engine computes in float32.
    pub mixed_precision: bool,
    /// Share of the target spread evenly over all classes (torch's form), in 0..=1.
    pub label_smoothing: f64,
    /// Greatest global norm of the gradient; null for no clipping.
    #[serde(deserialize_with = "nullable")]
    pub max_grad_norm: Option<f64>,
    /// The optimiser.
    pub optimizer: NamedParams,
    /// The schedule of the learning rate, stepped once an epoch; null for a constant one.
    #[serde(deserialize_with = "nullable")]
    pub scheduler: Option<NamedParams>,
    /// Steps between two logged rows of a batch.
    pub log_interval: u64,
    /// Epochs between two evaluations.
    pub eval_interval: usize,
    /// Whether an evaluation covers the training set as well.
    pub eval_train: bool,
    /// Whether the best model is evaluated on the test set at the end.
    pub eval_test: bool,
    /// Threads that compute; null for all cores.
    #[serde(deserialize_with = "nullable")]
    pub threads: Option<usize>,
    /// What decides which model is the best.
    pub sweep: SweepConfig,
}

/// A name of torch's with its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedParams {
    /// Name of torch's class.
    pub name: String,
    /// Its parameters by torch's names; those absent have torch's defaults.
    #[serde(default)]
    pub params: Params,
}

/// The metric that is optimised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepConfig {
    /// Name of a logged metric: `validation/accuracy`.
    pub metric: String,
    /// Whether more or less of it is better.
    pub mode: SweepMode,
}

/// Direction of the optimisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SweepMode {
    /// The greatest value is the best.
    Max,
    /// The smallest value is the best.
    Min,
}

/// The metrics of an evaluation that can decide which model is the best.
const SELECTABLE_METRICS: [&str; 6] = [
    "validation/accuracy",
    "validation/loss",
    "train/accuracy",
    "train/loss",
    "train_eval/accuracy",
    "train_eval/loss",
];

/// More threads than this is a slip of the keyboard.
const MOST_THREADS: usize = 256;

impl TrainingConfig {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        require(
            self.epochs >= 1,
            "training.epochs",
            "at least 1",
            self.epochs,
        )?;
        require(
            (0.0..=1.0).contains(&self.label_smoothing),
            "training.label_smoothing",
            "between 0 and 1",
            self.label_smoothing,
        )?;
        if let Some(norm) = self.max_grad_norm {
            let usable = norm.is_finite() && norm > 0.0;
            require(
                usable,
                "training.max_grad_norm",
                "greater than 0, or null for no clipping",
                norm,
            )?;
        }
        require(
            self.log_interval >= 1,
            "training.log_interval",
            "at least 1",
            self.log_interval,
        )?;
        require(
            self.eval_interval >= 1,
            "training.eval_interval",
            "at least 1",
            self.eval_interval,
        )?;
        if let Some(threads) = self.threads {
            let rule = format!("between 1 and {MOST_THREADS}, or null for all cores");
            require(
                (1..=MOST_THREADS).contains(&threads),
                "training.threads",
                &rule,
                threads,
            )?;
        }
        self.sweep.check()
    }
}

impl SweepConfig {
    fn check(&self) -> Result<(), Invalid> {
        if SELECTABLE_METRICS.contains(&self.metric.as_str()) {
            return Ok(());
        }
        Err(Invalid::new(
            "training.sweep.metric",
            format!("must be a metric of an evaluation, not `{}`", self.metric),
        )
        .with_help(format!("metrics: {}", SELECTABLE_METRICS.join(", "))))
    }
}
