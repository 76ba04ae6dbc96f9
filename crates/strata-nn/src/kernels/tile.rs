//! A tile: up to 16 rows of a product with one or two panels of 16 columns.
//!
//! `c[r][j] = c[r][j] + Σₖ a[r][k]·b[k][j]`, one chain of fused multiply-adds per element, `k`
//! ascending. `a` is either rows of a matrix, for `X·W`, or columns of a panel, for `Xᵀ·dZ`; `b` is a
//! panel, `K` rows of 16 columns. Two panels share what is loaded of `a`: processors that do two 512-bit
//! multiply-adds a cycle load no more than two registers in it.

use gemm_common::Parallelism;

use super::aligned::LANES;
use super::instruction_set::InstructionSet;

/// Where the left operand's element of row `r` and inner index `k` stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    /// At `r·stride + k`: rows of a matrix.
    Rows {
        /// Distance between two rows.
        stride: usize,
    },
    /// At `16·k + r`: columns of a panel.
    Columns,
}

impl Left {
    /// Distances from one row of the tile, and from one inner index, to the next.
    fn strides(self) -> (usize, usize) {
        match self {
            Self::Rows { stride } => (stride, 1),
            Self::Columns => (1, LANES),
        }
    }
}

/// The operands of a tile; `a` and `c` begin at the tile's first element.
pub(crate) struct Tile<'a, const PANELS: usize> {
    /// Left operand from its first element on.
    pub(crate) a: &'a [f32],
    /// How it lies there.
    pub(crate) left: Left,
    /// Panels of the right operand, each `[inner][16]`.
    pub(crate) b: [&'a [f32]; PANELS],
    /// The inner dimension K.
    pub(crate) inner: usize,
    /// Rows of the tile.
    pub(crate) rows: usize,
    /// Whether the result begins at zero, and not with what `out` holds.
    pub(crate) from_zero: bool,
}

/// Rows of the largest tile; with two panels its accumulators are half of AVX-512's registers, enough for
/// multiply-adds that wait for the one before, and nearly all of AVX2's with one.
pub(crate) fn most_rows(set: InstructionSet) -> usize {
    match set {
        InstructionSet::Avx512 => 8,
        InstructionSet::Avx2 => 6,
        InstructionSet::Portable => 16,
    }
}

/// Room for one panel of the largest tile.
pub(crate) type Accumulators = [[f32; LANES]; 16];

impl<const PANELS: usize> Tile<'_, PANELS> {
    /// Adds the tile to `out`, for each panel a row of 16 for each of its rows; or replaces `out` by it.
    ///
    /// # Panics
    /// If an operand is too short, or there are more rows than [`most_rows`].
    #[inline(always)]
    pub(crate) fn accumulate(&self, set: InstructionSet, out: [&mut [[f32; LANES]]; PANELS]) {
        assert!((1..=most_rows(set)).contains(&self.rows), "rows of a tile");
        for (out, b) in out.iter().zip(self.b) {
            assert!(out.len() >= self.rows, "the result is too short");
            assert!(b.len() >= self.inner * LANES, "the panel is too short");
        }
        if self.inner == 0 {
            if self.from_zero {
                for out in out {
                    out.fill([0.0; LANES]);
                }
            }
            return;
        }
        let (row_stride, inner_stride) = self.left.strides();
        let last = (self.rows - 1) * row_stride + (self.inner - 1) * inner_stride;
        assert!(last < self.a.len(), "the left operand is too short");
        match set {
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512 => x86::avx512(self, out),
            _ => {
                for (out, b) in out.into_iter().zip(self.b) {
                    let tile = self.with_panel(b);
                    let out = &mut out[..self.rows];
                    match set {
                        #[cfg(target_arch = "x86_64")]
                        InstructionSet::Avx2 => x86::avx2(&tile, out),
                        _ => portable(&tile, out),
                    }
                }
            }
        }
    }
}

impl<'a, const PANELS: usize> Tile<'a, PANELS> {
    /// The same rows with one panel.
    fn with_panel(&self, b: &'a [f32]) -> Tile<'a, 1> {
        let Self {
            a,
            left,
            inner,
            rows,
            from_zero,
            ..
        } = *self;
        Tile {
            a,
            left,
            b: [b],
            inner,
            rows,
            from_zero,
        }
    }
}

/// The same product by the `gemm` crate, which has bodies for many processors; how it rounds is its own.
fn portable(tile: &Tile<1>, out: &mut [[f32; LANES]]) {
    let (rows, lanes) = (tile.rows, LANES as isize);
    let [b] = tile.b;
    let (row_stride, inner_stride) = tile.left.strides();
    let gemm = gemm_f32::gemm::f32::get_gemm_fn();
    // SAFETY: `out` is `rows` rows of 16; `Tile::accumulate` has checked that every element of the two
    // operands lies within them; nothing else refers to `out`.
    unsafe {
        gemm(
            rows,
            LANES,
            tile.inner,
            out.as_mut_ptr().cast(),
            1,
            lanes,
            !tile.from_zero,
            tile.a.as_ptr(),
            inner_stride as isize,
            row_stride as isize,
            b.as_ptr(),
            1,
            lanes,
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_storeu_ps, _mm512_fmadd_ps,
        _mm512_loadu_ps, _mm512_set1_ps, _mm512_storeu_ps,
    };

    use std::hint::black_box;
    use std::sync::atomic::{Ordering, compiler_fence};

    use super::{LANES, Left, Tile};

    /// Evaluates `$call` with the constant `$name` at the tile's number of rows, so that its accumulators are
    /// registers.
    macro_rules! by_rows {
        ($tile:expr, $name:ident => $call:expr, $($rows:literal)+) => {
            match $tile.rows {
                $($rows => {
                    const $name: usize = $rows;
                    // SAFETY: `Tile::accumulate` has checked that every element the kernel reads lies within
                    // the operands, and has chosen the kernel by what the processor can do.
                    unsafe { $call }
                })+
                _ => unreachable!("`Tile::accumulate` bounds the rows"),
            }
        };
    }

    pub(super) fn avx512<const PANELS: usize>(
        tile: &Tile<PANELS>,
        out: [&mut [[f32; LANES]]; PANELS],
    ) {
        by_rows!(tile, ROWS => avx512_rows::<ROWS, PANELS>(tile, out), 1 2 3 4 5 6 7 8);
    }

    pub(super) fn avx2(tile: &Tile<1>, out: &mut [[f32; LANES]]) {
        by_rows!(tile, ROWS => avx2_rows::<ROWS>(tile, out), 1 2 3 4 5 6);
    }

    /// # Safety
    /// The processor has AVX-512F; `a` reaches `(ROWS-1)·row_stride + (inner-1)·inner_stride`, and
    /// each of `b` holds `inner` rows of 16.
    #[target_feature(enable = "avx512f")]
    unsafe fn avx512_rows<const ROWS: usize, const PANELS: usize>(
        tile: &Tile<PANELS>,
        out: [&mut [[f32; LANES]]; PANELS],
    ) {
        match tile.left {
            Left::Rows { stride } => {
                // Opaque, so that each row keeps its place in a register: LLVM would compute one from the
                // other, in a chain of additions for each inner index.
                let rows = std::array::from_fn(|r| black_box(r * stride));
                // SAFETY: the caller's promise.
                unsafe { avx512_body::<ROWS, PANELS, 1>(tile, rows, out) };
            }
            Left::Columns => {
                // Constants of the instructions.
                let rows = std::array::from_fn(|r| r);
                // SAFETY: the caller's promise.
                unsafe { avx512_body::<ROWS, PANELS, LANES>(tile, rows, out) };
            }
        }
    }

    /// # Safety
    /// As for [`avx512_rows`]; `rows` are the distances of the tile's rows in `a` from its first, and
    /// `INNER_STRIDE` that of the inner index.
    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn avx512_body<const ROWS: usize, const PANELS: usize, const INNER_STRIDE: usize>(
        tile: &Tile<PANELS>,
        rows: [usize; ROWS],
        mut out: [&mut [[f32; LANES]]; PANELS],
    ) {
        let mut a = tile.a.as_ptr();
        let mut b = tile.b.map(<[f32]>::as_ptr);
        // SAFETY: each row of `out` is 16 f32; `a` and `b` stay within what the caller promises: they
        // are read `inner` times and moved without being read once more.
        unsafe {
            let mut sums = [[_mm512_set1_ps(0.0); PANELS]; ROWS];
            if !tile.from_zero {
                for (r, sums) in sums.iter_mut().enumerate() {
                    for (sum, out) in sums.iter_mut().zip(&out) {
                        *sum = _mm512_loadu_ps(out[r].as_ptr());
                    }
                }
            }
            for _ in 0..tile.inner {
                let columns = b.map(|b| _mm512_loadu_ps(b));
                for (row, sums) in rows.iter().zip(&mut sums) {
                    let factor = _mm512_set1_ps(*a.add(*row));
                    for (sum, columns) in sums.iter_mut().zip(columns) {
                        *sum = _mm512_fmadd_ps(factor, columns, *sum);
                    }
                }
                a = a.wrapping_add(INNER_STRIDE);
                b = b.map(|b| b.wrapping_add(LANES));
            }
            for (r, sums) in sums.iter().enumerate() {
                for (sum, out) in sums.iter().zip(&mut out) {
                    _mm512_storeu_ps(out[r].as_mut_ptr(), *sum);
                }
            }
        }
    }

    /// Inner indices in a turn of AVX2's loop: what moves the pointers takes few of the slots, which counts
    /// where a core is shared with another thread of the machine.
    const UNROLLED: usize = 8;

    /// # Safety
    /// The processor has AVX2 and FMA; the rest as for [`avx512_rows`], with one panel.
    #[target_feature(enable = "avx2,fma")]
    unsafe fn avx2_rows<const ROWS: usize>(tile: &Tile<1>, out: &mut [[f32; LANES]]) {
        match tile.left {
            Left::Rows { stride } => {
                // Opaque, as for AVX-512.
                let rows = std::array::from_fn(|r| black_box(r * stride));
                // SAFETY: the caller's promise.
                unsafe { avx2_body::<ROWS, 1>(tile, rows, out) };
            }
            Left::Columns => {
                let rows = std::array::from_fn(|r| r);
                // SAFETY: the caller's promise.
                unsafe { avx2_body::<ROWS, LANES>(tile, rows, out) };
            }
        }
    }

    /// # Safety
    /// As for [`avx2_rows`]; `rows` and `INNER_STRIDE` as for [`avx512_body`].
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn avx2_body<const ROWS: usize, const INNER_STRIDE: usize>(
        tile: &Tile<1>,
        rows: [usize; ROWS],
        out: &mut [[f32; LANES]],
    ) {
        let Some(out) = out.first_chunk_mut::<ROWS>() else {
            return;
        };
        let mut a = tile.a.as_ptr();
        let [mut b] = tile.b.map(<[f32]>::as_ptr);
        // SAFETY: as in `avx512_body`.
        unsafe {
            let mut sums = [[_mm256_set1_ps(0.0); 2]; ROWS];
            if !tile.from_zero {
                for (sum, row) in sums.iter_mut().zip(out.iter()) {
                    *sum = [
                        _mm256_loadu_ps(row.as_ptr()),
                        _mm256_loadu_ps(row.as_ptr().add(8)),
                    ];
                }
            }
            let mut turn = |count: usize| {
                for k in 0..count {
                    // No instruction: LLVM would load factors of several inner indices at once, for which
                    // there are no registers.
                    compiler_fence(Ordering::SeqCst);
                    let columns = b.add(k * LANES);
                    let columns = [_mm256_loadu_ps(columns), _mm256_loadu_ps(columns.add(8))];
                    for (row, sum) in rows.iter().zip(&mut sums) {
                        let factor = _mm256_set1_ps(*a.add(row + k * INNER_STRIDE));
                        sum[0] = _mm256_fmadd_ps(factor, columns[0], sum[0]);
                        sum[1] = _mm256_fmadd_ps(factor, columns[1], sum[1]);
                    }
                }
                a = a.wrapping_add(count * INNER_STRIDE);
                b = b.wrapping_add(count * LANES);
            };
            for _ in 0..tile.inner / UNROLLED {
                turn(UNROLLED);
            }
            for _ in 0..tile.inner % UNROLLED {
                turn(1);
            }
            for (sum, row) in sums.iter().zip(out.iter_mut()) {
                _mm256_storeu_ps(row.as_mut_ptr(), sum[0]);
                _mm256_storeu_ps(row.as_mut_ptr().add(8), sum[1]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers(n: usize, seed: usize) -> Vec<f32> {
        (0..n)
            .map(|i| ((i * 31 + seed * 17) % 101) as f32 / 50.0 - 1.0)
            .collect()
    }

    proptest! {
        /// Every instruction set gives the sums that f64 gives, and those with fused arithmetic agree
        /// to the last bit, for any split into tiles of rows and of panels.
        #[test]
        fn tiles_agree(rows in 1usize..=16, inner in 0usize..70, columns: bool, seed in 0usize..100) {
            let left = if columns { Left::Columns } else { Left::Rows { stride: inner + 5 } };
            let (row_stride, inner_stride) = left.strides();
            let a = numbers((rows * row_stride).max(inner * inner_stride) + LANES, seed);
            let b = [numbers(inner * LANES, seed + 1), numbers(inner * LANES, seed + 2)];
            let mut fused: Option<Vec<[f32; LANES]>> = None;
            for set in InstructionSet::available() {
                let mut result = [vec![[0.5; LANES]; rows], vec![[0.5; LANES]; rows]];
                for first in (0..rows).step_by(most_rows(set)) {
                    let tile = Tile {
                        a: &a[first * row_stride..],
                        left,
                        b: b.each_ref().map(Vec::as_slice),
                        inner,
                        rows: most_rows(set).min(rows - first),
                        from_zero: false,
                    };
                    let alone = tile.with_panel(&b[1]);
                    let mut second = result[1][first..].to_vec();
                    alone.accumulate(set, [&mut second]);
                    tile.accumulate(set, result.each_mut().map(|out| &mut out[first..]));
                    prop_assert_eq!(&second, &result[1][first..], "{:?}: one panel is not as two", set);
                }
                for (result, b) in result.iter().zip(&b) {
                    for (r, row) in result.iter().enumerate() {
                        for (j, &value) in row.iter().enumerate() {
                            let exact: f64 = 0.5 + (0..inner)
                                .map(|k| f64::from(a[r * row_stride + k * inner_stride]) * f64::from(b[k * LANES + j]))
                                .sum::<f64>();
                            prop_assert!((f64::from(value) - exact).abs() < 1e-4, "{set:?}: {value} is not {exact}");
                        }
                    }
                }
                if set != InstructionSet::Portable {
                    let result = result.concat();
                    if let Some(other) = &fused {
                        prop_assert_eq!(other, &result);
                    }
                    fused = Some(result);
                }
            }
        }
    }
}
