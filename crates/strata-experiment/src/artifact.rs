//! The best model of a run, as a file that says all that is needed to use it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use strata_nn::{Mlp, NamedTensor};
use strata_tensorfile::{Tensor, safetensors};

use crate::config::{DataConfig, ModelConfig};
use crate::engine;
use crate::error::ExperimentError;

/// File name of the best model below `artifacts/`.
pub const BEST_MODEL: &str = "best_model.safetensors";

/// What a model file says of itself, as JSON in its metadata.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ModelCard {
    /// Version of the program that wrote it.
    pub(crate) program_version: String,
    /// Epoch after which the parameters were these, from 1.
    pub(crate) epoch: u64,
    /// The network.
    pub(crate) model: ModelConfig,
    /// The data it was trained on, the root as an absolute path.
    pub(crate) data: DataConfig,
    /// Seed of the split.
    pub(crate) seed: u64,
    /// SHA-256 of images, labels and split.
    pub(crate) data_fingerprint: String,
    /// Names of the classes in the order of the outputs.
    pub(crate) class_names: Vec<String>,
    /// Figures of the evaluation that chose it.
    pub(crate) metrics: BTreeMap<String, f64>,
}

/// A model read back from its file.
pub struct SavedModel {
    pub(crate) card: ModelCard,
    pub(crate) mlp: Mlp,
}

impl SavedModel {
    /// Reads the best model of a run directory.
    ///
    /// # Errors
    /// No model, a damaged one, or parameters that do not fit the network it names.
    pub fn of_run(run: &Path) -> Result<Self, ExperimentError> {
        let path = run.join("artifacts").join(BEST_MODEL);
        let not_a_model = |problem: String| ExperimentError::NotAModel {
            path: path.clone(),
            problem,
        };
        if !path.is_file() {
            let problem = if run.join("run.json").is_file() {
                "the run ended before its first evaluation"
            } else if run.exists() {
                "the folder is no run directory"
            } else {
                "there is no such folder"
            };
            return Err(not_a_model(problem.to_owned()));
        }
        let (tensors, metadata) = safetensors::read(&path)?;
        let card: ModelCard = serde_json::from_value(metadata)
            .map_err(|error| not_a_model(format!("its metadata cannot be read: {error}")))?;
        let config = engine::mlp_config(&card.model)
            .map_err(|invalid| not_a_model(format!("`{}` {}", invalid.key, invalid.problem)))?;
        check_size(&config.dims(), &tensors).map_err(not_a_model)?;
        let tensors: Vec<NamedTensor> = tensors
            .into_iter()
            .map(|Tensor { name, shape, data }| NamedTensor { name, shape, data })
            .collect();
        let mut mlp = Mlp::new(&config, 0);
        mlp.load_parameters(&tensors)
            .map_err(|error| not_a_model(error.to_string()))?;
        Ok(Self { card, mlp })
    }

    /// Names of the classes in the order of the outputs.
    pub fn class_names(&self) -> &[String] {
        &self.card.class_names
    }
}

/// A file that names a larger network than it holds must not make us allocate it.
fn check_size(dims: &[usize], tensors: &[Tensor]) -> Result<(), String> {
    let held: usize = tensors.iter().map(|tensor| tensor.data.len()).sum();
    let needed = dims.windows(2).try_fold(0_usize, |sum, pair| {
        pair[0]
            .checked_add(1)?
            .checked_mul(pair[1])?
            .checked_add(sum)
    });
    if needed != Some(held) || dims.contains(&0) {
        return Err(format!(
            "it holds {held} numbers, which do not make a network of widths {dims:?}"
        ));
    }
    Ok(())
}

/// Writes a model, whole or not at all.
pub(crate) fn write(path: &Path, mlp: &Mlp, card: &ModelCard) -> Result<(), ExperimentError> {
    let tensors: Vec<Tensor> = mlp
        .parameters()
        .into_iter()
        .map(|NamedTensor { name, shape, data }| Tensor { name, shape, data })
        .collect();
    let metadata = serde_json::to_value(card).expect("a card is plain data");
    Ok(safetensors::write(path, &tensors, &metadata)?)
}
