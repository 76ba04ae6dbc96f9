//! What happens while data are loaded, on the console.

use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressStyle};
use strata_data::Events;

/// Notices as lines, a download as a bar in a terminal.
pub(crate) struct ConsoleEvents<'a> {
    interrupted: &'a AtomicBool,
    bar: Option<ProgressBar>,
}

impl<'a> ConsoleEvents<'a> {
    pub(crate) fn new(interrupted: &'a AtomicBool) -> Self {
        Self {
            interrupted,
            bar: None,
        }
    }
}

impl Events for ConsoleEvents<'_> {
    fn notice(&mut self, line: &str) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        anstream::eprintln!("{line}");
    }

    fn progress(&mut self, done_bytes: u64, total_bytes: Option<u64>) {
        let bar = self.bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template(
                "{wide_bar} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left",
            );
            let bar = ProgressBar::new(total_bytes.unwrap_or(0));
            style.map_or(bar.clone(), |style| bar.with_style(style))
        });
        bar.set_position(done_bytes);
    }

    fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}
