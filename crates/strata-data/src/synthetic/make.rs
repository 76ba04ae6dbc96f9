//! Drawing images of each class, and making copies of them.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use strata_tensorfile::{TypedTensor, Values};
use thiserror::Error;

use crate::dataset::{Dataset, PIXELS, SIDE};
use crate::random::Random;
use crate::transforms::Augmenter;

/// What is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SynthRequest {
    /// Of the draw and of all changes.
    pub seed: u64,
    /// Images drawn of each class.
    pub num_samples_per_class: usize,
    /// Copies of each.
    pub variants_per_sample: usize,
    /// How many work at it; the copies do not depend on it.
    pub threads: usize,
}

/// The copies: class by class, in the order of the draw, the variants of an image side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synthetic {
    /// Pixels and classes.
    pub dataset: Dataset,
    /// Of which image of the original each is a copy.
    pub source_index: Vec<u32>,
    /// Classes with fewer images than were wanted: theirs were drawn with replacement.
    pub drawn_with_replacement: Vec<usize>,
}

/// Copies that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SynthError {
    /// There is nothing to draw from.
    #[error("class {class} has no image to make copies of")]
    EmptyClass {
        /// The class, from 0.
        class: usize,
    },
    /// More copies than indices can count.
    #[error(
        "{classes} classes with {per_class} images of {variants} variants are more than {MOST} copies; lower `num_samples_per_class` or `variants_per_sample`"
    )]
    TooMany {
        /// Classes.
        classes: usize,
        /// Images of each.
        per_class: usize,
        /// Copies of each.
        variants: usize,
    },
    /// The caller stopped it.
    #[error("interrupted")]
    Interrupted,
}

/// 13 GB of pixels.
const MOST: usize = 1 << 24;
/// Names the stream of the draw.
const DRAW: u64 = 0x7379_6e74_6864_7277;
/// Copies between two reports of progress.
const BLOCK: usize = 256;

/// Makes the copies; `progress` is told how many more are done, from any thread, and may stop the work.
///
/// # Errors
/// A class without images, more copies than memory holds, or `progress` broke off.
pub fn synthesize(
    original: &Dataset,
    classes: usize,
    request: &SynthRequest,
    augmenter: &Augmenter,
    progress: &(dyn Fn(usize) -> ControlFlow<()> + Sync),
) -> Result<Synthetic, SynthError> {
    let variants = request.variants_per_sample;
    let count = classes
        .checked_mul(request.num_samples_per_class)
        .and_then(|count| count.checked_mul(variants))
        .filter(|&count| count <= MOST);
    let count = count.ok_or(SynthError::TooMany {
        classes,
        per_class: request.num_samples_per_class,
        variants,
    })?;
    let (drawn, drawn_with_replacement) = draw(original, classes, request)?;
    let mut images = vec![0; count * PIXELS];
    let stopped = AtomicBool::new(false);
    // Whole blocks, so that a thread's share does not end within one.
    let share = count
        .div_ceil(request.threads.max(1))
        .next_multiple_of(BLOCK);
    let make = |first: usize, pixels: &mut [u8]| {
        for (block, pixels) in pixels.chunks_mut(BLOCK * PIXELS).enumerate() {
            if stopped.load(Ordering::Relaxed) {
                return;
            }
            let copies = pixels.as_chunks_mut::<PIXELS>().0;
            for (i, copy) in copies.iter_mut().enumerate() {
                let at = first + block * BLOCK + i;
                let source = drawn[at / variants] as usize * PIXELS;
                let source = &original.images[source..source + PIXELS];
                augmenter.augment(request.seed, 0, at as u64, source, copy);
            }
            if progress(copies.len()).is_break() {
                stopped.store(true, Ordering::Relaxed);
            }
        }
    };
    thread::scope(|scope| {
        for (part, pixels) in images.chunks_mut(share * PIXELS).enumerate() {
            scope.spawn(move || make(part * share, pixels));
        }
    });
    if stopped.into_inner() {
        return Err(SynthError::Interrupted);
    }
    let repeated = |&index: &u32| std::iter::repeat_n(index, variants);
    let source_index: Vec<u32> = drawn.iter().flat_map(repeated).collect();
    let labels = source_index.iter();
    Ok(Synthetic {
        dataset: Dataset {
            labels: labels
                .map(|&index| original.labels[index as usize])
                .collect(),
            images,
        },
        source_index,
        drawn_with_replacement,
    })
}

/// Indices of the images to be copied, class by class, and the classes that had too few.
fn draw(
    original: &Dataset,
    classes: usize,
    request: &SynthRequest,
) -> Result<(Vec<u32>, Vec<usize>), SynthError> {
    let mut members = vec![Vec::new(); classes];
    for (index, &label) in original.labels.iter().enumerate() {
        if let Some(members) = members.get_mut(usize::from(label)) {
            members.push(index as u32);
        }
    }
    let wanted = request.num_samples_per_class;
    let mut drawn = Vec::with_capacity(classes * wanted);
    let mut with_replacement = Vec::new();
    for (class, mut members) in members.into_iter().enumerate() {
        let mut random = Random::stream(request.seed, DRAW, class as u64);
        if members.is_empty() {
            return Err(SynthError::EmptyClass { class });
        }
        if members.len() < wanted {
            with_replacement.push(class);
            drawn.extend((0..wanted).map(|_| members[random.below(members.len())]));
            continue;
        }
        for at in 0..wanted {
            let other = at + random.below(members.len() - at);
            members.swap(at, other);
        }
        drawn.extend(&members[..wanted]);
    }
    Ok((drawn, with_replacement))
}

impl Synthetic {
    /// What goes into a file: `images` uint8 `[N, 1, 28, 28]`, `labels` and `source_index` int64 `[N]`.
    pub fn into_tensors(self) -> [TypedTensor; 3] {
        let count = self.source_index.len();
        let tensor = |name: &str, shape: Vec<usize>, values| TypedTensor {
            name: name.to_owned(),
            shape,
            values,
        };
        let labels = self.dataset.labels.iter().map(|&label| i64::from(label));
        let source_index = self.source_index.iter().map(|&index| i64::from(index));
        let labels = Values::I64(labels.collect());
        let source_index = Values::I64(source_index.collect());
        let images = Values::U8(self.dataset.images);
        [
            tensor("images", vec![count, 1, SIDE, SIDE], images),
            tensor("labels", vec![count], labels),
            tensor("source_index", vec![count], source_index),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transforms::Transforms;

    const CLASSES: usize = 3;

    /// Ten images of the classes 0 and 1, two of class 2.
    fn original() -> Dataset {
        let labels: Vec<u8> = (0..20).map(|i| i % 2).chain([2, 2]).collect();
        let images = labels.iter().enumerate();
        Dataset {
            images: images
                .flat_map(|(i, _)| (0..PIXELS).map(move |at| ((at * (i + 1)) % 251) as u8))
                .collect(),
            labels,
        }
    }

    fn made(seed: u64, threads: usize, transforms: &Transforms) -> Synthetic {
        let request = SynthRequest {
            seed,
            num_samples_per_class: 200,
            variants_per_sample: 2,
            threads,
        };
        let augmenter = Augmenter::new(transforms).expect("sensible");
        let go_on = |_| ControlFlow::Continue(());
        synthesize(&original(), CLASSES, &request, &augmenter, &go_on).expect("made")
    }

    fn noisy() -> Transforms {
        Transforms {
            rotation: Some(15.0),
            gaussian_noise: Some(0.05),
            ..Transforms::default()
        }
    }

    #[test]
    fn threads_change_nothing_and_the_seed_all() {
        let one = made(7, 1, &noisy());
        for threads in [2, 3, 16, 1000] {
            assert_eq!(made(7, threads, &noisy()), one, "{threads} threads");
        }
        assert_ne!(made(8, 1, &noisy()).dataset, one.dataset);
    }

    #[test]
    fn copies_are_of_the_images_they_name() {
        let synthetic = made(7, 2, &Transforms::default());
        assert_eq!(synthetic.dataset.len(), CLASSES * 200 * 2);
        assert_eq!(synthetic.drawn_with_replacement, [0, 1, 2]);
        let copies = synthetic.dataset.images.as_chunks::<PIXELS>().0;
        let sources = original();
        for (i, (copy, &index)) in copies.iter().zip(&synthetic.source_index).enumerate() {
            let at = index as usize * PIXELS;
            assert_eq!(copy, &sources.images[at..at + PIXELS]);
            assert_eq!(usize::from(synthetic.dataset.labels[i]), i / 400);
        }
    }

    #[test]
    fn without_need_no_image_is_drawn_twice() {
        let request = SynthRequest {
            seed: 1,
            num_samples_per_class: 2,
            variants_per_sample: 1,
            threads: 1,
        };
        let (mut drawn, with_replacement) = draw(&original(), CLASSES, &request).expect("drawn");
        assert!(with_replacement.is_empty());
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn.len(), 6);
    }

    #[test]
    fn what_cannot_be_made_is_an_error() {
        let augmenter = Augmenter::new(&noisy()).expect("sensible");
        let request = SynthRequest {
            seed: 1,
            num_samples_per_class: 2,
            variants_per_sample: 1,
            threads: 2,
        };
        let go_on = |_| ControlFlow::Continue(());
        let empty = synthesize(&original(), 4, &request, &augmenter, &go_on);
        assert_eq!(empty, Err(SynthError::EmptyClass { class: 3 }));
        let huge = SynthRequest {
            num_samples_per_class: usize::MAX,
            ..request
        };
        let huge = synthesize(&original(), 3, &huge, &augmenter, &go_on);
        assert!(matches!(huge, Err(SynthError::TooMany { .. })));
        let stop = |_| ControlFlow::Break(());
        let stopped = synthesize(&original(), 3, &request, &augmenter, &stop);
        assert_eq!(stopped, Err(SynthError::Interrupted));
    }
}
