//! How much a point promises.

use super::regressor::Regressor;

/// The logarithm of the expected improvement over a threshold: `ln E max(0, f(x) - threshold)`, of a process
/// whose values are to be large.
///
/// Ament, Daulton, Eriksson, Balandat & Bakshy 2023, "Unexpected improvements to expected improvement for Bayesian
/// optimization" (arXiv 2310.20708): the logarithm has a useful slope where the improvement itself is 0 to rounding.
pub(super) struct LogEi<'a> {
    pub(super) process: &'a Regressor,
    pub(super) threshold: f64,
}

/// Keeps the logarithm finite where the process knows the value.
const STABILISING_NOISE: f64 = 1e-12;

impl LogEi<'_> {
    /// At a point.
    pub(super) fn value(&self, point: &[f64]) -> f64 {
        let (mean, variance) = self.process.posterior(point);
        let deviation = (variance + STABILISING_NOISE).sqrt();
        let z = (mean - self.threshold) / deviation;
        LogExpectation::at(z).value + libm::log(deviation)
    }

    /// At a point, with the gradient.
    pub(super) fn value_and_gradient(&self, point: &[f64]) -> (f64, Vec<f64>) {
        let posterior = self.process.posterior_with_gradients(point);
        let deviation = (posterior.variance + STABILISING_NOISE).sqrt();
        let z = (posterior.mean - self.threshold) / deviation;
        let expectation = LogExpectation::at(z);
        let by_mean = expectation.by_z / deviation;
        // The variance's share is by_deviation / (2 deviation).
        let by_variance = expectation.by_width / deviation / (2.0 * deviation);
        let gradients = posterior
            .mean_gradient
            .iter()
            .zip(&posterior.variance_gradient);
        let gradient = gradients.map(|(mean, variance)| by_mean * mean + by_variance * variance);
        (expectation.value + libm::log(deviation), gradient.collect())
    }
}

/// `ln h(z)` with `h(z) = E max(0, z + ε) = z Φ(z) + φ(z)` for a standard normal `ε`.
struct LogExpectation {
    value: f64,
    /// `h'(z)/h(z) = Φ(z)/h(z)`.
    by_z: f64,
    /// `φ(z)/h(z)`: the derivative of `ln(σ h(z/σ))` by `ln σ`.
    by_width: f64,
}

const SQRT_2PI: f64 = 2.506_628_274_631_000_7;
const LN_SQRT_2PI: f64 = 0.918_938_533_204_672_7;

impl LogExpectation {
    fn at(z: f64) -> Self {
        if z < -25.0 {
            // h/φ = 1/z² - 3/z⁴ + 15/z⁶ - …; here the eighth term is below the rounding of the first.
            let inverse_square = 1.0 / (z * z);
            let mut term = inverse_square;
            let mut ratio = 0.0;
            for k in 1..=8 {
                ratio += term;
                term *= -f64::from(2 * k + 1) * inverse_square;
            }
            // Φ/φ = (1 - h/φ)/|z|.
            return Self {
                value: libm::log(ratio) - 0.5 * z * z - LN_SQRT_2PI,
                by_z: (1.0 - ratio) / -z / ratio,
                by_width: 1.0 / ratio,
            };
        }
        let cumulative = 0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2);
        let density = libm::exp(-0.5 * z * z) / SQRT_2PI;
        let expectation = z * cumulative + density;
        Self {
            value: libm::log(expectation),
            by_z: cumulative / expectation,
            by_width: density / expectation,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samplers::gp::regressor::Hyperparameters;

    /// Expected from 80 decimal digits, with the continued fraction of Mills' ratio.
    #[test]
    fn the_logarithm_is_right_far_out() {
        let table = [
            (3.0, 1.098_739_665_327_707_7),
            (1.0, 0.080_026_218_849_306_94),
            (-1.0, -2.485_121_025_712_641_3),
            (-4.0, -11.849_061_577_550_662),
            (-10.0, -55.553_122_036_122_35),
            (-24.9, -317.358_485_742_667_37),
            (-26.0, -345.439_546_722_318),
            (-60.0, -1_809.108_460_182_272_2),
            (-1000.0, -500_014.734_452_091_16),
            (-1e8, -5_000_000_000_000_038.0),
        ];
        for (z, expected) in table {
            let found = LogExpectation::at(z).value;
            assert!(
                (found - expected).abs() <= 1e-11 * expected.abs().max(1.0),
                "{z} {found}"
            );
        }
    }

    #[test]
    fn both_formulas_agree_where_they_meet() {
        let (left, right) = (
            LogExpectation::at(-25.0 - 1e-9),
            LogExpectation::at(-25.0 + 1e-9),
        );
        assert!((left.value - right.value).abs() < 1e-6);
        assert!((left.by_z / right.by_z - 1.0).abs() < 1e-8);
        assert!((left.by_width / right.by_width - 1.0).abs() < 1e-8);
    }

    #[test]
    fn the_gradient_is_that_of_differences() {
        let at = Hyperparameters {
            inverse_squared_lengths: vec![9.0, 2.0],
            scale: 1.5,
            noise: 1e-3,
        };
        let points = [vec![0.1, 0.2], vec![0.7, 0.9], vec![0.4, 0.4]];
        let process = Regressor::new(&points, &[0.5, -1.0, 1.0], &[false; 2], at);
        let process = process.expect("regular");
        for threshold in [-1.0, 1.0, 30.0] {
            let acquisition = LogEi {
                process: &process,
                threshold,
            };
            let (value, gradient) = acquisition.value_and_gradient(&[0.5, 0.6]);
            assert!((value - acquisition.value(&[0.5, 0.6])).abs() < 1e-12 * value.abs().max(1.0));
            let moved = |x: f64, y: f64| acquisition.value(&[0.5 + x, 0.6 + y]);
            let differences = [
                (moved(1e-6, 0.0) - moved(-1e-6, 0.0)) / 2e-6,
                (moved(0.0, 1e-6) - moved(0.0, -1e-6)) / 2e-6,
            ];
            for (found, expected) in gradient.iter().zip(differences) {
                assert!((found - expected).abs() < 1e-5 * expected.abs().max(1.0));
            }
        }
    }
}
