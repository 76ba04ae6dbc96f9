//! Making the set: every picture from a random stream of its own, on any number of threads.

use std::thread;

use thiserror::Error;

use super::alphabet::{Allograph, CLASSES, alphabet};
use super::emnist_pipeline::{PIXELS, Pipeline};
use super::hand::Hand;
use super::pen;
use crate::random::Random;

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

impl GlyphsConfig {
    /// Whether a set can have these sizes.
    pub(super) fn check(&self) -> Result<(), GlyphsError> {
        let sizes = [
            ("train_per_class", self.train_per_class),
            ("test_per_class", self.test_per_class),
        ];
        match sizes
            .into_iter()
            .find(|&(_, per_class)| per_class > MAX_PER_CLASS)
        {
            Some((key, per_class)) => Err(GlyphsError::TooMany { key, per_class }),
            None => Ok(()),
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

/// Why no set can be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GlyphsError {
    /// More pictures than memory is likely to hold.
    #[error("`{key}` is {per_class}; at most {MAX_PER_CLASS} pictures of a class can be made")]
    TooMany {
        /// The field of [`GlyphsConfig`].
        key: &'static str,
        /// Its value.
        per_class: usize,
    },
}

/// The most pictures of each class in a part: 1.8 GB.
pub const MAX_PER_CLASS: usize = 50_000;

/// Makes the set.
///
/// ```
/// use strata_data::glyphs::{GlyphsConfig, generate};
///
/// let config = GlyphsConfig { train_per_class: 2, test_per_class: 1, ..GlyphsConfig::default() };
/// let glyphs = generate(&config)?;
/// assert_eq!(glyphs.train.pixels.len(), 2 * 47 * 28 * 28);
/// assert_eq!(glyphs.test.labels.len(), 47);
/// # Ok::<(), strata_data::glyphs::GlyphsError>(())
/// ```
///
/// # Errors
/// [`GlyphsError::TooMany`] where a part is to have more than [`MAX_PER_CLASS`] of a class.
pub fn generate(config: &GlyphsConfig) -> Result<Glyphs, GlyphsError> {
    config.check()?;
    let alphabet = alphabet();
    Ok(Glyphs {
        train: images(&alphabet, config, Split::Train, config.train_per_class),
        test: images(&alphabet, config, Split::Test, config.test_per_class),
    })
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::glyphs::emnist_pipeline::SIDE;

    fn small(seed: u64, threads: usize) -> GlyphsConfig {
        GlyphsConfig {
            seed,
            train_per_class: 6,
            test_per_class: 3,
            threads,
        }
    }

    /// The number of threads changes nothing, whether it divides the pictures or exceeds them.
    #[test]
    fn any_number_of_threads_makes_the_same_set() {
        let one = generate(&small(3, 1)).unwrap();

        for threads in [0, 2, 3, 7, 1000] {
            assert!(
                generate(&small(3, threads)).unwrap() == one,
                "{threads} threads"
            );
        }
    }

    /// The pictures of a version never change: whoever changes them raises [`VERSION`].
    #[test]
    fn the_pictures_belong_to_the_version() {
        let glyphs = generate(&small(1234, 2)).unwrap();
        let Glyphs { train, test } = &glyphs;
        let mut digest = Sha256::new();
        for part in [&train.pixels, &train.labels, &test.pixels, &test.labels] {
            digest.update(part);
        }
        let digest: Vec<String> = digest.finalize()[..8]
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();

        assert_eq!((VERSION, digest.concat().as_str()), (1, "2d3a3b71984119cd"));
    }

    /// Every class has its pictures, in both parts, and they are not in the order of the classes.
    #[test]
    fn classes_are_balanced_and_shuffled() {
        let glyphs = generate(&small(2, 2)).unwrap();

        for (images, per_class) in [(&glyphs.train, 6), (&glyphs.test, 3)] {
            let mut counts = [0; CLASSES.len()];
            for &label in &images.labels {
                counts[usize::from(label)] += 1;
            }
            assert_eq!(counts, [per_class; CLASSES.len()]);
            assert_eq!(images.pixels.len(), images.labels.len() * PIXELS);
            assert!(!images.labels.is_sorted());
        }
    }

    /// Seeds and parts differ in pictures and order.
    #[test]
    fn seeds_and_parts_differ() {
        let config = GlyphsConfig {
            test_per_class: 6,
            ..small(1, 2)
        };
        let one = generate(&config).unwrap();
        let two = generate(&GlyphsConfig { seed: 2, ..config }).unwrap();

        assert_ne!(one.train.labels, two.train.labels);
        assert_ne!(one.train.pixels, two.train.pixels);
        assert_ne!(one.train.labels, one.test.labels);
        assert_ne!(one.train.pixels, one.test.pixels);
    }

    /// Every picture has ink up to full strength, keeps off the edge and fills the box about the
    /// centre.
    #[test]
    fn pictures_are_inked_and_centred() {
        let glyphs = generate(&small(4, 2)).unwrap();

        for (picture, label) in glyphs
            .train
            .pixels
            .chunks_exact(PIXELS)
            .zip(&glyphs.train.labels)
        {
            let class = CLASSES[usize::from(*label)];
            let inked = |i: &usize| picture[*i] > 100;
            let bounds = |coordinate: fn(usize) -> usize| {
                let places = || (0..PIXELS).filter(inked).map(coordinate);
                (places().min().unwrap_or(0), places().max().unwrap_or(0))
            };
            let (left, right) = bounds(|i| i % SIDE);
            let (top, bottom) = bounds(|i| i / SIDE);
            let length = (right - left).max(bottom - top) + 1;

            assert_eq!(picture.iter().max(), Some(&255), "`{class}` is faint");
            assert!((19..=26).contains(&length), "`{class}` is {length} long");
            for (low, high) in [(left, right), (top, bottom)] {
                assert!(
                    (24..=30).contains(&(low + high)),
                    "`{class}` is off centre: {low}..={high}"
                );
            }
        }
    }

    /// A set of nothing is a set.
    #[test]
    fn no_pictures_are_no_trouble() {
        let config = GlyphsConfig {
            train_per_class: 0,
            test_per_class: 0,
            ..small(1, 2)
        };

        assert!(generate(&config).unwrap().train.pixels.is_empty());
    }

    /// Sizes beyond all memory are refused before anything is done.
    #[test]
    fn absurd_sizes_are_refused() {
        for per_class in [MAX_PER_CLASS + 1, usize::MAX] {
            let error = GlyphsError::TooMany {
                key: "test_per_class",
                per_class,
            };
            assert_eq!(
                generate(&GlyphsConfig {
                    test_per_class: per_class,
                    ..small(1, 2)
                }),
                Err(error)
            );
        }
    }
}
