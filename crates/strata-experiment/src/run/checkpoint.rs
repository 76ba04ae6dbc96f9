//! All that a run needs to go on, on disk.
//!
//! `checkpoints/last.safetensors` holds it whole: the trainer's arrays, the best model's parameters, and
//! in its metadata everything else with a checksum over all. `last.json` repeats that for people. The one
//! before stays as `previous.safetensors`; it is what a damaged last one falls back to.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use strata_data::Splits;
use strata_fs::Sha256;
use strata_nn::{NamedTensor, TrainerProgress, TrainerState};
use strata_tensorfile::{Tensor, safetensors};
use strata_track::RunDirectory;

use super::best::BestRecord;
use crate::error::{ExperimentError, write_file};

const LAST: &str = "last.safetensors";
const PREVIOUS: &str = "previous.safetensors";
const FOR_PEOPLE: &str = "last.json";

/// Of the best model's parameters.
const BEST_PREFIX: &str = "best.";
const TRAINER_PREFIX: &str = "trainer.";

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct RunProgress {
    /// Epochs that are over, evaluation and all.
    pub(super) epochs_done: usize,
    /// Whether the metric has not improved for too long.
    pub(super) stopped_early: bool,
    /// Evaluations since the last improvement.
    pub(super) without_improvement: u64,
    /// The metric at the last improvement.
    pub(super) improved_to: Option<f64>,
    /// The best model, whose parameters are among the tensors.
    pub(super) best: Option<BestRecord>,
    /// Length of `metrics.jsonl`.
    pub(super) metrics_bytes: u64,
    /// Length of the log.
    pub(super) log_bytes: u64,
    /// SHA-256 of images, labels, split and synthetic images.
    pub(super) data_fingerprint: String,
    /// The trainer, without its arrays.
    pub(super) trainer: TrainerProgress,
}

/// A checkpoint, read back.
pub(super) struct Checkpoint {
    pub(super) progress: RunProgress,
    pub(super) trainer: TrainerState,
    /// Parameters of the best model.
    pub(super) best: Vec<NamedTensor>,
    /// Why the last checkpoint was passed over, if it was.
    pub(super) fell_back: Option<String>,
}

impl Checkpoint {
    /// Refuses other data than the run had.
    pub(super) fn check_data(&self, splits: &Splits) -> Result<(), ExperimentError> {
        if self.progress.data_fingerprint == splits.training_fingerprint {
            Ok(())
        } else {
            Err(ExperimentError::OtherData)
        }
    }
}

/// Writes a checkpoint; the last one becomes the previous one.
pub(super) fn write(
    directory: &RunDirectory,
    progress: &RunProgress,
    trainer: &[NamedTensor],
    best: &[NamedTensor],
) -> Result<(), ExperimentError> {
    let named = |prefix: &'static str| {
        move |tensor: &NamedTensor| Tensor {
            name: format!("{prefix}{}", tensor.name),
            shape: tensor.shape.clone(),
            data: tensor.data.clone(),
        }
    };
    let mut tensors: Vec<Tensor> = trainer.iter().map(named(TRAINER_PREFIX)).collect();
    tensors.extend(best.iter().map(named(BEST_PREFIX)));
    let text = serde_json::to_string(progress).expect("plain data");
    let metadata = json!({"sha256": checksum(&text, &tensors), "progress": text});
    let (last, previous) = (
        directory.checkpoint_path(LAST),
        directory.checkpoint_path(PREVIOUS),
    );
    if last.exists() {
        std::fs::rename(&last, &previous).map_err(|source| ExperimentError::Write {
            path: previous,
            source,
        })?;
    }
    safetensors::write(&last, &tensors, &metadata)?;
    let for_people = serde_json::to_string_pretty(progress).expect("plain data") + "\n";
    write_file(
        &directory.checkpoint_path(FOR_PEOPLE),
        for_people.as_bytes(),
    )
}

/// Reads the last checkpoint, or, where that is damaged or its run's metrics were cut off, the one before;
/// none if there is none.
pub(super) fn read(directory: &RunDirectory) -> Result<Option<Checkpoint>, ExperimentError> {
    let metrics = std::fs::metadata(directory.metrics_path()).map_or(0, |file| file.len());
    let paths = [LAST, PREVIOUS].map(|name| directory.checkpoint_path(name));
    let mut why: Option<(PathBuf, String)> = None;
    for path in paths.iter().filter(|path| path.exists()) {
        match read_one(path).and_then(|found| check_length(found, metrics)) {
            Ok(checkpoint) => {
                return Ok(Some(Checkpoint {
                    fell_back: why.map(|(path, why)| format!("{}: {why}", path.display())),
                    ..checkpoint
                }));
            }
            Err(problem) => {
                why.get_or_insert((path.clone(), problem));
            }
        }
    }
    match why {
        None => Ok(None),
        Some((path, problem)) => Err(ExperimentError::NotACheckpoint { path, problem }),
    }
}

fn check_length(checkpoint: Checkpoint, metrics: u64) -> Result<Checkpoint, String> {
    let needed = checkpoint.progress.metrics_bytes;
    if metrics < needed {
        return Err(format!(
            "`metrics.jsonl` has {metrics} bytes, but had {needed} when the checkpoint was written"
        ));
    }
    Ok(checkpoint)
}

fn read_one(path: &Path) -> Result<Checkpoint, String> {
    let (mut tensors, metadata) = safetensors::read(path).map_err(|error| error.to_string())?;
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    let text = |key: &str| {
        let value = metadata.get(key).and_then(Value::as_str);
        value.ok_or_else(|| format!("its metadata has no `{key}`"))
    };
    let (progress, wanted) = (text("progress")?, text("sha256")?);
    if checksum(progress, &tensors) != wanted {
        return Err("its checksum does not match its content".to_owned());
    }
    let progress: RunProgress =
        serde_json::from_str(progress).map_err(|error| format!("its progress: {error}"))?;
    let part = |prefix: &str| -> Vec<NamedTensor> {
        let of_part = tensors.iter().filter_map(|tensor| {
            Some(NamedTensor {
                name: tensor.name.strip_prefix(prefix)?.to_owned(),
                shape: tensor.shape.clone(),
                data: tensor.data.clone(),
            })
        });
        of_part.collect()
    };
    Ok(Checkpoint {
        trainer: TrainerState {
            tensors: part(TRAINER_PREFIX),
            progress: progress.trainer.clone(),
        },
        best: part(BEST_PREFIX),
        progress,
        fell_back: None,
    })
}

/// SHA-256 of the text and of all tensors, in the order of their names.
fn checksum(text: &str, tensors: &[Tensor]) -> String {
    let mut sorted: Vec<&Tensor> = tensors.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    let mut sha256 = Sha256::new();
    sha256.update(text.as_bytes());
    let mut bytes = Vec::new();
    for tensor in sorted {
        bytes.clear();
        bytes.extend(tensor.name.as_bytes());
        bytes.extend(tensor.data.iter().flat_map(|value| value.to_le_bytes()));
        sha256.update(&bytes);
    }
    sha256.hex()
}
