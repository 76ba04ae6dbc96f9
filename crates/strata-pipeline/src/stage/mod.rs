//! A stage of a project: what its file says, what its lock says, and what is there.
//!
//! * [`Stage`] joins the definition with its entry of `dvc.lock`; a `.dvc` file is a stage without a command.
//! * [`changes`] finds what differs from the lock.
//! * [`workspace`] removes, saves, commits and restores outputs.
//! * [`run_cache`] keeps what commands made of which inputs.

pub mod changes;
mod model;
pub mod run_cache;
pub mod workspace;

pub use model::{Address, Dependency, Output, ParamsDependency, Stage};
