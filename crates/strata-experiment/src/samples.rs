//! Images as the engine wants them: the one place where data set and engine meet.

use strata_data::{Normalizer, Subset};
use strata_nn::{Place, Samples, scale_bytes};

/// A part of a data set, normalised as it is gathered.
pub(crate) struct Images<'a> {
    pub(crate) subset: &'a Subset,
    pub(crate) normalizer: &'a Normalizer,
}

impl Samples for Images<'_> {
    fn len(&self) -> usize {
        self.subset.len()
    }

    fn input_dim(&self) -> usize {
        strata_data::PIXELS
    }

    fn gather(
        &self,
        _: Place,
        indices: &[u32],
        x: &mut [f32],
        row_stride: usize,
        labels: &mut [u32],
    ) {
        self.touch(indices);
        let Normalizer { scale, shift } = *self.normalizer;
        let rows = x.chunks_mut(row_stride).zip(labels).zip(indices);
        for ((row, label), &position) in rows {
            let position = position as usize;
            *label = u32::from(self.subset.label(position));
            scale_bytes(self.subset.pixels(position), scale, shift, row);
        }
    }
}

impl Images<'_> {
    /// Reads a byte of each cache line of some images. They lie anywhere in memory; asked for all at once,
    /// they are waited for together.
    fn touch(&self, positions: &[u32]) {
        let lines = positions.iter().flat_map(|&position| {
            let pixels = self.subset.pixels(position as usize);
            pixels.iter().step_by(CACHE_LINE).copied()
        });
        std::hint::black_box(lines.fold(0, |all, pixel| all ^ pixel));
    }
}

/// Bytes.
const CACHE_LINE: usize = 64;
