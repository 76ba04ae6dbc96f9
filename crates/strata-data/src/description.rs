//! Counts and checksums, to look at a data set without training on it.

use serde::Serialize;
use strata_fs::Sha256;

use crate::dataset::{Splits, Subset};

/// What a data set is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Description {
    /// Where it came from.
    pub source: String,
    /// SHA-256 of what decides images, labels and split.
    pub fingerprint: String,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// The training images.
    pub train: SubsetDescription,
    /// The validation images.
    pub validation: SubsetDescription,
    /// The test images.
    pub test: SubsetDescription,
}

/// What a part of it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SubsetDescription {
    /// Number of images.
    pub images: usize,
    /// Number of images of each class.
    pub class_counts: Vec<usize>,
    /// SHA-256 of pixels and labels, image by image, in the order of the subset.
    pub sha256: String,
}

/// Counts and hashes all images.
pub fn describe(splits: &Splits) -> Description {
    let classes = splits.class_names.len();
    Description {
        source: splits.source.clone(),
        fingerprint: splits.fingerprint.clone(),
        classes: splits.class_names.clone(),
        train: describe_subset(&splits.train, classes),
        validation: describe_subset(&splits.validation, classes),
        test: describe_subset(&splits.test, classes),
    }
}

fn describe_subset(subset: &Subset, classes: usize) -> SubsetDescription {
    let mut class_counts = vec![0; classes];
    let mut digest = Sha256::new();
    for (position, label) in subset.labels().enumerate() {
        class_counts[usize::from(label)] += 1;
        digest.update(subset.pixels(position));
        digest.update(&[label]);
    }
    SubsetDescription {
        images: subset.len(),
        class_counts,
        sha256: digest.hex(),
    }
}
