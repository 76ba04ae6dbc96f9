//! The lock of the project: `flock` on `.dvc/tmp/lock`.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread;

use super::{BETWEEN_TRIES, LockError, TRIES};

/// The project's lock, held until it is let go or dropped.
#[derive(Debug)]
pub struct RepositoryLock {
    path: PathBuf,
    held: Option<File>,
}

impl RepositoryLock {
    /// Takes the lock at `path`, a file that stays where it is.
    ///
    /// # Errors
    /// Another process holds it, tried several times over some seconds.
    pub fn acquire(path: &Path) -> Result<Self, LockError> {
        let mut lock = Self {
            path: path.to_owned(),
            held: None,
        };
        lock.take()?;
        Ok(lock)
    }

    /// Takes the lock again after [`RepositoryLock::release`].
    ///
    /// # Errors
    /// As [`RepositoryLock::acquire`].
    pub fn take(&mut self) -> Result<(), LockError> {
        if self.held.is_some() {
            return Ok(());
        }
        let mut file = open(&self.path)?;
        lock_within_tries(&file, &self.path)?;
        file.set_len(0)?;
        file.rewind()?;
        // For people: the lock is the file's, not its text.
        writeln!(file, "{:>10}", std::process::id())?;
        self.held = Some(file);
        Ok(())
    }

    /// Lets go of the lock.
    pub fn release(&mut self) {
        self.held = None;
    }
}

pub(super) fn open(path: &Path) -> Result<File, LockError> {
    if let Some(folder) = path.parent() {
        fs_err::create_dir_all(folder)?;
    }
    let mut options = fs_err::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    Ok(options.open(path)?.into_parts().0)
}

pub(super) fn lock_within_tries(file: &File, path: &Path) -> Result<(), LockError> {
    for attempt in 1..=TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if attempt < TRIES => thread::sleep(BETWEEN_TRIES),
            Err(TryLockError::WouldBlock) => break,
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
    }
    let mut text = String::new();
    let _ = (&mut &*file).take(64).read_to_string(&mut text);
    let holder = text.trim().parse::<u32>();
    Err(LockError::Busy {
        path: path.display().to_string(),
        holder: holder.map_or_else(|_| String::new(), |pid| format!(" (process {pid})")),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_was_let_go_can_be_taken_by_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tmp/lock");
        let mut first = RepositoryLock::acquire(&path).unwrap();
        assert!(matches!(
            open(&path).unwrap().try_lock(),
            Err(TryLockError::WouldBlock)
        ));
        first.release();
        let second = RepositoryLock::acquire(&path).unwrap();
        let text = fs_err::read_to_string(&path).unwrap();
        assert_eq!(text.trim(), std::process::id().to_string());
        drop(second);
        first.take().unwrap();
    }
}
