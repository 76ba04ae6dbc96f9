//! The stages of a project, and what is done with them.
//!
//! 1. [`index`] finds the files with stages and reads them into a [`Project`].
//! 2. [`graph`] checks how stages depend on each other, and orders them.
//! 3. [`targets`] finds the stages that the user names.
//! 4. [`checkout`], [`edit`] and the modules of their kind do one thing each with them.
//! 5. [`reproduce`] runs what has changed; [`lock_file`] keeps what came of it.

pub mod checkout;
mod content;
pub(crate) mod data_file;
pub mod edit;
mod garbage;
pub mod graph;
mod index;
pub(crate) mod lock_file;
pub mod reproduce;
pub mod revisions;
mod source;
pub mod stage_add;
pub mod targets;

pub use garbage::Used;
pub use index::Project;
