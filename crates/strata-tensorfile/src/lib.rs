//! Tensor files, read with every length checked before it is believed.
//!
//! * [`safetensors`]: what strata writes for models and checkpoints: named `f32` tensors and one JSON value.
//! * [`pt`]: torch's state dicts, and dictionaries of tensors of several types, read and written.
//! * [`TypedTensor`]: a tensor that keeps the type it has in the file, for data sets.
//! * [`npz`]: what `numpy.savez` wrote: a zip of [`npy`] arrays, read only.
//!
//! Nothing in a file is ever executed: of pickles only what describes tensors is understood, and object
//! arrays are refused.

pub mod npy;
pub mod npz;
pub mod pt;
pub mod safetensors;
mod typed;

pub use npy::{Array, Elements, NpyError};
pub use npz::{NpzError, NpzFile};
pub use pt::PtError;
pub use safetensors::{Tensor, TensorFileError};
pub use typed::{TypedTensor, Values};
