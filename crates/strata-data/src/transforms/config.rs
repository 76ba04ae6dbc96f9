//! Which changes there are, and how strong.

use serde::{Deserialize, Serialize};

/// Random changes of an image. What is absent, null, 0 or false is off.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Transforms {
    /// Greatest angle in degrees to either side (`RandomRotation`).
    pub rotation: Option<f64>,
    /// Greatest shift in pixels along each axis. torchvision's `RandomAffine(translate=(a, a))` wants shares
    /// of the width: `a` is this divided by 28.
    pub translate: Option<f64>,
    /// Greatest shear along the rows in degrees to either side (`RandomAffine(shear=…)`).
    pub shear: Option<f64>,
    /// Least and greatest factor (`RandomAffine(scale=…)`).
    pub scale: Option<Vec<f64>>,
    /// Standard deviation of the noise that is added to pixels in 0..1, in 0..=1.
    pub gaussian_noise: Option<f64>,
    /// Whether every second image, on average, is mirrored (`RandomHorizontalFlip`).
    pub horizontal_flip: Option<bool>,
    /// Whether a random part is cut out and enlarged (`RandomResizedCrop`).
    pub random_resized_crop: Option<bool>,
    /// Least and greatest share of the area that is cut out, in 0..=1; without it torchvision's, 0.08 and 1.
    pub random_resized_crop_scale: Option<Vec<f64>>,
    /// Elastic deformation (`ElasticTransform`).
    #[serde(deserialize_with = "deserialize_elastic")]
    pub elastic: Option<ElasticConfig>,
}

/// `torchvision.transforms.ElasticTransform`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ElasticConfig {
    /// Magnitude of the displacements, torchvision's default 50.
    #[serde(default = "default_alpha")]
    pub alpha: f64,
    /// Smoothness of the displacements in pixels, torchvision's default 5; from 0.3 to 6.7.
    #[serde(default = "default_sigma")]
    pub sigma: f64,
}

impl Default for ElasticConfig {
    fn default() -> Self {
        Self {
            alpha: default_alpha(),
            sigma: default_sigma(),
        }
    }
}

/// A change that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidTransform {
    /// Key below that of the changes: `rotation`.
    pub key: &'static str,
    /// What is wrong, after the key: `must be …, not …`.
    pub problem: String,
    /// What would mend it.
    pub help: Option<String>,
}

/// torchvision's area of a crop where none is said.
const DEFAULT_CROP: [f64; 2] = [0.08, 1.0];
/// Larger factors leave nothing to see, and neither do their inverses.
const MOST_SCALE: f64 = 10.0;

impl Transforms {
    /// Refuses numbers that make no sense.
    ///
    /// # Errors
    /// The first key with such a number.
    pub fn check(&self) -> Result<(), InvalidTransform> {
        within("rotation", self.rotation, 0.0, 180.0, "degrees")?;
        within("translate", self.translate, 0.0, 28.0, "pixels")?;
        if let Some(share) = self.translate.filter(|&shift| shift > 0.0 && shift < 0.5) {
            return Err(InvalidTransform {
                key: "translate",
                problem: format!("is in pixels, and {share} never moves an image by one"),
                help: Some(format!(
                    "torchvision's share of the width {share} is {} pixels",
                    share * 28.0
                )),
            });
        }
        within("shear", self.shear, 0.0, 80.0, "degrees")?;
        within(
            "gaussian_noise",
            self.gaussian_noise,
            0.0,
            1.0,
            "of a pixel's range",
        )?;
        pair("scale", self.scale.as_deref(), 1.0 / MOST_SCALE, MOST_SCALE)?;
        let crop = self.random_resized_crop_scale.as_deref();
        pair("random_resized_crop_scale", crop, 0.0, 1.0)?;
        let Some(elastic) = self.elastic else {
            return Ok(());
        };
        within("elastic.alpha", Some(elastic.alpha), 0.0, 1000.0, "")?;
        // Beyond it torch's padding would reflect more than there is.
        within("elastic.sigma", Some(elastic.sigma), 0.3, 6.7, "pixels")
    }

    /// Whether all is off.
    pub fn is_off(&self) -> bool {
        !(self.has_affine()
            || self.noise().is_some()
            || self.flips()
            || self.crop().is_some()
            || self.warp().is_some())
    }

    pub(super) fn has_affine(&self) -> bool {
        let is_set = |amount: Option<f64>| amount.is_some_and(|amount| amount != 0.0);
        is_set(self.rotation)
            || is_set(self.translate)
            || is_set(self.shear)
            || self.scale.is_some()
    }

    pub(super) fn noise(&self) -> Option<f64> {
        self.gaussian_noise.filter(|&sigma| sigma > 0.0)
    }

    pub(super) fn flips(&self) -> bool {
        self.horizontal_flip == Some(true)
    }

    pub(super) fn crop(&self) -> Option<[f64; 2]> {
        (self.random_resized_crop == Some(true)).then(|| {
            let scale = self.random_resized_crop_scale.as_deref();
            scale
                .and_then(|scale| scale.try_into().ok())
                .unwrap_or(DEFAULT_CROP)
        })
    }

    pub(super) fn factor(&self) -> [f64; 2] {
        let scale = self.scale.as_deref();
        scale
            .and_then(|scale| scale.try_into().ok())
            .unwrap_or([1.0, 1.0])
    }

    pub(super) fn warp(&self) -> Option<ElasticConfig> {
        self.elastic.filter(|elastic| elastic.alpha > 0.0)
    }
}

fn within(
    key: &'static str,
    value: Option<f64>,
    least: f64,
    most: f64,
    unit: &str,
) -> Result<(), InvalidTransform> {
    match value {
        Some(value) if !(least..=most).contains(&value) => Err(InvalidTransform {
            key,
            problem: format!("must be between {least} and {most} {unit}")
                .trim_end()
                .to_owned()
                + &format!(", not {value}"),
            help: None,
        }),
        _ => Ok(()),
    }
}

fn pair(
    key: &'static str,
    value: Option<&[f64]>,
    least: f64,
    most: f64,
) -> Result<(), InvalidTransform> {
    match value {
        None => Ok(()),
        Some(&[low, high]) if least <= low && low <= high && high <= most && high > 0.0 => Ok(()),
        Some(other) => Err(InvalidTransform {
            key,
            problem: format!(
                "must be a list of the least and the greatest, between {least} and {most}, not {other:?}"
            ),
            help: None,
        }),
    }
}

fn default_alpha() -> f64 {
    50.0
}

fn default_sigma() -> f64 {
    5.0
}

/// For serde: null or false for none, true for torchvision's defaults, a magnitude, or both numbers.
///
/// # Errors
/// Anything else.
pub fn deserialize_elastic<'de, D>(deserializer: D) -> Result<Option<ElasticConfig>, D::Error>
where
    D: serde::Deserializer<'de>,
{
    #[derive(Deserialize)]
    #[serde(
        untagged,
        expecting = "null, true, false, a magnitude, or {alpha: …, sigma: …}"
    )]
    enum Spelling {
        Switch(bool),
        Alpha(f64),
        Both(ElasticConfig),
    }
    Ok(
        Option::<Spelling>::deserialize(deserializer)?.and_then(|spelling| match spelling {
            Spelling::Switch(on) => on.then(ElasticConfig::default),
            Spelling::Alpha(alpha) => (alpha != 0.0).then_some(ElasticConfig {
                alpha,
                ..ElasticConfig::default()
            }),
            Spelling::Both(config) => Some(config),
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_refused_by_its_key() {
        let refused = |transforms: Transforms| transforms.check().map_err(|error| error.key);
        let off = Transforms::default;
        assert_eq!(refused(off()), Ok(()));
        let cases = [
            (
                Transforms {
                    rotation: Some(-1.0),
                    ..off()
                },
                "rotation",
            ),
            (
                Transforms {
                    rotation: Some(f64::NAN),
                    ..off()
                },
                "rotation",
            ),
            (
                Transforms {
                    translate: Some(0.1),
                    ..off()
                },
                "translate",
            ),
            (
                Transforms {
                    shear: Some(90.0),
                    ..off()
                },
                "shear",
            ),
            (
                Transforms {
                    gaussian_noise: Some(1.5),
                    ..off()
                },
                "gaussian_noise",
            ),
            (
                Transforms {
                    scale: Some(vec![1.2, 0.8]),
                    ..off()
                },
                "scale",
            ),
            (
                Transforms {
                    scale: Some(vec![1.2]),
                    ..off()
                },
                "scale",
            ),
            (
                Transforms {
                    random_resized_crop_scale: Some(vec![0.5, 1.5]),
                    ..off()
                },
                "random_resized_crop_scale",
            ),
            (
                Transforms {
                    elastic: Some(ElasticConfig {
                        alpha: 1.0,
                        sigma: 20.0,
                    }),
                    ..off()
                },
                "elastic.sigma",
            ),
        ];
        for (transforms, key) in cases {
            assert_eq!(refused(transforms), Err(key));
        }
    }
}
