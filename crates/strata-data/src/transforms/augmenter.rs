//! Drawing the parameters of each image, and applying them.

use super::config::{InvalidTransform, Transforms};
use super::crop::Crop;
use super::elastic::ElasticWarp;
use super::noise::GaussianNoise;
use super::{InverseAffine, Pixels, flip_horizontally};
use crate::dataset::{PIXELS, SIDE};
use crate::random::Random;

/// Makes changed copies of images, each a function of the seed and its place alone.
#[derive(Debug, Clone)]
pub struct Augmenter {
    crop: Option<[f64; 2]>,
    flips: bool,
    affine: Option<AffineRanges>,
    warp: Option<ElasticWarp>,
    noise: Option<GaussianNoise>,
}

/// Of `RandomAffine(degrees=rotation, translate=…, scale=…, shear=…)`: one map and one resampling, where
/// three transforms in a row would coarsen the image thrice.
#[derive(Debug, Clone, Copy)]
struct AffineRanges {
    rotation: f64,
    translate: f64,
    scale: [f64; 2],
    shear: f64,
}

/// Names the stream, so that no other use of the seed draws the same numbers.
const STREAM: u64 = 0x6175_676d_656e_7400;

impl Augmenter {
    /// The changes of a configuration.
    ///
    /// # Errors
    /// As [`Transforms::check`].
    pub fn new(transforms: &Transforms) -> Result<Self, InvalidTransform> {
        transforms.check()?;
        Ok(Self {
            crop: transforms.crop(),
            flips: transforms.flips(),
            affine: transforms.has_affine().then(|| AffineRanges {
                rotation: transforms.rotation.unwrap_or(0.0),
                translate: transforms.translate.unwrap_or(0.0),
                scale: transforms.factor(),
                shear: transforms.shear.unwrap_or(0.0),
            }),
            warp: transforms.warp().map(ElasticWarp::new),
            noise: transforms.noise().map(GaussianNoise::new),
        })
    }

    /// Writes a changed copy of an image of 784 pixels. The change is decided by seed, epoch (0 outside
    /// training) and position in it.
    ///
    /// # Panics
    /// If `from` has another length.
    pub fn augment(&self, seed: u64, epoch: u64, position: u64, from: &[u8], to: &mut Pixels) {
        let mut random = Random::stream(seed, STREAM.wrapping_add(epoch), position);
        let mut image = Pixels::try_from(from).expect("an image has 784 pixels");
        if let Some(area) = self.crop {
            let crop = random_crop(&mut random, area);
            let whole = image;
            crop.resized(&whole, &mut image);
        }
        if self.flips && random.chance(0.5) {
            flip_horizontally(&mut image);
        }
        match &self.affine {
            Some(ranges) => ranges.draw(&mut random).nearest(&image, to),
            None => *to = image,
        }
        if let Some(warp) = &self.warp {
            image = *to;
            warp.warp(&mut random, &image, to);
        }
        if let Some(noise) = &self.noise {
            noise.add(&mut random, to);
        }
    }
}

impl AffineRanges {
    /// `RandomAffine.get_params`: angles uniform, shifts uniform and rounded to whole pixels, the factor
    /// uniform; the shear is along the rows.
    fn draw(&self, random: &mut Random) -> InverseAffine {
        let mut within = |most: f64| {
            if most == 0.0 {
                0.0
            } else {
                uniform(random, -most, most)
            }
        };
        let angle = within(self.rotation);
        let translate = [
            within(self.translate).round(),
            within(self.translate).round(),
        ];
        let shear = [within(self.shear), 0.0];
        let [least, most] = self.scale;
        let scale = if least == most {
            least
        } else {
            uniform(random, least, most)
        };
        InverseAffine::new(angle, translate, scale, shear)
    }
}

/// `RandomResizedCrop.get_params` with its sides' ratio of 3/4 to 4/3.
fn random_crop(random: &mut Random, [least, most]: [f64; 2]) -> Crop {
    const TRIES: usize = 10;
    let log_ratio = libm::log(4.0 / 3.0);
    for _ in 0..TRIES {
        let area = PIXELS as f64 * uniform(random, least, most);
        let ratio = libm::exp(uniform(random, -log_ratio, log_ratio));
        let width = (area * ratio).sqrt().round() as usize;
        let height = (area / ratio).sqrt().round() as usize;
        if !(1..=SIDE).contains(&width) || !(1..=SIDE).contains(&height) {
            continue;
        }
        let top = random.below(SIDE - height + 1);
        let left = random.below(SIDE - width + 1);
        if let Some(crop) = Crop::new(top, left, height, width) {
            return crop;
        }
    }
    Crop::new(0, 0, SIDE, SIDE).expect("the whole image lies within itself")
}

fn uniform(random: &mut Random, low: f64, high: f64) -> f64 {
    low + (high - low) * ((random.bits() >> 11) as f64 / (1_u64 << 53) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transforms::ElasticConfig;

    fn everything() -> Transforms {
        Transforms {
            rotation: Some(15.0),
            translate: Some(3.0),
            shear: Some(10.0),
            scale: Some(vec![0.8, 1.2]),
            gaussian_noise: Some(0.05),
            horizontal_flip: Some(true),
            random_resized_crop: Some(true),
            random_resized_crop_scale: Some(vec![0.5, 1.0]),
            elastic: Some(ElasticConfig::default()),
        }
    }

    fn picture() -> Pixels {
        std::array::from_fn(|at| {
            let (x, y) = (at % SIDE, at / SIDE);
            if (8..20).contains(&x) && (6..22).contains(&y) {
                200 + (x % 5) as u8
            } else {
                0
            }
        })
    }

    #[test]
    fn a_copy_is_decided_by_seed_epoch_and_position() {
        let augmenter = Augmenter::new(&everything()).expect("sensible");
        let copy = |seed, epoch, position| {
            let mut to = [7; PIXELS];
            augmenter.augment(seed, epoch, position, &picture(), &mut to);
            to
        };
        assert_eq!(copy(1, 2, 3), copy(1, 2, 3));
        for other in [copy(2, 2, 3), copy(1, 3, 3), copy(1, 2, 4)] {
            assert_ne!(copy(1, 2, 3), other);
        }
    }

    #[test]
    fn what_is_off_changes_nothing() {
        let augmenter = Augmenter::new(&Transforms::default()).expect("sensible");
        let mut to = [7; PIXELS];
        augmenter.augment(1, 2, 3, &picture(), &mut to);
        assert_eq!(to, picture());
        assert!(Transforms::default().is_off() && !everything().is_off());
    }

    #[test]
    fn each_change_keeps_the_ink_in_bounds() {
        let only = |change: fn(&mut Transforms, Transforms)| {
            let mut transforms = Transforms::default();
            change(&mut transforms, everything());
            transforms
        };
        let changes = [
            only(|t, all| t.rotation = all.rotation),
            only(|t, all| t.translate = all.translate),
            only(|t, all| t.shear = all.shear),
            only(|t, all| t.scale = all.scale),
            only(|t, all| t.random_resized_crop = all.random_resized_crop),
            only(|t, all| t.elastic = all.elastic),
        ];
        let ink = |pixels: &Pixels| pixels.iter().map(|&x| f64::from(x)).sum::<f64>();
        for transforms in changes {
            let augmenter = Augmenter::new(&transforms).expect("sensible");
            let mut changed = 0;
            for position in 0..200 {
                let mut to = [7; PIXELS];
                augmenter.augment(5, 0, position, &picture(), &mut to);
                let share = ink(&to) / ink(&picture());
                assert!((0.3..5.0).contains(&share), "{transforms:?}: {share}");
                changed += usize::from(to != picture());
            }
            assert!(changed > 120, "{transforms:?}: {changed}");
        }
    }

    #[test]
    fn every_second_image_is_mirrored() {
        let augmenter = Augmenter::new(&Transforms {
            horizontal_flip: Some(true),
            ..Transforms::default()
        });
        let augmenter = augmenter.expect("sensible");
        let mut mirrored = 0;
        for position in 0..1000 {
            let mut to = [0; PIXELS];
            augmenter.augment(5, 0, position, &picture(), &mut to);
            mirrored += usize::from(to != picture());
        }
        assert!((450..550).contains(&mirrored), "{mirrored}");
    }
}
