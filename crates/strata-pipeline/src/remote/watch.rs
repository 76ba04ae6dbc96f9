//! The work as others see it.

use crate::progress::{DataProgress, Stop};

/// Who sees an object move, and may end that.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Who is told of the bytes.
    pub progress: &'a dyn DataProgress,
    /// Who may want it to stop.
    pub stop: &'a dyn Stop,
}

impl Watch<'_> {
    /// So many more bytes were moved.
    pub(super) fn moved(self, bytes: usize) {
        self.progress.advance(0, bytes as u64);
    }
}
