//! Making the set: every picture from a random stream of its own, on any number of threads.

use std::thread;

use super::alphabet::{Allograph, CLASSES, alphabet};
use super::emnist_pipeline::{PIXELS, Pipeline};
use super::hand::Hand;
use super::pen;
use super::random::Random;

/// Raised whenever the pictures of a seed change, so that caches and fingerprints change with them.
pub const VERSION: u32 = 1;

/// What to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlyphsConfig {
    /// Two sets with the same seed and sizes are the same, bit for bit, on every machine.
    pub seed: u64,
    /// Training pictures of each class.
    pub train_per_class: usize,
    /// Test pictures of each class, of the same distribution.
    pub test_per_class: usize,
    /// Threads to work with; changes nothing but the time. 0 counts as 1.
    pub threads: usize,
}

impl Default for GlyphsConfig {
    /// The sizes of EMNIST Balanced: 112,800 training and 18,800 test pictures, seed 0.
    fn default() -> Self {
        Self {
            seed: 0,
            train_per_class: 2400,
            test_per_class: 400,
            threads: thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

/// Pictures and what they show, in an order shuffled by the seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    /// `[n, 28, 28]`, row by row, upright, ink 255 on ground 0.
    pub pixels: Vec<u8>,
    /// `[n]`, indices into [`CLASSES`].
    pub labels: Vec<u8>,
}

/// Both parts of the set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glyphs {
    /// To learn from.
    pub train: Images,
    /// To be tested on: the same distribution, other pictures.
    pub test: Images,
}

/// The streams of the random numbers: pictures and order of each part.
#[derive(Debug, Clone, Copy)]
enum Split {
    Train = 0,
    Test = 1,
}

/// Makes the set.
///
/// ```
/// use strata_data::glyphs::{GlyphsConfig, generate};
///
/// let config = GlyphsConfig { train_per_class: 2, test_per_class: 1, ..GlyphsConfig::default() };
/// let glyphs = generate(&config);
/// assert_eq!(glyphs.train.pixels.len(), 2 * 47 * 28 * 28);
/// assert_eq!(glyphs.test.labels.len(), 47);
/// ```
///
/// # Panics
/// Only where the memory for `784 · 47 · (train_per_class + test_per_class)` bytes cannot be had.
pub fn generate(config: &GlyphsConfig) -> Glyphs {
    let alphabet = alphabet();
    Glyphs {
        train: images(&alphabet, config, Split::Train, config.train_per_class),
        test: images(&alphabet, config, Split::Test, config.test_per_class),
    }
}

fn images(
    alphabet: &[Vec<Allograph>],
    config: &GlyphsConfig,
    split: Split,
    per_class: usize,
) -> Images {
    let labels = shuffled_labels(config.seed, split, per_class);
    let mut pixels = vec![0; labels.len() * PIXELS];
    let share = labels.len().div_ceil(config.threads.max(1)).max(1);
    thread::scope(|scope| {
        let parts = pixels.chunks_mut(share * PIXELS).zip(labels.chunks(share));
        for (part, (pixels, labels)) in parts.enumerate() {
            scope.spawn(move || {
                let mut pipeline = Pipeline::new();
                let pictures = pixels.chunks_exact_mut(PIXELS).zip(labels);
                for (index, (picture, &label)) in (part * share..).zip(pictures) {
                    let forms = &alphabet[usize::from(label)];
                    // Even streams draw pictures, odd ones shuffle.
                    let mut random = Random::stream(config.seed, 2 * split as u64, index as u64);
                    draw(forms, &mut random, &mut pipeline, picture);
                }
            });
        }
    });
    Images { pixels, labels }
}

/// As many labels of each class, in an order of the seed's.
fn shuffled_labels(seed: u64, split: Split, per_class: usize) -> Vec<u8> {
    let mut labels: Vec<u8> = (0..CLASSES.len() as u8)
        .flat_map(|label| std::iter::repeat_n(label, per_class))
        .collect();
    let mut random = Random::stream(seed, 2 * split as u64 + 1, 0);
    for i in (1..labels.len()).rev() {
        labels.swap(i, random.below(i + 1));
    }
    labels
}

/// Draws one picture of a class that is written in these forms.
fn draw(forms: &[Allograph], random: &mut Random, pipeline: &mut Pipeline, picture: &mut [u8]) {
    let hand = Hand::sample(random);
    let strokes = pen::write(choose(forms, random), &hand, random);
    pipeline.render(&strokes, &hand, random, picture);
}

/// One of the forms, by weight.
fn choose<'a>(forms: &'a [Allograph], random: &mut Random) -> &'a Allograph {
    let total: f32 = forms.iter().map(|form| form.weight).sum();
    let mut rest = random.between(0.0, total);
    for form in &forms[1..] {
        rest -= form.weight;
        if rest < 0.0 {
            return form;
        }
    }
    &forms[0]
}
