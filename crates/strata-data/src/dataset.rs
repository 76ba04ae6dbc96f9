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
    /// Synthetic images that follow those of `dataset`: index `dataset.len()` is the first of them.
    pub synthetic: Option<Arc<Dataset>>,
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
    /// The same together with synthetic images of the training set; equal to `fingerprint` without any.
    pub training_fingerprint: String,
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
    pub fn whole(dataset: Arc<Dataset>) -> Self {
        let indices = (0..dataset.len() as u32).collect();
        Self {
            dataset,
            synthetic: None,
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
        (0..self.len()).map(|position| self.label(position))
    }

    /// The pixels of the image at a position.
    pub fn pixels(&self, position: usize) -> &[u8] {
        let (dataset, index) = self.place(position);
        &dataset.images[index * PIXELS..(index + 1) * PIXELS]
    }

    /// The class of the image at a position.
    pub fn label(&self, position: usize) -> u8 {
        let (dataset, index) = self.place(position);
        dataset.labels[index]
    }

    /// The data set that holds the image at a position, and the image's index in it.
    fn place(&self, position: usize) -> (&Dataset, usize) {
        let index = self.indices[position] as usize;
        match &self.synthetic {
            Some(synthetic) if index >= self.dataset.len() => {
                (synthetic, index - self.dataset.len())
            }
            _ => (&self.dataset, index),
        }
    }
}

/// `(pixel/255 - mean) / std` as one multiplication and one addition to a pixel value of 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normalizer {
    /// What a pixel value is multiplied by.
    pub scale: f32,
    /// What is added to it then.
    pub shift: f32,
}

impl Normalizer {
    /// `mean` and `std` are of pixels in 0..1.
    pub fn new(mean: f64, std: f64) -> Self {
        Self {
            scale: (1.0 / (255.0 * std)) as f32,
            shift: (-mean / std) as f32,
        }
    }
}
