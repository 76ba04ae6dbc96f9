//! Gaussian noise.

use super::Pixels;
use crate::random::Random;

/// `clamp(x + σ·N(0, 1), 0, 1)` for pixels in 0..1, rounded to whole steps of 1/255.
///
/// A normal number is a quantile of the distribution at one of 8192 evenly spaced probabilities, looked up
/// by 13 random bits: the deviation is right to 0.1 %, and none is beyond 3.9 σ.
#[derive(Debug, Clone)]
pub struct GaussianNoise {
    /// Quantiles times σ, in 32nds of a step.
    quantiles: Box<[i16; COUNT]>,
}

const COUNT: usize = 1 << BITS;
const BITS: u32 = 13;
/// Parts of a step.
const PARTS: i16 = 32;

impl GaussianNoise {
    /// Noise of the standard deviation `sigma`, of pixels in 0..1. What is outside 0..=1 is taken for the
    /// nearest value in it.
    pub fn new(sigma: f64) -> Self {
        let unit = sigma.clamp(0.0, 1.0) * 255.0 * f64::from(PARTS);
        let mut quantiles = Box::new([0; COUNT]);
        for (quantile, normal) in quantiles.iter_mut().zip(normal_quantiles()) {
            *quantile = (normal * unit).round() as i16;
        }
        Self { quantiles }
    }

    pub(super) fn add(&self, random: &mut Random, pixels: &mut Pixels) {
        for four in pixels.as_chunks_mut::<4>().0 {
            let bits = random.bits();
            for (i, pixel) in four.iter_mut().enumerate() {
                let draw = (bits >> (16 * i as u32 + 16 - BITS)) as usize % COUNT;
                let noisy = i16::from(*pixel) * PARTS + PARTS / 2;
                let noisy = noisy.saturating_add(self.quantiles[draw]);
                *pixel = (noisy >> PARTS.ilog2()).clamp(0, 255) as u8;
            }
        }
    }
}

/// Where the normal distribution reaches `(i + ½)/8192`, from its density summed by the trapezoidal rule.
fn normal_quantiles() -> Vec<f64> {
    const STEPS: usize = 1 << 14;
    const FARTHEST: f64 = 5.5;
    let step = FARTHEST / STEPS as f64;
    let density = |x: f64| libm::exp(-0.5 * x * x) / (2.0 * std::f64::consts::PI).sqrt();
    let mut upper = Vec::with_capacity(COUNT / 2);
    let (mut x, mut reached) = (0.0, 0.5);
    let mut before = density(0.0);
    for i in COUNT / 2..COUNT {
        let wanted = (i as f64 + 0.5) / COUNT as f64;
        loop {
            let after = density(x + step);
            let slice = 0.5 * (before + after) * step;
            if reached + slice >= wanted || x >= FARTHEST {
                upper.push(x + step * ((wanted - reached) / slice).min(1.0));
                break;
            }
            reached += slice;
            before = after;
            x += step;
        }
    }
    let lower = upper.iter().rev().map(|x| -x);
    lower.chain(upper.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        let quantiles = normal_quantiles();
        assert_eq!(quantiles.len(), COUNT);
        // scipy.stats.norm.ppf([0.975, 0.8413447461, 0.99]).
        for (p, expected) in [
            (0.975, 1.959_964),
            (0.841_344_746_1, 1.0),
            (0.99, 2.326_348),
        ] {
            let at = p * COUNT as f64 - 0.5;
            let (low, t) = (at.floor() as usize, at.fract());
            let found = quantiles[low] * (1.0 - t) + quantiles[low + 1] * t;
            assert!((found - expected).abs() < 1e-4, "{p}: {found}");
        }
    }

    #[test]
    fn noise_has_its_mean_and_deviation() {
        let noise = GaussianNoise::new(0.05);
        let mut random = Random::stream(1, 2, 3);
        let (mut sum, mut squares, mut count) = (0.0, 0.0, 0.0);
        for _ in 0..200 {
            let mut pixels = [128; 784];
            noise.add(&mut random, &mut pixels);
            for pixel in pixels {
                let difference = (f64::from(pixel) - 128.0) / 255.0;
                sum += difference;
                squares += difference * difference;
                count += 1.0;
            }
        }
        let mean: f64 = sum / count;
        assert!(mean.abs() < 5e-4, "{mean}");
        let deviation = (squares / count - mean * mean).sqrt();
        assert!((deviation - 0.05).abs() < 5e-4, "{deviation}");
    }

    #[test]
    fn the_strongest_noise_stays_within_its_numbers() {
        let noise = GaussianNoise::new(1.0);
        assert!(*noise.quantiles.last().unwrap() > 31_000);
        let mut pixels = [255; 784];
        noise.add(&mut Random::stream(1, 2, 3), &mut pixels);
        let full: i32 = pixels.iter().map(|&pixel| i32::from(pixel == 255)).sum();
        assert!((300..480).contains(&full), "{full}");
    }
}
