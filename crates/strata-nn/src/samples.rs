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

    /// Whether a sample costs much more than its bytes are worth, as one that is changed at random does. Others are
    /// gathered by each of two threads for itself, which is cheaper than fetching them from the other.
    fn is_costly(&self) -> bool {
        false
    }

    /// Asks for the memory of some samples, which are gathered soon.
    fn prefetch(&self, _indices: &[u32]) {}

    /// Class of a sample.
    fn label(&self, index: u32) -> u32;

    /// Writes sample `indices[i]`, ready for the network, to `x[i * row_stride..][..input_dim]`. `place` is what
    /// random changes of a sample are keyed by.
    fn gather(&self, place: Place, indices: &[u32], x: &mut [f32], row_stride: usize);
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

    fn label(&self, index: u32) -> u32 {
        self.labels[index as usize]
    }

    fn gather(&self, _: Place, indices: &[u32], x: &mut [f32], row_stride: usize) {
        for (row, &index) in x.chunks_mut(row_stride.max(1)).zip(indices) {
            let index = index as usize;
            let from = &self.x[index * self.input_dim..(index + 1) * self.input_dim];
            row[..self.input_dim].copy_from_slice(from);
        }
    }
}
