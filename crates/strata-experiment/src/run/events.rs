//! What happens while data are loaded, told in the log.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use strata_data::Events;
use strata_track::JobLog;

/// Notices as lines of the log, a download as lines on the console.
pub(super) struct LoadEvents<'a> {
    pub(super) log: &'a JobLog,
    /// Whether the log has had it all before.
    pub(super) resumed: bool,
    pub(super) interrupted: &'a AtomicBool,
    pub(super) told: Instant,
}

impl Events for LoadEvents<'_> {
    fn notice(&mut self, line: &str) {
        if self.resumed {
            self.log.console().line(line);
        } else {
            self.log.info("strata.data", line);
        }
    }

    fn progress(&mut self, done_bytes: u64, total_bytes: Option<u64>) {
        if self.told.elapsed().as_secs() < 5 {
            return;
        }
        self.told = Instant::now();
        let total = total_bytes
            .map(|total| format!(" of {}", total / 1_000_000))
            .unwrap_or_default();
        self.log
            .console()
            .line(&format!("downloaded {}{total} MB", done_bytes / 1_000_000));
    }

    fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}
