//! Hydra-compatible composition of configuration trees.
//!
//! ```text
//! ComposeRequest ──▶ overrides ──▶ defaults lists ──▶ merge ──▶ apply ──▶ Composition
//! ```
//!
//! * [`compose`] makes a [`Composition`] of a tree ([`ConfigSource`]) and overrides ([`ComposeRequest`]).
//! * [`Composition`] prints itself as Hydra does, resolves interpolations, and gives typed values by
//!   serde ([`Composition::extract`]).
//! * [`Composition::sweep_plan`] gives the jobs of a sweep, [`SearchSpace`] what a search draws from.
//! * [`Composition::explain`] says where a value came from, [`differences`] what two trees do not share,
//!   [`Composition::complete_override`] what a word that is being typed can become.
//! * Every [`Node`] keeps the file and place, or the override, that set it; every [`ConfigError`] is a
//!   diagnostic that shows it.
//!
//! The crate knows nothing of machine learning. It speaks the language of Hydra 1.3 and `OmegaConf` 2.3;
//! `conformance/hydra` holds cases made by running them.

mod completion;
mod compose;
mod composition;
mod de;
mod defaults;
mod difference;
mod error;
mod explain;
mod fnmatch;
mod hydra_node;
mod hydra_schema;
mod interpolation;
pub mod json;
mod merge;
mod multirun;
mod node;
mod overrides;
pub mod python;
mod search_path;
mod yaml;

pub use compose::{ComposeRequest, compose};
pub use composition::Composition;
pub use difference::{Difference, differences};
pub use error::ConfigError;
pub use explain::{ExplainedReference, Explanation, ExplanationStep};
pub use fnmatch::fnmatch;
pub use hydra_node::HYDRA_VERSION;
pub use interpolation::resolvers::Resolvers;
pub use multirun::basic::SweepPlan;
pub use multirun::space::{Distribution, SearchSpace};
pub use node::{Key, Map, Node, Value};
pub use search_path::ConfigSource;
pub use yaml::{from_named_yaml, from_yaml, to_yaml};
