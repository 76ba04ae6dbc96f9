//! Pictures classified by a run's saved model.

use std::path::PathBuf;

use serde::Serialize;
use strata_data::PIXELS;
use strata_nn::MatrixSamples;

use crate::artifact::SavedModel;
use crate::error::ExperimentError;
use crate::evaluate::evaluator;

/// What a model makes of one picture.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    /// The picture's file.
    pub file: PathBuf,
    /// The likeliest classes, the first one first.
    pub classes: Vec<ClassProbability>,
}

/// A class and how likely it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassProbability {
    /// Name of the class.
    pub class: String,
    /// In 0..1.
    pub probability: f32,
}

/// Classifies PNG pictures; `top` classes are given for each.
///
/// # Errors
/// A picture that cannot be read; none is classified then.
pub fn predict(
    model: SavedModel,
    files: &[PathBuf],
    top: usize,
) -> Result<Vec<Prediction>, ExperimentError> {
    let normalization = model.card.data.normalization;
    let mut x = Vec::with_capacity(files.len() * PIXELS);
    for file in files {
        let pixels = strata_data::read_picture(file)?;
        let normalized = pixels.iter().map(|&pixel| {
            ((f64::from(pixel) / 255.0 - normalization.mean) / normalization.std) as f32
        });
        x.extend(normalized);
    }
    let samples = MatrixSamples {
        x,
        labels: vec![0; files.len()],
        input_dim: PIXELS,
    };
    let SavedModel { card, mlp } = model;
    if mlp.config().input_dim != PIXELS {
        return Err(ExperimentError::Mismatch {
            what: "a picture",
            found: PIXELS,
            unit: "pixels",
            key: "model.input_dim",
            expected: mlp.config().input_dim,
        });
    }
    let probabilities = evaluator(mlp, 1).predict(&samples);
    let predictions = files
        .iter()
        .zip(probabilities)
        .map(|(file, probabilities)| {
            let mut classes: Vec<ClassProbability> = card
                .class_names
                .iter()
                .zip(probabilities)
                .map(|(class, probability)| ClassProbability {
                    class: class.clone(),
                    probability,
                })
                .collect();
            classes.sort_by(|a, b| b.probability.total_cmp(&a.probability));
            classes.truncate(top.max(1));
            Prediction {
                file: file.clone(),
                classes,
            }
        });
    Ok(predictions.collect())
}
