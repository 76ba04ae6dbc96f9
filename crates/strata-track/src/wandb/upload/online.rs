//! Online: a thread that sends what the log holds, while the log is written.
//!
//! The log on disk is the queue: whatever the server does, training only writes to the log, and what was not sent is
//! there for `strata sync`.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::run_upload::{Upload, UploadError};
use super::sync::{SyncOptions, address};
use crate::wandb::server::{Client, Patience};
use crate::wandb::transaction_log::Records;

/// How often the end of a run looks whether the server still answers.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// A run that is sent while it goes on.
pub(in crate::wandb) struct Online {
    shared: Arc<Shared>,
    worker: Option<JoinHandle<()>>,
    finish_timeout: Duration,
    log: PathBuf,
}

/// What is told of the upload: lines for the user.
pub(in crate::wandb) type Notices = Arc<dyn Fn(&str) + Send + Sync>;

struct Shared {
    /// Up to here the log has whole records.
    length: AtomicU64,
    progress: Mutex<Progress>,
    changed: Condvar,
    patience: Patience,
}

#[derive(Default)]
struct Progress {
    /// The log has its last record.
    is_complete: bool,
    /// The server has everything, or will not have it from this process.
    is_over: bool,
}

/// How the upload is to be done.
pub(in crate::wandb) struct OnlineOptions {
    pub(in crate::wandb) client: Client,
    /// Time between two requests of the file stream.
    pub(in crate::wandb) interval: Duration,
    /// How long the end of the run waits for a server that does not answer.
    pub(in crate::wandb) finish_timeout: Duration,
    pub(in crate::wandb) resume: Option<String>,
    pub(in crate::wandb) app_url: String,
    pub(in crate::wandb) notices: Notices,
}

impl Online {
    /// Begins to send the run of `log`.
    pub(in crate::wandb) fn start(log: &Path, options: OnlineOptions) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            length: AtomicU64::new(0),
            progress: Mutex::default(),
            changed: Condvar::new(),
            patience: Patience::default(),
        });
        let finish_timeout = options.finish_timeout;
        let worker = {
            let (shared, log) = (Arc::clone(&shared), log.to_owned());
            thread::Builder::new()
                .name("wandb-upload".to_owned())
                .spawn(move || {
                    let notices = Arc::clone(&options.notices);
                    if let Err(error) = follow(&shared, &log, &options) {
                        notices(&kept(&log, &error));
                    }
                    shared.lock().is_over = true;
                    shared.changed.notify_all();
                })?
        };
        Ok(Self {
            shared,
            worker: Some(worker),
            finish_timeout,
            log: log.to_owned(),
        })
    }

    /// The log has whole records up to `length`.
    pub(in crate::wandb) fn written(&self, length: u64) {
        // The thread looks from time to time; waking it for every row would cost more than the row.
        self.shared.length.store(length, Ordering::Release);
    }

    /// The log is complete: waits until the server has all of it, as long as it answers. What it does not have then
    /// stays on disk; a line about it is returned.
    pub(in crate::wandb) fn finish(&mut self) -> Option<String> {
        let shared = &self.shared;
        let mut progress = shared.lock();
        progress.is_complete = true;
        shared.changed.notify_all();
        let mut answers = shared.patience.answers();
        let mut since = Instant::now();
        while !progress.is_over {
            let left = self.finish_timeout.saturating_sub(since.elapsed());
            if left.is_zero() {
                drop(progress);
                shared.patience.end();
                // The thread may be within a request: the process does not wait for it.
                self.worker = None;
                return Some(not_sent(&self.log));
            }
            let waited = shared.changed.wait_timeout(progress, left.min(LOOK_AGAIN));
            progress = waited.unwrap_or_else(PoisonError::into_inner).0;
            if shared.patience.answers() != answers {
                (answers, since) = (shared.patience.answers(), Instant::now());
            }
        }
        drop(progress);
        if let Some(worker) = self.worker.take() {
            // A panic there has been told by its thread; the data are on disk.
            let _ = worker.join();
        }
        None
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the end of the run, at most so long; how far the log reaches, and whether it is complete.
    fn wait(&self, duration: Duration) -> (u64, bool) {
        let until = Instant::now() + duration;
        let mut progress = self.lock();
        while !progress.is_complete {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.changed.wait_timeout(progress, left);
            progress = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        (self.length.load(Ordering::Acquire), progress.is_complete)
    }
}

fn follow(shared: &Shared, log: &Path, options: &OnlineOptions) -> Result<(), UploadError> {
    let mut records = Records::open(log).map_err(UploadError::Log)?;
    let mut upload = Upload::new(
        &options.client,
        &shared.patience,
        log,
        SyncOptions::default(),
    );
    upload.resume(options.resume.clone());
    // The run's beginning is written at once, and its page is to be there soon.
    let mut wait = options.interval.min(Duration::from_millis(200));
    let mut is_told = false;
    loop {
        let (length, is_complete) = shared.wait(wait);
        wait = options.interval;
        let mut is_news = false;
        while records.offset() < length {
            let Some(record) = records.next() else { break };
            upload.take(&record.map_err(UploadError::Log)?)?;
            is_news = true;
        }
        if is_complete {
            upload.finish()?;
        } else if is_news {
            upload.send()?;
        } else {
            upload.heartbeat()?;
        }
        if let Some(remote) = upload.remote().filter(|_| !is_told) {
            let address = address(&options.app_url, remote);
            (options.notices)(&format!("W&B: {} at {address}", remote.display_name));
            is_told = true;
        }
        for problem in upload.take_problems() {
            (options.notices)(&format!("W&B: {problem}; it stays in {}", log.display()));
        }
        if is_complete {
            return Ok(());
        }
    }
}

fn kept(log: &Path, error: &UploadError) -> String {
    format!("W&B: {error}; {}", not_sent(log))
}

fn not_sent(log: &Path) -> String {
    let folder = log.parent().unwrap_or(log).display();
    format!("the run is kept on disk, `strata sync {folder}` sends it")
}
