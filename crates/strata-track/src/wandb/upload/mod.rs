//! From a run's folder to the server: while it is written, or later.
//!
//! An [`Upload`] takes the records of a [transaction log](super::transaction_log) one by one and keeps what the
//! server has in step with them: [lines](lines) of history, events and [console](console), a summary and a
//! configuration ([trees](tree)), [files](files) and [artifacts](artifacts). Lines are numbered from the start of
//! the log, so that a request that is sent twice changes nothing, and an upload that broke off goes on where the
//! server is. [`Online`] does so on a thread while the run is written, [`send`] afterwards.

mod artifacts;
mod config;
mod console;
mod files;
mod lines;
mod online;
mod run_upload;
mod sync;
mod sync_state;
mod tree;

pub(super) use online::{Notices, Online, OnlineOptions};
pub use run_upload::UploadError;
pub(super) use sync::send;
pub use sync::{SyncError, SyncOptions, SyncOutcome, find_runs};
pub(super) use sync_state::unmark_synced;
