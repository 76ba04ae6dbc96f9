//! Images as the engine wants them: the one place where data set and engine meet.

use strata_data::transforms::Augmenter;
use strata_data::{Normalizer, PIXELS, Subset};
use strata_nn::{Place, Samples, scale_bytes};

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

    fn gather(
        &self,
        place: Place,
        indices: &[u32],
        x: &mut [f32],
        row_stride: usize,
        labels: &mut [u32],
    ) {
        self.touch(indices);
        let Normalizer { scale, shift } = *self.normalizer;
        let rows = x.chunks_mut(row_stride).zip(labels).zip(indices);
        let mut changed = [0; PIXELS];
        for (i, ((row, label), &index)) in rows.enumerate() {
            let index = index as usize;
            *label = u32::from(self.subset.label(index));
            let mut pixels = self.subset.pixels(index);
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
