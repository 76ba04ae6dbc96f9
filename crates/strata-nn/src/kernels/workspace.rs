//! The buffers of a batch, allocated once.

use super::aligned::{AlignedBuffer, LANES};
use super::gather::{Batch, Gathering, InputBuffers};
use crate::layer::{Layer, panels, row_stride};
use crate::loss::RowOutcome;

/// What one batch leaves behind on its way through the network, for up to `rows` samples.
pub(crate) struct Workspace {
    pub(crate) rows: usize,
    pub(crate) inputs: InputBuffers,
    /// By sample.
    pub(crate) labels: Vec<u32>,
    /// By layer.
    pub(crate) layers: Vec<LayerWorkspace>,
    /// By sample.
    pub(crate) outcomes: Vec<RowOutcome>,
}

/// Buffers of one layer.
pub(crate) struct LayerWorkspace {
    /// Distance between the rows below.
    pub(crate) stride: usize,
    /// `[rows, stride]`: the layer's output, after activation and dropout; logits for the last layer.
    pub(crate) y: AlignedBuffer,
    /// The same in panels, `[⌈outputs/16⌉][rows][16]`, for the weights' gradient of the layer after; for hidden layers.
    pub(crate) y_panels: AlignedBuffer,
    /// In panels: derivative of the output by what goes into the activation; for hidden layers.
    pub(crate) slope_panels: AlignedBuffer,
    /// `[rows, stride]`: derivative of the loss by the affine result; without backward pass only for the
    /// last layer, where the softmax is computed in it.
    pub(crate) dz: AlignedBuffer,
    /// The same in panels, `[⌈outputs/16⌉][rows][16]`.
    pub(crate) dz_panels: AlignedBuffer,
    /// `[rows, stride]`: what the normalisation made of the affine result, before scale and shift.
    pub(crate) normalized: AlignedBuffer,
    /// `[rows, stride]`: derivative of the loss by the normalisation's result.
    pub(crate) dn: AlignedBuffer,
    /// Reciprocal standard deviation by row (layer normalisation) or by column (batch normalisation).
    pub(crate) inverse_std: AlignedBuffer,
}

impl Workspace {
    /// For training.
    pub(crate) fn with_backward(layers: &[Layer], rows: usize, gathering: Gathering) -> Self {
        Self::new(layers, rows, rows, gathering)
    }

    /// For evaluation.
    pub(crate) fn forward_only(layers: &[Layer], rows: usize) -> Self {
        Self::new(layers, rows, 0, Gathering::Together)
    }

    /// Notes the classes of a batch.
    pub(crate) fn take_labels(&mut self, batch: &Batch) {
        let labels = batch
            .indices
            .iter()
            .map(|&index| batch.samples.label(index));
        self.labels.clear();
        self.labels.extend(labels);
    }

    fn new(layers: &[Layer], rows: usize, backward_rows: usize, gathering: Gathering) -> Self {
        let inputs = layers.first().map_or(0, |layer| layer.inputs);
        let last = layers.len().saturating_sub(1);
        let buffers = layers.iter().enumerate().map(|(index, layer)| {
            let stride = row_stride(layer.outputs);
            let hidden_rows = if index < last { backward_rows } else { 0 };
            let dz_rows = if index < last { backward_rows } else { rows };
            let in_panels =
                |rows: usize| AlignedBuffer::zeros(panels(layer.outputs) * rows * LANES);
            let normed = layer.norm.is_some();
            let if_normed = |len: usize| AlignedBuffer::zeros(if normed { len } else { 0 });
            LayerWorkspace {
                stride,
                y: AlignedBuffer::zeros(rows * stride),
                y_panels: in_panels(hidden_rows),
                slope_panels: in_panels(hidden_rows),
                dz: AlignedBuffer::zeros(dz_rows * stride),
                dz_panels: in_panels(backward_rows),
                normalized: if_normed(rows * stride),
                dn: if_normed(backward_rows * stride),
                inverse_std: if_normed(rows.max(stride)),
            }
        });
        Self {
            rows,
            inputs: InputBuffers::new(gathering, inputs, rows, backward_rows > 0),
            labels: Vec::with_capacity(rows),
            layers: buffers.collect(),
            outcomes: vec![RowOutcome::default(); rows],
        }
    }
}
