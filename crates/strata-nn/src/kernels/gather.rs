//! Batches gathered from the samples, and where the threads of a step find them.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use super::aligned::{AlignedBuffer, LANES};
use super::instruction_set::{InstructionSet, vectorised};
use super::pool::{OwnLine, ThreadPool};
use super::product::store_panel;
use super::shared::SharedSlice;
use crate::dropout::Mask;
use crate::layer::{panels, row_stride};
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

/// Who gathers the batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gathering {
    /// All threads together, the next batch beside the last phase of a step.
    Together,
    /// So many threads, each the whole batch for itself, when it first needs it. Nothing has to come from another
    /// core's cache, which takes longer than to make it once more.
    Each(usize),
}

impl Gathering {
    /// A thread's share of a step becomes less with each further thread, the time for a batch of its own does not.
    pub(crate) fn of(samples: &dyn Samples, threads: usize) -> Self {
        if threads <= 2 && !samples.is_costly() {
            Self::Each(threads)
        } else {
            Self::Together
        }
    }
}

/// The buffers of batches.
pub(crate) struct InputBuffers {
    gathering: Gathering,
    /// One by thread, or the current batch and the next.
    buffers: Vec<Gathered>,
    /// Which of the two is computed.
    current: usize,
    stride: usize,
    /// Distance between two panels, in rows.
    panel_rows: usize,
}

/// A batch of samples.
struct Gathered {
    /// `[rows, stride]`.
    x: AlignedBuffer,
    /// The same in panels, `[⌈inputs/16⌉][rows][16]`, for the weights' gradient; empty without backward pass.
    x_panels: AlignedBuffer,
}

impl InputBuffers {
    /// For batches of up to `rows` samples, with or without what the backward pass needs.
    pub(super) fn new(gathering: Gathering, inputs: usize, rows: usize, with_panels: bool) -> Self {
        let stride = row_stride(inputs);
        let panel_rows = if with_panels { rows } else { 0 };
        let buffer = |_| Gathered {
            x: AlignedBuffer::zeros(rows * stride),
            x_panels: AlignedBuffer::zeros(panels(inputs) * panel_rows * LANES),
        };
        let buffers = match gathering {
            Gathering::Together if with_panels => 2,
            Gathering::Together => 1,
            Gathering::Each(threads) => threads,
        };
        Self {
            gathering,
            buffers: (0..buffers).map(buffer).collect(),
            current: 0,
            stride,
            panel_rows,
        }
    }

    pub(crate) fn gathering(&self) -> Gathering {
        self.gathering
    }

    /// Gathers the batch of the next step, if that does not come to it by itself.
    pub(crate) fn gather(&mut self, pool: &mut ThreadPool, batch: &Batch) {
        if self.gathering == Gathering::Together {
            let (stride, panel_rows) = (self.stride, self.panel_rows);
            let view = GatheredView::new(&mut self.buffers[self.current], stride, panel_rows);
            pool.run(&[batch.chunks()], &|claim| view.gather(batch, claim.chunk));
        }
    }

    /// What was the next batch is the current one.
    pub(crate) fn advance(&mut self) {
        if self.gathering == Gathering::Together {
            self.current = 1 - self.current;
        }
    }

    /// For a step on `batch`, beside which `next` may be gathered.
    pub(super) fn inputs<'a>(
        &'a mut self,
        batch: Batch<'a>,
        next: Option<Batch<'a>>,
    ) -> Inputs<'a> {
        let (stride, panel_rows) = (self.stride, self.panel_rows);
        let view = |gathered| GatheredView::new(gathered, stride, panel_rows);
        match self.gathering {
            Gathering::Together => {
                let (before, rest) = self.buffers.split_at_mut(self.current);
                let (now, after) = rest.split_at_mut(1);
                let other = before.iter_mut().chain(after).next();
                Inputs::Together {
                    now: view(&mut now[0]),
                    next: next.zip(other.map(view)),
                }
            }
            Gathering::Each(_) => {
                let copy = |gathered| OwnCopy {
                    view: view(gathered),
                    is_there: OwnLine::default(),
                };
                Inputs::Each {
                    batch,
                    copies: self.buffers.iter_mut().map(copy).collect(),
                }
            }
        }
    }
}

/// The inputs of a step's first layer, as its chunks see them.
pub(super) enum Inputs<'a> {
    /// The batch, gathered before, and the next one with its place.
    Together {
        now: GatheredView<'a>,
        next: Option<(Batch<'a>, GatheredView<'a>)>,
    },
    /// The batch, to be gathered, and its copies by thread.
    Each {
        batch: Batch<'a>,
        copies: Vec<OwnCopy<'a>>,
    },
}

/// The batch of one thread, which no other thread touches.
pub(super) struct OwnCopy<'a> {
    view: GatheredView<'a>,
    is_there: OwnLine<AtomicBool>,
}

impl Inputs<'_> {
    /// Gathers some rows of the next batch.
    pub(super) fn gather_next(&self, chunk: usize) {
        if let Self::Together {
            next: Some((batch, view)),
            ..
        } = self
        {
            view.gather(batch, chunk);
        }
    }

    /// Rows from `first` on, and the distance between them.
    ///
    /// # Safety
    /// `thread` is the number of the thread that calls.
    #[inline(always)]
    pub(super) unsafe fn rows_from(&self, thread: usize, first: usize) -> (&[f32], usize) {
        // SAFETY: the caller's promise.
        let view = unsafe { self.near(thread) };
        // SAFETY: the batch is complete and not written again in this step.
        let x = unsafe { view.x.read(first * view.stride..view.x.len()) };
        (x, view.stride)
    }

    /// Some elements of the panels.
    ///
    /// # Safety
    /// `thread` is the number of the thread that calls.
    #[inline(always)]
    pub(super) unsafe fn of_panels(&self, thread: usize, range: Range<usize>) -> &[f32] {
        // SAFETY: the caller's promise; the batch is complete and not written again in this step.
        unsafe { self.near(thread).x_panels.read(range) }
    }

    /// # Safety
    /// `thread` is the number of the thread that calls.
    #[inline(always)]
    unsafe fn near(&self, thread: usize) -> &GatheredView<'_> {
        match self {
            Self::Together { now, .. } => now,
            Self::Each { batch, copies } => {
                let copy = &copies[thread];
                let OwnLine(is_there) = &copy.is_there;
                // No other thread looks at it.
                if !is_there.load(Ordering::Relaxed) {
                    copy.view.gather_all(batch);
                    is_there.store(true, Ordering::Relaxed);
                }
                &copy.view
            }
        }
    }
}

/// Where a batch is gathered to: see [`Gathered`].
pub(super) struct GatheredView<'a> {
    x: SharedSlice<'a, f32>,
    stride: usize,
    x_panels: SharedSlice<'a, f32>,
    panel_rows: usize,
}

impl<'a> GatheredView<'a> {
    fn new(gathered: &'a mut Gathered, stride: usize, panel_rows: usize) -> Self {
        Self {
            x: SharedSlice::new(&mut gathered.x),
            stride,
            x_panels: SharedSlice::new(&mut gathered.x_panels),
            panel_rows,
        }
    }

    #[cold]
    #[inline(never)]
    fn gather_all(&self, batch: &Batch) {
        (0..batch.chunks()).for_each(|chunk| self.gather(batch, chunk));
    }

    /// Gathers some rows; nothing where the batch has no such chunk.
    fn gather(&self, batch: &Batch, chunk: usize) {
        if chunk >= batch.chunks() {
            return;
        }
        let stride = self.stride;
        let first = chunk * GATHERED_ROWS;
        let rows = first..(first + GATHERED_ROWS).min(batch.indices.len());
        // Samples lie anywhere in memory: those of the next chunk are waited for while these are expanded.
        let soon = (rows.end + GATHERED_ROWS).min(batch.indices.len());
        batch.samples.prefetch(&batch.indices[rows.start..soon]);
        // SAFETY: chunk `c` writes the rows `8c..8c+8`, and no other chunk does; a copy of its own is gathered by
        // one thread, before it reads it.
        let x = unsafe { self.x.range(rows.start * stride..rows.end * stride) };
        let place = match batch.place {
            Place::Training { epoch, position } => Place::Training {
                epoch,
                position: position + rows.start,
            },
            Place::Evaluation => Place::Evaluation,
        };
        let indices = &batch.indices[rows.clone()];
        batch.samples.gather(place, indices, x, stride);
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
        if !self.x_panels.is_empty() {
            let (view, first) = (self, rows.start);
            vectorised!(
                InstructionSet::detected(),
                panels_body(view: &GatheredView, first: usize, x: &[f32])
            );
        }
    }
}

/// Writes some rows to the panels, panel by panel, so that no page is touched for one line only.
#[inline(always)]
fn panels_body(view: &GatheredView, first: usize, x: &[f32]) {
    let panels = view.x_panels.len() / (view.panel_rows * LANES);
    for panel in 0..panels {
        for (row, values) in x.chunks_exact(view.stride).enumerate() {
            let line = &values.as_chunks::<LANES>().0[panel..=panel];
            // SAFETY: a row of each panel belongs to the chunk of the row.
            unsafe { store_panel(&view.x_panels, view.panel_rows, first + row, panel, line) };
        }
    }
}
