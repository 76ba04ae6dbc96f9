//! The best model of a run, as a file that says all that is needed to use it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use strata_nn::{Mlp, MlpConfig, NamedTensor, Norm};
use strata_tensorfile::{Tensor, pt, safetensors};
use strata_track::RunDirectory;

use crate::config::{DataConfig, ModelConfig};
use crate::engine;
use crate::error::ExperimentError;

/// File name of the best model below `artifacts/`.
pub const BEST_MODEL: &str = "best_model.safetensors";
/// The same as a state dict that `torch.load` reads into the equivalent `nn.Sequential`.
pub const BEST_MODEL_PT: &str = "best_model.pt";
/// Its evaluation, class by class.
pub const EVALUATION: &str = "evaluation.json";

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
        let mlp = network(&config, tensors).map_err(not_a_model)?;
        Ok(Self { card, mlp })
    }

    /// Names of the classes in the order of the outputs.
    pub fn class_names(&self) -> &[String] {
        &self.card.class_names
    }
}

/// A network with the parameters of a file of ours, or of anybody's where the names differ: then those of
/// the file are taken in its order, which is that of the layers.
pub(crate) fn network(config: &MlpConfig, tensors: Vec<Tensor>) -> Result<Mlp, String> {
    check_size(config, &tensors)?;
    let mut mlp = Mlp::new(config, 0);
    let needed = mlp.parameters();
    let known = |name: &str| needed.iter().any(|needed| needed.name == name);
    let in_order = !tensors.iter().all(|tensor| known(&tensor.name));
    let mut names = needed.iter().map(|needed| &needed.name).filter(|name| {
        let counted = tensors.len() == needed.len();
        counted || !name.ends_with(BATCHES_TRACKED)
    });
    let mut renamed = Vec::with_capacity(tensors.len());
    for Tensor { name, shape, data } in tensors.iter().cloned() {
        let name = if in_order {
            names.next().cloned().unwrap_or(name)
        } else {
            name
        };
        renamed.push(NamedTensor { name, shape, data });
    }
    mlp.load_parameters(&renamed)
        .map_err(|error| error.to_string())?;
    Ok(mlp)
}

const BATCHES_TRACKED: &str = "num_batches_tracked";

/// A file that names a larger network than it holds must not make us allocate it.
fn check_size(config: &MlpConfig, tensors: &[Tensor]) -> Result<(), String> {
    let dims = config.dims();
    let held: usize = tensors
        .iter()
        .filter(|tensor| !tensor.name.ends_with(BATCHES_TRACKED))
        .map(|tensor| tensor.data.len())
        .sum();
    let by_unit = match config.norm {
        None => 0,
        Some(Norm::Layer) => 2,
        Some(Norm::Batch) => 4,
    };
    let affine = dims.windows(2).try_fold(0_usize, |sum, pair| {
        pair[0]
            .checked_add(1)?
            .checked_mul(pair[1])?
            .checked_add(sum)
    });
    let normed = config.hidden_dims.iter().try_fold(0_usize, |sum, width| {
        width.checked_mul(by_unit)?.checked_add(sum)
    });
    let needed = affine.zip(normed).and_then(|(a, b)| a.checked_add(b));
    if needed == Some(held) && !dims.contains(&0) {
        return Ok(());
    }
    let matrices: Vec<&Tensor> = tensors.iter().filter(|t| t.shape.len() == 2).collect();
    let widths: Vec<String> = matrices
        .iter()
        .map(|matrix| matrix.shape[0].to_string())
        .collect();
    let hidden = widths.len().saturating_sub(1);
    Err(format!(
        "it holds {held} numbers, which do not make a network of widths {dims:?}; its own look like \
         model.hidden_dims=[{}]",
        widths[..hidden].join(",")
    ))
}

/// Writes a model, whole or not at all, for us and for torch.
pub(crate) fn write(
    directory: &RunDirectory,
    mlp: &Mlp,
    card: &ModelCard,
) -> Result<(), ExperimentError> {
    let tensors: Vec<Tensor> = mlp
        .parameters()
        .into_iter()
        .map(|NamedTensor { name, shape, data }| Tensor { name, shape, data })
        .collect();
    let metadata = serde_json::to_value(card).expect("a card is plain data");
    safetensors::write(&directory.artifact_path(BEST_MODEL), &tensors, &metadata)?;
    Ok(pt::write(
        &directory.artifact_path(BEST_MODEL_PT),
        &tensors,
    )?)
}
