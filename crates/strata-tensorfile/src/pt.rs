//! torch's `.pt` files: a zip with a pickle and the bytes of each storage.
//!
//! [`read`] takes what `torch.save(model.state_dict(), path)` wrote, also within a dictionary such as
//! `{"epoch": 3, "model_state_dict": …}`. [`write`] writes what `torch.load(path, weights_only=True)`
//! gives back as an `OrderedDict`. [`read_dictionary`] and [`write_dictionary`] do the same for a dictionary of
//! tensors that keep their types, such as a data set. Nothing is executed: see [`pickle`].

mod pickle;
mod writer;

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use crate::{Tensor, TypedTensor, Values};
use pickle::Pickled;

pub use writer::{write, write_dictionary};

/// No model here comes near; a zip that claims more is refused.
const MAX_FILE_BYTES: u64 = 4 << 30;
/// A state dict's pickle has a few hundred bytes a tensor.
const MAX_PICKLE_BYTES: u64 = 64 << 20;
/// The magic of a zip member.
const ZIP_MAGIC: &[u8] = b"PK\x03\x04";

/// Why a `.pt` file could not be read or written; every message names the file.
#[derive(Debug, thiserror::Error)]
pub enum PtError {
    /// The file system refused.
    #[error("cannot read or write `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The bytes are not what torch writes, or damaged.
    #[error("`{}` is not a state dict that can be read: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// The pickle asks for a class or a function, which is refused.
    #[error(
        "`{}` asks for `{global}`, and nothing in a file is executed; save the weights alone, with `torch.save(model.state_dict(), …)`",
        path.display()
    )]
    Global {
        /// The file.
        path: PathBuf,
        /// Module and name.
        global: String,
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
}

/// What went wrong within a file, before its name is added.
#[derive(Debug, PartialEq)]
enum Problem {
    Format(String),
    Global(String),
}

impl From<String> for Problem {
    fn from(reason: String) -> Self {
        Self::Format(reason)
    }
}

impl From<&str> for Problem {
    fn from(reason: &str) -> Self {
        Self::Format(reason.to_owned())
    }
}

/// Reads the tensors of a state dict in its order, as `f32`; 64-bit floats and integers are converted.
///
/// # Errors
/// A [`PtError`] for anything but a well-formed file of dense tensors.
pub fn read(path: &Path) -> Result<Vec<Tensor>, PtError> {
    in_file(path, parse(&file_bytes(path)?))
}

/// Reads the tensors of a dictionary in its order; each keeps its type, as far as [`Values`] has it.
///
/// # Errors
/// As [`read`].
pub fn read_dictionary(path: &Path) -> Result<Vec<TypedTensor>, PtError> {
    in_file(path, parse_typed(&file_bytes(path)?))
}

fn file_bytes(path: &Path) -> Result<Vec<u8>, PtError> {
    let io = |source| PtError::Io {
        path: path.to_owned(),
        source,
    };
    let file = std::fs::File::open(path).map_err(io)?;
    let size = file.metadata().map_err(io)?.len();
    if size > MAX_FILE_BYTES {
        return Err(PtError::Format {
            path: path.to_owned(),
            reason: format!("it has {size} bytes; at most {MAX_FILE_BYTES} are read"),
        });
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(io)?;
    Ok(bytes)
}

fn in_file<T>(path: &Path, parsed: Result<T, Problem>) -> Result<T, PtError> {
    parsed.map_err(|problem| match problem {
        Problem::Format(reason) => PtError::Format {
            path: path.to_owned(),
            reason,
        },
        Problem::Global(global) => PtError::Global {
            path: path.to_owned(),
            global,
        },
    })
}

/// As [`read`], from bytes, for tests of damaged files; the message of the error if there is one.
///
/// # Errors
/// What is wrong with the bytes.
pub fn read_bytes(bytes: &[u8]) -> Result<Vec<Tensor>, String> {
    parse(bytes).map_err(|problem| match problem {
        Problem::Format(reason) => reason,
        Problem::Global(global) => format!("asks for `{global}`"),
    })
}

fn parse(bytes: &[u8]) -> Result<Vec<Tensor>, Problem> {
    parse_as(bytes, |name, description, storage| {
        let data = description.gather(storage)?;
        let shape = description.shape;
        Ok((4 * data.len(), Tensor { name, shape, data }))
    })
}

fn parse_typed(bytes: &[u8]) -> Result<Vec<TypedTensor>, Problem> {
    parse_as(bytes, |name, description, storage| {
        let values = description.values(storage)?;
        let size = values.len() * description.dtype.size().max(4);
        let shape = description.shape;
        Ok((
            size,
            TypedTensor {
                name,
                shape,
                values,
            },
        ))
    })
}

/// The tensors of an archive, each made of its name, its description and its storage's bytes together
/// with the memory that it takes.
fn parse_as<T>(
    bytes: &[u8],
    make: impl Fn(String, Description, &[u8]) -> Result<(usize, T), Problem>,
) -> Result<Vec<T>, Problem> {
    if !bytes.starts_with(ZIP_MAGIC) {
        return Err(if bytes.starts_with(&[0x80, 0x02, 0x8a, 0x0a]) {
            "it is of the format before torch 1.6; load and save it again with a newer torch".into()
        } else {
            "it is no zip archive, or truncated at its beginning".into()
        });
    }
    let mut archive = ZipArchive::new(io::Cursor::new(bytes)).map_err(|error| {
        format!("its zip directory cannot be read, it may be truncated ({error})")
    })?;
    if archive.has_duplicate_names() {
        return Err("two members of its zip have one name".into());
    }
    let names: Vec<String> = archive
        .file_names()
        .filter_map(|name| name.ok().map(|name| name.to_string()))
        .collect();
    let pickle_name = names
        .iter()
        .find(|name| name.as_str() == "data.pkl" || name.ends_with("/data.pkl"))
        .ok_or("it holds no `data.pkl`")?;
    let folder = pickle_name.strip_suffix("data.pkl").unwrap_or_default();
    if let Ok(order) = member(&mut archive, &format!("{folder}byteorder"), 16)
        && order != b"little"
    {
        return Err("its numbers are not little-endian".into());
    }
    let pickled = member(&mut archive, pickle_name, MAX_PICKLE_BYTES)?;
    let state = state_dict(pickle::load(&pickled)?)?;
    let mut tensors = Vec::with_capacity(state.len());
    // Tensors that share one storage share its bytes; the sum is bounded all the same.
    let mut left = bytes.len() as u64;
    for (name, description) in state {
        let key = format!("{folder}data/{}", description.storage);
        let storage = member(&mut archive, &key, bytes.len() as u64)
            .map_err(|problem| within(&name, problem))?;
        let (size, tensor) =
            make(name.clone(), description, &storage).map_err(|problem| within(&name, problem))?;
        left = left
            .checked_add(4 * bytes.len() as u64)
            .and_then(|left| left.checked_sub(size as u64))
            .ok_or_else(|| within(&name, "it is larger than the file".into()))?;
        tensors.push(tensor);
    }
    Ok(tensors)
}

fn within(name: &str, problem: Problem) -> Problem {
    match problem {
        Problem::Format(reason) => Problem::Format(format!("tensor `{name}`: {reason}")),
        Problem::Global(global) => Problem::Global(global),
    }
}

/// A member's bytes, which torch stores as they are.
fn member(
    archive: &mut ZipArchive<io::Cursor<&[u8]>>,
    name: &str,
    most: u64,
) -> Result<Vec<u8>, Problem> {
    let member = archive
        .by_name(name)
        .map_err(|error| format!("its member `{name}` cannot be read ({error})"))?;
    if member.size() > most {
        return Err(format!("its member `{name}` is too large").into());
    }
    let mut bytes = Vec::new();
    member
        .take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("its member `{name}` is damaged ({error})"))?;
    if bytes.len() as u64 > most {
        return Err(format!("its member `{name}` is too large").into());
    }
    Ok(bytes)
}

/// Element types of storages that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dtype {
    Float32,
    Float64,
    Int64,
    Int32,
    Uint8,
}

impl Dtype {
    fn size(self) -> usize {
        match self {
            Self::Float32 | Self::Int32 => 4,
            Self::Float64 | Self::Int64 => 8,
            Self::Uint8 => 1,
        }
    }
}

/// A tensor before its bytes are looked at.
#[derive(Debug, Clone, PartialEq)]
struct Description {
    storage: String,
    dtype: Dtype,
    offset: usize,
    shape: Vec<usize>,
    stride: Vec<usize>,
}

impl Description {
    /// The elements in C order, as `f32`.
    fn gather(&self, storage: &[u8]) -> Result<Vec<f32>, Problem> {
        match self.dtype {
            Dtype::Uint8 => self.elements(storage, |[x]| f32::from(x)),
            Dtype::Float32 => self.elements(storage, f32::from_le_bytes),
            Dtype::Int32 => self.elements(storage, |x| i32::from_le_bytes(x) as f32),
            Dtype::Float64 => self.elements(storage, |x| f64::from_le_bytes(x) as f32),
            Dtype::Int64 => self.elements(storage, |x| i64::from_le_bytes(x) as f32),
        }
    }

    /// The elements in C order, with their type.
    fn values(&self, storage: &[u8]) -> Result<Values, Problem> {
        Ok(match self.dtype {
            Dtype::Uint8 => Values::U8(self.elements(storage, |[x]| x)?),
            Dtype::Float32 | Dtype::Float64 => Values::F32(self.gather(storage)?),
            Dtype::Int64 => Values::I64(self.elements(storage, i64::from_le_bytes)?),
            Dtype::Int32 => {
                Values::I64(self.elements(storage, |x| i64::from(i32::from_le_bytes(x)))?)
            }
        })
    }

    /// The elements in C order, each made of its `SIZE` bytes.
    fn elements<const SIZE: usize, T>(
        &self,
        storage: &[u8],
        element: impl Fn([u8; SIZE]) -> T,
    ) -> Result<Vec<T>, Problem> {
        let storage = storage.as_chunks::<SIZE>().0;
        let available = storage.len();
        let count = self
            .shape
            .iter()
            .try_fold(1_usize, |n, &d| n.checked_mul(d))
            .filter(|&count| count <= available || self.shape.contains(&0))
            .ok_or_else(|| self.too_small(available))?;
        if count == 0 {
            return Ok(Vec::new());
        }
        // The farthest element must lie within the storage.
        let farthest = self
            .shape
            .iter()
            .zip(&self.stride)
            .try_fold(self.offset, |at, (&size, &stride)| {
                at.checked_add((size - 1).checked_mul(stride)?)
            });
        if farthest.is_none_or(|farthest| farthest >= available) {
            return Err(self.too_small(available));
        }
        if self.is_contiguous() {
            let run = storage[self.offset..].iter().take(count);
            return Ok(run.map(|&bytes| element(bytes)).collect());
        }
        let mut index = vec![0; self.shape.len()];
        let mut data = Vec::with_capacity(count);
        for _ in 0..count {
            let at = index.iter().zip(&self.stride).map(|(i, s)| i * s);
            data.push(element(storage[self.offset + at.sum::<usize>()]));
            for (i, &size) in index.iter_mut().zip(&self.shape).rev() {
                *i += 1;
                if *i < size {
                    break;
                }
                *i = 0;
            }
        }
        Ok(data)
    }

    /// Whether the elements lie one after the other. Their number is known to be small enough.
    fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        self.shape
            .iter()
            .zip(&self.stride)
            .rev()
            .all(|(&size, &stride)| {
                let fits = size == 1 || stride == expected;
                expected *= size;
                fits
            })
    }

    fn too_small(&self, available: usize) -> Problem {
        let shape = &self.shape;
        format!("shape {shape:?} does not fit its storage of {available} numbers").into()
    }
}

/// Keys under which people keep a state dict beside other things.
const NESTED: [&str; 5] = ["state_dict", "model_state_dict", "model", "net", "weights"];

/// The tensors of a dictionary, or of the one that it holds among other things.
fn state_dict(pickled: Pickled) -> Result<Vec<(String, Description)>, Problem> {
    let Pickled::Dict(entries) = pickled else {
        return Err("it holds no dictionary of tensors".into());
    };
    let is_tensor = |value: &Pickled| matches!(value, Pickled::Tensor(_));
    if !entries.iter().any(|(_, value)| is_tensor(value)) {
        for wanted in NESTED {
            for (key, value) in &entries {
                let named = matches!(key, Pickled::Text(key) if key == wanted);
                if named && matches!(value, Pickled::Dict(_)) {
                    return state_dict(value.clone());
                }
            }
        }
        return Err("its dictionary holds no tensors".into());
    }
    let tensors = entries
        .into_iter()
        .filter_map(|(key, value)| match (key, value) {
            (Pickled::Text(name), Pickled::Tensor(tensor)) => Some((name, *tensor)),
            _ => None,
        });
    Ok(tensors.collect())
}
