//! Runs as they lie in their directories: found, read, compared.
//!
//! [`find_run_directories`] looks for them, [`RunFacts`] is what one of them says of itself, a [`Filter`] chooses among
//! them. What a run says is a [`Fact`] under a key: of the run itself (`state`, `started`, `epoch`, …), of its
//! configuration (`model.dropout`), or a metric (`validation/accuracy` for its last value, `best/validation/accuracy`
//! for its best). Nothing that is damaged ends a listing: it is told, and the rest is there.

mod fact;
mod filter;
mod find;
mod liveness;
mod metrics_end;
mod run_facts;

pub use fact::Fact;
pub use filter::{Filter, FilterError};
pub use find::{Found, find_run_directories};
pub use run_facts::{RunFacts, STATES};
