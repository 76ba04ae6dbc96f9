//! Where files lie until they are complete: a folder on the same disk as their places.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::hash::is_missing;

/// The end of the names of lock files.
const LOCK: &str = ".lock";

/// A folder of this process alone, removed with all that is in it when dropped.
///
/// Beside it stands a file that is locked as long as the process lives, on whatever machine: folders whose lock can be
/// had are those of processes that were killed, and the next one that makes its own removes them.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: PathBuf,
    lock: PathBuf,
    _held: File,
    next: AtomicU64,
}

impl Scratch {
    /// A new one in `parent`, which is made if need be.
    ///
    /// # Errors
    /// Those of the file system.
    pub(crate) fn open_in(parent: &Path) -> io::Result<Self> {
        loop {
            remove_abandoned(parent);
            fs_err::create_dir_all(parent)?;
            let made = tempfile::Builder::new()
                .prefix("strata-")
                .suffix(LOCK)
                .tempfile_in(parent);
            let lock = match made {
                Ok(lock) => lock,
                // Another process has just removed the empty parent.
                Err(error) if is_missing(&error) => continue,
                Err(error) => return Err(error),
            };
            let is_own = lock.as_file().try_lock().is_ok();
            // Between being made and being locked it was open to another process that cleans up.
            if !is_own || lock.as_file().metadata()?.nlink() == 0 {
                continue;
            }
            let (held, lock) = lock.keep().map_err(|error| error.error)?;
            let folder = folder_of(&lock);
            fs_err::create_dir(&folder)?;
            return Ok(Self {
                folder,
                lock,
                _held: held,
                next: AtomicU64::new(0),
            });
        }
    }

    /// A path where nothing stands.
    pub(crate) fn path(&self) -> PathBuf {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.folder.join(number.to_string())
    }

    /// A new file to be written, its permissions `mode` without those of the umask.
    ///
    /// # Errors
    /// Those of the file system.
    pub(crate) fn file(&self, mode: u32) -> io::Result<(PathBuf, File)> {
        let path = self.path();
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true).mode(mode);
        let options = fs_err::OpenOptions::from_options(options);
        let (file, path) = options.open(path)?.into_parts();
        Ok((path, file))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next process.
        let _ = fs_err::remove_dir_all(&self.folder);
        let _ = fs_err::remove_file(&self.lock);
        if let Some(parent) = self.lock.parent() {
            let _ = fs_err::remove_dir(parent);
        }
    }
}

fn folder_of(lock: &Path) -> PathBuf {
    lock.with_extension("")
}

/// Removes the folders of processes that were killed. Cleaning up is a courtesy: what fails is left to others.
pub(crate) fn remove_abandoned(parent: &Path) {
    let Ok(entries) = fs_err::read_dir(parent) else {
        return;
    };
    for lock in entries.flatten().map(|entry| entry.path()) {
        if lock.extension().is_none_or(|extension| extension != "lock") {
            continue;
        }
        let mut options = fs_err::OpenOptions::new();
        let Ok(file) = options.read(true).write(true).open(&lock) else {
            continue;
        };
        match file.into_parts().0.try_lock() {
            Ok(()) => {
                let _ = fs_err::remove_dir_all(folder_of(&lock));
                let _ = fs_err::remove_file(&lock);
            }
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
        }
    }
    // Fails as long as somebody's folder is in it.
    let _ = fs_err::remove_dir(parent);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_living_keep_their_files_and_those_of_the_dead_go() {
        let folder = tempfile::tempdir().unwrap();
        let parent = folder.path().join("scratch");
        let living = Scratch::open_in(&parent).unwrap();
        let (path, _) = living.file(0o666).unwrap();
        let dead = parent.join("strata-dead");
        fs_err::create_dir(&dead).unwrap();
        fs_err::write(dead.join("0"), "half").unwrap();
        fs_err::write(parent.join("strata-dead.lock"), "").unwrap();

        let other = Scratch::open_in(&parent).unwrap();
        assert!(path.exists());
        assert!(!dead.exists());
        drop(other);
        drop(living);
        assert!(!parent.exists());
    }
}
