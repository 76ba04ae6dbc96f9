//! Normalisation of a hidden layer, between its affine part and its activation.

use crate::kernels::aligned::AlignedBuffer;
use crate::layer::panels;

/// How hidden layers are normalised; torch's defaults (`eps` 1e-5, `momentum` 0.1, affine).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Norm {
    /// Each unit over the batch (Ioffe & Szegedy 2015), `torch.nn.BatchNorm1d`. In a batch of one sample,
    /// which torch refuses, every unit is at its mean, and running statistics stay as they are.
    Batch,
    /// Each sample over the units (Ba et al. 2016), `torch.nn.LayerNorm`.
    Layer,
}

pub(crate) const NORM_EPS: f32 = 1e-5;
pub(crate) const NORM_MOMENTUM: f32 = 0.1;

/// Parameters of a normalisation, padded to whole panels with zeros.
#[derive(Clone)]
pub(crate) struct NormParameters {
    pub(crate) kind: Norm,
    /// Scale, torch's `weight`.
    pub(crate) gamma: AlignedBuffer,
    /// Shift, torch's `bias`.
    pub(crate) beta: AlignedBuffer,
    /// For batch normalisation, else empty.
    pub(crate) running_mean: AlignedBuffer,
    /// For batch normalisation, else empty.
    pub(crate) running_var: AlignedBuffer,
    pub(crate) batches_tracked: u64,
}

impl NormParameters {
    pub(crate) fn new(kind: Norm, outputs: usize) -> Self {
        let padded = panels(outputs) * crate::kernels::aligned::LANES;
        let ones = |len| {
            let mut ones = AlignedBuffer::zeros(len);
            ones[..outputs.min(len)].fill(1.0);
            ones
        };
        let tracked = if kind == Norm::Batch { padded } else { 0 };
        Self {
            kind,
            gamma: ones(padded),
            beta: AlignedBuffer::zeros(padded),
            running_mean: AlignedBuffer::zeros(tracked),
            running_var: ones(tracked),
            batches_tracked: 0,
        }
    }
}
