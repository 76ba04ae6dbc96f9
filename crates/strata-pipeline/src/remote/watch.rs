//! The work as others see it.

/// Sees transfers as they go, from several threads at a time, and may end them.
pub trait Watch: Sync {
    /// So many files of so many bytes in all, if that is known, will be moved.
    fn planned(&self, _files: usize, _bytes: Option<u64>) {}

    /// So many more bytes were moved.
    fn moved(&self, _bytes: u64) {}

    /// One more file was moved, or given up.
    fn ended_file(&self) {}

    /// Whether to stop; what is not complete is removed.
    fn is_interrupted(&self) -> bool {
        false
    }
}

/// Sees nothing and ends nothing.
#[derive(Debug, Clone, Copy)]
pub struct Unwatched;

impl Watch for Unwatched {}
