//! Who watches over a run.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

/// Told after each evaluation of a run; may end it.
pub type Reports<'a> = dyn Fn(&Report) -> ControlFlow<()> + Sync + 'a;

/// Who watches over a run: stops it, sees how it does, and gives its output room or none.
#[derive(Clone, Copy)]
pub struct Supervision<'a> {
    /// Once it is true the run ends in order; read after each batch.
    pub interrupted: &'a AtomicBool,
    /// Told after each evaluation; it may end the run as not worth going on with.
    pub reports: Option<&'a Reports<'a>>,
    /// Whether the console belongs to somebody else: then what the run says goes only to its log.
    pub silent: bool,
    /// Threads that compute, if other than configured; results do not depend on it.
    pub threads: Option<usize>,
}

/// How a run does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Report {
    /// The epoch that was evaluated, from 1.
    pub epoch: usize,
    /// All epochs.
    pub epochs: usize,
    /// `training.sweep.metric`; NaN if it was not computed.
    pub value: f64,
}

impl<'a> Supervision<'a> {
    /// A run by itself, which only a signal ends early.
    pub fn of(interrupted: &'a AtomicBool) -> Self {
        Self {
            interrupted,
            reports: None,
            silent: false,
            threads: None,
        }
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    pub(super) fn hears(&self, report: &Report) -> ControlFlow<()> {
        self.reports
            .map_or(ControlFlow::Continue(()), |reports| reports(report))
    }
}
