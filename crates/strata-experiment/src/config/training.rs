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
    /// Share of the target spread evenly over the classes, in 0..=1.
    pub label_smoothing: f64,
    /// Over all classes (torch), or over those that are not the sample's own (course).
    #[serde(default)]
    pub label_smoothing_kind: SmoothingName,
    /// Weight of each class in the loss; null for 1.
    #[serde(default)]
    pub class_weights: Option<Vec<f64>>,
    /// What is added to the loss for large parameters.
    #[serde(default)]
    pub penalty: PenaltyParams,
    /// Greatest global norm of the gradient; null for no clipping.
    #[serde(deserialize_with = "nullable")]
    pub max_grad_norm: Option<f64>,
    /// The optimiser.
    pub optimizer: OptimizerParams,
    /// The schedule of the learning rate; null for a constant one.
    #[serde(deserialize_with = "nullable")]
    pub scheduler: Option<SchedulerParams>,
    /// When to stop before all epochs are done.
    #[serde(default)]
    pub early_stopping: EarlyStoppingConfig,
    /// How often the state is written down.
    #[serde(default)]
    pub checkpoint: CheckpointConfig,
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

/// An optimiser of torch's with its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerParams {
    /// Name of torch's class.
    pub name: String,
    /// Its parameters by torch's names; those absent have torch's defaults.
    #[serde(default)]
    pub params: Params,
    /// Whether weight decay covers biases and normalisation, as in torch without parameter groups.
    #[serde(default = "yes")]
    pub decay_biases: bool,
}

/// A schedule of torch's with its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchedulerParams {
    /// Name of torch's class.
    pub name: String,
    /// Its parameters by torch's names; those absent have torch's defaults.
    #[serde(default)]
    pub params: Params,
    /// When it steps.
    #[serde(default)]
    pub interval: IntervalName,
    /// A linear rise of the learning rate before it; null for none.
    #[serde(default)]
    pub warmup: Option<WarmupConfig>,
}

/// When a scheduler steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IntervalName {
    /// After each epoch.
    #[default]
    Epoch,
    /// After each step of the optimiser.
    Step,
}

/// A linear rise of the learning rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WarmupConfig {
    /// Length, in the scheduler's interval.
    pub total_iters: u64,
    /// What the first rate is of the full one.
    #[serde(default = "a_hundredth")]
    pub start_factor: f64,
}

/// How targets are smoothed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmoothingName {
    /// `(1-a)·onehot + a/K`
    #[default]
    Torch,
    /// `1-a` on the true class, `a/(K-1)` on each other
    Course,
}

/// `training.penalty`: `l1·Σ|p| + ½·l2·Σp²`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PenaltyParams {
    /// Coefficient of the sum of absolute values.
    pub l1: PerLayer,
    /// Coefficient of half the sum of squares.
    pub l2: PerLayer,
    /// Which parameters are penalised. Where somebody writes `on` without quotes, YAML 1.1 reads a true.
    #[serde(alias = "True")]
    pub on: PenaltyOn,
}

impl Default for PenaltyParams {
    fn default() -> Self {
        Self {
            l1: PerLayer::All(0.0),
            l2: PerLayer::All(0.0),
            on: PenaltyOn::WeightsAndBiases,
        }
    }
}

/// One number for all affine layers, or one for each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a number, or a list of numbers with one for each layer"
)]
pub enum PerLayer {
    /// The same for all.
    All(f64),
    /// From the first layer to the output layer.
    Each(Vec<f64>),
}

impl PerLayer {
    /// The numbers of so many layers.
    pub fn of(&self, layers: usize) -> Vec<f64> {
        match self {
            Self::All(value) => vec![*value; layers],
            Self::Each(values) => values.clone(),
        }
    }
}

/// Which parameters are penalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PenaltyOn {
    /// All of the affine layers, as in the coursework.
    WeightsAndBiases,
    /// Weights alone.
    Weights,
}

/// `training.early_stopping`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EarlyStoppingConfig {
    /// Evaluations without improvement of the sweep's metric that are borne; null for all.
    pub patience: Option<u64>,
    /// What counts as an improvement: more than this.
    pub min_delta: f64,
}

/// `training.checkpoint`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CheckpointConfig {
    /// `epoch`, `N epochs`, `N steps`, `N minutes`, or null for none but at an interruption.
    pub every: Option<String>,
}

impl Default for CheckpointConfig {
    fn default() -> Self {
        Self {
            every: Some("epoch".to_owned()),
        }
    }
}

/// How often a checkpoint is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CheckpointInterval {
    /// After so many epochs.
    Epochs(usize),
    /// After so many steps.
    Steps(u64),
    /// After so many minutes.
    Minutes(f64),
    /// Only when the run is interrupted.
    Never,
}

impl CheckpointConfig {
    /// The interval; none if it cannot be read.
    pub fn interval(&self) -> Option<CheckpointInterval> {
        let Some(text) = &self.every else {
            return Some(CheckpointInterval::Never);
        };
        let text = text.trim();
        let (number, unit) = match text.split_once(char::is_whitespace) {
            Some((number, unit)) => (number.parse::<f64>().ok()?, unit.trim()),
            None => (1.0, text),
        };
        let whole = || (number.fract() == 0.0 && number < 1e15).then_some(number as u64);
        if number.is_nan() || number <= 0.0 {
            return None;
        }
        match unit.trim_end_matches('s') {
            "epoch" => whole().map(|n| CheckpointInterval::Epochs(n as usize)),
            "step" => whole().map(CheckpointInterval::Steps),
            "minute" => Some(CheckpointInterval::Minutes(number)),
            _ => None,
        }
    }
}

fn yes() -> bool {
    true
}

fn a_hundredth() -> f64 {
    0.01
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
        self.check_penalty()?;
        if let Some(weights) = &self.class_weights {
            for (class, &weight) in weights.iter().enumerate() {
                let usable = weight.is_finite() && weight >= 0.0;
                let key = format!("training.class_weights.{class}");
                require(usable, &key, "at least 0", weight)?;
            }
        }
        let min_delta = self.early_stopping.min_delta;
        require(
            min_delta.is_finite() && min_delta >= 0.0,
            "training.early_stopping.min_delta",
            "at least 0",
            min_delta,
        )?;
        if let Some(warmup) = self.scheduler.as_ref().and_then(|s| s.warmup.as_ref()) {
            require(
                warmup.start_factor > 0.0 && warmup.start_factor <= 1.0,
                "training.scheduler.warmup.start_factor",
                "greater than 0, and at most 1",
                warmup.start_factor,
            )?;
        }
        require(
            self.checkpoint.interval().is_some(),
            "training.checkpoint.every",
            "`epoch`, `N epochs`, `N steps`, `N minutes`, or null",
            format!("`{}`", self.checkpoint.every.as_deref().unwrap_or("null")),
        )?;
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

    /// Whether the scheduler steps with the optimiser, and not once an epoch.
    pub fn scheduler_steps_by_step(&self) -> bool {
        let scheduler = self.scheduler.as_ref();
        scheduler.is_some_and(|scheduler| scheduler.interval == IntervalName::Step)
    }

    fn check_penalty(&self) -> Result<(), Invalid> {
        let usable = |value: f64| value.is_finite() && value >= 0.0;
        for (name, coefficients) in [("l1", &self.penalty.l1), ("l2", &self.penalty.l2)] {
            let key = format!("training.penalty.{name}");
            match coefficients {
                PerLayer::All(value) => require(usable(*value), &key, "at least 0", value)?,
                PerLayer::Each(values) => {
                    for (layer, &value) in values.iter().enumerate() {
                        require(
                            usable(value),
                            &format!("{key}.{layer}"),
                            "at least 0",
                            value,
                        )?;
                    }
                }
            }
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkpoint_intervals_are_read() {
        let interval = |text: &str| {
            let every = Some(text.to_owned());
            CheckpointConfig { every }.interval()
        };
        assert_eq!(interval("epoch"), Some(CheckpointInterval::Epochs(1)));
        assert_eq!(interval("2 epochs"), Some(CheckpointInterval::Epochs(2)));
        assert_eq!(interval("500 steps"), Some(CheckpointInterval::Steps(500)));
        assert_eq!(
            interval("0.5 minutes"),
            Some(CheckpointInterval::Minutes(0.5))
        );
        for wrong in [
            "",
            "often",
            "0 steps",
            "1.5 epochs",
            "-1 minutes",
            "NaN steps",
        ] {
            assert_eq!(interval(wrong), None, "{wrong}");
        }
        let never = CheckpointConfig { every: None };
        assert_eq!(never.interval(), Some(CheckpointInterval::Never));
    }
}
