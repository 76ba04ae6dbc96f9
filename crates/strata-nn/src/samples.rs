//! Where batches come from.

/// A set of labelled samples from which the trainer gathers batches.
///
/// [`Samples::gather`] is called from many threads at once, each for a part of a batch; what it writes
/// may depend on its arguments alone.
pub trait Samples: Sync {
    /// Number of samples.
    fn len(&self) -> usize;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Numbers per sample.
    fn input_dim(&self) -> usize;

    /// Writes sample `indices[i]`, ready for the network, to `x[i * row_stride..][..input_dim]` and its
    /// class to `labels[i]`. `place` is what random changes of a sample are keyed by.
    fn gather(
        &self,
        place: Place,
        indices: &[u32],
        x: &mut [f32],
        row_stride: usize,
        labels: &mut [u32],
    );
}

/// When a sample is gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// For training in this epoch (from 1), as sample number `position` of the epoch and following.
    Training {
        /// Epoch, from 1.
        epoch: usize,
        /// Position in the epoch's order, from 0.
        position: usize,
    },
    /// For evaluation: unchanged.
    Evaluation,
}

/// Samples in memory: rows of f32.
#[derive(Debug, Clone)]
pub struct MatrixSamples {
    /// `[n, input_dim]`, row by row.
    pub x: Vec<f32>,
    /// Class of each row.
    pub labels: Vec<u32>,
    /// Numbers per row.
    pub input_dim: usize,
}

impl Samples for MatrixSamples {
    fn len(&self) -> usize {
        self.labels.len()
    }

    fn input_dim(&self) -> usize {
        self.input_dim
    }

    fn gather(
        &self,
        _: Place,
        indices: &[u32],
        x: &mut [f32],
        row_stride: usize,
        labels: &mut [u32],
    ) {
        let rows = x.chunks_mut(row_stride.max(1)).zip(labels).zip(indices);
        for ((row, label), &index) in rows {
            let index = index as usize;
            let from = &self.x[index * self.input_dim..(index + 1) * self.input_dim];
            row[..self.input_dim].copy_from_slice(from);
            *label = self.labels[index];
        }
    }
}
