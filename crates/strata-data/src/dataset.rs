//! Images and labels in memory, parts of them, and rows for the network.

use std::sync::Arc;

/// Width and height of an image.
pub const SIDE: usize = 28;
/// Pixels of an image.
pub const PIXELS: usize = SIDE * SIDE;

/// Images and their classes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// `[n, 784]`, row by row, upright, ink 255 on ground 0.
    pub images: Vec<u8>,
    /// `[n]`, the class of each image, from 0.
    pub labels: Vec<u8>,
}

/// A part of a data set.
#[derive(Debug, Clone)]
pub struct Subset {
    /// The whole, shared.
    pub dataset: Arc<Dataset>,
    /// Which images, in order.
    pub indices: Vec<u32>,
}

/// The three parts of a study.
#[derive(Debug, Clone)]
pub struct Splits {
    /// To learn from.
    pub train: Subset,
    /// To choose by.
    pub validation: Subset,
    /// To be judged by, once.
    pub test: Subset,
    /// Names of the classes in the order of the labels.
    pub class_names: Vec<String>,
    /// Where it came from, in words.
    pub source: String,
    /// SHA-256, in hexadecimal digits, of what decides images, labels and split.
    pub fingerprint: String,
}

impl Dataset {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }
}

impl Subset {
    /// All images of a data set.
    pub fn whole(dataset: Dataset) -> Self {
        let indices = (0..dataset.len() as u32).collect();
        Self {
            dataset: Arc::new(dataset),
            indices,
        }
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// The classes of the images, in order.
    pub fn labels(&self) -> impl Iterator<Item = u8> + '_ {
        self.indices
            .iter()
            .map(|&index| self.dataset.labels[index as usize])
    }

    /// The pixels of the image at a position.
    pub fn pixels(&self, position: usize) -> &[u8] {
        let at = self.indices[position] as usize * PIXELS;
        &self.dataset.images[at..at + PIXELS]
    }

    /// Writes the images at `positions` normalised to the first 784 numbers of each row of `x`, and
    /// their classes to `labels`.
    ///
    /// # Panics
    /// If a position is beyond the subset, or `x` or `labels` are too short.
    pub fn gather(
        &self,
        normalizer: &Normalizer,
        positions: &[u32],
        x: &mut [f32],
        row_stride: usize,
        labels: &mut [u32],
    ) {
        let rows = x
            .chunks_mut(row_stride)
            .zip(labels.iter_mut())
            .zip(positions);
        for ((row, label), &position) in rows {
            let index = self.indices[position as usize] as usize;
            *label = u32::from(self.dataset.labels[index]);
            let pixels = &self.dataset.images[index * PIXELS..(index + 1) * PIXELS];
            for (value, &pixel) in row[..PIXELS].iter_mut().zip(pixels) {
                *value = normalizer.table[usize::from(pixel)];
            }
        }
    }
}

/// `(pixel/255 - mean) / std` for each of the 256 pixel values.
#[derive(Debug, Clone)]
pub struct Normalizer {
    table: [f32; 256],
}

impl Normalizer {
    /// `mean` and `std` are of pixels in 0..1.
    pub fn new(mean: f64, std: f64) -> Self {
        Self {
            table: std::array::from_fn(|pixel| ((pixel as f64 / 255.0 - mean) / std) as f32),
        }
    }
}
