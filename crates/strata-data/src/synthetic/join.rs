//! Adding an artifact to the training set, without copies of validation images.

use std::sync::Arc;

use strata_fs::Sha256;

use super::artifact::Artifact;
use crate::dataset::{Dataset, Splits};

/// What became of an artifact's images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Added {
    /// Copies that are trained on.
    pub added: usize,
    /// Copies that were dropped, since what they are copies of is held out for validation.
    pub dropped: usize,
}

/// SHA-256, in hexadecimal digits, of pixels and labels of a data set in their order.
pub fn fingerprint_of(dataset: &Dataset) -> String {
    let mut digest = Sha256::new();
    digest.update(&dataset.images);
    digest.update(&dataset.labels);
    digest.hex()
}

impl Splits {
    /// Adds the images of an artifact to the training set, after those that are there, except copies of
    /// images that are held out for validation. `is_of_these` says whether the artifact was made from
    /// these images, so that its `source_index` can be followed.
    ///
    /// # Errors
    /// A `source_index` beyond the images.
    pub fn add(&mut self, artifact: Artifact, is_of_these: bool) -> Result<Added, String> {
        let Artifact {
            dataset,
            source_index,
            ..
        } = artifact;
        let original = &self.train.dataset;
        let mut held_out = vec![false; original.len()];
        // Where validation images come from a file of their own, none of them has a copy.
        if Arc::ptr_eq(original, &self.validation.dataset) {
            for &index in &self.validation.indices {
                held_out[index as usize] = true;
            }
        }
        let total = dataset.len();
        let first = original.len() as u32;
        let all = 0..total as u32;
        let kept: Vec<u32> = match source_index.filter(|_| is_of_these) {
            None => all.collect(),
            Some(source_index) => {
                if let Some(at) = source_index.iter().position(|&i| i >= first) {
                    return Err(format!(
                        "`source_index` of image {at} is {}, but there are {first} images in {}",
                        source_index[at], self.source
                    ));
                }
                let copies = all.zip(source_index);
                let is_free = |&(_, source): &(u32, u32)| !held_out[source as usize];
                copies.filter(is_free).map(|(copy, _)| copy).collect()
            }
        };
        let mut digest = Sha256::new();
        digest.update(self.training_fingerprint.as_bytes());
        digest.update(fingerprint_of(&dataset).as_bytes());
        digest.update(&(kept.len() as u64).to_le_bytes());
        self.training_fingerprint = digest.hex();
        self.train
            .indices
            .extend(kept.iter().map(|copy| first + copy));
        self.train.synthetic = Some(Arc::new(dataset));
        Ok(Added {
            added: kept.len(),
            dropped: total - kept.len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::PIXELS;
    use crate::split::Recipe;
    use crate::synthetic::PixelKind;

    fn images(count: usize, pixel: u8) -> Dataset {
        Dataset {
            images: vec![pixel; count * PIXELS],
            labels: (0..count).map(|i| (i % 2) as u8).collect(),
        }
    }

    fn splits(seed: u64) -> Splits {
        let recipe = Recipe {
            val_split: 0.3,
            seed,
            class_names: vec!["a".to_owned(), "b".to_owned()],
            source: "a test".to_owned(),
            content: "content".to_owned(),
        };
        recipe.hold_out(Arc::new(images(10, 1)), Arc::new(images(4, 2)))
    }

    /// Two copies of each of the ten images.
    fn artifact() -> Artifact {
        Artifact {
            dataset: images(20, 9),
            source_index: Some((0..10).flat_map(|i| [i, i]).collect()),
            pixels: PixelKind::Bytes,
        }
    }

    /// The rule that this module is for: nothing that is trained on was made from what is held out.
    #[test]
    fn no_copy_of_a_validation_image_is_trained_on() {
        for seed in 0..20 {
            let mut splits = splits(seed);
            let plain = splits.clone();
            let added = splits.add(artifact(), true).expect("it fits");
            assert_eq!(
                added,
                Added {
                    added: 14,
                    dropped: 6
                }
            );
            assert_eq!(splits.train.len(), 7 + 14);
            let sources = artifact().source_index.expect("there is one");
            for &index in &splits.train.indices {
                let source = match index {
                    0..10 => index,
                    copy => sources[copy as usize - 10],
                };
                assert!(!splits.validation.indices.contains(&source), "seed {seed}");
            }
            assert_eq!(splits.validation.indices, plain.validation.indices);
            assert_eq!(splits.test.indices, plain.test.indices);
            assert_ne!(splits.training_fingerprint, plain.training_fingerprint);
            assert_eq!(splits.fingerprint, plain.fingerprint);
            assert_eq!(splits.train.pixels(7), &[9; PIXELS]);
            assert_eq!(splits.train.labels().count(), 21);
        }
    }

    #[test]
    fn an_artifact_of_other_images_is_added_whole() {
        let mut other = splits(1);
        let added = other.add(artifact(), false).expect("it fits");
        assert_eq!(
            added,
            Added {
                added: 20,
                dropped: 0
            }
        );
        let mut silent = splits(1);
        let without_index = Artifact {
            source_index: None,
            ..artifact()
        };
        assert_eq!(silent.add(without_index, true).expect("it fits").dropped, 0);
    }

    #[test]
    fn an_index_beyond_the_images_is_refused() {
        let mut artifact = artifact();
        artifact.source_index = Some(vec![10; 20]);
        let refused = splits(1).add(artifact, true).expect_err("refused");
        assert!(
            refused.contains("`source_index` of image 0 is 10"),
            "{refused}"
        );
    }
}
