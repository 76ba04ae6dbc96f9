//! Stages, lock files, cache and remotes, as DVC 3.67 has them.
//!
//! * [`value`]: values of parameters and of lock files, compared and printed as Python does.

pub mod value;
