//! An affine layer's parameters in the layout that the products read.
//!
//! The weights lie in panels of 16 outputs, `[⌈outputs/16⌉][inputs][16]`, so that the forward product
//! reads them in order without packing. Layers after the first keep a second copy in panels of 16
//! inputs, `[⌈inputs/16⌉][outputs][16]`, for the gradient of their input. Padded columns hold zeros.

use crate::kernels::aligned::{AlignedBuffer, LANES};

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
        let mut weight = Vec::with_capacity(self.outputs * self.inputs);
        for output in 0..self.outputs {
            weight.extend((0..self.inputs).map(|input| self.weight[self.weight_at(output, input)]));
        }
        (weight, self.bias[..self.outputs].to_vec())
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
