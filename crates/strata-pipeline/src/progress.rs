//! What long work on data tells while it goes on, and is asked: whether to stop. Nothing is drawn here.

use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, Ordering};

/// What is being done with files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// Their contents are read and hashed.
    Hashing,
    /// They are put into the cache, hashed on the way where they are not known.
    Caching,
    /// They are made from objects of the cache.
    CheckingOut,
    /// Their objects go to a remote.
    Sending,
    /// Their objects come from a remote.
    Receiving,
    /// Their objects are removed from a remote.
    Removing,
}

/// Who is told how far work has come, from several threads. Activities do not overlap.
pub trait DataProgress: Debug + Send + Sync {
    /// Work on so many files begins, of so many bytes if that is known.
    fn begin(&self, activity: Activity, files: u64, bytes: Option<u64>);
    /// So many more files are done, and so many more bytes.
    fn advance(&self, files: u64, bytes: u64);
    /// The work has ended, well or not; what was drawn is to go.
    fn end(&self);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl DataProgress for Silent {
    fn begin(&self, _: Activity, _: u64, _: Option<u64>) {}
    fn advance(&self, _: u64, _: u64) {}
    fn end(&self) {}
}

/// Who may want work to end before it is done, asked from several threads.
pub trait Stop: Sync {
    /// Whether to stop; what is not complete then is removed.
    fn is_requested(&self) -> bool;
}

impl Stop for AtomicBool {
    fn is_requested(&self) -> bool {
        self.load(Ordering::Relaxed)
    }
}

/// An activity that ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Begun<'a>(&'a dyn DataProgress);

impl<'a> Begun<'a> {
    pub(crate) fn new(
        progress: &'a dyn DataProgress,
        activity: Activity,
        files: u64,
        bytes: Option<u64>,
    ) -> Self {
        progress.begin(activity, files, bytes);
        Self(progress)
    }

    pub(crate) fn advance(&self, files: u64, bytes: u64) {
        self.0.advance(files, bytes);
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}
