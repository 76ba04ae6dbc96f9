//! Reading synthetic images from a file: ours, or one that torch wrote.

use std::path::{Path, PathBuf};

use strata_tensorfile::{PtError, TensorFileError, TypedTensor, Values, pt, safetensors};
use thiserror::Error;

use crate::dataset::{Dataset, PIXELS};

/// Synthetic images and what they are copies of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// The images.
    pub dataset: Dataset,
    /// Index of the original in the training file, if the artifact says it.
    pub source_index: Option<Vec<u32>>,
    /// What its pixels were.
    pub pixels: PixelKind,
}

/// How an artifact holds its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PixelKind {
    /// 0 to 255.
    Bytes,
    /// Floats in 0..=1.
    Unit,
    /// Floats less the mean, by the deviation: this has been undone.
    Normalised,
}

/// An artifact that cannot be used.
#[derive(Debug, Error)]
pub enum ArtifactError {
    /// The `.pt` file cannot be read.
    #[error(transparent)]
    Pt(#[from] PtError),
    /// The safetensors file cannot be read.
    #[error(transparent)]
    Safetensors(#[from] TensorFileError),
    /// It holds something else.
    #[error("{} is no artifact of synthetic images: {problem}", .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

/// Floats may be off by this much from the range of what was undone.
const TOLERANCE: f32 = 0.02;

/// Reads a `.pt` file (nothing in it is executed) or a `.safetensors` file with `images`, `[N, 1, 28, 28]`,
/// `[N, 28, 28]` or `[N, 784]`, of bytes or floats; `labels`, `[N]`; and perhaps `source_index`, `[N]`.
/// Normalised floats are turned back with `mean` and `std`, so that the training loader normalises once.
///
/// # Errors
/// A damaged file, wrong shapes, a label beyond `classes`, pixels beyond their range.
pub fn read_artifact(
    path: &Path,
    classes: usize,
    mean: f64,
    std: f64,
) -> Result<Artifact, ArtifactError> {
    let is_safetensors = path.extension().is_some_and(|end| end == "safetensors");
    let tensors = if is_safetensors {
        safetensors::read_typed(path)?
    } else {
        pt::read_dictionary(path)?
    };
    artifact_of(tensors, classes, mean as f32, std as f32).map_err(|problem| {
        ArtifactError::Content {
            path: path.to_owned(),
            problem,
        }
    })
}

fn artifact_of(
    mut tensors: Vec<TypedTensor>,
    classes: usize,
    mean: f32,
    std: f32,
) -> Result<Artifact, String> {
    let names: Vec<String> = tensors.iter().map(|tensor| tensor.name.clone()).collect();
    let mut take = |name: &str| {
        let found = tensors.iter().position(|tensor| tensor.name == name);
        found.map(|at| tensors.swap_remove(at))
    };
    let missing = |name: &str| format!("it has no tensor `{name}`, only `{}`", names.join("`, `"));
    let images = take("images").ok_or_else(|| missing("images"))?;
    let labels = take("labels").ok_or_else(|| missing("labels"))?;
    let ([count, 1, 28, 28] | [count, 28, 28] | [count, PIXELS]) = images.shape[..] else {
        return Err(format!(
            "`images` has the shape {:?}; [N, 1, 28, 28] is read",
            images.shape
        ));
    };
    let labels = whole_numbers(labels, count, classes as u64)?;
    let source_index = take("source_index")
        .map(|tensor| whole_numbers(tensor, count, 1 << 32))
        .transpose()?;
    let (images, pixels) = bytes_of(images.values, mean, std)?;
    Ok(Artifact {
        dataset: Dataset {
            images,
            labels: labels.into_iter().map(|label| label as u8).collect(),
        },
        source_index,
        pixels,
    })
}

/// `count` numbers below a bound, which is at most 2³².
fn whole_numbers(tensor: TypedTensor, count: usize, bound: u64) -> Result<Vec<u32>, String> {
    let TypedTensor {
        name,
        shape,
        values,
    } = tensor;
    if shape != [count] {
        return Err(format!(
            "`{name}` has the shape {shape:?}, but there are {count} images"
        ));
    }
    let values = match values {
        Values::I64(values) => values,
        Values::U8(values) => values.into_iter().map(i64::from).collect(),
        Values::F32(_) => {
            return Err(format!("`{name}` is of floats; it must be of integers"));
        }
    };
    let fits = |&value: &i64| u64::try_from(value).is_ok_and(|value| value < bound);
    if let Some(at) = values.iter().position(|value| !fits(value)) {
        return Err(format!(
            "`{name}` of image {at} is {}, out of range 0..={}",
            values[at],
            bound.saturating_sub(1)
        ));
    }
    Ok(values.into_iter().map(|value| value as u32).collect())
}

fn bytes_of(values: Values, mean: f32, std: f32) -> Result<(Vec<u8>, PixelKind), String> {
    let values = match values {
        Values::U8(bytes) => return Ok((bytes, PixelKind::Bytes)),
        Values::I64(_) => {
            return Err("`images` is of int64; uint8 or floats are read".to_owned());
        }
        Values::F32(values) => values,
    };
    if values.iter().any(|value| !value.is_finite()) {
        return Err("`images` holds values that are not finite".to_owned());
    }
    let least = values.iter().copied().fold(f32::INFINITY, f32::min);
    let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let (kind, scale, shift) = if least >= -TOLERANCE && most <= 1.0 + TOLERANCE {
        (PixelKind::Unit, 255.0, 0.0)
    } else if least >= 0.0 && most <= 255.0 {
        (PixelKind::Bytes, 1.0, 0.0)
    } else if least * std + mean >= -TOLERANCE && most * std + mean <= 1.0 + TOLERANCE {
        (PixelKind::Normalised, 255.0 * std, 255.0 * mean)
    } else {
        return Err(format!(
            "`images` is of floats from {least} to {most}, which are neither in 0..1, nor in 0..255, nor \
             normalised by the mean {mean} and the deviation {std} of `data.normalization`"
        ));
    };
    let byte = |value: f32| (value * scale + shift).round().clamp(0.0, 255.0) as u8;
    Ok((values.into_iter().map(byte).collect(), kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(name: &str, shape: &[usize], values: Values) -> TypedTensor {
        TypedTensor {
            name: name.to_owned(),
            shape: shape.to_vec(),
            values,
        }
    }

    fn read(images: Values, labels: Vec<i64>) -> Result<Artifact, String> {
        let tensors = vec![
            tensor("images", &[2, 1, 28, 28], images),
            tensor("labels", &[labels.len()], Values::I64(labels)),
        ];
        artifact_of(tensors, 47, 0.1307, 0.3081)
    }

    #[test]
    fn floats_of_three_kinds_become_the_same_bytes() {
        let bytes: Vec<u8> = (0..2 * PIXELS).map(|at| (at % 256) as u8).collect();
        let floats = |change: fn(f32) -> f32| {
            Values::F32(bytes.iter().map(|&x| change(f32::from(x))).collect())
        };
        for (values, kind) in [
            (Values::U8(bytes.clone()), PixelKind::Bytes),
            (floats(|x| x), PixelKind::Bytes),
            (floats(|x| x / 255.0), PixelKind::Unit),
            (
                floats(|x| (x / 255.0 - 0.1307) / 0.3081),
                PixelKind::Normalised,
            ),
        ] {
            let artifact = read(values, vec![0, 46]).expect("read");
            assert_eq!(artifact.pixels, kind);
            assert_eq!(artifact.dataset.images, bytes, "{kind:?}");
            assert_eq!(artifact.source_index, None);
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_place() {
        let images = || Values::U8(vec![0; 2 * PIXELS]);
        let refused = |read: Result<Artifact, String>| read.expect_err("refused");
        assert!(refused(read(images(), vec![0, 47])).contains("`labels` of image 1 is 47"));
        assert!(refused(read(images(), vec![0, -1])).contains("is -1"));
        assert!(refused(read(images(), vec![0])).contains("there are 2 images"));
        let floats = |value| Values::F32(vec![value; 2 * PIXELS]);
        assert!(refused(read(floats(f32::NAN), vec![0, 0])).contains("finite"));
        assert!(refused(read(floats(900.0), vec![0, 0])).contains("from 900 to 900"));
        let nothing = artifact_of(vec![tensor("x", &[1], Values::U8(vec![0]))], 47, 0.1, 0.3);
        assert!(refused(nothing).contains("only `x`"));
    }
}
