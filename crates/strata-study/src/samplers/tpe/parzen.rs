//! A mixture of products of kernels, one kernel for each observation and one for the prior.

use std::sync::Arc;

use super::truncated_normal::{LN_SQRT_2PI, log_mass, quantile};
use crate::{Distribution, Random};

/// So many widths away a kernel counts for nothing beside the prior, whose width is the range: its density is below
/// e⁻³¹².
const FAR: f64 = 25.0;

/// Terms so far below the greatest, in logarithms, are lost in the rounding of the sum.
const LOST: f64 = -50.0;

/// How much the prior weighs against an observation.
const PRIOR_WEIGHT: f64 = 1.0;

/// A density over several parameters: `Σ w_k Π_j kernel_kj(x_j)`. Rules of Optuna 5.0 (Watanabe 2023,
/// arXiv 2304.11127): the width of a kernel is the distance to its farther neighbour.
#[derive(Debug)]
pub(crate) struct ParzenEstimator {
    /// One weight a kernel, their sum 1; the last is the prior's.
    weights: Vec<f64>,
    log_weights: Vec<f64>,
    marginals: Vec<Marginal>,
}

/// The kernels of one parameter.
#[derive(Debug)]
enum Marginal {
    Numeric {
        grid: Grid,
        mu: Vec<f64>,
        sigma: Vec<f64>,
        /// ln of what the density of each kernel is divided by, with its sign turned: its mass within the bounds and,
        /// without a grid, `√(2π)·σ`.
        log_scale: Vec<f64>,
    },
    Categorical {
        n_choices: usize,
        /// Probabilities, a row of `n_choices` for each kernel.
        probabilities: Vec<f64>,
        /// Their logarithms.
        log_probabilities: Vec<f64>,
    },
}

/// What the values of a number lie on. Bounds of a grid are widened by half a step on both sides.
#[derive(Debug, Clone, Copy)]
struct Grid {
    low: f64,
    high: f64,
    step: Option<f64>,
    log: bool,
    /// The widened bounds, on the scale of the kernels.
    scaled_low: f64,
    scaled_high: f64,
}

impl Grid {
    fn of(distribution: &Distribution) -> Option<Self> {
        let (low, high, step, log) = match *distribution {
            Distribution::Float {
                low,
                high,
                log,
                step,
            } => (low, high, step, log),
            Distribution::Int {
                low,
                high,
                log,
                step,
            } => (low as f64, high as f64, Some(step as f64), log),
            Distribution::Categorical { .. } => return None,
        };
        // So far apart that their distance would overflow, bounds are as good as none.
        const FARTHEST: f64 = f64::MAX / 8.0;
        let half = step.unwrap_or(0.0) / 2.0;
        let scale = |value: f64| if log { libm::log(value) } else { value };
        Some(Self {
            low,
            high,
            step,
            log,
            scaled_low: scale(low - half).max(-FARTHEST),
            scaled_high: scale(high + half).min(FARTHEST),
        })
    }

    fn scaled(&self, value: f64) -> f64 {
        if self.log { libm::log(value) } else { value }
    }

    /// See [`Marginal::Numeric`].
    fn log_scale(&self, mu: &[f64], sigma: &[f64]) -> Vec<f64> {
        let (low, high) = (self.scaled_low, self.scaled_high);
        let kernels = mu.iter().zip(sigma);
        let scales = kernels.map(|(mu, sigma)| {
            let mass = log_mass((low - mu) / sigma, (high - mu) / sigma);
            if self.step.is_some() {
                -mass
            } else {
                -mass - LN_SQRT_2PI - libm::log(*sigma)
            }
        });
        scales.collect()
    }

    /// The nearest value of a point on the scale of the kernels.
    fn value(&self, scaled: f64) -> f64 {
        let value = if self.log { libm::exp(scaled) } else { scaled };
        let value = match self.step {
            Some(step) => self.low + ((value - self.low) / step).round_ties_even() * step,
            None => value,
        };
        value.clamp(self.low, self.high)
    }
}

/// Weights by age, the oldest first: the last 25 observations count fully, older ones less the older they are.
pub(crate) fn weights_by_age(n: usize) -> Vec<f64> {
    const FULL: usize = 25;
    if n < FULL {
        return vec![1.0; n];
    }
    let ramp = n - FULL;
    let first = 1.0 / n as f64;
    let slope = if ramp > 1 {
        (1.0 - first) / (ramp - 1) as f64
    } else {
        0.0
    };
    let older = (0..ramp).map(|i| first + slope * i as f64);
    older.chain([1.0; FULL]).collect()
}

impl ParzenEstimator {
    /// The density around observations: `columns` has the internal numbers of each parameter, in the order of the
    /// observations; `weights` one weight for each of these.
    pub(crate) fn new(
        distributions: &[Arc<Distribution>],
        columns: &[Vec<f64>],
        mut weights: Vec<f64>,
    ) -> Self {
        weights.push(PRIOR_WEIGHT);
        let total: f64 = weights.iter().sum();
        for weight in &mut weights {
            *weight /= total;
        }
        let marginals = distributions.iter().zip(columns);
        Self {
            log_weights: weights.iter().map(|weight| libm::log(*weight)).collect(),
            weights,
            marginals: marginals
                .map(|(distribution, column)| Marginal::new(distribution, column))
                .collect(),
        }
    }

    /// One point of the density: an internal number for each parameter.
    pub(crate) fn sample(&self, random: &mut Random) -> Vec<f64> {
        let kernel = random.weighted_index(&self.weights);
        let marginals = self.marginals.iter();
        marginals
            .map(|marginal| marginal.sample(kernel, random))
            .collect()
    }

    /// The logarithm of the density at a point.
    pub(crate) fn log_density(&self, point: &[f64]) -> f64 {
        let mut terms = self.log_weights.clone();
        for (marginal, value) in self.marginals.iter().zip(point) {
            marginal.add_log_density(*value, &mut terms);
        }
        let greatest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if greatest == f64::NEG_INFINITY {
            return greatest;
        }
        let differences = terms.iter().map(|term| term - greatest);
        let counting = differences.filter(|difference| *difference > LOST);
        let sum: f64 = counting.map(libm::exp).sum();
        libm::log(sum) + greatest
    }
}

impl Marginal {
    fn new(distribution: &Distribution, observed: &[f64]) -> Self {
        match (distribution, Grid::of(distribution)) {
            (Distribution::Categorical { choices }, _) => {
                Self::categorical(choices.len(), observed)
            }
            (_, Some(grid)) => Self::numeric(grid, observed),
            (_, None) => unreachable!("only choices have no grid"),
        }
    }

    fn categorical(n_choices: usize, observed: &[f64]) -> Self {
        let n_kernels = observed.len() + 1;
        let share = PRIOR_WEIGHT / n_kernels as f64;
        let mut probabilities = Vec::with_capacity(n_kernels * n_choices);
        for &choice in observed {
            let total = share * n_choices as f64 + 1.0;
            let row = (0..n_choices).map(|i| {
                let here = if i as f64 == choice { 1.0 } else { 0.0 };
                (share + here) / total
            });
            probabilities.extend(row);
        }
        probabilities.extend((0..n_choices).map(|_| 1.0 / n_choices as f64));
        let log_probabilities = probabilities.iter().map(|p| libm::log(*p)).collect();
        Self::Categorical {
            n_choices,
            probabilities,
            log_probabilities,
        }
    }

    fn numeric(grid: Grid, observed: &[f64]) -> Self {
        let (low, high) = (grid.scaled_low, grid.scaled_high);
        let range = high - low;
        let mut mu: Vec<f64> = observed.iter().map(|value| grid.scaled(*value)).collect();
        let least = range / (observed.len() as f64 + 2.0).min(100.0);
        let mut sigma = distances_to_neighbours(&mu, low, high);
        for sigma in &mut sigma {
            *sigma = sigma.clamp(least, range);
        }
        mu.push(0.5 * (low + high));
        sigma.push(range);
        Self::Numeric {
            log_scale: grid.log_scale(&mu, &sigma),
            grid,
            mu,
            sigma,
        }
    }

    fn sample(&self, kernel: usize, random: &mut Random) -> f64 {
        match self {
            Self::Numeric {
                grid, mu, sigma, ..
            } => {
                let (mu, sigma) = (mu[kernel], sigma[kernel]);
                let a = (grid.scaled_low - mu) / sigma;
                let b = (grid.scaled_high - mu) / sigma;
                grid.value(quantile(random.uniform(), a, b) * sigma + mu)
            }
            Self::Categorical {
                n_choices,
                probabilities,
                ..
            } => {
                let row = &probabilities[kernel * n_choices..][..*n_choices];
                random.weighted_index(row) as f64
            }
        }
    }

    fn add_log_density(&self, value: f64, terms: &mut [f64]) {
        match self {
            Self::Numeric {
                grid,
                mu,
                sigma,
                log_scale,
            } => {
                let kernels = mu.iter().zip(sigma).zip(log_scale);
                if let Some(step) = grid.step {
                    let left = grid.scaled(value - step / 2.0);
                    let right = grid.scaled(value + step / 2.0);
                    // Kernels repeat where observations do.
                    let mut last = (f64::NAN, f64::NAN, 0.0);
                    for (term, ((mu, sigma), log_scale)) in terms.iter_mut().zip(kernels) {
                        if (last.0, last.1) != (*mu, *sigma) {
                            let (a, b) = ((left - mu) / sigma, (right - mu) / sigma);
                            let cell = if a > FAR || b < -FAR {
                                f64::NEG_INFINITY
                            } else {
                                log_mass(a, b)
                            };
                            last = (*mu, *sigma, cell + log_scale);
                        }
                        *term += last.2;
                    }
                } else {
                    let x = grid.scaled(value);
                    for (term, ((mu, sigma), log_scale)) in terms.iter_mut().zip(kernels) {
                        let z = (x - mu) / sigma;
                        *term += log_scale - 0.5 * z * z;
                    }
                }
            }
            Self::Categorical {
                n_choices,
                log_probabilities,
                ..
            } => {
                let column = log_probabilities.iter().skip(value as usize);
                let column = column.step_by(*n_choices);
                for (term, log_probability) in terms.iter_mut().zip(column) {
                    *term += log_probability;
                }
            }
        }
    }
}

/// For each point the distance to the farther of its two neighbours, `low` and `high` taken as such; but the first
/// and the last of several have only one. Of equal points the earlier one counts as lower.
fn distances_to_neighbours(points: &[f64], low: f64, high: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|a, b| points[*a].total_cmp(&points[*b]));
    let sorted: Vec<f64> = order.iter().map(|&i| points[i]).collect();
    let n = sorted.len();
    let mut distances = vec![0.0; n];
    for (place, &i) in order.iter().enumerate() {
        let left = sorted[place] - place.checked_sub(1).map_or(low, |before| sorted[before]);
        let right = sorted.get(place + 1).copied().unwrap_or(high) - sorted[place];
        distances[i] = match place {
            0 if n >= 2 => right,
            _ if n >= 2 && place + 1 == n => left,
            _ => left.max(right),
        };
    }
    distances
}

#[cfg(test)]
impl ParzenEstimator {
    pub(crate) fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Centres and widths of the kernels of a numeric parameter.
    pub(crate) fn kernels(&self, parameter: usize) -> Option<(&[f64], &[f64])> {
        match &self.marginals[parameter] {
            Marginal::Numeric { mu, sigma, .. } => Some((mu, sigma)),
            Marginal::Categorical { .. } => None,
        }
    }

    /// Gives the kernels of a numeric parameter other widths.
    pub(crate) fn set_widths(&mut self, parameter: usize, widths: &[f64]) {
        if let Marginal::Numeric {
            grid,
            mu,
            sigma,
            log_scale,
        } = &mut self.marginals[parameter]
        {
            *log_scale = grid.log_scale(mu, widths);
            *sigma = widths.to_vec();
        }
    }

    /// The probabilities of the kernels of a categorical parameter, one row after the other.
    pub(crate) fn probabilities(&self, parameter: usize) -> Option<&[f64]> {
        match &self.marginals[parameter] {
            Marginal::Categorical { probabilities, .. } => Some(probabilities),
            Marginal::Numeric { .. } => None,
        }
    }
}
