//! A run's figures, computed again from its saved model.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use strata_data::{Events, Normalizer, Splits};
use strata_nn::{Evaluation, Mlp, OptimizerConfig, Trainer, TrainerConfig};
use strata_tensorfile::{pt, safetensors};

use crate::artifact::{self, SavedModel};
use crate::config::{DataConfig, ExperimentConfig, ModelConfig, SourceName};
use crate::engine;
use crate::error::ExperimentError;
use crate::load::load_splits;
use crate::samples::Images;

/// Which run, and where its data are now.
#[derive(Debug, Clone)]
pub struct EvaluateRequest {
    /// The run directory.
    pub run: PathBuf,
    /// Weights from a file in place of the run's best model.
    pub weights: Option<PathBuf>,
    /// Another data set than the run's, to see what the model makes of images of another kind.
    pub source: Option<SourceName>,
    /// Folder of the data, if it is no longer the run's.
    pub root: Option<PathBuf>,
    /// Threads that compute; none for all cores.
    pub threads: Option<usize>,
}

/// The figures of the saved model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EvaluatedRun {
    /// Epoch of the model, from 1; none for weights from elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// Name → value: loss, accuracy, top-5 accuracy and calibration error on validation and test set.
    #[serde(flatten)]
    pub figures: BTreeMap<String, f64>,
    /// What the run wrote down when it saved the model.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub recorded: BTreeMap<String, f64>,
    /// Whether images, labels and split are those that the run had; none without a run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same_data: Option<bool>,
    /// Names of the classes.
    pub class_names: Vec<String>,
    /// By part of the data, class by class.
    pub parts: BTreeMap<&'static str, EvaluatedPart>,
}

/// A part of the data, class by class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EvaluatedPart {
    /// Mean cross-entropy in nats.
    pub loss: f64,
    /// Share of hits.
    pub accuracy: f64,
    /// Share of images whose class is among the five likeliest.
    pub top5_accuracy: f64,
    /// Expected calibration error over 15 bins.
    pub calibration_error: f64,
    /// Number of images.
    pub images: usize,
    /// Share of hits by class; null for a class without images.
    pub class_accuracy: Vec<Option<f64>>,
    /// Images by class (rows) and predicted class (columns).
    pub confusion: Vec<Vec<u32>>,
}

impl EvaluatedPart {
    pub(crate) fn new(evaluation: Evaluation) -> Self {
        let confusion = &evaluation.confusion;
        let rows = confusion.counts.chunks_exact(confusion.classes.max(1));
        let accuracies = confusion.class_accuracies().into_iter();
        Self {
            loss: evaluation.loss,
            accuracy: evaluation.accuracy,
            top5_accuracy: evaluation.top5_accuracy,
            calibration_error: evaluation.calibration_error,
            images: evaluation.count,
            class_accuracy: accuracies
                .map(|accuracy| (!accuracy.is_nan()).then_some(accuracy))
                .collect(),
            confusion: rows.map(<[u32]>::to_vec).collect(),
        }
    }
}

/// Evaluates a run's best model on the validation and test images of its configuration.
///
/// # Errors
/// No model, or the data cannot be had; nothing is downloaded.
pub fn evaluate_run(
    request: &EvaluateRequest,
    events: &mut dyn Events,
) -> Result<EvaluatedRun, ExperimentError> {
    let SavedModel { card, mut mlp } = SavedModel::of_run(&request.run)?;
    if let Some(weights) = &request.weights {
        mlp = weights_of(weights, &card.model)?;
    }
    let mut data = card.data.clone();
    data.download = false;
    // What was added to the training set is of no concern here, and may be gone.
    data.use_synthetic = false;
    if let Some(source) = request.source {
        data.name = source;
    }
    if let Some(root) = &request.root {
        data.root.clone_from(root);
    }
    let threads = engine::threads(request.threads);
    let splits = load_splits(&data, card.seed, threads, events)?;
    let same_data = splits.fingerprint == card.data_fingerprint;
    let evaluated = evaluated(mlp, &splits, &data, threads);
    if request.weights.is_some() {
        return Ok(evaluated);
    }
    Ok(EvaluatedRun {
        epoch: Some(card.epoch),
        same_data: Some(same_data),
        recorded: card.metrics,
        ..evaluated
    })
}

/// Evaluates the weights of a `.pt` or safetensors file in the network and on the data of a configuration.
///
/// # Errors
/// A file that cannot be read, weights that do not fit, or the data cannot be had.
pub fn evaluate_weights(
    weights: &Path,
    config: &ExperimentConfig,
    threads: Option<usize>,
    events: &mut dyn Events,
) -> Result<EvaluatedRun, ExperimentError> {
    let mlp = weights_of(weights, &config.model)?;
    let threads = engine::threads(threads.or(config.training.threads));
    let data = DataConfig {
        use_synthetic: false,
        ..config.data.clone()
    };
    let splits = load_splits(&data, config.training.seed, threads, events)?;
    Ok(evaluated(mlp, &splits, &config.data, threads))
}

/// The network of a configuration with the weights of a file: torch's, or safetensors.
fn weights_of(path: &Path, model: &ModelConfig) -> Result<Mlp, ExperimentError> {
    let is_safetensors = path.extension().is_some_and(|end| end == "safetensors");
    let tensors = if is_safetensors {
        safetensors::read(path)?.0
    } else {
        pt::read(path)?
    };
    let not_these = |problem: String| ExperimentError::NotTheWeights {
        path: path.to_owned(),
        problem,
    };
    let config = engine::mlp_config(model)
        .map_err(|invalid| not_these(format!("`{}` {}", invalid.key, invalid.problem)))?;
    artifact::network(&config, tensors).map_err(not_these)
}

fn evaluated(mlp: Mlp, splits: &Splits, data: &DataConfig, threads: usize) -> EvaluatedRun {
    let normalizer = Normalizer::new(data.normalization.mean, data.normalization.std);
    let mut trainer = evaluator(mlp, threads);
    let (mut figures, mut parts) = (BTreeMap::new(), BTreeMap::new());
    for (name, subset) in [("validation", &splits.validation), ("test", &splits.test)] {
        if subset.is_empty() {
            continue;
        }
        let evaluation = trainer.evaluate(&Images {
            subset,
            normalizer: &normalizer,
            augmentation: None,
        });
        for (figure, value) in [
            ("loss", evaluation.loss),
            ("accuracy", evaluation.accuracy),
            ("top5_accuracy", evaluation.top5_accuracy),
            ("calibration_error", evaluation.calibration_error),
        ] {
            figures.insert(format!("{name}/{figure}"), value);
        }
        parts.insert(name, EvaluatedPart::new(evaluation));
    }
    EvaluatedRun {
        epoch: None,
        figures,
        recorded: BTreeMap::new(),
        same_data: None,
        class_names: splits.class_names.clone(),
        parts,
    }
}

/// A trainer that only evaluates: its optimiser is never asked.
pub(crate) fn evaluator(mlp: Mlp, threads: usize) -> Trainer {
    let optimizer =
        OptimizerConfig::from_name("SGD", &BTreeMap::new()).expect("SGD needs no parameter");
    Trainer::new(
        mlp,
        TrainerConfig {
            threads,
            batch_size: 1,
            ..TrainerConfig::new(optimizer)
        },
    )
}
