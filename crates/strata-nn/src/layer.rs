//! An affine layer's parameters in the layout that the products read.
//!
//! The weights lie in panels of 16 outputs, `[⌈outputs/16⌉][inputs][16]`, so that the forward product
//! reads them in order without packing. Layers after the first keep a second copy in panels of 16
//! inputs, `[⌈inputs/16⌉][outputs][16]`, for the gradient of their input. Padded columns hold zeros.

use crate::kernels::aligned::{AlignedBuffer, LANES};
use crate::norm::NormParameters;

/// Weights and biases of one layer.
#[derive(Clone)]
pub(crate) struct Layer {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    /// Panels of 16 outputs.
    pub(crate) weight: AlignedBuffer,
    /// Panels of 16 inputs; empty for the first layer.
    pub(crate) transposed: AlignedBuffer,
    /// Padded to whole panels.
    pub(crate) bias: AlignedBuffer,
    /// For hidden layers of networks that have it.
    pub(crate) norm: Option<NormParameters>,
}

impl Layer {
    pub(crate) fn zeros(inputs: usize, outputs: usize, with_transposed: bool) -> Self {
        let transposed = if with_transposed {
            panels(inputs) * outputs * LANES
        } else {
            0
        };
        Self {
            inputs,
            outputs,
            weight: AlignedBuffer::zeros(panels(outputs) * inputs * LANES),
            transposed: AlignedBuffer::zeros(transposed),
            bias: AlignedBuffer::zeros(panels(outputs) * LANES),
            norm: None,
        }
    }

    /// Panels of 16 outputs.
    pub(crate) fn output_panels(&self) -> usize {
        panels(self.outputs)
    }

    /// Panels of 16 inputs.
    pub(crate) fn input_panels(&self) -> usize {
        panels(self.inputs)
    }

    /// Takes weights `[outputs][inputs]` and biases `[outputs]`.
    pub(crate) fn set(&mut self, weight: &[f32], bias: &[f32]) {
        self.bias[..self.outputs].copy_from_slice(bias);
        for (output, row) in weight.chunks_exact(self.inputs).enumerate() {
            for (input, &value) in row.iter().enumerate() {
                let at = self.weight_at(output, input);
                self.weight[at] = value;
                if !self.transposed.is_empty() {
                    let at = (input / LANES * self.outputs + output) * LANES + input % LANES;
                    self.transposed[at] = value;
                }
            }
        }
    }

    /// Weights `[outputs][inputs]` and biases `[outputs]`.
    pub(crate) fn get(&self) -> (Vec<f32>, Vec<f32>) {
        let weight = self.rows_of_panels(&self.weight);
        (weight, self.bias[..self.outputs].to_vec())
    }

    /// The optimiser's array for the weights, `[outputs][inputs]`, taken from panels or put into them.
    pub(crate) fn rows_of_panels(&self, panels: &[f32]) -> Vec<f32> {
        let rows = (0..self.outputs).flat_map(|output| {
            (0..self.inputs).map(move |input| panels[self.weight_at(output, input)])
        });
        rows.collect()
    }

    /// The other way.
    pub(crate) fn put_into_panels(&self, rows: &[f32], panels: &mut [f32]) {
        for (output, row) in rows.chunks_exact(self.inputs).enumerate() {
            for (input, &value) in row.iter().enumerate() {
                panels[self.weight_at(output, input)] = value;
            }
        }
    }

    fn weight_at(&self, output: usize, input: usize) -> usize {
        (output / LANES * self.inputs + input) * LANES + output % LANES
    }
}

/// Panels that hold `columns`.
pub(crate) fn panels(columns: usize) -> usize {
    columns.div_ceil(LANES)
}

/// Distance between two rows of a matrix with a row per sample: whole panels, and one more line, since
/// rows a power of two apart would share the few places of a cache set.
pub(crate) fn row_stride(columns: usize) -> usize {
    (panels(columns) + 1) * LANES
}
