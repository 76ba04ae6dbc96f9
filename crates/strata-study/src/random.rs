//! Random numbers of a trial: each a function of the study's seed, the trial's number and what it is for.

/// A sequence of random numbers.
///
/// Its key is made of the seed, a name and a number, so that a study that goes on after an interruption
/// draws what it would have drawn without one, whatever ran at the same time. The generator is splitmix64
/// (Steele, Lea & Flood 2014).
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The numbers of `seed` for `purpose` of the trial `number`.
    pub fn new(seed: u64, purpose: &str, number: u64) -> Self {
        // FNV-1a keeps purposes apart; the finaliser spreads keys that differ in one bit.
        let purpose = purpose
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
            });
        let state = mix(mix(mix(seed) ^ purpose).wrapping_add(mix(number ^ 0x5851_f42d_4c95_7f2d)));
        Self { state }
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// A number in `0.0..1.0` with 53 random bits.
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// An integer in `0..bound`, each as likely as the others (Lemire 2019).
    ///
    /// # Panics
    /// If `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "there is no integer below 0");
        let unfair = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(bound);
            if product as u64 >= unfair {
                return (product >> 64) as u64;
            }
        }
    }

    /// A number of the standard normal distribution (Marsaglia's polar method).
    pub fn normal(&mut self) -> f64 {
        loop {
            let u = 2.0 * self.uniform() - 1.0;
            let v = 2.0 * self.uniform() - 1.0;
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                return u * (-2.0 * libm::log(s) / s).sqrt();
            }
        }
    }

    /// Puts a list in random order (Fisher–Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }

    /// An index, as likely as its weight is large against their sum.
    ///
    /// `weights` are finite, not negative, and not all 0.
    pub fn weighted_index(&mut self, weights: &[f64]) -> usize {
        let total: f64 = weights.iter().sum();
        let mut left = self.uniform() * total;
        for (index, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return index;
            }
        }
        // Rounding may leave a little of the last one that counts.
        weights
            .iter()
            .rposition(|weight| *weight > 0.0)
            .unwrap_or(0)
    }
}

/// The finaliser of splitmix64.
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_numbers_and_seeds_are_kept_apart() {
        let first = |seed, purpose, number| Random::new(seed, purpose, number).next_u64();
        let drawn = [
            first(0, "a", 0),
            first(1, "a", 0),
            first(0, "b", 0),
            first(0, "a", 1),
            first(1, "a", 1),
        ];
        for (i, a) in drawn.iter().enumerate() {
            assert!(drawn[i + 1..].iter().all(|b| a != b));
        }
        assert_eq!(first(7, "a", 3), first(7, "a", 3));
    }

    #[test]
    fn means_and_spreads_are_those_of_the_distributions() {
        let mut random = Random::new(1, "test", 0);
        let n = 100_000;
        let mean = |values: &[f64]| values.iter().sum::<f64>() / n as f64;
        let uniform: Vec<f64> = (0..n).map(|_| random.uniform()).collect();
        assert!((mean(&uniform) - 0.5).abs() < 0.005);
        let normal: Vec<f64> = (0..n).map(|_| random.normal()).collect();
        assert!(mean(&normal).abs() < 0.02);
        let squares: Vec<f64> = normal.iter().map(|z| z * z).collect();
        assert!((mean(&squares) - 1.0).abs() < 0.03);
        let chosen: Vec<f64> = (0..n)
            .map(|_| random.weighted_index(&[1.0, 0.0, 3.0]) as f64)
            .collect();
        assert!((mean(&chosen) - 1.5).abs() < 0.02);
        assert!(chosen.iter().all(|&index| index != 1.0));
    }
}
