//! One buffer written by several chunks at once, each in places of its own.

use std::marker::PhantomData;
use std::ops::Range;

/// A mutable slice that can be handed to many threads.
pub(crate) struct SharedSlice<'a, T> {
    start: *mut T,
    len: usize,
    borrowed: PhantomData<&'a mut [T]>,
}

// SAFETY: the only ways to the elements are `range` and `read`, whose contracts forbid that a thread
// writes an element that another one holds; moving a `T` between threads asks for `T: Send`.
unsafe impl<T: Send> Send for SharedSlice<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for SharedSlice<'_, T> {}

impl<'a, T> SharedSlice<'a, T> {
    pub(crate) fn new(slice: &'a mut [T]) -> Self {
        Self {
            start: slice.as_mut_ptr(),
            len: slice.len(),
            borrowed: PhantomData,
        }
    }

    /// The elements of `range`.
    ///
    /// # Safety
    /// While the returned slice lives, nothing else may refer to an element of `range`. The callers
    /// meet this by giving each chunk of a phase a range that no other chunk of that phase touches.
    ///
    /// # Panics
    /// If `range` reaches beyond the slice.
    #[expect(clippy::mut_from_ref, reason = "disjointness is the caller's promise")]
    pub(crate) unsafe fn range(&self, range: Range<usize>) -> &mut [T] {
        assert!(
            range.start <= range.end && range.end <= self.len,
            "range beyond the buffer"
        );
        // SAFETY: the range lies within the slice that `new` borrowed for `'a` (just checked), and
        // the caller promises that nobody else refers to it.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.len()) }
    }

    /// The elements of `range`, to read.
    ///
    /// # Safety
    /// While the returned slice lives, nothing writes to an element of `range`.
    ///
    /// # Panics
    /// If `range` reaches beyond the slice.
    pub(crate) unsafe fn read(&self, range: Range<usize>) -> &[T] {
        assert!(
            range.start <= range.end && range.end <= self.len,
            "range beyond the buffer"
        );
        // SAFETY: as in `range`, but shared.
        unsafe { std::slice::from_raw_parts(self.start.add(range.start), range.len()) }
    }

    /// Asks for the cache lines of `range`, to be written soon; nothing beyond the slice.
    #[inline(always)]
    pub(crate) fn prefetch(&self, range: Range<usize>) {
        for at in range.step_by(64 / size_of::<T>()) {
            if at < self.len {
                // SAFETY: the element lies within the slice; nothing is read or written.
                unsafe { prefetch_for_writing(self.start.add(at)) };
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// # Safety
/// `at` points into memory of this program.
#[inline(always)]
unsafe fn prefetch_for_writing<T>(at: *mut T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, which changes neither memory nor flags.
    unsafe {
        std::arch::asm!("prefetchw [{}]", in(reg) at, options(nostack, preserves_flags));
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}
