//! CMA-ES: a normal distribution that moves, stretches and turns towards what is good.
//!
//! * [`state::Cma`] is the distribution, told one generation after the other.
//! * [`eigen`] finds its axes.
//! * [`CmaEsSampler`] replays the generations of a study's trials.

mod eigen;
mod sampler;
mod state;

pub use sampler::{CmaEsOptions, CmaEsSampler};
