//! The buffers of a batch, allocated once.

use super::aligned::{AlignedBuffer, LANES};
use crate::layer::{Layer, panels, row_stride};

/// What one batch leaves behind on its way through the network, for up to `rows` samples.
pub(crate) struct Workspace {
    pub(crate) rows: usize,
    /// `[rows, stride]`: the gathered samples.
    pub(crate) x: AlignedBuffer,
    pub(crate) labels: Vec<u32>,
    /// By layer.
    pub(crate) layers: Vec<LayerWorkspace>,
    /// Loss of each sample.
    pub(crate) losses: Vec<f32>,
    /// Whether each sample's likeliest class is its own.
    pub(crate) hits: Vec<bool>,
    pub(crate) x_stride: usize,
}

/// Buffers of one layer.
pub(crate) struct LayerWorkspace {
    /// Distance between the rows below.
    pub(crate) stride: usize,
    /// `[rows, stride]`: the layer's output, after activation and dropout; logits for the last layer.
    pub(crate) y: AlignedBuffer,
    /// `[rows, stride]`: derivative of the output by the affine result; empty for the last layer.
    pub(crate) slope: AlignedBuffer,
    /// `[rows, stride]`: derivative of the loss by the affine result; empty without backward pass.
    pub(crate) dz: AlignedBuffer,
    /// The same in panels, `[⌈outputs/16⌉][rows][16]`.
    pub(crate) dz_panels: AlignedBuffer,
}

impl Workspace {
    /// For training.
    pub(crate) fn with_backward(layers: &[Layer], rows: usize) -> Self {
        Self::new(layers, rows, rows)
    }

    /// For evaluation.
    pub(crate) fn forward_only(layers: &[Layer], rows: usize) -> Self {
        Self::new(layers, rows, 0)
    }

    fn new(layers: &[Layer], rows: usize, backward_rows: usize) -> Self {
        let x_stride = layers.first().map_or(0, |layer| row_stride(layer.inputs));
        let last = layers.len().saturating_sub(1);
        let buffers = layers.iter().enumerate().map(|(index, layer)| {
            let stride = row_stride(layer.outputs);
            let slope_rows = if index < last { rows } else { 0 };
            LayerWorkspace {
                stride,
                y: AlignedBuffer::zeros(rows * stride),
                slope: AlignedBuffer::zeros(slope_rows * stride),
                dz: AlignedBuffer::zeros(backward_rows * stride),
                dz_panels: AlignedBuffer::zeros(panels(layer.outputs) * backward_rows * LANES),
            }
        });
        Self {
            rows,
            x: AlignedBuffer::zeros(rows * x_stride),
            labels: vec![0; rows],
            layers: buffers.collect(),
            losses: vec![0.0; rows],
            hits: vec![false; rows],
            x_stride,
        }
    }
}
