//! What a run logs: its directory and its sinks.
//!
//! The way of a figure: the training loop fills a [`Row`] and gives it to the [`Tracker`], which hands it
//! to every [`Sink`]: [`JsonlSink`] (`metrics.jsonl`), [`SummarySink`] (`summary.json`), [`ConsoleSink`]
//! (bar or plain lines), [`TensorBoardSink`], [`wandb::WandbSink`], those that may be slow on a thread of their own
//! behind a [`QueuedSink`]. What is more than a row of numbers is an [`Event`], which other programs tell in lines
//! that [`parse_event`] reads. A sink that fails is told once in the [`JobLog`] and does not end the run.
//!
//! [`runs`] finds the directories of runs and reads what they say of themselves.
//!
//! [`RunDirectory`] creates the folder of a run, keeps its [`RunRecord`] (`run.json`) up to date, and is
//! what a report opens later to read all of it back.

mod append_file;
mod console;
mod console_sink;
mod csv;
mod event;
mod flat;
mod jsonl;
mod lines;
mod log;
mod provenance;
mod python_json;
mod queued;
mod record;
mod row;
mod run;
mod run_directory;
pub mod runs;
mod sink;
mod step_counter;
mod summary;
mod tensorboard;
pub mod wandb;

pub use console::Console;
pub use console_sink::{ConsoleSink, Plan};
pub use csv::CsvSink;
pub use event::{
    Alert, Artifact, Event, Fields, Histogram, Image, Init, Logged, MetricDefinition, Update, Value,
};
pub use jsonl::{JsonlSink, MetricsError, Rows};
pub use lines::{LineError, parse_event};
pub use log::{JobLog, Level, LogError, hydra_line};
pub use provenance::{GitState, host_name};
pub use queued::{EventSender, QueuedSink};
pub use record::{RunRecord, RunState};
pub use row::{Row, Scalar};
pub use run::{Run, RunOptions};
pub use run_directory::{RunDirectory, RunDirectoryError};
pub use sink::{Sink, SinkError, Tracker};
pub use summary::{Best, Mode, Summary, SummarySink};
pub use tensorboard::{ImageError, TensorBoardError, TensorBoardSink};
