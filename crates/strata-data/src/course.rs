//! The course's files: `emnist-{train,valid,test}.npz` with the keys `inputs` and `targets`.
//!
//! Inputs are `[n, 784]` or `[n, 28, 28]`, of any numeric type, with pixels in 0..=255 or in 0..=1 (told
//! apart by their maximum); they are upright already.

use std::path::{Path, PathBuf};

use strata_fs::Sha256;
use strata_tensorfile::{Elements, NpzFile};

use crate::dataset::{Dataset, PIXELS};
use crate::error::DataError;

/// The three sets and their digest.
pub(crate) struct Loaded {
    pub(crate) train: Dataset,
    pub(crate) validation: Dataset,
    pub(crate) test: Dataset,
    pub(crate) digest: String,
}

/// Looks for the three files in a folder; none if not a single one is there.
pub(crate) fn find(folder: &Path) -> Result<Option<[PathBuf; 3]>, DataError> {
    let paths = ["train", "valid", "test"].map(|part| folder.join(format!("emnist-{part}.npz")));
    let Some(present) = paths.iter().find(|path| path.exists()) else {
        return Ok(None);
    };
    match paths.iter().find(|path| !path.exists()) {
        Some(missing) => Err(DataError::Incomplete {
            missing: missing.clone(),
            present: present.clone(),
        }),
        None => Ok(Some(paths)),
    }
}

/// Reads the three files.
pub(crate) fn read(paths: &[PathBuf; 3], classes: usize) -> Result<Loaded, DataError> {
    let mut digest = Sha256::new();
    let mut sets = Vec::new();
    for path in paths {
        let set = read_one(path, classes)?;
        digest.update(&set.images);
        digest.update(&set.labels);
        sets.push(set);
    }
    let [train, validation, test]: [Dataset; 3] = sets.try_into().expect("there are three paths");
    Ok(Loaded {
        train,
        validation,
        test,
        digest: digest.hex(),
    })
}

fn read_one(path: &Path, classes: usize) -> Result<Dataset, DataError> {
    let refused = |problem: String| DataError::Npz {
        path: path.to_owned(),
        problem,
    };
    let mut file = NpzFile::open(path).map_err(|error| refused(error.to_string()))?;
    let inputs = file
        .array("inputs")
        .map_err(|error| refused(error.to_string()))?;
    let targets = file
        .array("targets")
        .map_err(|error| refused(error.to_string()))?;
    let count = match inputs.shape.as_slice() {
        [n, 784] | [n, 28, 28] | [n, 1, 28, 28] => *n,
        shape => {
            return Err(refused(format!(
                "`inputs` has shape {shape:?}, not [n, 784] or [n, 28, 28]"
            )));
        }
    };
    if targets.elements.len() != count {
        let labels = targets.elements.len();
        return Err(refused(format!(
            "there are {count} `inputs`, but {labels} `targets`"
        )));
    }
    let images = pixels(&inputs.elements)
        .ok_or_else(|| refused("`inputs` holds numbers that are no pixels".into()))?;
    let labels = targets
        .elements
        .to_f64()
        .into_iter()
        .enumerate()
        .map(|(image, label)| {
            let fits = label >= 0.0 && label < classes as f64 && label.fract() == 0.0;
            if fits {
                Ok(label as u8)
            } else {
                Err(refused(format!(
                    "label {label} of image {image} is out of range 0..={}",
                    classes - 1
                )))
            }
        });
    debug_assert_eq!(images.len(), count * PIXELS);
    Ok(Dataset {
        labels: labels.collect::<Result<_, _>>()?,
        images,
    })
}

/// Bytes of pixels in 0..=255 or 0..=1; none if there are others.
fn pixels(elements: &Elements) -> Option<Vec<u8>> {
    if let Elements::U8(bytes) = elements
        && bytes.iter().any(|&byte| byte > 1)
    {
        return Some(bytes.clone());
    }
    let values = elements.to_f64();
    let most = values.iter().copied().fold(0.0, f64::max);
    let scale = if most <= 1.0 { 255.0 } else { 1.0 };
    values
        .into_iter()
        .map(|value| {
            let pixel = (value * scale).round();
            (0.0..=255.0).contains(&pixel).then_some(pixel as u8)
        })
        .collect()
}
