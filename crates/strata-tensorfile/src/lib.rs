//! Tensor files, read with every length checked before it is believed.
//!
//! * [`safetensors`]: what strata writes for models and checkpoints: named `f32` tensors and one JSON value.
//! * [`npz`]: what `numpy.savez` wrote: a zip of [`npy`] arrays, read only.
//!
//! Nothing in a file is ever executed: object arrays (pickles) are refused.

pub mod npy;
pub mod npz;
pub mod safetensors;

pub use npy::{Array, Elements, NpyError};
pub use npz::{NpzError, NpzFile};
pub use safetensors::{Tensor, TensorFileError};
