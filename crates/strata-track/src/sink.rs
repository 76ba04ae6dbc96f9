//! Where rows go: one trait, and the tracker that fans out.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::{Event, JobLog, Row, RunState};

/// A place that rows go to.
///
/// The training loop waits for [`Sink::log`]: a sink that takes its time goes behind a [`crate::QueuedSink`].
pub trait Sink: Send {
    /// What messages call it: `metrics.jsonl`, `wandb`.
    fn name(&self) -> &str;

    /// Takes one row. Called again after an error; the sink decides whether it can go on.
    fn log(&mut self, row: &Row) -> Result<(), SinkError>;

    /// Takes what is more than a row of numbers, as far as it has a place for it.
    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        let _ = event;
        Ok(())
    }

    /// More follows at once: until [`Sink::flush`] what is taken may stay in memory.
    fn hold(&mut self) {}

    /// Brings to its place what was held.
    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    /// How often [`Sink::beat`] is to be called while the run goes on; never, if there is none.
    fn pulse(&self) -> Option<Duration> {
        None
    }

    /// Does what is due by time and not by what is logged.
    fn beat(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    /// The run is over in `state`: brings everything to its place. Called once.
    fn finish(&mut self, state: RunState) -> Result<(), SinkError>;
}

/// Why a sink did not take what it was given.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// A file could not be written.
    #[error("cannot write `{}`: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The thread of a queued sink is no more.
    #[error("its thread has ended: it panicked")]
    Gone,
    /// Something else, as told by a sink of another crate.
    #[error("{0}")]
    Other(Box<dyn std::error::Error + Send + Sync>),
}

/// Hands every row to every sink; one that fails is told once in the log and does not end the run.
pub struct Tracker {
    log: JobLog,
    sinks: Vec<Tracked>,
}

struct Tracked {
    sink: Box<dyn Sink>,
    told: bool,
}

impl Tracker {
    /// A tracker without sinks; `log` is where failures are told.
    pub fn new(log: JobLog) -> Self {
        Self {
            log,
            sinks: Vec::new(),
        }
    }

    /// Adds a sink; sinks get rows in the order added.
    pub fn add(&mut self, sink: impl Sink + 'static) {
        self.sinks.push(Tracked {
            sink: Box::new(sink),
            told: false,
        });
    }

    /// Hands `row` to every sink.
    pub fn log(&mut self, row: &Row) {
        for tracked in &mut self.sinks {
            let result = tracked.sink.log(row);
            tracked.tell(&self.log, result);
        }
    }

    /// Hands `event` to every sink.
    pub fn take(&mut self, event: &Event) {
        for tracked in &mut self.sinks {
            let result = tracked.sink.take(event);
            tracked.tell(&self.log, result);
        }
    }

    /// Finishes every sink and lets go of them.
    pub fn finish(mut self, state: RunState) {
        for tracked in &mut self.sinks {
            let result = tracked.sink.finish(state);
            tracked.tell(&self.log, result);
        }
    }
}

impl Tracked {
    fn tell(&mut self, log: &JobLog, result: Result<(), SinkError>) {
        let Err(error) = result else { return };
        if self.told {
            return;
        }
        self.told = true;
        let name = self.sink.name();
        log.warning(
            "strata.track",
            &format!("{name}: {error}; the run goes on, further failures of {name} are not told"),
        );
    }
}
