//! Points that fill the space evenly.
//!
//! [`QmcSampler`] takes the points of [`sobol::Sobol`]'s or [`halton::Halton`]'s sequence, one for each trial.

mod halton;
mod joe_kuo;
mod sampler;
pub(super) mod sobol;

pub use sampler::{QmcOptions, QmcSampler, Sequence};
