//! A bar for work on data that takes a while, in a terminal.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanDuration, ProgressBar, ProgressStyle};
use strata_pipeline::progress::{Activity, DataProgress};

/// Shorter work is over before anybody has read the bar.
const AFTER: Duration = Duration::from_millis(500);
/// Between two drawings.
const EVERY: Duration = Duration::from_millis(100);

/// Files, bytes, bytes a second and the remaining time of the work that goes on.
#[derive(Debug, Default)]
pub(super) struct DataBar {
    work: Mutex<Option<Work>>,
}

#[derive(Debug)]
struct Work {
    activity: Activity,
    began: Instant,
    drawn: Instant,
    files: u64,
    all_files: u64,
    bytes: u64,
    all_bytes: Option<u64>,
    bar: Option<ProgressBar>,
}

impl DataProgress for DataBar {
    fn begin(&self, activity: Activity, files: u64, bytes: Option<u64>) {
        let now = Instant::now();
        let work = Work {
            activity,
            began: now,
            drawn: now,
            files: 0,
            all_files: files,
            bytes: 0,
            all_bytes: bytes,
            bar: None,
        };
        *self.work.lock().unwrap_or_else(PoisonError::into_inner) = Some(work);
    }

    fn advance(&self, files: u64, bytes: u64) {
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(work) = &mut *work else { return };
        work.files += files;
        work.bytes += bytes;
        let now = Instant::now();
        if now - work.began >= AFTER && now - work.drawn >= EVERY {
            work.drawn = now;
            work.draw(now);
        }
    }

    fn end(&self) {
        let work = self
            .work
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(bar) = work.and_then(|work| work.bar) {
            bar.finish_and_clear();
        }
    }
}

impl Work {
    fn draw(&mut self, now: Instant) {
        let (position, length) = self.position();
        let message = self.message(now - self.began);
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::new(length);
            match ProgressStyle::with_template("{prefix} {wide_bar} {msg}") {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
            .with_prefix(match self.activity {
                Activity::Hashing => "hashing",
                Activity::Caching => "to the cache",
                Activity::CheckingOut => "checking out",
                Activity::Sending => "pushing",
                Activity::Receiving => "fetching",
                Activity::Removing => "removing",
            })
        });
        bar.set_message(message);
        bar.set_position(position);
    }

    /// How much is done of how much.
    fn position(&self) -> (u64, u64) {
        match self.all_bytes {
            Some(all) => (self.bytes, all),
            None => (self.files, self.all_files),
        }
    }

    fn message(&self, time: Duration) -> String {
        let (position, length) = self.position();
        let left = length.saturating_sub(position) as f64 / position.max(1) as f64;
        let left = Duration::try_from_secs_f64(time.as_secs_f64() * left).unwrap_or_default();
        let rate = self.bytes as f64 / time.as_secs_f64().max(f64::EPSILON);
        let of_bytes = self
            .all_bytes
            .map_or_else(String::new, |all| format!("/{}", HumanBytes(all)));
        format!(
            "{}/{} files, {}{of_bytes}, {}/s, {} left",
            self.files,
            self.all_files,
            HumanBytes(self.bytes),
            HumanBytes(rate as u64),
            HumanDuration(left)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_says_how_much_and_how_fast() {
        let now = Instant::now();
        let work = Work {
            activity: Activity::Hashing,
            began: now,
            drawn: now,
            files: 3,
            all_files: 10,
            bytes: 4 << 20,
            all_bytes: None,
            bar: None,
        };
        let said = work.message(Duration::from_secs(2));
        assert_eq!(said, "3/10 files, 4.00 MiB, 2.00 MiB/s, 5 seconds left");
    }
}
