//! A transfer as it goes, in a terminal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use strata_pipeline::remote::Watch;

use crate::interrupt;

/// A bar with files, bytes and rate; nothing where stderr is no terminal.
pub(crate) struct TransferProgress {
    bar: ProgressBar,
    verb: &'static str,
    files: AtomicUsize,
    planned: AtomicUsize,
    planned_bytes: AtomicU64,
    interrupted: Arc<AtomicBool>,
}

impl TransferProgress {
    /// From now on the first Ctrl-C ends the work in order.
    pub(crate) fn new(verb: &'static str, quiet: bool) -> anyhow::Result<Self> {
        // indicatif draws nothing where stderr is no terminal.
        let target = if quiet {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        let style = ProgressStyle::with_template(
            "{msg} {wide_bar} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left",
        );
        Ok(Self {
            bar: style.map_or(bar.clone(), |style| bar.with_style(style)),
            verb,
            files: AtomicUsize::new(0),
            planned: AtomicUsize::new(0),
            planned_bytes: AtomicU64::new(0),
            interrupted: interrupt::flag()?,
        })
    }

    /// Removes the bar before anything else is written.
    pub(crate) fn cleared<T>(&self, done: T) -> T {
        self.bar.finish_and_clear();
        done
    }

    fn show_files(&self) {
        let (files, planned) = (
            self.files.load(Ordering::Relaxed),
            self.planned.load(Ordering::Relaxed),
        );
        self.bar
            .set_message(format!("{} {files}/{planned} files", self.verb));
    }
}

impl Watch for TransferProgress {
    fn planned(&self, files: usize, bytes: Option<u64>) {
        self.planned.fetch_add(files, Ordering::Relaxed);
        let bytes = bytes.unwrap_or(0);
        let before = self.planned_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.bar.set_length(before + bytes);
        self.show_files();
    }

    fn moved(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn ended_file(&self) {
        self.files.fetch_add(1, Ordering::Relaxed);
        self.show_files();
    }

    fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}
