//! Elastic deformation, as `torchvision.transforms.ElasticTransform`.

use super::Pixels;
use super::config::ElasticConfig;
use crate::dataset::{PIXELS, SIDE};
use crate::random::Random;

/// A warp by smooth random displacements: uniform noise, blurred by a Gaussian of deviation σ, times α.
#[derive(Debug, Clone)]
pub struct ElasticWarp {
    /// From noise to pixels: torchvision's α is of half an image's width.
    strength: f32,
    /// The Gaussian, of odd length, with the sum 1.
    kernel: Vec<f32>,
}

/// Displacements of each pixel along one axis, in pixels.
type Field = [f32; PIXELS];

/// A row with its reflections at both ends.
const PADDED: usize = 3 * SIDE;

impl ElasticWarp {
    /// The warp of a configuration that [`Transforms::check`](super::Transforms::check) takes.
    pub fn new(config: ElasticConfig) -> Self {
        // torchvision's length: `int(8 * sigma + 1)`, made odd; its padding reflects, so it ends there.
        let half = (((8.0 * config.sigma + 1.0) as usize) / 2).min(SIDE - 1);
        let weight = |i: usize| {
            let x = (i as f64 - half as f64) / config.sigma;
            libm::exp(-0.5 * x * x)
        };
        let weights: Vec<f64> = (0..=2 * half).map(weight).collect();
        let sum: f64 = weights.iter().sum();
        Self {
            strength: (config.alpha / 2.0) as f32,
            kernel: weights.iter().map(|weight| (weight / sum) as f32).collect(),
        }
    }

    pub(super) fn warp(&self, random: &mut Random, from: &Pixels, to: &mut Pixels) {
        let across = self.field(random);
        let down = self.field(random);
        let rows = from.as_chunks::<SIDE>().0;
        let pixel = |x: f32, y: f32| {
            let inside = |at: f32| (0.0..SIDE as f32).contains(&at);
            let is_inside = inside(x) && inside(y);
            if is_inside {
                f32::from(rows[y as usize][x as usize])
            } else {
                0.0
            }
        };
        for (at, target) in to.iter_mut().enumerate() {
            let (x, y) = (
                (at % SIDE) as f32 + across[at],
                (at / SIDE) as f32 + down[at],
            );
            let (left, top) = (x.floor(), y.floor());
            let (u, v) = (x - left, y - top);
            let along = |line: f32| pixel(left, line) * (1.0 - u) + pixel(left + 1.0, line) * u;
            let value = along(top) * (1.0 - v) + along(top + 1.0) * v;
            *target = (value + 0.5) as u8;
        }
    }

    fn field(&self, random: &mut Random) -> Field {
        let mut noise = [0.0; PIXELS];
        for pair in noise.as_chunks_mut::<2>().0 {
            let bits = random.bits();
            let uniform = |bits: u64| (bits as u32 >> 8) as f32 / 8_388_608.0 - 1.0;
            *pair = [uniform(bits), uniform(bits >> 32)];
        }
        self.blurred(&noise).map(|x| x * self.strength)
    }

    /// Along the rows, then along the columns; beyond the edge the image is reflected without its edge.
    fn blurred(&self, field: &Field) -> Field {
        let half = self.kernel.len() / 2;
        let mut rows = [[0.0_f32; SIDE]; SIDE];
        for (source, row) in field.as_chunks::<SIDE>().0.iter().zip(&mut rows) {
            let padded: [f32; PADDED] = std::array::from_fn(|at| source[reflected(at)]);
            for (i, weight) in self.kernel.iter().enumerate() {
                let moved = &padded[SIDE - half + i..][..SIDE];
                for (sum, value) in row.iter_mut().zip(moved) {
                    *sum += weight * value;
                }
            }
        }
        let mut blurred = [0.0; PIXELS];
        for (y, row) in blurred.as_chunks_mut::<SIDE>().0.iter_mut().enumerate() {
            for (i, weight) in self.kernel.iter().enumerate() {
                let source = &rows[reflected(SIDE - half + y + i)];
                for (sum, value) in row.iter_mut().zip(source) {
                    *sum += weight * value;
                }
            }
        }
        blurred
    }
}

/// The place in a row that one of its three copies side by side stands for.
fn reflected(at: usize) -> usize {
    const LAST: usize = SIDE - 1;
    match at {
        0..SIDE => (SIDE - at).min(LAST),
        at if at < 2 * SIDE => at - SIDE,
        at => (2 * LAST).saturating_sub(at - SIDE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `F.pad(torch.arange(28.), (3, 3), mode="reflect")`.
    #[test]
    fn edges_are_reflected_as_torch_does() {
        let left: Vec<usize> = (SIDE - 3..SIDE + 2).map(reflected).collect();
        assert_eq!(left, [3, 2, 1, 0, 1]);
        let right: Vec<usize> = (2 * SIDE - 2..2 * SIDE + 3).map(reflected).collect();
        assert_eq!(right, [26, 27, 26, 25, 24]);
    }

    #[test]
    fn a_constant_field_stays_one() {
        for sigma in [0.5, 5.0, 6.5] {
            let warp = ElasticWarp::new(ElasticConfig { alpha: 50.0, sigma });
            let blurred = warp.blurred(&[0.25; PIXELS]);
            assert!(blurred.iter().all(|x| (x - 0.25).abs() < 1e-5), "{sigma}");
        }
    }

    #[test]
    fn without_strength_nothing_moves() {
        let warp = ElasticWarp::new(ElasticConfig {
            alpha: 0.0,
            sigma: 5.0,
        });
        let from: Pixels = std::array::from_fn(|at| (at % 251) as u8);
        let mut to = [0; PIXELS];
        warp.warp(&mut Random::stream(1, 2, 3), &from, &mut to);
        assert_eq!(from, to);
    }

    /// `ElasticTransform.get_params([50., 50.], [5., 5.], [28, 28])` has displacements of the root mean
    /// square 0.0751 in units of half an image over 600 draws, which are 1.05 pixels.
    #[test]
    fn displacements_are_as_large_as_torchvisions() {
        let warp = ElasticWarp::new(ElasticConfig {
            alpha: 50.0,
            sigma: 5.0,
        });
        let mut squares = 0.0;
        for index in 0..400 {
            let field = warp.field(&mut Random::stream(1, 2, index));
            squares += field.iter().map(|x| f64::from(x * x)).sum::<f64>() / PIXELS as f64;
        }
        let deviation = (squares / 400.0).sqrt();
        assert!((0.98..1.12).contains(&deviation), "{deviation}");
    }
}
