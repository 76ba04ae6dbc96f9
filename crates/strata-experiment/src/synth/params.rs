//! The section `synth_emnist` of `params.yaml`.

use std::path::PathBuf;

use serde::Deserialize;
use strata_config::{ConfigError, from_named_yaml};
use strata_data::transforms::Transforms;

use crate::config::SourceName;

/// What is made from which images.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SynthParams {
    /// Of the draw and of all changes.
    pub seed: u64,
    /// Folder that holds `EMNIST/raw/`, or the cache of the glyphs; a run's `data.root`.
    pub raw_root: PathBuf,
    /// Folder for the files.
    pub output_dir: PathBuf,
    /// Whether to fetch the official archive when nothing is found on disk.
    pub download: bool,
    /// Which images.
    pub source: SourceName,
    /// Split of EMNIST; a run's `data.split`.
    pub split: String,
    /// Seed of the glyphs' pictures; a run's `data.seed`.
    pub glyphs_seed: u64,
    /// Images drawn of each class.
    pub num_samples_per_class: usize,
    /// Copies of each.
    pub variants_per_sample: usize,
    /// The changes; what is absent is off.
    pub transforms: Transforms,
}

/// Those of the Python stack.
impl Default for SynthParams {
    fn default() -> Self {
        Self {
            seed: 123,
            raw_root: "data".into(),
            output_dir: "data/synthetic_emnist/raw".into(),
            download: true,
            source: SourceName::Emnist,
            split: "balanced".to_owned(),
            glyphs_seed: 0,
            num_samples_per_class: 500,
            variants_per_sample: 2,
            transforms: Transforms {
                rotation: Some(15.0),
                translate: Some(3.0),
                shear: Some(10.0),
                gaussian_noise: Some(0.05),
                ..Transforms::default()
            },
        }
    }
}

const SECTION: &str = "synth_emnist";

impl SynthParams {
    /// Reads the section from the text of a file, which errors call `name`; other sections are not looked at.
    ///
    /// # Errors
    /// No such section, or a key that is unknown or makes no sense, with the place.
    pub fn parse(name: &str, text: &str) -> Result<Self, ConfigError> {
        let root = from_named_yaml(name, text)?;
        let params: Self = root.extract(SECTION)?;
        let refused = |key: &str, problem: &str, help: Option<&str>| {
            let path = format!("{SECTION}.{key}");
            Err(root.error_at(&path, &format!("`{path}` {problem}"), help))
        };
        if let Err(error) = params.transforms.check() {
            let key = format!("transforms.{}", error.key);
            return refused(&key, &error.problem, error.help.as_deref());
        }
        for (key, count) in [
            ("num_samples_per_class", params.num_samples_per_class),
            ("variants_per_sample", params.variants_per_sample),
        ] {
            if count == 0 {
                return refused(key, "must be at least 1, not 0", None);
            }
        }
        Ok(params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The file at the repository's root says what is the default anyway.
    #[test]
    fn the_repositorys_parameters_are_the_defaults() {
        let text = include_str!("../../../../params.yaml");
        let params = SynthParams::parse("params.yaml", text).expect("it reads");
        let defaults = SynthParams::default();
        assert_eq!(params.seed, defaults.seed);
        assert_eq!(params.transforms.rotation, defaults.transforms.rotation);
        assert_eq!(
            params.transforms.gaussian_noise,
            defaults.transforms.gaussian_noise
        );
        assert_eq!(params.output_dir, defaults.output_dir);
        assert_eq!(params.expected_images(47), defaults.expected_images(47));
    }

    #[test]
    fn mistakes_are_shown_with_their_place() {
        for (text, said) in [
            ("other: 1\n", "synth_emnist"),
            (
                "synth_emnist:\n  sed: 1\n",
                "did you mean `synth_emnist.seed`?",
            ),
            ("synth_emnist:\n  variants_per_sample: 0\n", "at least 1"),
            ("synth_emnist:\n  source: glyph\n", "glyphs"),
            (
                "synth_emnist:\n  transforms: {rotation: 400}\n",
                "between 0 and 180 degrees",
            ),
            ("synth_emnist:\n  transforms: {rotate: 4}\n", "rotation"),
            (
                "synth_emnist:\n  transforms: {elastic: no such}\n",
                "elastic",
            ),
        ] {
            let error = SynthParams::parse("params.yaml", text).expect_err(text);
            let shown = error.diagnostic().render_plain();
            assert!(shown.contains(said), "{text}: {shown}");
        }
    }
}
