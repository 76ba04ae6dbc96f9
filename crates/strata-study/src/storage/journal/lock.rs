//! The lock under which a journal is appended to: whoever can make `FILE.lock` has it. Optuna's rules, so that its
//! processes and ours wait for each other.

use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use fs_err as fs;

/// How long a lock may stay as it is before its holder counts as dead. Optuna's.
pub(super) const GRACE: Duration = Duration::from_secs(30);

/// Optuna's waits grow to a second, which only makes those wait who came first.
const LONGEST_WAIT: Duration = Duration::from_millis(50);

/// The lock of a journal.
#[derive(Debug)]
pub(super) struct Lock {
    journal: PathBuf,
    path: PathBuf,
    grace: Duration,
}

/// The lock, held until it is dropped.
#[derive(Debug)]
pub(super) struct Held<'a> {
    lock: &'a Lock,
    /// What it looked like when it was made.
    mark: Option<Mark>,
}

/// What tells one lock from the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    inode: u64,
    made: Option<SystemTime>,
}

impl Lock {
    /// The lock of a journal, at first held by nobody.
    pub(super) fn new(journal: &Path, grace: Duration) -> Self {
        let mut path = journal.as_os_str().to_owned();
        path.push(".lock");
        Self {
            journal: journal.to_owned(),
            path: path.into(),
            grace,
        }
    }

    /// Waits for the lock.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(super) fn acquire(&self) -> io::Result<Held<'_>> {
        let mut wait = Duration::from_millis(1);
        let mut seen = None;
        let mut seen_at = Instant::now();
        loop {
            match self.make() {
                Ok(()) => {
                    return Ok(Held {
                        lock: self,
                        mark: self.mark(),
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
            // A holder that is alive makes a new lock, or writes, from time to time.
            let sign = (self.mark(), self.written());
            if seen != Some(sign) {
                seen = Some(sign);
                seen_at = Instant::now();
            } else if seen_at.elapsed() > self.grace {
                self.break_dead(sign.0);
                wait = Duration::from_millis(1);
            }
            sleep(wait);
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// Makes the lock, if there is none.
    fn make(&self) -> io::Result<()> {
        #[cfg(unix)]
        {
            // The name alone leads from the lock's folder to the journal, whose time Optuna looks at through the link.
            let target = self.journal.file_name().unwrap_or_default();
            match std::os::unix::fs::symlink(target, &self.path) {
                // A disk without links, such as FAT; Optuna's other lock is a file.
                Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                other => return other,
            }
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true).open(&self.path)?;
        Ok(())
    }

    fn mark(&self) -> Option<Mark> {
        let metadata = fs::symlink_metadata(&self.path).ok()?;
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
        #[cfg(not(unix))]
        let inode = 0;
        Some(Mark {
            inode,
            made: metadata.modified().ok(),
        })
    }

    fn written(&self) -> Option<SystemTime> {
        fs::metadata(&self.journal).ok()?.modified().ok()
    }

    fn break_dead(&self, dead: Option<Mark>) {
        // Another process that waits may have broken it before, and this may be the next one's lock.
        if dead.is_some() && self.mark() == dead {
            self.remove();
        }
    }

    /// Renaming lets only one process remove it.
    fn remove(&self) {
        let mut aside = self.path.as_os_str().to_owned();
        aside.push(format!("{}.rename", super::uuid::uuid()));
        let aside = PathBuf::from(aside);
        if fs::rename(&self.path, &aside).is_ok() {
            let _ = fs::remove_file(&aside);
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // Who was stopped for longer than the grace has lost the lock to another, who still needs it.
        if self.lock.mark() == self.mark {
            self.lock.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_there_while_it_is_held() {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = folder.path().join("study.journal");
        let lock = Lock::new(&journal, GRACE);
        let held = lock.acquire().expect("the lock");
        let path = folder.path().join("study.journal.lock");
        assert!(path.symlink_metadata().is_ok());
        drop(held);
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }

    #[test]
    fn a_lock_whose_holder_is_dead_is_broken() {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = folder.path().join("study.journal");
        let dead = Lock::new(&journal, GRACE);
        std::mem::forget(dead.acquire().expect("the lock"));
        let lock = Lock::new(&journal, Duration::from_millis(10));
        drop(lock.acquire().expect("the lock"));
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }

    #[test]
    fn who_has_lost_the_lock_leaves_that_of_the_next() {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = folder.path().join("study.journal");
        let slow = Lock::new(&journal, GRACE);
        let slow = slow.acquire().expect("the lock");
        let next = Lock::new(&journal, Duration::from_millis(10));
        let next = next.acquire().expect("the lock");
        drop(slow);
        assert!(
            folder
                .path()
                .join("study.journal.lock")
                .symlink_metadata()
                .is_ok()
        );
        drop(next);
    }
}
