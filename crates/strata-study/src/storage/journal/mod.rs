//! Studies in a journal of Optuna: a file with one line of JSON for each change, which Optuna and its dashboard may
//! read and write at the same time, also on a network's disk.
//!
//! * `storage` is the storage itself: the contents are what comes of all lines, replayed by every process.
//! * `record` is what a line says, in Optuna's words.
//! * `file` reads the lines that were added and appends one.
//! * `lock` lets one process at a time append.

mod file;
mod lock;
mod record;
mod storage;
mod uuid;

pub use storage::JournalStorage;
