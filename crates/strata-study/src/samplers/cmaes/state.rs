//! The distribution of CMA-ES.

use super::eigen::{Matrix, identity, symmetric_eigen};
use crate::Random;

/// What `cmaes` puts in the place of 0.
const EPS: f64 = 1e-8;
/// The greatest step size.
const SIGMA_MAX: f64 = 1e32;

/// The normal distribution `N(m, σ²C)` of CMA-ES on the unit cube, and the paths that it adapts by.
///
/// Hansen, "The CMA Evolution Strategy: A Tutorial" (arXiv 1604.00772), whose equations are named below, with active
/// covariance updates (negative weights). As `cmaes` 0.13.1, the library of Optuna's `CmaEsSampler`, with
/// the start of Optuna: `m` in the middle of the cube, `σ` = 1/6.
#[derive(Debug, Clone)]
pub(super) struct Cma {
    constants: Constants,
    mean: Vec<f64>,
    sigma: f64,
    covariance: Matrix,
    /// The evolution paths of the step size and of the covariance.
    path_sigma: Vec<f64>,
    path_c: Vec<f64>,
    generation: u64,
    /// The square roots of the eigenvalues of the covariance, and its eigenvectors as columns.
    scales: Vec<f64>,
    axes: Matrix,
}

/// What depends on the number of dimensions and the size of a generation alone.
#[derive(Debug, Clone)]
struct Constants {
    population_size: usize,
    mu: usize,
    mu_eff: f64,
    weights: Vec<f64>,
    c_1: f64,
    c_mu: f64,
    c_c: f64,
    c_sigma: f64,
    d_sigma: f64,
    /// The expected length of a standard normal vector.
    chi_n: f64,
}

impl Constants {
    fn new(n_dimensions: usize, population_size: Option<usize>) -> Self {
        let n = n_dimensions as f64;
        let default = 4 + (3.0 * libm::log(n)) as usize; // eq. 48
        let population_size = population_size.unwrap_or(default).max(2);
        let mu = population_size / 2;
        // eq. 49
        let middle = libm::log(0.5 * (population_size as f64 + 1.0));
        let raw: Vec<f64> = (0..population_size)
            .map(|i| middle - libm::log(i as f64 + 1.0))
            .collect();
        let effective = |weights: &[f64]| {
            let sum: f64 = weights.iter().sum();
            sum * sum / weights.iter().map(|weight| weight * weight).sum::<f64>()
        };
        let mu_eff = effective(&raw[..mu]);
        let mu_eff_minus = effective(&raw[mu..]);
        let c_1 = 2.0 / ((n + 1.3) * (n + 1.3) + mu_eff);
        let c_mu = 2.0 * (mu_eff - 2.0 + 1.0 / mu_eff) / ((n + 2.0) * (n + 2.0) + mu_eff);
        let c_mu = c_mu.min(1.0 - c_1 - 1e-8);
        let negative_scale = (1.0 + c_1 / c_mu) // eq. 50
            .min(1.0 + 2.0 * mu_eff_minus / (mu_eff + 2.0)) // eq. 51
            .min((1.0 - c_1 - c_mu) / (n * c_mu)); // eq. 52
        let positive_sum: f64 = raw.iter().filter(|weight| **weight > 0.0).sum();
        let negative_sum: f64 = -raw.iter().filter(|weight| **weight < 0.0).sum::<f64>();
        // eq. 53
        let weights = raw.iter().map(|weight| {
            if *weight >= 0.0 {
                weight / positive_sum
            } else {
                negative_scale * weight / negative_sum
            }
        });
        let c_sigma = (mu_eff + 2.0) / (n + mu_eff + 5.0); // eq. 55
        let d_sigma = 1.0 + 2.0 * (((mu_eff - 1.0) / (n + 1.0)).sqrt() - 1.0).max(0.0) + c_sigma;
        Self {
            population_size,
            mu,
            mu_eff,
            weights: weights.collect(),
            c_1,
            c_mu,
            c_c: (4.0 + mu_eff / n) / (n + 4.0 + 2.0 * mu_eff / n), // eq. 56
            c_sigma,
            d_sigma,
            chi_n: n.sqrt() * (1.0 - 1.0 / (4.0 * n) + 1.0 / (21.0 * n * n)),
        }
    }
}

fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|x| x * x).sum::<f64>().sqrt()
}

impl Cma {
    /// At its start, for at least one dimension.
    pub(super) fn new(n_dimensions: usize, population_size: Option<usize>) -> Self {
        Self {
            constants: Constants::new(n_dimensions, population_size),
            mean: vec![0.5; n_dimensions],
            sigma: 1.0 / 6.0,
            covariance: identity(n_dimensions),
            path_sigma: vec![0.0; n_dimensions],
            path_c: vec![0.0; n_dimensions],
            generation: 0,
            scales: vec![1.0; n_dimensions],
            axes: identity(n_dimensions),
        }
    }

    /// How many points make a generation.
    pub(super) fn population_size(&self) -> usize {
        self.constants.population_size
    }

    /// How many generations it was told.
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// A point of the unit cube: drawn anew while it is outside, up to ten times the number of dimensions; then
    /// moved to the nearest one inside.
    pub(super) fn ask(&self, random: &mut Random) -> Vec<f64> {
        for _ in 0..10 * self.mean.len() {
            let point = self.draw(random);
            if point.iter().all(|x| (0.0..=1.0).contains(x)) {
                return point;
            }
        }
        let point = self.draw(random);
        point.into_iter().map(|x| x.clamp(0.0, 1.0)).collect()
    }

    fn draw(&self, random: &mut Random) -> Vec<f64> {
        let stretched: Vec<f64> = self
            .scales
            .iter()
            .map(|scale| scale * random.normal())
            .collect();
        let coordinates = self.axes.iter().zip(&self.mean);
        coordinates
            .map(|(row, mean)| {
                let y: f64 = row.iter().zip(&stretched).map(|(b, z)| b * z).sum();
                mean + self.sigma * y
            })
            .collect()
    }

    /// `C^(-1/2) y`.
    fn whitened(&self, y: &[f64]) -> Vec<f64> {
        let n = y.len();
        let along = (0..n).map(|k| {
            let dot: f64 = (0..n).map(|i| self.axes[i][k] * y[i]).sum();
            dot / self.scales[k]
        });
        let along: Vec<f64> = along.collect();
        let rows = self.axes.iter();
        rows.map(|row| row.iter().zip(&along).map(|(b, z)| b * z).sum())
            .collect()
    }

    /// Adapts to a generation: as many points as a population has, the best first.
    ///
    /// Where numbers overflow, it begins anew.
    pub(super) fn tell(&mut self, points: &[&[f64]]) {
        self.generation += 1;
        let generation = self.generation;
        self.adapt(points);
        let numbers = self.mean.iter().chain(self.covariance.iter().flatten());
        let is_finite = numbers.chain([&self.sigma]).all(|x| x.is_finite());
        if !(is_finite && self.sigma > 0.0 && self.scales.iter().all(|scale| *scale > 0.0)) {
            *self = Self {
                generation,
                ..Self::new(self.mean.len(), Some(self.constants.population_size))
            };
        }
    }

    fn adapt(&mut self, points: &[&[f64]]) {
        let constants = self.constants.clone();
        let n = self.mean.len();
        let steps: Vec<Vec<f64>> = points
            .iter()
            .map(|point| {
                let pairs = point.iter().zip(&self.mean);
                pairs.map(|(x, mean)| (x - mean) / self.sigma).collect()
            })
            .collect();
        // The mean: eqs. 41 and 42.
        let best = steps.iter().zip(&constants.weights).take(constants.mu);
        let mut step = vec![0.0; n];
        for (y, weight) in best {
            for (sum, y) in step.iter_mut().zip(y) {
                *sum += weight * y;
            }
        }
        for (mean, y) in self.mean.iter_mut().zip(&step) {
            *mean += self.sigma * y;
        }
        // The step size: eqs. 43 and 44.
        let c_sigma = constants.c_sigma;
        let gain = (c_sigma * (2.0 - c_sigma) * constants.mu_eff).sqrt();
        let whitened = self.whitened(&step);
        for (path, z) in self.path_sigma.iter_mut().zip(&whitened) {
            *path = (1.0 - c_sigma) * *path + gain * z;
        }
        let length = norm(&self.path_sigma);
        let growth = c_sigma / constants.d_sigma * (length / constants.chi_n - 1.0);
        self.sigma = (self.sigma * libm::exp(growth)).min(SIGMA_MAX);
        // The path of the covariance stalls while the step size grows quickly: eq. 45.
        let age = 2.0 * (self.generation as f64 + 1.0);
        let expected = (1.0 - libm::pow(1.0 - c_sigma, age)).sqrt();
        let limit = (1.4 + 2.0 / (n as f64 + 1.0)) * constants.chi_n;
        let h_sigma = f64::from(u8::from(length / expected < limit));
        let c_c = constants.c_c;
        let gain = h_sigma * (c_c * (2.0 - c_c) * constants.mu_eff).sqrt();
        for (path, y) in self.path_c.iter_mut().zip(&step) {
            *path = (1.0 - c_c) * *path + gain * y;
        }
        // The covariance: eqs. 46 and 47.
        let weights: Vec<f64> = constants
            .weights
            .iter()
            .zip(&steps)
            .map(|(weight, y)| {
                if *weight >= 0.0 {
                    return *weight;
                }
                let length = norm(&self.whitened(y));
                weight * n as f64 / (length * length + EPS)
            })
            .collect();
        let delta = (1.0 - h_sigma) * c_c * (2.0 - c_c);
        let total: f64 = constants.weights.iter().sum();
        let kept = 1.0 + constants.c_1 * delta - constants.c_1 - constants.c_mu * total;
        for i in 0..n {
            for j in 0..=i {
                let rank_mu: f64 = weights
                    .iter()
                    .zip(&steps)
                    .map(|(weight, y)| weight * y[i] * y[j])
                    .sum();
                let rank_one = self.path_c[i] * self.path_c[j];
                let value = kept * self.covariance[i][j]
                    + constants.c_1 * rank_one
                    + constants.c_mu * rank_mu;
                self.covariance[i][j] = value;
                self.covariance[j][i] = value;
            }
        }
        self.decompose();
    }

    fn decompose(&mut self) {
        let (values, axes) = symmetric_eigen(self.covariance.clone());
        let scales = values
            .iter()
            .map(|value| if *value < 0.0 { EPS } else { *value });
        self.scales = scales.map(f64::sqrt).collect();
        self.axes = axes;
        if values.iter().any(|value| *value < 0.0) {
            let n = values.len();
            for i in 0..n {
                for j in 0..n {
                    let terms = (0..n).map(|k| {
                        self.axes[i][k] * self.scales[k] * self.scales[k] * self.axes[j][k]
                    });
                    self.covariance[i][j] = terms.sum();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_vectors::close;

    /// Six generations of fixed points; expected from `cmaes` 0.13.1 by the same loop over
    /// `cmaes.CMA(mean=[.5]*d, sigma=1/6, bounds=[[0, 1]]*d)`, attributes `_mean`, `_sigma`, `_C[-1]`, `_pc`, `_p_sigma`.
    #[test]
    fn adapts_as_the_library_of_optuna() {
        let expected: [[&[f64]; 5]; 2] = [
            [
                &[0.286_977_560_712_653_8, 0.322_682_366_016_702_3],
                &[0.146_607_897_003_023_32],
                &[0.009_172_878_993_147_99, 0.623_905_442_351_372_6],
                &[0.611_102_355_187_475_1, 0.528_320_742_382_127_6],
                &[0.382_420_174_781_625_54, 0.278_811_363_832_215_05],
            ],
            [
                &[
                    0.283_540_297_929_394_3,
                    0.342_536_319_082_373_6,
                    0.280_000_000_000_000_2,
                ],
                &[0.304_861_919_476_224],
                &[
                    -0.409_253_479_635_408_9,
                    -0.599_107_668_360_152_2,
                    1.752_271_785_458_046_3,
                ],
                &[
                    0.139_819_716_194_726_94,
                    0.181_069_339_579_135_9,
                    0.806_481_487_456_535_6,
                ],
                &[
                    -0.065_505_135_917_660_77,
                    0.110_516_274_743_871_88,
                    -0.475_038_204_227_412_4,
                ],
            ],
        ];
        for (n, expected) in [2_usize, 3].into_iter().zip(expected) {
            let mut cma = Cma::new(n, None);
            for generation in 0..6 {
                let mut points: Vec<Vec<f64>> = (0..cma.population_size())
                    .map(|i| {
                        let i = i as f64;
                        let x = |k| (i + 1.0) * 0.37 + f64::from(k + 1) * 0.21 * (i + 2.0);
                        let shift = f64::from(generation) * 0.13;
                        (0..n as i32).map(|k| (x(k) + shift) % 1.0).collect()
                    })
                    .collect();
                let loss = |x: &[f64]| -> f64 {
                    let terms = x.iter().zip(1_u32..).map(|(x, k)| {
                        let k = f64::from(k);
                        (x - 0.3 * k / n as f64) * (x - 0.3 * k / n as f64) * k
                    });
                    terms.sum()
                };
                points.sort_by(|a, b| loss(a).total_cmp(&loss(b)));
                let points: Vec<&[f64]> = points.iter().map(Vec::as_slice).collect();
                cma.tell(&points);
            }
            close(&cma.mean, expected[0], "mean");
            close(&[cma.sigma], expected[1], "step size");
            close(&cma.covariance[n - 1], expected[2], "covariance");
            close(&cma.path_c, expected[3], "path of the covariance");
            close(&cma.path_sigma, expected[4], "path of the step size");
        }
    }

    #[test]
    fn a_generation_of_equal_points_does_no_harm() {
        for n in [1, 4] {
            let mut cma = Cma::new(n, None);
            let mut random = Random::new(0, "test", 0);
            for generation in 0..400 {
                let corner = vec![f64::from(generation % 2); n];
                let points = vec![corner.as_slice(); cma.population_size()];
                cma.tell(&points);
                let asked = cma.ask(&mut random);
                assert!(asked.iter().all(|x| (0.0..=1.0).contains(x)));
            }
        }
    }
}
