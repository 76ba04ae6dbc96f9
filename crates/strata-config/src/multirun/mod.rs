//! Sweeps: which jobs a command line with several values stands for.
//!
//! * [`basic`]: all combinations in Hydra's order, in batches.
//! * [`space`]: the distributions that a search draws from.

pub(crate) mod basic;
pub(crate) mod space;
