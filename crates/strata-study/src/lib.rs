//! A study of hyperparameters: what is searched, by whom, and where it is kept.
//!
//! ```text
//!            ┌── Sampler: which values next?
//! Study::ask ┤                               ──▶ ActiveTrial ──▶ suggest, report, should_prune, tell
//!            └── Storage: every trial so far         └── Pruner: is it worth going on?
//! ```
//!
//! * A [`Study`] joins a [`Storage`], a [`Sampler`] and a [`Pruner`]; [`Study::ask`] begins an [`ActiveTrial`].
//! * [`SearchSpace`] says which parameters a trial has, and under which conditions; [`Distribution`] what a
//!   parameter's values are drawn from.
//! * [`samplers`] and [`pruners`] hold the methods, by Optuna's names, with the defaults of Optuna 5.0.
//! * [`bench`] runs a study on an outside objective.
//! * [`storage`] holds the storages, in Optuna's own schemas.
//!
//! A sampler is a function of the study's trials, its seed and the number of the trial; nothing is remembered
//! from one trial to the next. So a study that goes on after an interruption, in another process or after real
//! Optuna has added to it, needs nothing but its storage.
//!
//! The crate knows nothing of configurations and networks.

pub mod bench;
mod direction;
mod distribution;
mod importance;
pub mod multi_objective;
pub mod pruners;
mod random;
pub mod samplers;
mod space;
pub mod storage;
mod study;
#[cfg(test)]
mod test_vectors;
mod trial;

pub use direction::Direction;
pub use distribution::{Distribution, InvalidDistribution};
pub use importance::importances;
pub use pruners::Pruner;
pub use random::Random;
pub use samplers::Sampler;
pub use space::{Condition, InvalidSpace, Parameter, SearchSpace};
pub use storage::{Storage, StorageError};
pub use study::{ActiveTrial, FIXED_PARAMS, History, Study, StudyError, best_of};
pub use trial::{Attributes, Param, Trial, TrialId, TrialState};
