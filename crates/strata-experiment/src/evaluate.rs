//! A run's figures, computed again from its saved model.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use strata_data::{Events, Normalizer};
use strata_nn::{OptimizerConfig, Trainer, TrainerConfig};

use crate::artifact::SavedModel;
use crate::config::SourceName;
use crate::engine;
use crate::error::ExperimentError;
use crate::load::load_splits;
use crate::samples::Images;

/// Which run, and where its data are now.
#[derive(Debug, Clone)]
pub struct EvaluateRequest {
    /// The run directory.
    pub run: PathBuf,
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
    /// Epoch of the model, from 1.
    pub epoch: u64,
    /// Name → value: loss and accuracy on validation and test set.
    #[serde(flatten)]
    pub figures: BTreeMap<String, f64>,
    /// What the run wrote down when it saved the model.
    pub recorded: BTreeMap<String, f64>,
    /// Whether images, labels and split are those that the run had.
    pub same_data: bool,
}

/// Evaluates a run's best model on the validation and test images of its configuration.
///
/// # Errors
/// No model, or the data cannot be had; nothing is downloaded.
pub fn evaluate_run(
    request: &EvaluateRequest,
    events: &mut dyn Events,
) -> Result<EvaluatedRun, ExperimentError> {
    let SavedModel { card, mlp } = SavedModel::of_run(&request.run)?;
    let mut data = card.data.clone();
    data.download = false;
    if let Some(source) = request.source {
        data.name = source;
    }
    if let Some(root) = &request.root {
        data.root.clone_from(root);
    }
    let threads = engine::threads(request.threads);
    let splits = load_splits(&data, card.seed, threads, events)?;
    let normalizer = Normalizer::new(data.normalization.mean, data.normalization.std);
    let mut trainer = evaluator(mlp, threads);
    let mut figures = BTreeMap::new();
    for (name, subset) in [("validation", &splits.validation), ("test", &splits.test)] {
        if subset.is_empty() {
            continue;
        }
        let evaluation = trainer.evaluate(&Images {
            subset,
            normalizer: &normalizer,
        });
        figures.insert(format!("{name}/loss"), evaluation.loss);
        figures.insert(format!("{name}/accuracy"), evaluation.accuracy);
    }
    Ok(EvaluatedRun {
        epoch: card.epoch,
        figures,
        same_data: splits.fingerprint == card.data_fingerprint,
        recorded: card.metrics,
    })
}

/// A trainer that only evaluates: its optimiser is never asked.
pub(crate) fn evaluator(mlp: strata_nn::Mlp, threads: usize) -> Trainer {
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
