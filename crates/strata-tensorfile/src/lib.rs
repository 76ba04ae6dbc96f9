//! Tensor files, read with every length checked before it is believed.
//!
//! * [`safetensors`]: what strata writes for models and checkpoints: named `f32` tensors and one JSON value.
//! * [`pt`]: torch's state dicts, read and written.
//! * [`npz`]: what `numpy.savez` wrote: a zip of [`npy`] arrays, read only.
//!
//! Nothing in a file is ever executed: of pickles only what describes tensors is understood, and object
//! arrays are refused.

pub mod npy;
pub mod npz;
pub mod pt;
pub mod safetensors;

pub use npy::{Array, Elements, NpyError};
pub use npz::{NpzError, NpzFile};
pub use pt::PtError;
pub use safetensors::{Tensor, TensorFileError};
