//! The safetensors format: a JSON header, then the tensors' bytes (little endian, C order).
//!
//! Metadata of ours is one JSON text under the single key `strata` of `__metadata__`: the crate keeps
//! metadata in a hash map, so with two keys the bytes of the header would change from run to run.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, View};
use serde_json::Value;

use crate::{TypedTensor, Values};

/// The key of `__metadata__` that holds our JSON text.
const METADATA_KEY: &str = "strata";

/// Models here have a few million weights; a file beyond this is not one of ours.
const MAX_FILE_BYTES: u64 = 4 << 30;

/// A named array of `f32` in C order; `data.len()` is the product of `shape`.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Unique within a file, like `layers.0.weight`.
    pub name: String,
    /// Slowest dimension first; empty for a scalar.
    pub shape: Vec<usize>,
    /// The values, last dimension fastest.
    pub data: Vec<f32>,
}

/// Why a safetensors file could not be read or written; every message names the file.
#[derive(Debug, thiserror::Error)]
pub enum TensorFileError {
    /// The file system refused.
    #[error("cannot read or write tensors: {0}")]
    Io(#[from] io::Error),
    /// The bytes do not follow the format: truncated, overlapping, wrong sizes.
    #[error("`{}` is not a valid safetensors file: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What the format's reader found.
        reason: String,
    },
    /// A tensor is of a type that is not read: other than `F32`, or where types are kept, `U8`, `I64` or `F32`.
    #[error("`{}`: tensor `{name}` is of type {dtype}; it is not read", path.display())]
    Dtype {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// Its type, as the format spells it.
        dtype: String,
    },
    /// The file is larger than any we would write.
    #[error("`{}` has {size} bytes; at most {MAX_FILE_BYTES} are read", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
    },
    /// The metadata under `strata` is not JSON.
    #[error("`{}`: the metadata under `{METADATA_KEY}` is not JSON: {source}", path.display())]
    Metadata {
        /// The file.
        path: PathBuf,
        /// The parser's complaint.
        source: serde_json::Error,
    },
    /// A tensor to be written has a shape that does not match its data.
    #[error("tensor `{name}` has shape {shape:?} but {len} values")]
    Shape {
        /// The tensor.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// How many values it has.
        len: usize,
    },
    /// Two tensors to be written have one name.
    #[error("two tensors are named `{name}`")]
    Duplicate {
        /// The name.
        name: String,
    },
}

/// Writes `tensors` and `metadata` to `path`, whole or not at all; parent folders are created.
///
/// The bytes depend on nothing but the arguments. The format orders tensors by name.
///
/// # Errors
/// [`TensorFileError::Shape`], [`TensorFileError::Duplicate`] or those of the file system; what
/// stood at `path` is then untouched.
pub fn write(path: &Path, tensors: &[Tensor], metadata: &Value) -> Result<(), TensorFileError> {
    let views = tensors
        .iter()
        .map(|tensor| (&*tensor.name, F32View(tensor), tensor.data.len()));
    write_views(path, views.collect(), metadata)
}

/// Whether an array of this shape has so many elements.
fn is_size_of(len: usize, shape: &[usize]) -> bool {
    let product = shape.iter().try_fold(1_usize, |n, &d| n.checked_mul(d));
    product == Some(len)
}

/// Views with their names and numbers of elements.
fn write_views(
    path: &Path,
    views: Vec<(&str, impl View, usize)>,
    metadata: &Value,
) -> Result<(), TensorFileError> {
    let mut names = BTreeSet::new();
    for (name, view, len) in &views {
        if !is_size_of(*len, view.shape()) {
            return Err(TensorFileError::Shape {
                name: (*name).to_owned(),
                shape: view.shape().to_vec(),
                len: *len,
            });
        }
        if !names.insert(*name) {
            return Err(TensorFileError::Duplicate {
                name: (*name).to_owned(),
            });
        }
    }
    let header = HashMap::from([(METADATA_KEY.to_owned(), metadata.to_string())]);
    let views = views.into_iter().map(|(name, view, _)| (name, view));
    let bytes = safetensors::serialize(views, Some(header))
        .map_err(|error| TensorFileError::format(path, &error))?;
    Ok(strata_fs::write_atomically(path, &bytes)?)
}

/// Reads all tensors of `path`, in the order of their bytes in the file, and our metadata.
///
/// The metadata is `null` when another program wrote the file.
///
/// # Errors
/// A [`TensorFileError`] for anything but a well-formed file of `F32` tensors.
pub fn read(path: &Path) -> Result<(Vec<Tensor>, Value), TensorFileError> {
    read_bytes(path, &file_bytes(path)?)
}

/// As [`read`], from the bytes of a file; `path` is what messages call it.
///
/// # Errors
/// As [`read`].
pub fn read_bytes(path: &Path, bytes: &[u8]) -> Result<(Vec<Tensor>, Value), TensorFileError> {
    let format = |error: SafeTensorError| TensorFileError::format(path, &error);
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(format)?;
    let file = SafeTensors::deserialize(bytes).map_err(format)?;

    let mut tensors = Vec::with_capacity(file.len());
    for name in header.offset_keys() {
        let view = file.tensor(&name).map_err(format)?;
        if view.dtype() != Dtype::F32 {
            let dtype = format!("{:?}", view.dtype());
            return Err(TensorFileError::Dtype {
                path: path.into(),
                name,
                dtype,
            });
        }
        let (words, _) = view.data().as_chunks::<4>();
        let data = words.iter().map(|&word| f32::from_le_bytes(word)).collect();
        tensors.push(Tensor {
            shape: view.shape().to_vec(),
            data,
            name,
        });
    }

    let text = header
        .metadata()
        .as_ref()
        .and_then(|metadata| metadata.get(METADATA_KEY));
    let metadata = match text {
        Some(text) => serde_json::from_str(text).map_err(|source| TensorFileError::Metadata {
            path: path.into(),
            source,
        })?,
        None => Value::Null,
    };
    Ok((tensors, metadata))
}

impl TensorFileError {
    fn format(path: &Path, error: &SafeTensorError) -> Self {
        let reason = match error {
            SafeTensorError::HeaderTooSmall
            | SafeTensorError::InvalidHeaderLength
            | SafeTensorError::MetadataIncompleteBuffer => {
                format!("truncated, or longer than its header says ({error})")
            }
            other => other.to_string(),
        };
        Self::Format {
            path: path.into(),
            reason,
        }
    }
}

/// Writes tensors that keep their types, and `metadata`, as [`write`] does.
///
/// # Errors
/// As [`write`].
pub fn write_typed(
    path: &Path,
    tensors: &[TypedTensor],
    metadata: &Value,
) -> Result<(), TensorFileError> {
    let views = tensors
        .iter()
        .map(|tensor| (&*tensor.name, TypedView(tensor), tensor.values.len()));
    write_views(path, views.collect(), metadata)
}

/// Reads tensors of the types that [`Values`] has; `path` must not be larger than [`read`] takes.
///
/// # Errors
/// As [`read`], with more types.
pub fn read_typed(path: &Path) -> Result<Vec<TypedTensor>, TensorFileError> {
    let bytes = file_bytes(path)?;
    let format = |error: SafeTensorError| TensorFileError::format(path, &error);
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(format)?;
    let file = SafeTensors::deserialize(&bytes).map_err(format)?;
    let mut tensors = Vec::with_capacity(file.len());
    for name in header.offset_keys() {
        let view = file.tensor(&name).map_err(format)?;
        let data = view.data();
        let values = match view.dtype() {
            Dtype::U8 => Values::U8(data.to_vec()),
            Dtype::F32 => {
                let words = data.as_chunks().0.iter();
                Values::F32(words.map(|&word| f32::from_le_bytes(word)).collect())
            }
            Dtype::I64 => {
                let words = data.as_chunks().0.iter();
                Values::I64(words.map(|&word| i64::from_le_bytes(word)).collect())
            }
            other => {
                return Err(TensorFileError::Dtype {
                    path: path.into(),
                    name,
                    dtype: format!("{other:?}"),
                });
            }
        };
        tensors.push(TypedTensor {
            shape: view.shape().to_vec(),
            name,
            values,
        });
    }
    Ok(tensors)
}

fn file_bytes(path: &Path) -> Result<Vec<u8>, TensorFileError> {
    let size = fs_err::metadata(path)?.len();
    if size > MAX_FILE_BYTES {
        return Err(TensorFileError::TooLarge {
            path: path.into(),
            size,
        });
    }
    Ok(fs_err::read(path)?)
}

struct TypedView<'a>(&'a TypedTensor);

impl View for TypedView<'_> {
    fn dtype(&self) -> Dtype {
        match self.0.values {
            Values::U8(_) => Dtype::U8,
            Values::I64(_) => Dtype::I64,
            Values::F32(_) => Dtype::F32,
        }
    }

    fn shape(&self) -> &[usize] {
        &self.0.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        self.0.values.bytes()
    }

    fn data_len(&self) -> usize {
        match &self.0.values {
            Values::U8(values) => values.len(),
            Values::I64(values) => 8 * values.len(),
            Values::F32(values) => 4 * values.len(),
        }
    }
}

struct F32View<'a>(&'a Tensor);

impl View for F32View<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.0.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        self.0
            .data
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect::<Vec<u8>>()
            .into()
    }

    fn data_len(&self) -> usize {
        self.0.data.len() * size_of::<f32>()
    }
}
