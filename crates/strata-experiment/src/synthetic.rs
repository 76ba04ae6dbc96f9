//! Synthetic images on their way into the training set.

use std::path::Path;

use strata_config::from_named_yaml;
use strata_data::synthetic::{PixelKind, fingerprint_of, read_artifact};
use strata_data::{Events, Splits};

use crate::config::{DataConfig, MismatchAction};
use crate::error::ExperimentError;

/// Beside the artifact: what it was made from, and how.
pub(crate) const METADATA: &str = "metadata.yaml";
/// The key of the metadata that holds [`fingerprint_of`] the original images.
pub(crate) const SOURCE_FINGERPRINT: &str = "source_fingerprint";
const SOURCE: &str = "source";

/// Adds the artifact of a configuration to the training set, without copies of validation images.
pub(crate) fn add(
    config: &DataConfig,
    splits: &mut Splits,
    events: &mut dyn Events,
) -> Result<(), ExperimentError> {
    let path = config.synthetic_artifact.as_deref();
    let path = path.expect("checked with the configuration");
    if !path.exists() {
        return Err(ExperimentError::NoArtifact {
            path: path.to_owned(),
        });
    }
    let normalization = &config.normalization;
    let (mean, std) = (normalization.mean, normalization.std);
    let artifact = read_artifact(path, splits.class_names.len(), mean, std)?;
    if artifact.pixels == PixelKind::Normalised {
        events.notice(&format!(
            "the images of {} are normalised already; this is undone, since the loader normalises",
            path.display()
        ));
    }
    let is_of_these = is_of_these(path, config, splits, events)?;
    if artifact.source_index.is_none() {
        events.notice(&format!(
            "warning: {} does not say what its images are copies of (`source_index`): copies of validation images may be \
             trained on, and validation figures too good",
            path.display()
        ));
    }
    let added = splits.add(artifact, is_of_these);
    let added = added.map_err(|problem| ExperimentError::NotTheSource {
        path: path.to_owned(),
        problem,
    })?;
    events.notice(&format!(
        "{}: {} synthetic images added to the training set, {} copies of validation images dropped",
        path.display(),
        added.added,
        added.dropped
    ));
    Ok(())
}

/// Whether the artifact was made from these images, as far as its metadata says.
fn is_of_these(
    path: &Path,
    config: &DataConfig,
    splits: &Splits,
    events: &mut dyn Events,
) -> Result<bool, ExperimentError> {
    let metadata = path.with_file_name(METADATA);
    let Ok(text) = std::fs::read_to_string(&metadata) else {
        return Ok(true);
    };
    let node = from_named_yaml(&metadata.display().to_string(), &text)?;
    let value_of = |key| node.child(key).and_then(|value| value.as_str());
    let Some(expected) = value_of(SOURCE_FINGERPRINT) else {
        return Ok(true);
    };
    let found = fingerprint_of(&splits.train.dataset);
    if expected == found {
        return Ok(true);
    }
    let problem = format!(
        "it was made from other images ({}, fingerprint {expected:.12}…) than those of this run ({}, fingerprint {found:.12}…)",
        value_of(SOURCE).unwrap_or("of unknown origin"),
        splits.source,
    );
    if config.synthetic_mismatch == MismatchAction::Refuse {
        return Err(ExperimentError::NotTheSource {
            path: path.to_owned(),
            problem: problem
                + "\nhelp: make it anew with `strata synth`, let `data.root` name its images, or set \
                   `data.synthetic_mismatch=warn` to add it all the same",
        });
    }
    events.notice(&format!(
        "warning: {}: {problem}; copies of validation images cannot be told",
        path.display()
    ));
    Ok(false)
}
