//! Bayesian optimisation with a Gaussian process.
//!
//! 1. [`observations`] reads points and values from the trials ([`pruned`] from pruned ones), [`dimension`] their
//!    parameters.
//! 2. [`fit`] finds the hyperparameters of the [`regressor`], by [`lbfgs`].
//! 3. [`search`] looks for the point with the greatest [`acquisition`].

mod acquisition;
mod dimension;
mod fit;
mod lbfgs;
mod linalg;
mod observations;
mod pruned;
mod regressor;
mod sampler;
mod search;

pub use sampler::{GpOptions, GpSampler};
