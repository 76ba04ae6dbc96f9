//! A multirun from start to end: the jobs of a grid, or those that a search asks for.
//!
//! ```text
//! Composition ──▶ Sweep::begin ──▶ run ──┬─▶ grid:   the product of the values, batch by batch
//!                      │                 └─▶ search: Study::ask ─▶ job ─▶ report, prune ─▶ tell
//!                 sweep.json ──▶ Sweep::open (strata resume)
//! ```
//!
//! * [`Sweep`] is a sweep's directory, held by this process; [`SweepRecord`] is its `sweep.json`, which has all that is
//!   needed to go on.
//! * [`run`] runs what is left of it. A job that was done before is not done again, one that was interrupted goes on
//!   from its checkpoint; `strata_experiment::standing` says which is which.
//! * The jobs run on threads of this process, or in processes that `strata_launch` starts here or on a cluster; each of
//!   those is told its part by a [`WorkerRequest`], and does it by [`work`]. The workers of a search ask the study for
//!   trials themselves, and this process watches.
//! * A search keeps its trials in the storage that `hydra.sweeper.storage` names, or else in a journal in the sweep's
//!   directory. The number of a job is that of its trial.

mod error;
mod fleet;
mod grid;
mod job;
mod place;
mod progress;
mod record;
mod results;
mod search;
mod search_space;
mod settings;
mod sweep;
mod worker;

pub use error::SweepError;
pub use record::{SWEEP_FILE, SweepRecord, SweepState, newest_interrupted_sweep};
pub use search::STUDY_JOURNAL;
pub use settings::{Method, SearchSettings};
pub use sweep::{Failed, Sweep, SweepEnd, run};
pub use worker::{Work, WorkerRequest, work};
