//! What a run of W&B does not take.

use std::io;
use std::path::PathBuf;

use super::transaction_log::TransactionLogError;
use crate::SinkError;

/// Why something told to a W&B run was not taken. The run goes on without it.
#[derive(Debug, thiserror::Error)]
pub enum WandbError {
    /// A row for a step that is over, which the server could not put in its place any more.
    #[error(
        "a row at step {step} is left out: it is lower than the current step {current}, and steps of W&B only rise"
    )]
    LowerStep {
        /// The step asked for.
        step: u64,
        /// The step that is open.
        current: u64,
    },
    /// A definition for several metrics with more than a `*` at its end.
    #[error("`{0}` is no name of a metric: a pattern is a prefix and `*` at its end")]
    MetricPattern(String),
    /// A kind of summary that W&B does not have.
    #[error(
        "`{0}` is no kind of summary; choose among `min`, `max`, `mean`, `best`, `last`, `first`, `copy`, `none`"
    )]
    SummaryKind(String),
    /// An id that cannot be part of file names and addresses.
    #[error(
        "`{0}` cannot be the id of a run: it has 1 to 128 characters, none of them a space or one of `/\\#?%:`"
    )]
    RunId(String),
    /// A name that makes no file name.
    #[error("`{0}` cannot name a picture or table: its parts between slashes become folders")]
    MediaKey(String),
    /// A file of an artifact that cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A picture that cannot be read.
    #[error("cannot read the picture `{}`: {source}", path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A picture in a format that is not shown.
    #[error("`{}` is no PNG, JPEG, GIF or BMP", .0.display())]
    ImageFormat(PathBuf),
    /// A histogram without finite values, without bins, or with other than one edge more than counts.
    #[error("`{0}` is no histogram: 1 to 512 bins, one edge more than counts, finite values")]
    Histogram(String),
    /// A file or folder of the run could not be written.
    #[error("cannot write `{}`: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system gave no random bytes for an id.
    #[error("the system gave no random numbers: {0}")]
    Random(getrandom::Error),
    /// The transaction log of a run that goes on could not be read.
    #[error(transparent)]
    Reopen(#[from] TransactionLogError),
    /// The transaction log could not be written.
    #[error(transparent)]
    Log(#[from] SinkError),
}

impl From<WandbError> for SinkError {
    fn from(error: WandbError) -> Self {
        match error {
            WandbError::Log(error) => error,
            WandbError::Write { path, source } => Self::Write { path, source },
            error => Self::Other(Box::new(error)),
        }
    }
}
