//! Gaussian process regression.

use super::linalg::{Lower, add_scaled, dot};

/// A Gaussian process given observations: Rasmussen & Williams 2006, chapter 2.
///
/// The kernel is Matérn's with ν = 5/2 and a length scale for each dimension,
/// `k = scale · (1 + r + r²/3) exp(-r)`, `r² = 5 Σ v_j (x_j - x'_j)²`, with `v_j` the inverse squared length scale; for a
/// categorical dimension the difference is 0 or 1. Observations have noise of one variance.
#[derive(Debug, Clone)]
pub(super) struct Regressor {
    kernel: Kernel,
    /// The observed points, scaled.
    points: Vec<Vec<f64>>,
    /// The inverse of the Cholesky factor of the covariance of the observations.
    whitening: Lower,
    /// The inverse covariance times the observed values.
    weights: Vec<f64>,
}

/// What the fit finds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Hyperparameters {
    pub(super) inverse_squared_lengths: Vec<f64>,
    pub(super) scale: f64,
    pub(super) noise: f64,
}

#[derive(Debug, Clone)]
struct Kernel {
    hyperparameters: Hyperparameters,
    is_categorical: Vec<bool>,
    /// The inverse length scales of the numeric dimensions, 1 for the others.
    stretch: Vec<f64>,
}

/// Matérn's function of the squared distance `s` with length scales of 1, and its derivative by `s`.
pub(super) fn matern(s: f64) -> (f64, f64) {
    let r = (5.0 * s).sqrt();
    let decay = libm::exp(-r);
    let value = decay * (5.0 / 3.0 * s + r + 1.0);
    (value, -5.0 / 6.0 * (1.0 + r) * decay)
}

impl Kernel {
    fn stretched(&self, point: &[f64]) -> Vec<f64> {
        let pairs = point.iter().zip(&self.stretch);
        pairs.map(|(x, stretch)| x * stretch).collect()
    }

    /// Of two stretched points.
    fn squared_distance(&self, a: &[f64], b: &[f64]) -> f64 {
        let mut sum = 0.0;
        for j in 0..a.len() {
            let difference = a[j] - b[j];
            sum += if !self.is_categorical[j] {
                difference * difference
            } else if difference == 0.0 {
                0.0
            } else {
                self.hyperparameters.inverse_squared_lengths[j]
            };
        }
        sum
    }
}

impl Regressor {
    /// The process given values at points. None, if the covariance is singular to rounding.
    pub(super) fn new(
        points: &[Vec<f64>],
        values: &[f64],
        is_categorical: &[bool],
        hyperparameters: Hyperparameters,
    ) -> Option<Self> {
        let inverse = hyperparameters.inverse_squared_lengths.iter();
        let stretch = inverse.zip(is_categorical);
        let stretch = stretch.map(|(v, categorical)| if *categorical { 1.0 } else { v.sqrt() });
        let kernel = Kernel {
            stretch: stretch.collect(),
            is_categorical: is_categorical.to_vec(),
            hyperparameters,
        };
        let n = points.len();
        let points: Vec<Vec<f64>> = points.iter().map(|point| kernel.stretched(point)).collect();
        let scale = kernel.hyperparameters.scale;
        let mut covariance = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..i {
                let s = kernel.squared_distance(&points[i], &points[j]);
                covariance[i * n + j] = scale * matern(s).0;
            }
            covariance[i * n + i] = scale + kernel.hyperparameters.noise;
        }
        let whitening = Lower::cholesky(covariance, n)?.inverse();
        let weights = whitening.transposed_times(&whitening.times(values));
        Some(Self {
            kernel,
            points,
            whitening,
            weights,
        })
    }

    /// The process with the same hyperparameters given other observations.
    pub(super) fn given(&self, points: &[Vec<f64>], values: &[f64]) -> Option<Self> {
        let Kernel {
            hyperparameters,
            is_categorical,
            ..
        } = &self.kernel;
        Self::new(points, values, is_categorical, hyperparameters.clone())
    }

    /// The length scale of each dimension.
    pub(super) fn lengths(&self) -> Vec<f64> {
        let inverse = self.kernel.hyperparameters.inverse_squared_lengths.iter();
        inverse.map(|v| 1.0 / v.sqrt()).collect()
    }

    /// Mean and variance of the process at a point, without noise.
    pub(super) fn posterior(&self, point: &[f64]) -> (f64, f64) {
        let point = self.kernel.stretched(point);
        let scale = self.kernel.hyperparameters.scale;
        let distance = |other: &Vec<f64>| self.kernel.squared_distance(&point, other);
        let covariances = self
            .points
            .iter()
            .map(|other| scale * matern(distance(other)).0);
        let covariances: Vec<f64> = covariances.collect();
        let whitened = self.whitening.times(&covariances);
        let variance = scale - dot(&whitened, &whitened);
        (dot(&covariances, &self.weights), variance.max(0.0))
    }

    /// Mean and variance at a point, and the gradients of both by the point. That by a categorical dimension is 0.
    pub(super) fn posterior_with_gradients(&self, point: &[f64]) -> Posterior {
        let point = self.kernel.stretched(point);
        let scale = self.kernel.hyperparameters.scale;
        let distance = |other: &Vec<f64>| self.kernel.squared_distance(&point, other);
        let kernels: Vec<(f64, f64)> = self
            .points
            .iter()
            .map(|other| matern(distance(other)))
            .collect();
        let covariances: Vec<f64> = kernels.iter().map(|(value, _)| scale * value).collect();
        let whitened = self.whitening.times(&covariances);
        let solved = self.whitening.transposed_times(&whitened);
        let n_dimensions = point.len();
        let mut posterior = Posterior {
            mean: dot(&covariances, &self.weights),
            variance: (scale - dot(&whitened, &whitened)).max(0.0),
            mean_gradient: vec![0.0; n_dimensions],
            variance_gradient: vec![0.0; n_dimensions],
        };
        for (i, other) in self.points.iter().enumerate() {
            let derivative = 2.0 * scale * kernels[i].1;
            for j in 0..n_dimensions {
                if !self.kernel.is_categorical[j] {
                    let change = derivative * (point[j] - other[j]) * self.kernel.stretch[j];
                    posterior.mean_gradient[j] += self.weights[i] * change;
                    posterior.variance_gradient[j] -= 2.0 * solved[i] * change;
                }
            }
        }
        posterior
    }
}

/// What is known of a point.
#[derive(Debug, Clone)]
pub(super) struct Posterior {
    pub(super) mean: f64,
    pub(super) variance: f64,
    pub(super) mean_gradient: Vec<f64>,
    pub(super) variance_gradient: Vec<f64>,
}

/// The differences of all pairs of points, and the values there: what the likelihood is a function of.
pub(super) struct Evidence<'a> {
    values: &'a [f64],
    n_dimensions: usize,
    /// For each pair `(i, j < i)` the squared difference in each dimension.
    squares: Vec<f64>,
}

impl<'a> Evidence<'a> {
    pub(super) fn new(points: &[Vec<f64>], values: &'a [f64], is_categorical: &[bool]) -> Self {
        let mut squares = Vec::new();
        for (i, a) in points.iter().enumerate() {
            for b in &points[..i] {
                for (j, categorical) in is_categorical.iter().enumerate() {
                    let difference = a[j] - b[j];
                    squares.push(if *categorical {
                        f64::from(u8::from(difference != 0.0))
                    } else {
                        difference * difference
                    });
                }
            }
        }
        Self {
            values,
            n_dimensions: is_categorical.len(),
            squares,
        }
    }

    /// Minus the logarithm of the marginal likelihood, without its constant (Rasmussen & Williams, eq. 5.8), and its
    /// gradient by the inverse squared length scales, the scale and the noise, in this order (eq. 5.9). Infinite,
    /// where the covariance is singular to rounding.
    pub(super) fn loss(&self, at: &Hyperparameters, gradient: &mut [f64]) -> f64 {
        let n = self.values.len();
        let d = self.n_dimensions;
        let mut covariance = vec![0.0; n * n];
        let mut derivatives = vec![0.0; n * n];
        let mut squares = self.squares.chunks_exact(d);
        for i in 0..n {
            for j in 0..i {
                let squares = squares.next().unwrap_or_default();
                let pairs = squares.iter().zip(&at.inverse_squared_lengths);
                let (value, derivative) = matern(pairs.map(|(square, v)| square * v).sum());
                covariance[i * n + j] = at.scale * value;
                derivatives[i * n + j] = at.scale * derivative;
            }
            covariance[i * n + i] = at.scale + at.noise;
        }
        gradient.fill(0.0);
        let Some(factor) = Lower::cholesky(covariance.clone(), n) else {
            return f64::INFINITY;
        };
        let inverse = factor.inverse();
        let whitened = inverse.times(self.values);
        let weights = inverse.transposed_times(&whitened);
        let precision = inverse.gram();
        let (by_lengths, others) = gradient.split_at_mut(d);
        let mut squares = self.squares.chunks_exact(d);
        for i in 0..n {
            let row = precision.row(i);
            for j in 0..i {
                // Twice one half: the pair and its mirror image.
                let by_covariance = row[j] - weights[i] * weights[j];
                let squares = squares.next().unwrap_or_default();
                add_scaled(by_lengths, by_covariance * derivatives[i * n + j], squares);
                others[0] += by_covariance * covariance[i * n + j];
            }
            let by_variance = 0.5 * (row[i] - weights[i] * weights[i]);
            others[0] += by_variance * at.scale;
            others[1] += by_variance;
        }
        others[0] /= at.scale;
        factor.log_determinant() + 0.5 * dot(&whitened, &whitened)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Random;

    fn example() -> (Vec<Vec<f64>>, Vec<f64>, Vec<bool>, Hyperparameters) {
        let mut random = Random::new(5, "test", 0);
        let mut points = Vec::new();
        let mut values = Vec::new();
        for _ in 0..15 {
            let point = vec![random.uniform(), random.below(3) as f64, random.uniform()];
            values.push(libm::sin(5.0 * point[0]) + point[1] * point[2]);
            points.push(point);
        }
        let hyperparameters = Hyperparameters {
            inverse_squared_lengths: vec![4.0, 0.5, 1.5],
            scale: 1.3,
            noise: 0.01,
        };
        (points, values, vec![false, true, false], hyperparameters)
    }

    #[test]
    fn the_gradient_of_the_likelihood_is_that_of_differences() {
        let (points, values, is_categorical, at) = example();
        let evidence = Evidence::new(&points, &values, &is_categorical);
        let mut gradient = vec![0.0; 5];
        evidence.loss(&at, &mut gradient);
        let moved = |index: usize, by: f64| {
            let mut at = at.clone();
            match index {
                3 => at.scale += by,
                4 => at.noise += by,
                j => at.inverse_squared_lengths[j] += by,
            }
            evidence.loss(&at, &mut [0.0; 5])
        };
        for (index, derivative) in gradient.iter().enumerate() {
            let difference = (moved(index, 1e-6) - moved(index, -1e-6)) / 2e-6;
            let error = (difference - derivative).abs() / difference.abs().max(1.0);
            assert!(error < 1e-5, "{index}: {difference} {derivative}");
        }
    }

    #[test]
    fn the_gradients_of_the_posterior_are_those_of_differences() {
        let (points, values, is_categorical, at) = example();
        let process = Regressor::new(&points, &values, &is_categorical, at).expect("regular");
        let point = [0.3, 1.0, 0.6];
        let found = process.posterior_with_gradients(&point);
        let (mean, variance) = process.posterior(&point);
        assert!((mean - found.mean).abs() < 1e-12 && (variance - found.variance).abs() < 1e-12);
        for j in [0, 2] {
            let moved = |by: f64| {
                let mut point = point;
                point[j] += by;
                process.posterior(&point)
            };
            let (up, down) = (moved(1e-6), moved(-1e-6));
            let by_mean = (up.0 - down.0) / 2e-6;
            let by_variance = (up.1 - down.1) / 2e-6;
            assert!((by_mean - found.mean_gradient[j]).abs() < 1e-6);
            assert!((by_variance - found.variance_gradient[j]).abs() < 1e-6);
        }
        assert_eq!(found.mean_gradient[1], 0.0);
    }

    /// Near an observation the process knows its value; far away it knows nothing.
    #[test]
    fn the_posterior_passes_through_what_was_observed() {
        let at = Hyperparameters {
            inverse_squared_lengths: vec![100.0],
            scale: 2.0,
            noise: 1e-6,
        };
        let points = [vec![0.2], vec![0.4]];
        let process = Regressor::new(&points, &[1.0, -1.0], &[false], at).expect("regular");
        let (mean, variance) = process.posterior(&[0.2]);
        assert!((mean - 1.0).abs() < 1e-5 && variance < 1e-5);
        let (mean, variance) = process.posterior(&[9.0]);
        assert!(mean.abs() < 1e-5 && (variance - 2.0).abs() < 1e-5);
    }
}
