//! The validation images: a random share of the training images.

use std::sync::Arc;

use strata_fs::Sha256;

use crate::dataset::{Dataset, Splits, Subset};
use crate::torch_random::randperm;

/// What every split needs besides the images.
pub(crate) struct Recipe {
    pub(crate) val_split: f64,
    pub(crate) seed: u64,
    pub(crate) class_names: Vec<String>,
    pub(crate) source: String,
    /// Digest of what decides the images.
    pub(crate) content: String,
}

impl Recipe {
    /// Holds `⌊n·val_split⌋` training images out for validation: the first of `torch.randperm(n)` after
    /// `torch.manual_seed(seed)`.
    pub(crate) fn hold_out(self, train: Arc<Dataset>, test: Arc<Dataset>) -> Splits {
        let n_validation = (train.len() as f64 * self.val_split) as usize;
        let order = randperm(train.len(), self.seed);
        let (validation, rest) = order.split_at(n_validation);
        let part = |indices: &[u32]| {
            // In the order of the file, so that neighbours in memory are neighbours in the subset.
            let mut indices = indices.to_vec();
            indices.sort_unstable();
            Subset {
                dataset: Arc::clone(&train),
                synthetic: None,
                indices,
            }
        };
        let fingerprint = self.fingerprint(&format!(
            "held out {n_validation} by torch.randperm of seed {}",
            self.seed
        ));
        Splits {
            train: part(rest),
            validation: part(validation),
            test: Subset::whole(test),
            class_names: self.class_names,
            source: self.source,
            training_fingerprint: fingerprint.clone(),
            fingerprint,
        }
    }

    /// Takes the validation images as they are given.
    pub(crate) fn given(
        self,
        train: Arc<Dataset>,
        validation: Arc<Dataset>,
        test: Arc<Dataset>,
    ) -> Splits {
        let fingerprint = self.fingerprint("given");
        Splits {
            train: Subset::whole(train),
            validation: Subset::whole(validation),
            test: Subset::whole(test),
            class_names: self.class_names,
            source: self.source,
            training_fingerprint: fingerprint.clone(),
            fingerprint,
        }
    }

    fn fingerprint(&self, how: &str) -> String {
        let mut digest = Sha256::new();
        digest.update(self.content.as_bytes());
        digest.update(how.as_bytes());
        digest.hex()
    }
}
