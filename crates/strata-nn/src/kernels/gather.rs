//! Batches gathered from the samples, a few rows a chunk.

use super::aligned::LANES;
use super::pool::ThreadPool;
use super::product::store_panel;
use super::shared::SharedSlice;
use super::workspace::{Gathered, Workspace};
use crate::dropout::Mask;
use crate::samples::{Place, Samples};

/// A batch to gather: which samples, and where the first of them stands.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    pub(crate) samples: &'a dyn Samples,
    pub(crate) indices: &'a [u32],
    pub(crate) place: Place,
    /// Dropout of the inputs.
    pub(crate) mask: Option<Mask>,
    /// What inputs are multiplied by.
    pub(crate) scale: f32,
}

/// Rows that one chunk gathers.
const GATHERED_ROWS: usize = 8;

impl Batch<'_> {
    fn chunks(&self) -> usize {
        self.indices.len().div_ceil(GATHERED_ROWS)
    }
}

/// Where a batch is gathered to: see [`Gathered`].
pub(super) struct GatheredView<'a> {
    x: SharedSlice<'a, f32>,
    x_stride: usize,
    x_panels: SharedSlice<'a, f32>,
    /// Distance between two panels, in rows.
    panel_rows: usize,
    labels: SharedSlice<'a, u32>,
}

impl<'a> GatheredView<'a> {
    pub(super) fn new(gathered: &'a mut Gathered, x_stride: usize, panel_rows: usize) -> Self {
        Self {
            x: SharedSlice::new(&mut gathered.x),
            x_stride,
            x_panels: SharedSlice::new(&mut gathered.x_panels),
            panel_rows,
            labels: SharedSlice::new(&mut gathered.labels),
        }
    }

    /// Gathers some rows; nothing where the batch has no such chunk.
    pub(super) fn gather(&self, batch: &Batch, chunk: usize) {
        if chunk >= batch.chunks() {
            return;
        }
        let stride = self.x_stride;
        let first = chunk * GATHERED_ROWS;
        let rows = first..(first + GATHERED_ROWS).min(batch.indices.len());
        // SAFETY: chunk `c` writes the rows `8c..8c+8` and their labels, and no other chunk does.
        let (x, labels) = unsafe {
            (
                self.x.range(rows.start * stride..rows.end * stride),
                self.labels.range(rows.clone()),
            )
        };
        let place = match batch.place {
            Place::Training { epoch, position } => Place::Training {
                epoch,
                position: position + rows.start,
            },
            Place::Evaluation => Place::Evaluation,
        };
        batch
            .samples
            .gather(place, &batch.indices[rows.clone()], x, stride, labels);
        if batch.scale != 1.0 {
            for value in x.iter_mut() {
                *value *= batch.scale;
            }
        }
        if let Some(mask) = batch.mask {
            for (row, values) in rows.clone().zip(x.chunks_exact_mut(stride)) {
                let first = mask.place((row, 0), stride);
                for (j, value) in values.iter_mut().enumerate() {
                    *value *= mask.factor(first + j as u32);
                }
            }
        }
        if self.x_panels.is_empty() {
            return;
        }
        let panels = self.x_panels.len() / (self.panel_rows * LANES);
        for (row, values) in rows.zip(x.chunks_exact(stride)) {
            for (panel, line) in values.as_chunks::<LANES>().0[..panels].iter().enumerate() {
                let line = std::slice::from_ref(line);
                // SAFETY: a row of each panel belongs to the chunk of the row.
                unsafe { store_panel(&self.x_panels, self.panel_rows, row, panel, line) };
            }
        }
    }
}

/// Gathers a batch into the workspace's current buffers.
pub(crate) fn gather(pool: &mut ThreadPool, workspace: &mut Workspace, batch: &Batch) {
    let gathered = &mut workspace.gathered[workspace.current];
    let view = GatheredView::new(gathered, workspace.x_stride, workspace.rows);
    pool.run(&[batch.chunks()], &|_, chunk| view.gather(batch, chunk));
}
