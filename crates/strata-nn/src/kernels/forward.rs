//! The chunks from the samples to the loss.

use std::ops::Range;

use super::aligned::LANES;
use super::instruction_set::{InstructionSet, vectorised};
use super::product::{
    Panels, TileSink, prefetch_panel, prefetch_rows, rows_times_panels, store_panel, store_rows,
};
use super::step::{LayerView, NormView, Step};
use crate::activation::Activation;
use crate::dropout::Mask;
use crate::norm::{NORM_EPS, NORM_MOMENTUM, Norm};

type Tile = [[f32; LANES]];

/// Room for the derivatives of the largest tile.
const NO_SLOPES: [[f32; LANES]; 16] = [[0.0; LANES]; 16];

impl Step<'_> {
    /// Some rows and panels of a layer's affine part, and, where no normalisation needs more of them
    /// first, its activation and dropout.
    #[inline(always)]
    pub(super) fn forward(
        &self,
        thread: usize,
        index: usize,
        rows: Range<usize>,
        panels: Range<usize>,
    ) {
        let layer = &self.layers[index];
        let is_last = index + 1 == self.layers.len();
        // SAFETY: parameters and the layer's inputs are written in other phases, or by this chunk before.
        let (x, weight, bias) = unsafe {
            (
                self.inputs_of(thread, index, rows.clone()),
                layer.weight.value.read(0..layer.weight.value.len()),
                layer.bias.value.read(0..layer.bias.value.len()),
            )
        };
        let right = Panels {
            data: weight,
            inner: layer.inputs,
            start: bias,
        };
        let mut sink = Outputs {
            step: self,
            layer,
            is_last,
            slopes: NO_SLOPES,
        };
        rows_times_panels(self.config.set, x, right, rows, panels, &mut sink);
    }

    /// Activation and dropout of a tile, stored with its derivative; `slopes` is room for the latter.
    #[inline(always)]
    fn activate(
        &self,
        layer: &LayerView,
        (first_row, panel): (usize, usize),
        tile: &mut Tile,
        slopes: &mut Tile,
    ) {
        let unit = Unit {
            activation: self.config.activation,
            mask: layer.mask,
            scale: if self.config.training {
                1.0
            } else {
                self.config.evaluation_scale
            },
        };
        let slopes = &mut slopes[..tile.len()];
        let place = (first_row, panel * LANES, layer.stride);
        unit.apply(self.config.set, place, tile, slopes);
        // SAFETY: the caller has these rows of this panel to itself.
        unsafe {
            store_rows(&layer.y, layer.stride, first_row, panel, tile);
            if !layer.slope_panels.is_empty() {
                store_panel(&layer.y_panels, self.panel_rows, first_row, panel, tile);
                store_panel(
                    &layer.slope_panels,
                    self.panel_rows,
                    first_row,
                    panel,
                    slopes,
                );
            }
        }
    }

    /// Normalisation, activation and dropout: of whole columns for batch normalisation, of whole rows for
    /// layer normalisation.
    #[inline(always)]
    pub(super) fn norm_forward(&self, index: usize, rows: Range<usize>, panels: Range<usize>) {
        let layer = &self.layers[index];
        match layer.norm.as_ref().map(|norm| norm.kind) {
            Some(Norm::Batch) => panels.for_each(|panel| self.normalize_columns(layer, panel)),
            Some(Norm::Layer) => self.normalize_rows(layer, rows),
            None => {}
        }
    }

    #[inline(always)]
    fn normalize_columns(&self, layer: &LayerView, panel: usize) {
        let Some(norm) = &layer.norm else { return };
        let columns = panel * LANES..(panel + 1) * LANES;
        let at = |row: usize| row * layer.stride + columns.start..row * layer.stride + columns.end;
        let mut mean = [0.0_f32; LANES];
        let mut variance = [0.0_f32; LANES];
        let n = self.rows as f32;
        // SAFETY: this chunk has the panel's columns to itself.
        let row_of = |row: usize| unsafe { norm.normalized.range(at(row)) };
        for row in 0..self.rows {
            mean.iter_mut().zip(row_of(row)).for_each(|(m, z)| *m += *z);
        }
        for m in &mut mean {
            *m /= n;
        }
        for row in 0..self.rows {
            for ((v, m), z) in variance.iter_mut().zip(&mean).zip(row_of(row)) {
                *v += (*z - m) * (*z - m);
            }
        }
        for v in &mut variance {
            *v /= n;
        }
        let inverse = variance.map(|v| 1.0 / (v + NORM_EPS).sqrt());
        // SAFETY: as above.
        let (running_mean, running_var) = unsafe {
            norm.inverse_std
                .range(columns.clone())
                .copy_from_slice(&inverse);
            (
                norm.running_mean.range(columns.clone()),
                norm.running_var.range(columns.clone()),
            )
        };
        if self.rows > 1 {
            let unbiased = n / (n - 1.0);
            for j in 0..LANES {
                running_mean[j] += NORM_MOMENTUM * (mean[j] - running_mean[j]);
                running_var[j] += NORM_MOMENTUM * (variance[j] * unbiased - running_var[j]);
            }
        }
        let mut slopes = NO_SLOPES;
        for first in (0..self.rows).step_by(16) {
            let mut tile = [[0.0; LANES]; 16];
            let tile = &mut tile[..16.min(self.rows - first)];
            for (r, values) in tile.iter_mut().enumerate() {
                let normalized = row_of(first + r);
                for j in 0..LANES {
                    normalized[j] = (normalized[j] - mean[j]) * inverse[j];
                }
                values.copy_from_slice(normalized);
            }
            scale_and_shift(norm, panel, tile);
            self.activate(layer, (first, panel), tile, &mut slopes);
        }
    }

    #[inline(always)]
    fn normalize_rows(&self, layer: &LayerView, rows: Range<usize>) {
        let Some(norm) = &layer.norm else { return };
        let n = layer.outputs as f32;
        for row in rows.clone() {
            let start = row * layer.stride;
            // SAFETY: this chunk has the row to itself.
            let (values, inverse) = unsafe {
                (
                    norm.normalized.range(start..start + layer.outputs),
                    &mut norm.inverse_std.range(row..row + 1)[0],
                )
            };
            let mean = values.iter().sum::<f32>() / n;
            let variance = values.iter().map(|z| (z - mean) * (z - mean)).sum::<f32>() / n;
            *inverse = 1.0 / (variance + NORM_EPS).sqrt();
            for z in values {
                *z = (*z - mean) * *inverse;
            }
        }
        let mut slopes = NO_SLOPES;
        for first in rows.clone().step_by(16) {
            for panel in 0..layer.output_panels() {
                let mut tile = [[0.0; LANES]; 16];
                let tile = &mut tile[..16.min(rows.end - first)];
                for (r, values) in tile.iter_mut().enumerate() {
                    let at = (first + r) * layer.stride + panel * LANES;
                    // SAFETY: as above.
                    values.copy_from_slice(unsafe { norm.normalized.read(at..at + LANES) });
                }
                scale_and_shift(norm, panel, tile);
                self.activate(layer, (first, panel), tile, &mut slopes);
            }
        }
    }

    /// A block of rows from layer `first` to the loss and, in training, back to the layer before `first`.
    #[inline(always)]
    pub(super) fn tail(&self, thread: usize, first: usize, rows: Range<usize>) {
        let last = self.layers.len() - 1;
        for (index, layer) in self.layers.iter().enumerate().skip(first) {
            self.forward(thread, index, rows.clone(), 0..layer.output_panels());
            let by_rows = layer.norm.as_ref().map(|norm| norm.kind) == Some(Norm::Layer);
            if by_rows && index < last {
                self.normalize_rows(layer, rows.clone());
            }
        }
        self.loss(rows.clone());
        if !self.config.training {
            return;
        }
        for index in (first..=last).rev() {
            let layer = &self.layers[index];
            if layer.norm.is_some() {
                self.norm_backward(index, rows.clone(), 0..layer.output_panels());
            }
            if index > 0 {
                self.input_gradient(index, rows.clone(), 0..layer.input_panels());
            }
        }
    }

    /// Softmax cross-entropy of some rows; in training also its derivative by the logits.
    #[inline(always)]
    fn loss(&self, rows: Range<usize>) {
        let Some(layer) = self.layers.last() else {
            return;
        };
        let padded = layer.output_panels() * LANES;
        for row in rows {
            let start = row * layer.stride;
            let label = self.labels[row] as usize;
            // SAFETY: each row and its outcome belong to one chunk.
            let (logits, exps, outcome) = unsafe {
                (
                    layer.y.read(start..start + padded),
                    layer.dz.range(start..start + padded),
                    &mut self.outcomes.range(row..row + 1)[0],
                )
            };
            let criterion = self.config.criterion;
            let with_rank = !self.config.training;
            let sum;
            (*outcome, sum) = criterion.value(logits, label, with_rank, exps);
            if !self.config.training {
                continue;
            }
            let share = (1.0 / self.config.batch_weight) as f32;
            criterion.gradient(exps, sum, label, share);
            for (panel, values) in exps.as_chunks::<LANES>().0.iter().enumerate() {
                let values = std::slice::from_ref(values);
                // SAFETY: a row of each panel belongs to the chunk of the row.
                unsafe { store_panel(&layer.dz_panels, self.panel_rows, row, panel, values) };
            }
        }
    }
}

/// Where the tiles of a layer's affine part go.
struct Outputs<'a> {
    step: &'a Step<'a>,
    layer: &'a LayerView<'a>,
    is_last: bool,
    /// Room for a tile's derivatives.
    slopes: [[f32; LANES]; 16],
}

impl TileSink for Outputs<'_> {
    #[inline(always)]
    fn prepare(&self, rows: Range<usize>, panel: usize) {
        let (layer, panel_rows) = (self.layer, self.step.panel_rows);
        prefetch_rows(&layer.y, layer.stride, rows.clone(), panel);
        prefetch_panel(&layer.y_panels, panel_rows, rows.clone(), panel);
        prefetch_panel(&layer.slope_panels, panel_rows, rows, panel);
    }

    #[inline(always)]
    fn finish(&mut self, first_row: usize, panel: usize, tile: &mut Tile) {
        let Self { step, layer, .. } = *self;
        match &layer.norm {
            // SAFETY: the cut gives each row of each panel to one chunk.
            _ if self.is_last => unsafe {
                store_rows(&layer.y, layer.stride, first_row, panel, tile);
            },
            Some(norm) if norm.kind == Norm::Layer || step.config.training => {
                // SAFETY: as above.
                unsafe { store_rows(&norm.normalized, layer.stride, first_row, panel, tile) };
            }
            norm => {
                if let Some(norm) = norm {
                    normalize_by_running_statistics(norm, panel, tile);
                }
                step.activate(layer, (first_row, panel), tile, &mut self.slopes);
            }
        }
    }
}

/// What follows the affine part and its normalisation in a hidden unit.
#[derive(Clone, Copy)]
struct Unit {
    activation: Activation,
    mask: Option<Mask>,
    /// Comes before the activation.
    scale: f32,
}

impl Unit {
    /// Replaces values by outputs and writes their derivatives; the first value stands at `place`, a row,
    /// a column and the distance between rows.
    fn apply(
        self,
        set: InstructionSet,
        place: (usize, usize, usize),
        values: &mut Tile,
        slopes: &mut Tile,
    ) {
        let unit = self;
        vectorised!(
            set,
            unit_body(
                unit: Unit,
                place: (usize, usize, usize),
                values: &mut Tile,
                slopes: &mut Tile,
            )
        );
    }
}

#[inline(always)]
fn unit_body(unit: Unit, place: (usize, usize, usize), values: &mut Tile, slopes: &mut Tile) {
    let (row, column, stride) = place;
    let activate = |values: &mut Tile, slopes: &mut Tile| {
        unit.activation
            .apply(values.as_flattened_mut(), slopes.as_flattened_mut());
    };
    let Some(mask) = unit.mask else {
        if unit.scale != 1.0 {
            for value in values.as_flattened_mut() {
                *value *= unit.scale;
            }
        }
        return activate(values, slopes);
    };
    let first = mask.place((row, column), stride);
    let row_stride = if mask.shared() { 0 } else { stride as u32 };
    // Element by element, so that the loop is vectorised along a row.
    let factor = |i: usize| {
        let (row, column) = ((i / LANES) as u32, (i % LANES) as u32);
        mask.factor(first.wrapping_add(row.wrapping_mul(row_stride)) + column)
    };
    let count = values.len() * LANES;
    if mask.before_activation {
        for (i, value) in values.as_flattened_mut()[..count].iter_mut().enumerate() {
            *value *= factor(i);
        }
        activate(values, slopes);
        for (i, slope) in slopes.as_flattened_mut()[..count].iter_mut().enumerate() {
            *slope *= factor(i);
        }
    } else {
        activate(values, slopes);
        let (values, slopes) = (values.as_flattened_mut(), slopes.as_flattened_mut());
        let elements = values[..count].iter_mut().zip(&mut slopes[..count]);
        for (i, (value, slope)) in elements.enumerate() {
            let factor = factor(i);
            *value *= factor;
            *slope *= factor;
        }
    }
}

/// The affine part of a normalisation.
#[inline(always)]
fn scale_and_shift(norm: &NormView, panel: usize, tile: &mut Tile) {
    let columns = panel * LANES..(panel + 1) * LANES;
    // SAFETY: parameters change in other phases.
    let (gamma, beta) = unsafe {
        (
            norm.gamma.value.read(columns.clone()),
            norm.beta.value.read(columns),
        )
    };
    for row in tile {
        for j in 0..LANES {
            row[j] = row[j] * gamma[j] + beta[j];
        }
    }
}

/// Batch normalisation in evaluation.
#[inline(always)]
fn normalize_by_running_statistics(norm: &NormView, panel: usize, tile: &mut Tile) {
    let columns = panel * LANES..(panel + 1) * LANES;
    // SAFETY: in evaluation nobody changes them.
    let (mean, variance) = unsafe {
        (
            norm.running_mean.read(columns.clone()),
            norm.running_var.read(columns),
        )
    };
    for row in tile.iter_mut() {
        for j in 0..LANES {
            row[j] = (row[j] - mean[j]) / (variance[j] + NORM_EPS).sqrt();
        }
    }
    scale_and_shift(norm, panel, tile);
}
