//! Weights & Biases: runs kept in `wandb/`, as the real client keeps them offline and `wandb sync` sends them.
//!
//! [`WandbSink`] takes rows and events. Values become [leaves](leaves), gather in [rows](history) and leave a
//! [summary](summary) as [metrics](metrics) define it; pictures and tables become [files](media). A
//! [run](run) is its folder and the [transaction log](transaction_log) of [messages](messages) in it.
//!
//! Agrees with wandb 0.31.0.

mod artifact;
mod config_file;
mod error;
mod history;
mod image_header;
mod json;
mod leaves;
mod media;
mod messages;
mod metrics;
mod run;
mod run_folder;
mod server;
mod session;
mod settings;
mod sink;
mod summary;
mod system_stats;
mod table;
mod transaction_log;
mod upload;

pub use error::WandbError;
pub use run_folder::random_id;
pub use server::{CredentialsError, NetRc, RequestError, host_of};
pub use session::{Session, SessionError};
pub use settings::{ApiKey, RunMode, Settings, SettingsError};
pub use sink::WandbSink;
pub use transaction_log::{Damage, Records, TransactionLog, TransactionLogError};
pub use upload::{SyncError, SyncOptions, SyncOutcome, UploadError, find_runs};
