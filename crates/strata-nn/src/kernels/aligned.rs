//! Buffers of f32 that start on a cache line, so that no panel row straddles two.

use std::ops::{Deref, DerefMut};

/// Columns of a panel; one AVX-512 register, two AVX2 registers, one cache line.
pub(crate) const LANES: usize = 16;

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; LANES]);

/// A zero-initialised buffer whose length is rounded up to whole cache lines.
#[derive(Clone)]
pub(crate) struct AlignedBuffer {
    lines: Vec<Line>,
}

impl AlignedBuffer {
    /// At least `len` zeros.
    pub(crate) fn zeros(len: usize) -> Self {
        Self {
            lines: vec![Line([0.0; LANES]); len.div_ceil(LANES)],
        }
    }
}

impl Deref for AlignedBuffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        let len = self.lines.len() * LANES;
        // SAFETY: `Line` is `repr(C)` around `[f32; 16]` and exactly 64 bytes, so `lines` is
        // `len` initialised f32 in a row; the borrow of `self` keeps them alive.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), len) }
    }
}

impl DerefMut for AlignedBuffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        let len = self.lines.len() * LANES;
        // SAFETY: as in `deref`, and the mutable borrow of `self` makes the slice exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), len) }
    }
}
