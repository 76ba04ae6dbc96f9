//! Images as the engine wants them: the one place where data set and engine meet.

use strata_data::transforms::Augmenter;
use strata_data::{Normalizer, PIXELS, Subset};
use strata_nn::{Place, Samples, prefetch_bytes, scale_bytes};

/// A part of a data set, changed at random where it is trained on, and normalised as it is gathered.
pub(crate) struct Images<'a> {
    pub(crate) subset: &'a Subset,
    pub(crate) normalizer: &'a Normalizer,
    /// Random changes for training; none where there are none, and for evaluation.
    pub(crate) augmentation: Option<Augmentation<'a>>,
}

/// Random changes of images.
#[derive(Clone, Copy)]
pub(crate) struct Augmentation<'a> {
    pub(crate) augmenter: &'a Augmenter,
    pub(crate) seed: u64,
}

impl Samples for Images<'_> {
    fn len(&self) -> usize {
        self.subset.len()
    }

    fn input_dim(&self) -> usize {
        PIXELS
    }

    fn is_costly(&self) -> bool {
        self.augmentation.is_some()
    }

    fn prefetch(&self, indices: &[u32]) {
        for &index in indices {
            prefetch_bytes(self.subset.pixels(index as usize));
        }
    }

    fn label(&self, index: u32) -> u32 {
        u32::from(self.subset.label(index as usize))
    }

    fn gather(&self, place: Place, indices: &[u32], x: &mut [f32], row_stride: usize) {
        let Normalizer { scale, shift } = *self.normalizer;
        let rows = x.chunks_mut(row_stride).zip(indices);
        let mut changed = [0; PIXELS];
        for (i, (row, &index)) in rows.enumerate() {
            let mut pixels = self.subset.pixels(index as usize);
            if let (Some(augmentation), Place::Training { epoch, position }) =
                (self.augmentation, place)
            {
                augmentation.change(epoch, position + i, pixels, &mut changed);
                pixels = &changed;
            }
            scale_bytes(pixels, scale, shift, row);
        }
    }
}

impl Augmentation<'_> {
    /// The image as it is seen at a position of an epoch.
    pub(crate) fn change(&self, epoch: usize, position: usize, from: &[u8], to: &mut [u8; PIXELS]) {
        let (epoch, position) = (epoch as u64, position as u64);
        self.augmenter.augment(self.seed, epoch, position, from, to);
    }
}
