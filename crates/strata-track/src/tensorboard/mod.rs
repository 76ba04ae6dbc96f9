//! TensorBoard: event files as torch's `SummaryWriter` writes them, without Python.
//!
//! [`TensorBoardSink`] turns rows and events into messages (`messages`), which an `event_file` appends as
//! checksummed `record`s. `image`, `histogram`, `hparams` and `layout` make the messages that are more than a number.

mod event_file;
mod histogram;
mod hparams;
mod image;
mod layout;
mod messages;
mod record;
mod sink;

pub use image::ImageError;
pub use sink::{TensorBoardError, TensorBoardSink};
