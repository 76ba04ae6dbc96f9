//! The phases of a training step, each a number of chunks for the pool.
//!
//! [`gather`] → [`forward`] (a phase per layer) → [`loss`] → [`backward`] (a phase per layer: the
//! gradients of input, weights and biases together) → [`update`] (optimiser, and gathering the next
//! batch, whose buffer is free by then). Chunks of a phase write disjoint places; the `SAFETY` notes say
//! which.

use std::ops::Range;

use super::aligned::{AlignedBuffer, LANES};
use super::instruction_set::{InstructionSet, vectorised};
use super::pool::ThreadPool;
use super::product::{Cut, Rows, columns_times_panels, rows_times_panels, store_panel, store_rows};
use super::shared::SharedSlice;
use super::workspace::Workspace;
use crate::activation::Activation;
use crate::layer::Layer;
use crate::math;
use crate::optimizer::{Stretch, Update, apply_update};
use crate::samples::{Place, Samples};

/// Which hidden units are dropped in one step.
#[derive(Clone, Copy)]
pub(crate) struct Dropout {
    /// Random words of the step.
    pub(crate) key: [u32; 2],
    /// A unit stays if its random word is at least this.
    pub(crate) threshold: u32,
    /// What those that stay are multiplied by.
    pub(crate) scale: f32,
}

/// The gradient of one parameter array, and what the optimiser remembers of it.
#[derive(Clone)]
pub(crate) struct ParameterState {
    pub(crate) gradient: AlignedBuffer,
    pub(crate) first: AlignedBuffer,
    pub(crate) second: AlignedBuffer,
}

/// The states of a layer's weights and biases, in the layouts of [`Layer`].
#[derive(Clone)]
pub(crate) struct LayerState {
    pub(crate) weight: ParameterState,
    pub(crate) bias: ParameterState,
}

impl LayerState {
    pub(crate) fn new(layer: &Layer) -> Self {
        let state = |len| ParameterState {
            gradient: AlignedBuffer::zeros(len),
            first: AlignedBuffer::zeros(len),
            second: AlignedBuffer::zeros(len),
        };
        Self {
            weight: state(layer.weight.len()),
            bias: state(layer.bias.len()),
        }
    }
}

/// Rows that one chunk gathers, or whose losses it computes.
const ROWS_OF_A_CHUNK: usize = 8;

fn row_chunks(rows: usize) -> usize {
    rows.div_ceil(ROWS_OF_A_CHUNK)
}

fn rows_of_chunk(chunk: usize, rows: usize) -> Range<usize> {
    chunk * ROWS_OF_A_CHUNK..((chunk + 1) * ROWS_OF_A_CHUNK).min(rows)
}

/// A batch to gather: which samples, and where the first of them stands.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    pub(crate) samples: &'a dyn Samples,
    pub(crate) indices: &'a [u32],
    pub(crate) place: Place,
}

/// Where a gathered batch goes.
struct GatherInto<'a> {
    x: SharedSlice<'a, f32>,
    labels: SharedSlice<'a, u32>,
    stride: usize,
}

impl GatherInto<'_> {
    fn chunk(&self, batch: &Batch, chunk: usize) {
        let rows = rows_of_chunk(chunk, batch.indices.len());
        // SAFETY: chunk `c` writes the rows `8c..8c+8` and their labels, and no other chunk does.
        let (x, labels) = unsafe {
            (
                self.x
                    .range(rows.start * self.stride..rows.end * self.stride),
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
            .gather(place, &batch.indices[rows], x, self.stride, labels);
    }
}

/// Gathers a batch into the workspace.
pub(crate) fn gather(pool: &mut ThreadPool, workspace: &mut Workspace, batch: &Batch) {
    let into = GatherInto {
        x: SharedSlice::new(&mut workspace.x),
        labels: SharedSlice::new(&mut workspace.labels),
        stride: workspace.x_stride,
    };
    pool.run(row_chunks(batch.indices.len()), &|chunk| {
        into.chunk(batch, chunk);
    });
}

/// Computes the outputs of all layers for the first `rows` samples of the workspace.
pub(crate) fn forward(
    pool: &mut ThreadPool,
    set: InstructionSet,
    layers: &[Layer],
    workspace: &mut Workspace,
    rows: usize,
    activation: Activation,
    dropout: &dyn Fn(usize) -> Option<Dropout>,
) {
    let last = layers.len() - 1;
    for (index, layer) in layers.iter().enumerate() {
        let (before, from) = workspace.layers.split_at_mut(index);
        let input = match before.last() {
            None => Rows {
                data: &workspace.x,
                stride: workspace.x_stride,
            },
            Some(before) => Rows {
                data: &before.y,
                stride: before.stride,
            },
        };
        let to = &mut from[0];
        let stride = to.stride;
        let (y, slope) = (SharedSlice::new(&mut to.y), SharedSlice::new(&mut to.slope));
        let dropout = dropout(index);
        let cut = Cut::by_panels(rows, layer.output_panels());
        pool.run(cut.chunks(), &|chunk| {
            let (rows, panels) = cut.chunk(chunk);
            rows_times_panels(
                set,
                input,
                layer.inputs,
                &layer.weight,
                &layer.bias,
                rows,
                panels,
                &mut |first_row, count, panel, tile| {
                    if index < last {
                        let mut slopes = [[0.0; LANES]; 16];
                        let at = (first_row * stride + panel * LANES) as u32;
                        let (values, derivatives) = (
                            tile[..count].as_flattened_mut(),
                            slopes[..count].as_flattened_mut(),
                        );
                        activate(
                            set,
                            activation,
                            dropout,
                            (at, stride as u32),
                            values,
                            derivatives,
                        );
                        // SAFETY: the cut gives each row of each panel to one chunk.
                        unsafe { store_rows(&slope, stride, first_row, panel, &slopes[..count]) };
                    }
                    // SAFETY: as above.
                    unsafe { store_rows(&y, stride, first_row, panel, &tile[..count]) };
                },
            );
        });
    }
}

/// Activation and dropout of a tile whose first element has the number `place.0` in its layer and whose
/// rows are `place.1` apart.
fn activate(
    set: InstructionSet,
    activation: Activation,
    dropout: Option<Dropout>,
    place: (u32, u32),
    values: &mut [f32],
    slopes: &mut [f32],
) {
    vectorised!(
        set,
        activate_body(
            activation: Activation,
            dropout: Option<Dropout>,
            place: (u32, u32),
            values: &mut [f32],
            slopes: &mut [f32],
        )
    );
}

#[inline(always)]
fn activate_body(
    activation: Activation,
    dropout: Option<Dropout>,
    place: (u32, u32),
    values: &mut [f32],
    slopes: &mut [f32],
) {
    activation.apply(values, slopes);
    let Some(Dropout {
        key,
        threshold,
        scale,
    }) = dropout
    else {
        return;
    };
    let rows = values
        .chunks_exact_mut(LANES)
        .zip(slopes.chunks_exact_mut(LANES));
    for (row, (values, slopes)) in rows.enumerate() {
        let first = place.0.wrapping_add(row as u32 * place.1);
        for (j, (value, slope)) in values.iter_mut().zip(slopes).enumerate() {
            let stays = random_word(first.wrapping_add(j as u32), key) >= threshold;
            let factor = if stays { scale } else { 0.0 };
            *value *= factor;
            *slope *= factor;
        }
    }
}

/// A random word for each place: two rounds of multiply and shift (Wellons' `lowbias32`), the step's
/// random words mixed in before each. Philox would cost a tenth of a step here.
#[inline(always)]
fn random_word(place: u32, key: [u32; 2]) -> u32 {
    let x = place.wrapping_mul(0x9e37_79b1) ^ key[0];
    let x = (x ^ x >> 16).wrapping_mul(0x7feb_352d);
    let x = (x ^ x >> 15).wrapping_add(key[1]);
    let x = x.wrapping_mul(0x846c_a68b);
    x ^ x >> 16
}

/// Softmax cross-entropy of the first `rows` samples: their losses and hits, and, where the workspace
/// has room for it, the derivative of the mean loss by the logits.
///
/// With label smoothing `a` the target is `(1-a)·onehot + a/K` (torch's form).
pub(crate) fn loss(
    pool: &mut ThreadPool,
    set: InstructionSet,
    classes: usize,
    workspace: &mut Workspace,
    rows: usize,
    label_smoothing: f32,
) {
    let panel_rows = workspace.rows;
    let last = workspace.layers.last_mut().expect("a network has a layer");
    let stride = last.stride;
    let with_gradient = !last.dz.is_empty();
    let y = SharedSlice::new(&mut last.y);
    let (dz, dz_panels) = (
        SharedSlice::new(&mut last.dz),
        SharedSlice::new(&mut last.dz_panels),
    );
    let (losses, hits) = (
        SharedSlice::new(&mut workspace.losses),
        SharedSlice::new(&mut workspace.hits),
    );
    let labels = &workspace.labels;
    let padded = classes.next_multiple_of(LANES);
    pool.run(row_chunks(rows), &|chunk| {
        for row in rows_of_chunk(chunk, rows) {
            // SAFETY: each row, its loss and its hit belong to one chunk.
            let (logits, loss, hit) = unsafe {
                (
                    y.range(row * stride..row * stride + padded),
                    &mut losses.range(row..row + 1)[0],
                    &mut hits.range(row..row + 1)[0],
                )
            };
            let label = labels[row] as usize;
            let criterion = Criterion {
                classes,
                label,
                label_smoothing,
                weight: 1.0 / rows as f32,
            };
            (*loss, *hit) = criterion.value(logits);
            if !with_gradient {
                continue;
            }
            // SAFETY: as above.
            let gradient = unsafe { dz.range(row * stride..row * stride + padded) };
            gradient.copy_from_slice(logits);
            vectorised!(set, gradient_body(criterion: Criterion, gradient: &mut [f32]));
            let gradient = gradient.as_chunks::<LANES>().0;
            for (panel, values) in gradient.iter().enumerate() {
                // SAFETY: a row of each panel belongs to the chunk of the row.
                unsafe {
                    store_panel(
                        &dz_panels,
                        panel_rows,
                        row,
                        panel,
                        std::slice::from_ref(values),
                    );
                };
            }
        }
    });
}

/// Cross-entropy of one sample.
#[derive(Clone, Copy)]
struct Criterion {
    classes: usize,
    label: usize,
    label_smoothing: f32,
    /// Share of the sample in the mean.
    weight: f32,
}

impl Criterion {
    /// Loss, and whether the likeliest class is the sample's own; the first one counts where several are.
    fn value(&self, logits: &[f32]) -> (f32, bool) {
        let logits = &logits[..self.classes];
        let (mut likeliest, mut most) = (0, f32::NEG_INFINITY);
        for (class, &logit) in logits.iter().enumerate() {
            if logit > most {
                (likeliest, most) = (class, logit);
            }
        }
        let most = f64::from(most);
        let sum: f64 = logits
            .iter()
            .map(|&z| f64::from(math::exp((f64::from(z) - most) as f32)))
            .sum();
        let log_sum = math::ln(sum) + most;
        let of_label = log_sum - f64::from(logits[self.label]);
        let smoothing = f64::from(self.label_smoothing);
        if smoothing == 0.0 {
            return (of_label as f32, likeliest == self.label);
        }
        let mean = logits.iter().map(|&z| f64::from(z)).sum::<f64>() / self.classes as f64;
        let loss = (1.0 - smoothing) * of_label + smoothing * (log_sum - mean);
        (loss as f32, likeliest == self.label)
    }
}

/// Replaces logits by the derivative of the weighted loss; padded columns become 0.
#[inline(always)]
fn gradient_body(criterion: Criterion, logits: &mut [f32]) {
    let Criterion {
        classes,
        label,
        label_smoothing,
        weight,
    } = criterion;
    let (real, padding) = logits.split_at_mut(classes);
    let most = real.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for z in real.iter_mut() {
        *z = math::exp(*z - most);
    }
    let factor = weight / real.iter().sum::<f32>();
    let even = weight * label_smoothing / classes as f32;
    for z in real.iter_mut() {
        *z = *z * factor - even;
    }
    real[label] -= weight * (1.0 - label_smoothing);
    padding.fill(0.0);
}

/// Computes the gradients of all parameters from the derivative by the logits.
///
/// Returns the sum of the squares of all gradients.
#[expect(
    clippy::too_many_lines,
    reason = "one phase: the three kinds of its chunks share their buffers"
)]
pub(crate) fn backward(
    pool: &mut ThreadPool,
    set: InstructionSet,
    layers: &[Layer],
    states: &mut [LayerState],
    workspace: &mut Workspace,
    rows: usize,
    squares: &mut [f64],
) -> f64 {
    let panel_rows = workspace.rows;
    let mut total = 0.0;
    for (index, (layer, state)) in layers.iter().zip(states).enumerate().rev() {
        let (before, from) = workspace.layers.split_at_mut(index);
        let dz = Rows {
            data: &from[0].dz,
            stride: from[0].stride,
        };
        let dz_panels = &from[0].dz_panels;
        let (input, mut below) = match before.last_mut() {
            None => (
                Rows {
                    data: &workspace.x,
                    stride: workspace.x_stride,
                },
                None,
            ),
            Some(before) => {
                let input = Rows {
                    data: &before.y,
                    stride: before.stride,
                };
                let to = (
                    SharedSlice::new(&mut before.dz),
                    SharedSlice::new(&mut before.dz_panels),
                );
                (input, Some((&before.slope, to)))
            }
        };
        let below = below.as_mut();
        let input_cut = Cut::by_panels(rows, layer.input_panels());
        let input_chunks = if below.is_some() {
            input_cut.chunks()
        } else {
            0
        };
        let weight_cut = Cut::by_rows(layer.inputs, layer.output_panels());
        let chunks = input_chunks + weight_cut.chunks() + 1;
        let weight = SharedSlice::new(&mut state.weight.gradient);
        let bias = SharedSlice::new(&mut state.bias.gradient);
        let partial = SharedSlice::new(&mut *squares);
        let below = below.map(|(slope, to)| (&**slope, *to));
        pool.run(chunks, &|chunk| {
            let mut square = 0.0;
            if let Some((slope, (dz_below, dz_panels_below))) =
                below.filter(|_| chunk < input_chunks)
            {
                let (rows, panels) = input_cut.chunk(chunk);
                let finish =
                    &mut |first_row: usize,
                          count: usize,
                          panel: usize,
                          tile: &mut [[f32; LANES]; 16]| {
                        for (row, values) in tile[..count].iter_mut().enumerate() {
                            let at = (first_row + row) * input.stride + panel * LANES;
                            let slopes = &slope[at..at + LANES];
                            values
                                .iter_mut()
                                .zip(slopes)
                                .for_each(|(value, slope)| *value *= slope);
                        }
                        // SAFETY: the cut gives each row of each panel to one chunk.
                        unsafe {
                            store_rows(&dz_below, input.stride, first_row, panel, &tile[..count]);
                            store_panel(
                                &dz_panels_below,
                                panel_rows,
                                first_row,
                                panel,
                                &tile[..count],
                            );
                        }
                    };
                rows_times_panels(
                    set,
                    dz,
                    layer.outputs,
                    &layer.transposed,
                    &[],
                    rows,
                    panels,
                    finish,
                );
            } else if chunk < chunks - 1 {
                let (columns, panels) = weight_cut.chunk(chunk - input_chunks);
                let finish =
                    &mut |first: usize,
                          count: usize,
                          panel: usize,
                          tile: &mut [[f32; LANES]; 16]| {
                        // SAFETY: the cut gives each row of each panel to one chunk.
                        unsafe { store_panel(&weight, layer.inputs, first, panel, &tile[..count]) };
                    };
                let right = (&**dz_panels, panel_rows);
                columns_times_panels(
                    set,
                    input,
                    rows,
                    right,
                    columns.clone(),
                    panels.clone(),
                    finish,
                );
                for panel in panels {
                    // Not tile by tile: the height of a tile must not decide the order of a sum.
                    let at = |row: usize| (panel * layer.inputs + row) * LANES;
                    // SAFETY: as above, and the tiles of this chunk are done.
                    square +=
                        sum_of_squares(unsafe { weight.range(at(columns.start)..at(columns.end)) });
                }
            } else {
                // SAFETY: only the last chunk writes the gradient of the biases.
                let bias = unsafe { bias.range(0..layer.output_panels() * LANES) };
                for (panel, sums) in bias.chunks_exact_mut(LANES).enumerate() {
                    let from = panel * panel_rows * LANES;
                    sum_rows(&dz_panels[from..from + rows * LANES], sums);
                }
                square = sum_of_squares(bias);
            }
            // SAFETY: each chunk has a place of its own.
            unsafe { partial.range(chunk..chunk + 1)[0] = square };
        });
        total += squares[..chunks].iter().sum::<f64>();
    }
    total
}

/// The most places that [`backward`] needs in `squares`.
pub(crate) fn most_backward_chunks(layers: &[Layer], rows: usize) -> usize {
    let chunks = layers.iter().map(|layer| {
        Cut::by_panels(rows, layer.input_panels()).chunks()
            + Cut::by_rows(layer.inputs, layer.output_panels()).chunks()
            + 1
    });
    chunks.max().unwrap_or(0)
}

/// Sums panel rows into 16 columns, in the order of the rows.
fn sum_rows(panel: &[f32], sums: &mut [f32]) {
    sums.fill(0.0);
    for row in panel.chunks_exact(LANES) {
        sums.iter_mut()
            .zip(row)
            .for_each(|(sum, value)| *sum += value);
    }
}

/// Sum of squares in 16 lanes, the lanes added in f64. Whole lines only.
fn sum_of_squares(values: &[f32]) -> f64 {
    let mut lanes = [0.0_f32; LANES];
    for line in values.chunks_exact(LANES) {
        lanes
            .iter_mut()
            .zip(line)
            .for_each(|(lane, value)| *lane += value * value);
    }
    lanes.iter().map(|&lane| f64::from(lane)).sum()
}

/// Applies the optimiser to all parameters and gathers the next batch, if there is one.
pub(crate) fn update(
    pool: &mut ThreadPool,
    set: InstructionSet,
    layers: &mut [Layer],
    states: &mut [LayerState],
    workspace: &mut Workspace,
    rule: Update,
    next: Option<&Batch>,
) {
    let into = GatherInto {
        x: SharedSlice::new(&mut workspace.x),
        labels: SharedSlice::new(&mut workspace.labels),
        stride: workspace.x_stride,
    };
    let gather_chunks = next.map_or(0, |batch| row_chunks(batch.indices.len()));
    let mut gathering = next;
    let mut first_chunks = gather_chunks;
    for (layer, state) in layers.iter_mut().zip(states) {
        // The batch is gathered beside the first layer, which is the largest.
        let (batch, gather_chunks) = (gathering.take(), std::mem::take(&mut first_chunks));
        let update = LayerUpdate::new(set, rule, layer, state);
        let weight_chunks = update.cut.chunks();
        pool.run(gather_chunks + weight_chunks + 1, &|chunk| match batch {
            Some(batch) if chunk < gather_chunks => into.chunk(batch, chunk),
            _ => update.chunk(chunk - gather_chunks),
        });
    }
}

/// One layer while its parameters change.
struct LayerUpdate<'a> {
    set: InstructionSet,
    rule: Update,
    cut: Cut,
    inputs: usize,
    outputs: usize,
    transposed: SharedSlice<'a, f32>,
    weight: SharedState<'a>,
    bias: SharedState<'a>,
    has_transposed: bool,
    bias_len: usize,
}

struct SharedState<'a> {
    value: SharedSlice<'a, f32>,
    gradient: &'a [f32],
    first: SharedSlice<'a, f32>,
    second: SharedSlice<'a, f32>,
}

impl<'a> SharedState<'a> {
    fn new(value: &'a mut [f32], state: &'a mut ParameterState) -> Self {
        Self {
            value: SharedSlice::new(value),
            gradient: &state.gradient,
            first: SharedSlice::new(&mut state.first),
            second: SharedSlice::new(&mut state.second),
        }
    }

    /// # Safety
    /// No other chunk of the phase touches `range`.
    unsafe fn apply(&self, set: InstructionSet, rule: Update, range: Range<usize>) {
        // SAFETY: the caller's promise, for three arrays of the same layout.
        let parameters = unsafe {
            Stretch {
                value: self.value.range(range.clone()),
                gradient: &self.gradient[range.clone()],
                first: self.first.range(range.clone()),
                second: self.second.range(range),
            }
        };
        vectorised!(set, apply_update(rule: Update, parameters: Stretch));
    }
}

impl<'a> LayerUpdate<'a> {
    fn new(
        set: InstructionSet,
        rule: Update,
        layer: &'a mut Layer,
        state: &'a mut LayerState,
    ) -> Self {
        Self {
            set,
            rule,
            cut: Cut::by_panels(layer.inputs, layer.output_panels()),
            inputs: layer.inputs,
            outputs: layer.outputs,
            has_transposed: !layer.transposed.is_empty(),
            bias_len: layer.bias.len(),
            transposed: SharedSlice::new(&mut layer.transposed),
            weight: SharedState::new(&mut layer.weight, &mut state.weight),
            bias: SharedState::new(&mut layer.bias, &mut state.bias),
        }
    }

    fn chunk(&self, chunk: usize) {
        if chunk == self.cut.chunks() {
            // SAFETY: only the last chunk touches the biases.
            unsafe { self.bias.apply(self.set, self.rule, 0..self.bias_len) };
            return;
        }
        let (rows, panels) = self.cut.chunk(chunk);
        for panel in panels {
            let at = |row: usize| (panel * self.inputs + row) * LANES;
            // SAFETY: the cut gives each row of each panel to one chunk.
            unsafe {
                self.weight
                    .apply(self.set, self.rule, at(rows.start)..at(rows.end));
            };
            if self.has_transposed {
                self.transpose(panel, rows.clone());
            }
        }
    }

    /// Copies rows of a panel of 16 outputs to where the panels of 16 inputs have them.
    fn transpose(&self, panel: usize, rows: Range<usize>) {
        let outputs = panel * LANES..((panel + 1) * LANES).min(self.outputs);
        for first in rows.clone().step_by(LANES) {
            let inputs = first..(first + LANES).min(rows.end);
            let from = (panel * self.inputs + inputs.start) * LANES;
            let to = (inputs.start / LANES * self.outputs + outputs.start) * LANES;
            // SAFETY: the cut gives these weights to this chunk, and their copies to nobody else: rows
            // are cut at multiples of 16, so that a block of 16 inputs is never shared.
            let (block, copy) = unsafe {
                (
                    self.weight.value.range(from..from + inputs.len() * LANES),
                    self.transposed.range(to..to + outputs.len() * LANES),
                )
            };
            for (j, copy) in copy.chunks_exact_mut(LANES).enumerate() {
                for (i, row) in block.chunks_exact(LANES).enumerate() {
                    copy[i] = row[j];
                }
            }
        }
    }
}
