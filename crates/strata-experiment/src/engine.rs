//! The engine's settings from the typed configuration.

use strata_diag::closest;
use strata_nn::{
    Activation, ActivationError, InstructionSet, MlpConfig, OptimizerConfig, OptimizerError,
    SchedulerConfig, SchedulerError, SchedulerInterval, TrainerConfig, WeightInit,
};

use crate::config::{ExperimentConfig, Invalid, ModelConfig};

/// The network of the configuration.
pub(crate) fn mlp_config(model: &ModelConfig) -> Result<MlpConfig, Invalid> {
    let activation =
        Activation::from_name(&model.activation, &model.activation_kwargs).map_err(|error| {
            let key = match &error {
                ActivationError::UnknownName { .. } => "model.activation".to_owned(),
                ActivationError::UnknownParameter { parameter, .. }
                | ActivationError::WrongType { parameter, .. } => {
                    format!("model.activation_kwargs.{parameter}")
                }
            };
            invalid(key, &error, &model.activation, &Activation::NAMES)
        })?;
    let weight_init = WeightInit::from_name(&model.weight_init).map_err(|error| {
        invalid(
            "model.weight_init".to_owned(),
            &error,
            &model.weight_init,
            &WeightInit::NAMES,
        )
    })?;
    Ok(MlpConfig {
        input_dim: model.input_dim,
        hidden_dims: model.hidden_dims.clone(),
        num_classes: model.num_classes,
        activation,
        dropout: model.dropout as f32,
        weight_init,
    })
}

/// The training of the configuration.
pub(crate) fn trainer_config(config: &ExperimentConfig) -> Result<TrainerConfig, Invalid> {
    let training = &config.training;
    Ok(TrainerConfig {
        batch_size: config.data.batch_size,
        shuffle: config.data.shuffle,
        label_smoothing: training.label_smoothing as f32,
        optimizer: optimizer(config)?,
        scheduler: scheduler(config)?,
        scheduler_interval: SchedulerInterval::Epoch,
        max_grad_norm: training.max_grad_norm.map(|norm| norm as f32),
        seed: training.seed,
        threads: threads(training.threads),
        instruction_set: InstructionSet::detected(),
    })
}

/// All cores where none are said.
pub(crate) fn threads(wanted: Option<usize>) -> usize {
    wanted.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}

fn optimizer(config: &ExperimentConfig) -> Result<OptimizerConfig, Invalid> {
    let optimizer = &config.training.optimizer;
    OptimizerConfig::from_name(&optimizer.name, &optimizer.params).map_err(
        |error: OptimizerError| {
            let key = match error.parameter() {
                None => "training.optimizer.name".to_owned(),
                Some(parameter) => format!("training.optimizer.params.{parameter}"),
            };
            invalid(key, &error, &optimizer.name, &OptimizerConfig::NAMES)
        },
    )
}

fn scheduler(config: &ExperimentConfig) -> Result<Option<SchedulerConfig>, Invalid> {
    let Some(scheduler) = &config.training.scheduler else {
        return Ok(None);
    };
    let parsed = SchedulerConfig::from_name(&scheduler.name, &scheduler.params);
    parsed.map(Some).map_err(|error: SchedulerError| {
        let key = match error.parameter() {
            None => "training.scheduler.name".to_owned(),
            Some(parameter) => format!("training.scheduler.params.{parameter}"),
        };
        invalid(key, &error, &scheduler.name, &SchedulerConfig::NAMES)
    })
}

fn invalid(key: String, error: &dyn std::fmt::Display, name: &str, names: &[&str]) -> Invalid {
    let refused = Invalid::new(key, format!("cannot be used: {error}"));
    match closest(name, names.iter().copied()).filter(|meant| *meant != name) {
        Some(meant) => refused.with_help(format!("did you mean `{meant}`?")),
        None => refused,
    }
}
