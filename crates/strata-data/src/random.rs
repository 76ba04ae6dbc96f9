//! Random numbers in streams that are found from their place: a picture of the glyphs, a split.

/// A `SplitMix64` stream (Steele, Lea & Flood 2014), cheap to start anew.
#[derive(Debug, Clone)]
pub(crate) struct Random {
    state: u64,
}

impl Random {
    /// The stream with these coordinates; streams of different coordinates are unrelated.
    pub(crate) fn stream(seed: u64, split: u64, index: u64) -> Self {
        let state = mix(mix(mix(seed) ^ split).wrapping_add(GOLDEN) ^ index);
        Self { state }
    }

    /// 64 uniform bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        mix(self.state)
    }

    /// Uniform in `[0, 1)`.
    pub(crate) fn uniform(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1u64 << 24) as f32
    }

    /// Uniform in `[low, high)`.
    pub(crate) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.uniform()
    }

    /// True with probability `p`.
    pub(crate) fn chance(&mut self, p: f32) -> bool {
        self.uniform() < p
    }

    /// Nearly normal with mean 0 and deviation `sigma`, never beyond 3.5 `sigma`.
    ///
    /// The sum of four uniform numbers: needs no logarithm, and its short tails keep a hand from
    /// writing absurdities.
    pub(crate) fn normal(&mut self, sigma: f32) -> f32 {
        let bits = self.bits();
        let sum: u64 = (0..4).map(|lane| (bits >> (16 * lane)) & 0xffff).sum();
        // Each lane has the variance 65536²/12, so the sum has the deviation 65536/√3.
        (sum as f32 - 131_070.0) * (1.732_050_8 / 65_536.0) * sigma
    }

    /// Nearly log-normal: `exp` of [`normal`](Self::normal), so the median is 1.
    pub(crate) fn log_normal(&mut self, sigma: f32) -> f32 {
        exp(self.normal(sigma))
    }

    /// Uniform in `0..bound`; `bound` must not be 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.bits()) * bound as u128) >> 64) as usize
    }
}

/// `(1 + x/64)^64`, within 2 % of `e^x` for `|x| ≤ 1.5` and the same bits on every machine.
pub(crate) fn exp(x: f32) -> f32 {
    let mut power = (1.0 + x / 64.0).max(0.0);
    for _ in 0..6 {
        power *= power;
    }
    power
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The nearly normal numbers have the mean and deviation they promise.
    #[test]
    fn normal_has_its_moments() {
        let mut random = Random::stream(1, 2, 3);
        let sample: Vec<f64> = (0..20_000).map(|_| f64::from(random.normal(2.0))).collect();
        let mean = sample.iter().sum::<f64>() / 20_000.0;
        let variance = sample.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0;

        assert!(mean.abs() < 0.05, "mean {mean}");
        assert!((variance.sqrt() - 2.0).abs() < 0.05, "variance {variance}");
    }

    /// Neighbouring pictures, splits and seeds have different streams.
    #[test]
    fn streams_differ_in_every_coordinate() {
        let first = |seed, split, index| Random::stream(seed, split, index).bits();
        let base = first(7, 0, 0);

        assert_ne!(base, first(8, 0, 0));
        assert_ne!(base, first(7, 1, 0));
        assert_ne!(base, first(7, 0, 1));
        assert_ne!(first(7, 1, 0), first(7, 0, 1));
    }

    /// The exponential is close to the true one where the pens use it.
    #[test]
    fn exp_is_close() {
        for x in [-1.5f32, -0.5, 0.0, 0.3, 1.0, 1.5] {
            assert!(
                (exp(x) / x.exp() - 1.0).abs() < 0.02,
                "exp({x}) = {}",
                exp(x)
            );
        }
    }
}
