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
        let file = open(&self.path)?;
        lock_within_tries(&file, &self.path)?;
        self.hold(file);
        Ok(())
    }

    /// Takes the lock again after [`RepositoryLock::release`], however long another process holds it. `tell` is told
    /// who that is, as [`LockError::Busy`] says it, if it takes more than a moment. Gives whether the lock is held: not if
    /// `gives_up` has said so.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn wait(
        &mut self,
        gives_up: impl Fn() -> bool,
        tell: impl FnOnce(&str),
    ) -> Result<bool, LockError> {
        if self.held.is_some() {
            return Ok(true);
        }
        let file = open(&self.path)?;
        let mut tell = Some(tell);
        for attempt in 1_u64.. {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if gives_up() => return Ok(false),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
            if attempt > 1
                && let Some(tell) = tell.take()
            {
                tell(&holder(&file));
            }
            thread::sleep(BETWEEN_TRIES);
        }
        self.hold(file);
        Ok(true)
    }

    /// Whether it is held.
    pub fn is_held(&self) -> bool {
        self.held.is_some()
    }

    fn hold(&mut self, mut file: File) {
        // For people: the lock is the file's, not its text, and a full disk does not keep anyone from it.
        let pid = std::process::id();
        let _ = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{pid:>10}"));
        self.held = Some(file);
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
    Err(LockError::Busy {
        path: path.display().to_string(),
        holder: holder(file),
    })
}

/// ` (process 42)`, or nothing where the file does not say.
fn holder(file: &File) -> String {
    let (mut file, mut text) = (file, String::new());
    let _ = file.rewind();
    let _ = file.take(64).read_to_string(&mut text);
    let holder = text.trim().parse::<u32>();
    holder.map_or_else(|_| String::new(), |pid| format!(" (process {pid})"))
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
