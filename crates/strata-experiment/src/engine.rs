//! The engine's settings from the typed configuration.

use strata_diag::closest;
use strata_nn::{
    Activation, BiasInit, DropoutConfig, DropoutForm, InstructionSet, LabelSmoothingKind,
    LossConfig, MlpConfig, Norm, OptimizerConfig, PenaltyConfig, SchedulerConfig,
    SchedulerInterval, SettingError, TrainerConfig, WeightInit,
};

use crate::config::{
    DropoutFormName, ExperimentConfig, IntervalName, Invalid, ModelConfig, NormName, PenaltyOn,
    PerLayer, SmoothingName,
};

/// The network of the configuration.
pub(crate) fn mlp_config(model: &ModelConfig) -> Result<MlpConfig, Invalid> {
    let activation = checked(
        Activation::from_name(&model.activation, &model.activation_kwargs),
        ("model.activation", "model.activation_kwargs"),
    )?;
    let weight_init = checked(
        WeightInit::from_name(&model.weight_init, &model.weight_init_kwargs),
        ("model.weight_init", "model.weight_init_kwargs"),
    )?;
    Ok(MlpConfig {
        input_dim: model.input_dim,
        hidden_dims: model.hidden_dims.clone(),
        num_classes: model.num_classes,
        activation,
        dropout: DropoutConfig {
            hidden: model.dropout as f32,
            input: model.input_dropout.map(|p| p as f32),
            form: match model.dropout_form {
                DropoutFormName::Inverted => DropoutForm::Inverted,
                DropoutFormName::Course => DropoutForm::Course,
            },
            share_mask: model.dropout_share_mask,
        },
        norm: model.norm.map(|norm| match norm {
            NormName::Batch => Norm::Batch,
            NormName::Layer => Norm::Layer,
        }),
        weight_init,
        bias_init: match model.bias_init {
            None => BiasInit::OfWeights,
            Some(value) => BiasInit::Constant(value as f32),
        },
    })
}

/// The training of the configuration.
pub(crate) fn trainer_config(config: &ExperimentConfig) -> Result<TrainerConfig, Invalid> {
    let training = &config.training;
    let interval = training.scheduler.as_ref().map(|entry| entry.interval);
    let optimizer = optimizer(config)?;
    let scheduler = scheduler(config)?;
    let cycles = scheduler
        .as_ref()
        .is_some_and(SchedulerConfig::cycles_momentum);
    if cycles && !optimizer.has_momentum() {
        let problem = format!(
            "cannot be used: it cycles the momentum, which {} has not",
            training.optimizer.name
        );
        return Err(Invalid::new("training.scheduler", problem)
            .with_help("set `cycle_momentum: false` among its parameters"));
    }
    Ok(TrainerConfig {
        batch_size: config.data.batch_size,
        shuffle: config.data.shuffle,
        loss: loss(config)?,
        penalty: PenaltyConfig {
            l1: per_layer(config, "l1", &training.penalty.l1)?,
            l2: per_layer(config, "l2", &training.penalty.l2)?,
            biases: training.penalty.on == PenaltyOn::WeightsAndBiases,
        },
        optimizer,
        scheduler,
        scheduler_interval: match interval {
            Some(IntervalName::Step) => SchedulerInterval::Steps(1),
            _ => SchedulerInterval::Epoch,
        },
        max_grad_norm: training.max_grad_norm.map(|norm| norm as f32),
        seed: training.seed,
        threads: threads(training.threads),
        instruction_set: InstructionSet::detected(),
    })
}

fn loss(config: &ExperimentConfig) -> Result<LossConfig, Invalid> {
    let training = &config.training;
    let weights = training.class_weights.as_ref();
    if let Some(weights) = weights.filter(|weights| weights.len() != config.model.num_classes) {
        let problem = format!(
            "has {} numbers, but there are {} classes",
            weights.len(),
            config.model.num_classes
        );
        return Err(Invalid::new("training.class_weights", problem));
    }
    Ok(LossConfig {
        label_smoothing: training.label_smoothing as f32,
        label_smoothing_kind: match training.label_smoothing_kind {
            SmoothingName::Torch => LabelSmoothingKind::Torch,
            SmoothingName::Course => LabelSmoothingKind::Course,
        },
        class_weights: weights.map(|list| list.iter().map(|&weight| weight as f32).collect()),
    })
}

fn per_layer(
    config: &ExperimentConfig,
    name: &str,
    coefficients: &PerLayer,
) -> Result<Vec<f64>, Invalid> {
    let layers = config.model.hidden_dims.len() + 1;
    let values = coefficients.of(layers);
    if values.len() == layers {
        return Ok(values);
    }
    let problem = format!(
        "has {} numbers, but the network has {layers} affine layers",
        values.len()
    );
    Err(Invalid::new(format!("training.penalty.{name}"), problem))
}

/// All cores where none are said.
pub(crate) fn threads(wanted: Option<usize>) -> usize {
    wanted.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}

fn optimizer(config: &ExperimentConfig) -> Result<OptimizerConfig, Invalid> {
    let optimizer = &config.training.optimizer;
    let parsed = checked(
        OptimizerConfig::from_name(&optimizer.name, &optimizer.params),
        ("training.optimizer.name", "training.optimizer.params"),
    )?;
    Ok(OptimizerConfig {
        decay_biases: optimizer.decay_biases,
        ..parsed
    })
}

fn scheduler(config: &ExperimentConfig) -> Result<Option<SchedulerConfig>, Invalid> {
    let Some(scheduler) = &config.training.scheduler else {
        return Ok(None);
    };
    let parsed = checked(
        SchedulerConfig::from_name(&scheduler.name, &scheduler.params),
        ("training.scheduler.name", "training.scheduler.params"),
    )?;
    let Some(warmup) = scheduler.warmup else {
        return Ok(Some(parsed));
    };
    if matches!(parsed, SchedulerConfig::ReduceLROnPlateau(_)) {
        let problem = "cannot be used before ReduceLROnPlateau, which stands alone";
        return Err(Invalid::new("training.scheduler.warmup", problem));
    }
    Ok(Some(
        parsed.after_warmup(warmup.start_factor, warmup.total_iters),
    ))
}

/// Says which key holds what the engine refuses: that of the name, or the one below which parameters are.
fn checked<T>(
    parsed: Result<T, SettingError>,
    (name_key, parameters_key): (&str, &str),
) -> Result<T, Invalid> {
    parsed.map_err(|error| {
        let key = match error.parameter() {
            None => name_key.to_owned(),
            Some(parameter) => format!("{parameters_key}.{parameter}"),
        };
        let refused = Invalid::new(key, format!("cannot be used: {error}"));
        let (wrong, known) = match &error {
            SettingError::UnknownName { name, known, .. } => (name, known.to_vec()),
            SettingError::UnknownParameter {
                parameter, known, ..
            } => (parameter, known.clone()),
            SettingError::Invalid { .. } => return refused,
        };
        match closest(wrong, known) {
            Some(meant) => refused.with_help(format!("did you mean `{meant}`?")),
            None => refused,
        }
    })
}
