//! The chunks from the loss to the gradients.

use std::ops::Range;

use super::aligned::LANES;
use super::product::{
    Pair, Panels, Rows, TileSink, columns_times_panels, pairs, prefetch_panel, prefetch_rows,
    rows_times_panels, store_panel, store_rows,
};
use super::step::{LayerView, NormView, ParameterView, Step, Sums};
use crate::norm::Norm;
use crate::penalty::Penalty;

impl Step<'_> {
    /// Some rows and panels of the derivative by what went into the activation of the layer before
    /// `index`, from the derivative by the affine result of `index`.
    #[inline(always)]
    pub(super) fn input_gradient(&self, index: usize, rows: Range<usize>, panels: Range<usize>) {
        let (layer, below) = (&self.layers[index], &self.layers[index - 1]);
        // SAFETY: derivatives of this layer were written in a phase before, or by this chunk; parameters
        // change in other phases.
        let (dz, transposed) = unsafe {
            (
                layer
                    .dz
                    .read(rows.start * layer.stride..rows.end * layer.stride),
                layer.transposed.read(0..layer.transposed.len()),
            )
        };
        let dz = Rows {
            data: dz,
            stride: layer.stride,
        };
        let right = Panels {
            data: transposed,
            inner: layer.outputs,
            start: &[],
        };
        let mut sink = InputDerivatives { step: self, below };
        rows_times_panels(self.config.set, dz, right, rows, panels, &mut sink);
    }

    /// # Safety
    /// No other chunk of the phase touches these rows of this panel.
    #[inline(always)]
    unsafe fn store_dz(
        &self,
        layer: &LayerView,
        first_row: usize,
        panel: usize,
        tile: &[[f32; LANES]],
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            store_rows(&layer.dz, layer.stride, first_row, panel, tile);
            store_panel(&layer.dz_panels, self.panel_rows, first_row, panel, tile);
        }
    }

    /// Through a layer's normalisation: whole columns or whole rows, as in the forward pass.
    #[inline(always)]
    pub(super) fn norm_backward(&self, index: usize, rows: Range<usize>, panels: Range<usize>) {
        let layer = &self.layers[index];
        let Some(norm) = &layer.norm else { return };
        match norm.kind {
            Norm::Batch => panels.for_each(|panel| self.columns_backward(layer, norm, panel)),
            Norm::Layer => rows.for_each(|row| self.row_backward(layer, norm, row)),
        }
    }

    /// `dz = γ/σ·(dn - mean(dn) - x̂·mean(dn·x̂))`, means over the batch (Ioffe & Szegedy 2015).
    #[inline(always)]
    fn columns_backward(&self, layer: &LayerView, norm: &NormView, panel: usize) {
        let columns = panel * LANES..(panel + 1) * LANES;
        let at = |row: usize| row * layer.stride + columns.start..row * layer.stride + columns.end;
        // SAFETY: all were written in phases before.
        let (gamma, inverse) = unsafe {
            (
                norm.gamma.value.read(columns.clone()),
                norm.inverse_std.read(columns.clone()),
            )
        };
        // SAFETY: as above.
        let of_row = |row: usize| unsafe { (norm.dn.read(at(row)), norm.normalized.read(at(row))) };
        let (mut sums, mut products) = ([0.0_f32; LANES], [0.0_f32; LANES]);
        for row in 0..self.rows {
            let (dn, normalized) = of_row(row);
            for j in 0..LANES {
                sums[j] += dn[j];
                products[j] += dn[j] * normalized[j];
            }
        }
        let n = self.rows as f32;
        for row in 0..self.rows {
            let (dn, normalized) = of_row(row);
            let mut dz = [0.0; LANES];
            for j in 0..LANES {
                let centred = dn[j] - sums[j] / n - normalized[j] * products[j] / n;
                dz[j] = gamma[j] * inverse[j] * centred;
            }
            // SAFETY: this chunk has the panel to itself.
            unsafe { self.store_dz(layer, row, panel, &[dz]) };
        }
    }

    /// The same with `γ·dn` in place of `dn`, means over the units of a row (Ba et al. 2016).
    #[inline(always)]
    fn row_backward(&self, layer: &LayerView, norm: &NormView, row: usize) {
        let start = row * layer.stride;
        let n = layer.outputs;
        // SAFETY: parameters change in other phases; the row was written before, in this chunk or phase.
        let (gamma, dn, normalized, inverse) = unsafe {
            (
                norm.gamma.value.read(0..n),
                norm.dn.read(start..start + n),
                norm.normalized.read(start..start + n),
                norm.inverse_std.read(row..row + 1)[0],
            )
        };
        let scaled = || gamma.iter().zip(dn).map(|(gamma, dn)| gamma * dn);
        let mean = scaled().sum::<f32>() / n as f32;
        let along = scaled().zip(normalized).map(|(d, x)| d * x).sum::<f32>() / n as f32;
        let mut values = scaled().zip(normalized);
        for panel in 0..layer.output_panels() {
            let mut dz = [0.0; LANES];
            for (dz, (d, x)) in dz.iter_mut().zip(&mut values) {
                *dz = inverse * (d - mean - x * along);
            }
            // SAFETY: this chunk has the row to itself.
            unsafe { self.store_dz(layer, row, panel, &[dz]) };
        }
    }

    /// The gradients of some inputs' weights to some panels of outputs, and, with the first inputs, those
    /// of the panels' biases and normalisation. Where no clipping waits for them, the update as well.
    #[inline(always)]
    pub(super) fn weight_gradient(
        &self,
        thread: usize,
        index: usize,
        inputs: Range<usize>,
        panels: Range<usize>,
    ) -> Sums {
        let layer = &self.layers[index];
        let mut sums = Sums::default();
        let mut of_weights = LaneSums::new(self.penalty_of_weights(index));
        if inputs.start == 0 {
            for panel in panels.clone() {
                // SAFETY: the layer's derivatives were written in phases before.
                let dz = unsafe { layer.dz_panels.read(self.rows_of_panel(panel)) };
                self.vector_gradients(index, panel, dz, &mut sums);
            }
        }
        // Blocks first: the order of the sums is the same however many panels a tile takes.
        for first in inputs.clone().step_by(LANES) {
            let block = || first..(first + LANES).min(inputs.end);
            let of_inputs = self.rows_of_panel(first / LANES);
            // SAFETY: the layer's inputs were written in phases before.
            let x = unsafe { self.input_panel_of(thread, index, of_inputs) };
            for pair in pairs(self.config.set, panels.clone()) {
                match pair {
                    Pair::Two(pair) => {
                        self.block_gradient(index, block(), x, pair, &mut of_weights);
                    }
                    Pair::One(one) => {
                        self.block_gradient(index, block(), x, [one], &mut of_weights);
                    }
                }
            }
        }
        sums.weight_squares = of_weights.squares();
        sums.weight_sizes = of_weights.sizes();
        sums.penalty += of_weights.penalty();
        sums
    }

    /// The same for up to 16 inputs, whose panel is `x`, and as many panels as a tile takes.
    #[inline(always)]
    fn block_gradient<const PANELS: usize>(
        &self,
        index: usize,
        block: Range<usize>,
        x: &[f32],
        panels: [usize; PANELS],
        of_weights: &mut LaneSums,
    ) {
        let layer = &self.layers[index];
        let weight = &layer.weight;
        let at = |panel: usize, input: usize| (panel * layer.inputs + input) * LANES;
        let places = |panel: usize| at(panel, block.start)..at(panel, block.end);
        let mut own = [[[0.0; LANES]; 16]; PANELS];
        let mut panel_of_own = panels.iter();
        let mut gradients = own.each_mut().map(|own| match panel_of_own.next() {
            Some(&panel) if !weight.gradient.is_empty() => {
                // SAFETY: the cut gives these weights and all that belongs to them to this chunk.
                let stored = unsafe { weight.gradient.range(places(panel)) };
                let next = at(panel, block.end);
                weight.gradient.prefetch(next..next + LANES);
                stored.as_chunks_mut::<LANES>().0
            }
            _ => &mut own[..block.len()],
        });
        // SAFETY: the layer's derivatives were written in phases before.
        let dz = panels.map(|panel| unsafe { layer.dz_panels.read(self.rows_of_panel(panel)) });
        let out = gradients.each_mut().map(|gradient| &mut **gradient);
        columns_times_panels(self.config.set, x, self.rows, dz, out);
        for (panel, gradient) in panels.into_iter().zip(gradients) {
            // SAFETY: as above.
            let value = unsafe { weight.value.read(places(panel)) };
            of_weights.add(value, gradient.as_flattened_mut());
            self.update_weights(layer, panel, block.clone(), gradient.as_flattened());
        }
    }

    /// Where panels with a row for each sample have one of them.
    fn rows_of_panel(&self, panel: usize) -> Range<usize> {
        let from = panel * self.panel_rows * LANES;
        from..from + self.rows * LANES
    }

    /// Biases, and scale and shift of a normalisation, for one panel.
    #[inline(always)]
    fn vector_gradients(&self, index: usize, panel: usize, dz: &[f32], sums: &mut Sums) {
        let layer = &self.layers[index];
        let columns = panel * LANES..(panel + 1) * LANES;
        let mut of_bias = [0.0; LANES];
        for row in dz.as_chunks::<LANES>().0 {
            for (sum, value) in of_bias.iter_mut().zip(row) {
                *sum += value;
            }
        }
        let penalty = self.penalty_of_biases(index);
        self.keep_vector(&layer.bias, columns.clone(), of_bias, penalty, sums);
        let Some(norm) = &layer.norm else { return };
        let (mut of_gamma, mut of_beta) = ([0.0; LANES], [0.0; LANES]);
        for row in 0..self.rows {
            let at = row * layer.stride + columns.start;
            // SAFETY: both were written in phases before.
            let (dn, normalized) = unsafe {
                (
                    norm.dn.read(at..at + LANES),
                    norm.normalized.read(at..at + LANES),
                )
            };
            for j in 0..LANES {
                of_gamma[j] += dn[j] * normalized[j];
                of_beta[j] += dn[j];
            }
        }
        let none = Penalty::default();
        self.keep_vector(&norm.gamma, columns.clone(), of_gamma, none, sums);
        self.keep_vector(&norm.beta, columns, of_beta, none, sums);
    }

    #[inline(always)]
    fn keep_vector(
        &self,
        parameter: &ParameterView,
        columns: Range<usize>,
        mut gradient: [f32; LANES],
        penalty: Penalty,
        sums: &mut Sums,
    ) {
        // SAFETY: the chunk with the first inputs has the panel's vectors to itself.
        let value = unsafe { parameter.value.read(columns.clone()) };
        let mut found = LaneSums::new(penalty);
        found.add(value, &mut gradient);
        sums.other_squares += found.squares();
        sums.penalty += found.penalty();
        // SAFETY: as above.
        unsafe { parameter.gradient.range(columns.clone()) }.copy_from_slice(&gradient);
        self.update_vector(parameter, columns);
    }
}

/// Where the tiles of a layer's input gradient go: through the activation of the layer below.
struct InputDerivatives<'a> {
    step: &'a Step<'a>,
    below: &'a LayerView<'a>,
}

impl TileSink for InputDerivatives<'_> {
    #[inline(always)]
    fn prepare(&self, rows: Range<usize>, panel: usize) {
        let (below, panel_rows) = (self.below, self.step.panel_rows);
        prefetch_rows(&below.dz, below.stride, rows.clone(), panel);
        prefetch_panel(&below.dz_panels, panel_rows, rows.clone(), panel);
        prefetch_panel(&below.slope_panels, panel_rows, rows, panel);
    }

    #[inline(always)]
    fn finish(&mut self, first_row: usize, panel: usize, tile: &mut [[f32; LANES]]) {
        let Self { step, below } = *self;
        let first = (panel * step.panel_rows + first_row) * LANES;
        // SAFETY: slopes were written in a phase before, or by this chunk.
        let slopes = unsafe { below.slope_panels.read(first..first + tile.len() * LANES) };
        for (values, slopes) in tile.iter_mut().zip(slopes.as_chunks::<LANES>().0) {
            for j in 0..LANES {
                values[j] *= slopes[j];
            }
        }
        // SAFETY: the cut gives each row of each panel to one chunk.
        unsafe {
            if let Some(norm) = &below.norm {
                store_rows(&norm.dn, below.stride, first_row, panel, tile);
            } else {
                step.store_dz(below, first_row, panel, tile);
            }
        }
    }
}

/// Sums over the gradients of one chunk, in 16 lanes.
struct LaneSums {
    squares: [f32; LANES],
    sizes: [f32; LANES],
    /// Of the parameters.
    value_squares: [f32; LANES],
    /// Of the parameters.
    value_sizes: [f32; LANES],
    penalty: Penalty,
}

impl LaneSums {
    fn new(penalty: Penalty) -> Self {
        Self {
            squares: [0.0; LANES],
            sizes: [0.0; LANES],
            value_squares: [0.0; LANES],
            value_sizes: [0.0; LANES],
            penalty,
        }
    }

    /// Adds the penalty's derivative to some gradients, whole lines of them, and sums them up.
    #[inline(always)]
    fn add(&mut self, values: &[f32], gradient: &mut [f32]) {
        let Penalty { l1, l2 } = self.penalty;
        let gradient = gradient.as_chunks_mut::<LANES>().0;
        if l1 != 0.0 || l2 != 0.0 {
            for (g, p) in gradient.iter_mut().zip(values.as_chunks::<LANES>().0) {
                for j in 0..LANES {
                    let sign = if p[j] == 0.0 {
                        0.0
                    } else {
                        1.0_f32.copysign(p[j])
                    };
                    g[j] += l1 * sign + l2 * p[j];
                    self.value_sizes[j] += p[j].abs();
                    self.value_squares[j] += p[j] * p[j];
                }
            }
        }
        let (mut squares, mut sizes) = (self.squares, self.sizes);
        for g in gradient.iter() {
            for j in 0..LANES {
                sizes[j] += g[j].abs();
                squares[j] += g[j] * g[j];
            }
        }
        (self.squares, self.sizes) = (squares, sizes);
    }

    fn squares(&self) -> f64 {
        total(&self.squares)
    }

    fn sizes(&self) -> f64 {
        total(&self.sizes)
    }

    /// The penalty of the parameters.
    fn penalty(&self) -> f64 {
        f64::from(self.penalty.l1) * total(&self.value_sizes)
            + 0.5 * f64::from(self.penalty.l2) * total(&self.value_squares)
    }
}

fn total(lanes: &[f32; LANES]) -> f64 {
    lanes.iter().map(|&lane| f64::from(lane)).sum()
}
