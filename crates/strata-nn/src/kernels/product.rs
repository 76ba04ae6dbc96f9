//! The three products of an affine layer, cut into chunks and put together from tiles.
//!
//! Matrices with a row per sample are row-major with a padded stride; right operands are panels
//! (`[⌈columns/16⌉][inner][16]`). How a product is cut depends on its shape alone, so that results are
//! the same for any number of threads, and suffices for 16 of them.

use std::ops::Range;

use super::aligned::LANES;
use super::instruction_set::InstructionSet;
use super::shared::SharedSlice;
use super::tile::{Accumulators, Left, Tile, most_rows};

/// How a matrix of `rows` × `panels` is cut: into blocks of rows times blocks of panels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut {
    rows: usize,
    panels: usize,
    row_blocks: usize,
    panel_blocks: usize,
    /// Blocks of rows begin at multiples of this.
    grain: usize,
}

/// Enough for 16 threads to end at about the same time.
const WANTED_CHUNKS: usize = 48;
/// Fewer rows than this leave most of a tile's registers idle.
const ROWS_OF_A_BLOCK: usize = 16;
/// Panels that a tile takes at once.
const PANELS_OF_A_BLOCK: usize = 2;
/// Rows that go through a tail together: enough for a tile's multiply-adds to follow each other without
/// waiting, few enough that a batch of 128 is work for 16 threads.
const ROWS_OF_A_CHUNK: usize = 8;

impl Cut {
    /// Cuts by pairs of panels first, then, where those are few, by blocks of rows. Chunks of a pair follow each
    /// other, so that in all phases the same thread has the same panels of weights in its cache.
    pub(crate) fn by_panels(rows: usize, panels: usize) -> Self {
        let panel_blocks = panels.div_ceil(PANELS_OF_A_BLOCK);
        let row_blocks = WANTED_CHUNKS
            .div_ceil(panel_blocks.max(1))
            .min(rows.div_ceil(ROWS_OF_A_BLOCK))
            .max(1);
        Self {
            rows,
            panels,
            row_blocks,
            panel_blocks,
            grain: ROWS_OF_A_BLOCK,
        }
    }

    /// Blocks of a few whole rows.
    pub(crate) fn of_rows(rows: usize) -> Self {
        Self {
            rows,
            panels: 1,
            row_blocks: rows.div_ceil(ROWS_OF_A_CHUNK).max(1),
            panel_blocks: 1,
            grain: ROWS_OF_A_CHUNK,
        }
    }

    /// One panel with all of its rows a chunk.
    pub(crate) fn of_panels(panels: usize) -> Self {
        Self {
            rows: 1,
            panels,
            row_blocks: 1,
            panel_blocks: panels.max(1),
            grain: 1,
        }
    }

    pub(crate) fn chunks(&self) -> usize {
        self.row_blocks * self.panel_blocks
    }

    /// Rows and panels of a chunk.
    pub(crate) fn chunk(&self, chunk: usize) -> (Range<usize>, Range<usize>) {
        let (panel_block, row_block) = (chunk / self.row_blocks, chunk % self.row_blocks);
        (
            even_part(self.rows, self.row_blocks, row_block, self.grain),
            even_part(
                self.panels,
                self.panel_blocks,
                panel_block,
                self.panels.div_ceil(self.panel_blocks),
            ),
        )
    }
}

/// Part `index` of `parts` of `0..len`, its ends at multiples of `grain`.
fn even_part(len: usize, parts: usize, index: usize, grain: usize) -> Range<usize> {
    let grains = len.div_ceil(grain);
    let end = |part: usize| (grains * part / parts * grain).min(len);
    end(index)..end(index + 1)
}

/// A matrix with a row per sample, each row padded to `stride` f32.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) stride: usize,
}

/// The right operand of a product.
#[derive(Clone, Copy)]
pub(crate) struct Panels<'a> {
    /// `[⌈columns/16⌉][inner][16]`.
    pub(crate) data: &'a [f32],
    /// The inner dimension.
    pub(crate) inner: usize,
    /// What each column begins with (the bias); zero where it is empty.
    pub(crate) start: &'a [f32],
}

/// What becomes of the tiles of a product. Not two closures: only what is inlined is compiled for the
/// instruction set at hand.
pub(crate) trait TileSink {
    /// Comes before the tile is computed, which takes long enough to bring in what `finish` touches.
    fn prepare(&self, rows: Range<usize>, panel: usize);

    /// Takes a row of 16 columns for each row from `first_row` on.
    fn finish(&mut self, first_row: usize, panel: usize, tile: &mut [[f32; LANES]]);
}

/// Gives the tiles of `rows` × `panels` of `X·B` to `sink`; `x` begins with the first of `rows`.
#[inline(always)]
pub(crate) fn rows_times_panels(
    set: InstructionSet,
    x: Rows,
    right: Panels,
    rows: Range<usize>,
    panels: Range<usize>,
    sink: &mut impl TileSink,
) {
    for pair in pairs(set, panels) {
        for (first_row, count) in Tiles::new(set, rows.clone()) {
            let x = Rows {
                data: &x.data[(first_row - rows.start) * x.stride..],
                ..x
            };
            let rows = first_row..first_row + count;
            match pair {
                Pair::Two(panels) => tile_of(set, x, right, rows, panels, sink),
                Pair::One(panel) => tile_of(set, x, right, rows, [panel], sink),
            }
        }
    }
}

#[inline(always)]
fn tile_of<const PANELS: usize>(
    set: InstructionSet,
    x: Rows,
    right: Panels,
    rows: Range<usize>,
    panels: [usize; PANELS],
    sink: &mut impl TileSink,
) {
    let inner = right.inner;
    let mut out: [Accumulators; PANELS] = [[[0.0; LANES]; 16]; PANELS];
    for (panel, out) in panels.into_iter().zip(&mut out) {
        sink.prepare(rows.clone(), panel);
        if let Some(start) = right.start.as_chunks::<LANES>().0.get(panel) {
            out[..rows.len()].fill(*start);
        }
    }
    let tile = Tile {
        a: x.data,
        left: Left::Rows { stride: x.stride },
        b: panels.map(|panel| &right.data[panel * inner * LANES..]),
        inner,
        rows: rows.len(),
        from_zero: right.start.is_empty(),
    };
    tile.accumulate(set, out.each_mut().map(|out| &mut out[..rows.len()]));
    for (panel, out) in panels.into_iter().zip(&mut out) {
        sink.finish(rows.start, panel, &mut out[..rows.len()]);
    }
}

/// Panels that are computed together.
#[derive(Clone, Copy)]
pub(crate) enum Pair {
    Two([usize; 2]),
    /// The last of an odd number.
    One(usize),
}

/// Panels by as many as tiles of the instruction set are fastest with.
#[inline(always)]
pub(crate) fn pairs(set: InstructionSet, panels: Range<usize>) -> impl Iterator<Item = Pair> {
    let step = if set == InstructionSet::Avx512 { 2 } else { 1 };
    panels.clone().step_by(step).map(move |panel| {
        if step == 2 && panel + 1 < panels.end {
            Pair::Two([panel, panel + 1])
        } else {
            Pair::One(panel)
        }
    })
}

/// Writes `Xᵀ·B` for the first columns of a panel of X and panels of B to `out`, for each of them a row of 16 for
/// each column.
///
/// The inner index runs over the first `samples` rows of all panels.
#[inline(always)]
pub(crate) fn columns_times_panels<const PANELS: usize>(
    set: InstructionSet,
    x: &[f32],
    samples: usize,
    panels: [&[f32]; PANELS],
    mut out: [&mut [[f32; LANES]]; PANELS],
) {
    let columns = out.first().map_or(0, |out| out.len());
    for (first_column, count) in Tiles::new(set, 0..columns) {
        let tile = Tile {
            a: &x[first_column..],
            left: Left::Columns,
            b: panels,
            inner: samples,
            rows: count,
            from_zero: true,
        };
        tile.accumulate(set, out.each_mut().map(|out| &mut out[first_column..]));
    }
}

/// Splits rows into tiles of nearly equal height, each with its first row and their number: a last tile of one
/// row would cost as much as a full one.
struct Tiles {
    rows: Range<usize>,
    left: usize,
}

impl Tiles {
    #[inline(always)]
    fn new(set: InstructionSet, rows: Range<usize>) -> Self {
        let left = rows.len().div_ceil(most_rows(set));
        Self { rows, left }
    }
}

impl Iterator for Tiles {
    type Item = (usize, usize);

    #[inline(always)]
    fn next(&mut self) -> Option<(usize, usize)> {
        let first = self.rows.start;
        let count = self.rows.len().div_ceil(self.left.max(1));
        self.rows.start += count;
        self.left = self.left.checked_sub(1)?;
        Some((first, count))
    }
}

/// Asks for where [`store_rows`] will write.
#[inline(always)]
pub(crate) fn prefetch_rows(
    to: &SharedSlice<f32>,
    stride: usize,
    rows: Range<usize>,
    panel: usize,
) {
    for row in rows {
        let at = row * stride + panel * LANES;
        to.prefetch(at..at + LANES);
    }
}

/// Asks for where [`store_panel`] will write.
#[inline(always)]
pub(crate) fn prefetch_panel(
    to: &SharedSlice<f32>,
    panel_rows: usize,
    rows: Range<usize>,
    panel: usize,
) {
    let at = |row: usize| (panel * panel_rows + row) * LANES;
    to.prefetch(at(rows.start)..at(rows.end));
}

/// Writes a tile into a row-major matrix shared between chunks.
///
/// # Safety
/// No other chunk of the phase touches these rows of this panel's 16 columns.
#[inline(always)]
pub(crate) unsafe fn store_rows(
    to: &SharedSlice<f32>,
    stride: usize,
    first_row: usize,
    panel: usize,
    tile: &[[f32; LANES]],
) {
    for (row, values) in tile.iter().enumerate() {
        let at = (first_row + row) * stride + panel * LANES;
        // SAFETY: the caller's promise.
        let to = unsafe { to.range(at..at + LANES) };
        // As an array, which is moved in registers; a slice of unknown length would be a call.
        if let Some(to) = to.first_chunk_mut::<LANES>() {
            *to = *values;
        }
    }
}

/// Writes a tile into panels that are `panel_rows` rows apart.
///
/// # Safety
/// No other chunk of the phase touches these rows of this panel.
#[inline(always)]
pub(crate) unsafe fn store_panel(
    to: &SharedSlice<f32>,
    panel_rows: usize,
    first_row: usize,
    panel: usize,
    tile: &[[f32; LANES]],
) {
    let at = (panel * panel_rows + first_row) * LANES;
    // SAFETY: the caller's promise.
    let to = unsafe { to.range(at..at + tile.len() * LANES) };
    for (to, values) in to.as_chunks_mut::<LANES>().0.iter_mut().zip(tile) {
        *to = *values;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The chunks of a cut cover each row of each panel once, whatever the shape.
        #[test]
        fn a_cut_is_a_partition(rows in 0usize..700, panels in 1usize..70) {
            let cut = Cut::by_panels(rows, panels);
            let mut seen = vec![0; rows * panels];
            for chunk in 0..cut.chunks() {
                let (rows, chunk_panels) = cut.chunk(chunk);
                for row in rows {
                    for panel in chunk_panels.clone() {
                        seen[row * panels + panel] += 1;
                    }
                }
            }
            prop_assert!(seen.iter().all(|&times| times == 1));
        }
    }
}
