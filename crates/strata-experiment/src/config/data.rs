//! `data`: where the images come from and how they become batches.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use strata_data::transforms::{Augmenter, ElasticConfig, Transforms, deserialize_elastic};

use super::invalid::{Invalid, require};
use super::nullable;

/// The group `data`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// Which data set; `emnist` if the key is absent, as in trees written before it existed.
    #[serde(default)]
    pub name: SourceName,
    /// Split of EMNIST: `balanced`, `byclass`, `bymerge`, `letters`, `digits`, `mnist`.
    pub split: String,
    /// Folder that holds `EMNIST/raw/`, the npz files, or the cache of the glyphs.
    pub root: PathBuf,
    /// Whether to fetch the official archive when nothing is found on disk.
    pub download: bool,
    /// Address of the official archive.
    #[serde(default = "default_url")]
    pub url: String,
    /// MD5 of that archive, 32 hexadecimal digits; null takes any archive.
    #[serde(default = "default_md5")]
    pub md5: Option<String>,
    /// Seed of the glyphs' pictures.
    #[serde(default)]
    pub seed: u64,
    /// Share of the training images held out for validation, in 0..1.
    pub val_split: f64,
    /// Images per step.
    pub batch_size: usize,
    /// Whether each epoch visits the training images in a new order.
    pub shuffle: bool,
    /// Accepted and not used: batches are made by the engine's threads.
    pub num_workers: u32,
    /// Accepted and not used: there is no device to copy to.
    pub pin_memory: bool,
    /// How pixels become network inputs.
    pub normalization: NormalizationConfig,
    /// Random changes of the training images.
    pub augmentations: AugmentationsConfig,
    /// Whether synthetic images are added to the training set.
    pub use_synthetic: bool,
    /// Their file: what `strata synth` writes, or torch; `.pt` or `.safetensors`.
    #[serde(deserialize_with = "nullable")]
    pub synthetic_artifact: Option<PathBuf>,
    /// What happens if the artifact was made from other images than `root` holds.
    #[serde(default)]
    pub synthetic_mismatch: MismatchAction,
}

/// What happens if an artifact was made from other images.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MismatchAction {
    /// The run does not begin.
    #[default]
    Refuse,
    /// A line says so, and the artifact is used whole: copies of validation images cannot be told.
    Warn,
}

/// Which data set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceName {
    /// Images on disk: IDX files, the course's npz files, or the official archive.
    #[default]
    Emnist,
    /// Procedural handwriting drawn from [`DataConfig::seed`].
    Glyphs,
}

/// `(pixel - mean) / std` with pixels in 0..1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NormalizationConfig {
    /// Subtracted.
    pub mean: f64,
    /// Divided by; greater than 0.
    pub std: f64,
}

/// Random changes of the training images, by torchvision's names: [`Transforms`] says what they
/// mean. What is null, 0 or false is off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AugmentationsConfig {
    /// Greatest angle in degrees.
    #[serde(deserialize_with = "nullable")]
    pub rotation: Option<f64>,
    /// Greatest shift in pixels.
    #[serde(deserialize_with = "nullable")]
    pub translate: Option<f64>,
    /// Greatest shear along the rows in degrees.
    #[serde(deserialize_with = "nullable")]
    pub shear: Option<f64>,
    /// Least and greatest factor.
    #[serde(default)]
    pub scale: Option<Vec<f64>>,
    /// Standard deviation of noise added to pixels in 0..1.
    #[serde(deserialize_with = "nullable")]
    pub gaussian_noise: Option<f64>,
    /// Whether a random part is cut out and enlarged.
    #[serde(deserialize_with = "nullable")]
    pub random_resized_crop: Option<bool>,
    /// Smallest and greatest share of the area that is cut out.
    #[serde(deserialize_with = "nullable")]
    pub random_resized_crop_scale: Option<Vec<f64>>,
    /// Whether images are mirrored at random.
    #[serde(deserialize_with = "nullable")]
    pub horizontal_flip: Option<bool>,
    /// Elastic deformation: a magnitude, or `{alpha, sigma}`.
    #[serde(default, deserialize_with = "deserialize_elastic")]
    pub elastic: Option<ElasticConfig>,
}

impl DataConfig {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        require(
            (0.0..1.0).contains(&self.val_split),
            "data.val_split",
            "at least 0 and less than 1",
            self.val_split,
        )?;
        require(
            self.batch_size >= 1,
            "data.batch_size",
            "at least 1",
            self.batch_size,
        )?;
        self.normalization.check()?;
        self.check_md5()?;
        self.augmentations.augmenter()?;
        self.check_synthetic()
    }

    fn check_md5(&self) -> Result<(), Invalid> {
        let Some(md5) = &self.md5 else { return Ok(()) };
        let is_md5 = md5.len() == 32 && md5.bytes().all(|b| b.is_ascii_hexdigit());
        require(
            is_md5,
            "data.md5",
            "32 hexadecimal digits or null",
            format!("`{md5}`"),
        )
    }

    fn check_synthetic(&self) -> Result<(), Invalid> {
        if !self.use_synthetic || self.synthetic_artifact.is_some() {
            return Ok(());
        }
        Err(
            Invalid::new("data.use_synthetic", "is true, but no artifact is named").with_help(
                "`strata synth` makes one, and `data.synthetic_artifact=FILE` names it, \
                 `data/synthetic_emnist/raw/synthetic_emnist.pt` by default",
            ),
        )
    }
}

impl NormalizationConfig {
    fn check(&self) -> Result<(), Invalid> {
        require(
            self.mean.is_finite(),
            "data.normalization.mean",
            "a finite number",
            self.mean,
        )?;
        let positive = self.std.is_finite() && self.std > 0.0;
        require(
            positive,
            "data.normalization.std",
            "greater than 0",
            self.std,
        )
    }
}

impl AugmentationsConfig {
    /// What makes the changes; none if all are off.
    pub(crate) fn augmenter(&self) -> Result<Option<Augmenter>, Invalid> {
        let transforms = Transforms {
            rotation: self.rotation,
            translate: self.translate,
            shear: self.shear,
            scale: self.scale.clone(),
            gaussian_noise: self.gaussian_noise,
            horizontal_flip: self.horizontal_flip,
            random_resized_crop: self.random_resized_crop,
            random_resized_crop_scale: self.random_resized_crop_scale.clone(),
            elastic: self.elastic,
        };
        let augmenter = Augmenter::new(&transforms).map_err(|error| Invalid {
            key: format!("data.augmentations.{}", error.key),
            problem: error.problem,
            help: error.help,
        })?;
        Ok((!transforms.is_off()).then_some(augmenter))
    }
}

fn default_url() -> String {
    strata_data::EMNIST_URL.to_owned()
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "serde's default has the field's type"
)]
fn default_md5() -> Option<String> {
    Some(strata_data::EMNIST_MD5.to_owned())
}
