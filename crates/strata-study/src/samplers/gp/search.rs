//! Where the acquisition is greatest.

use super::acquisition::LogEi;
use super::dimension::{Dimension, Kind};
use super::lbfgs::{Stop, minimise};
use crate::Random;
use crate::samplers::qmc::sobol::Sobol;

/// How many points are looked at first.
const N_CANDIDATES: usize = 2048;
/// From how many of them the search goes on.
const N_STARTS: usize = 10;
/// Grids of more values are searched in rounds.
const MAX_EXHAUSTIVE: u64 = 16;
/// No search has come near it.
const MAX_ROUNDS: usize = 100;

/// The point of the greatest acquisition that is found, as Optuna searches (`optuna/_gp/optim_mixed.py`): from the
/// best of 2048 scrambled Sobol points, from `incumbent`, and from others, each as likely as its expected improvement
/// is large, one dimension after the other in turn with all continuous ones together.
///
/// If it is not among those that `is_new` allows, it is the best of the Sobol points that are, if any is.
pub(super) fn search(
    acquisition: &LogEi<'_>,
    dimensions: &[Dimension],
    incumbent: &[f64],
    is_new: &dyn Fn(&[f64]) -> bool,
    random: &mut Random,
) -> Vec<f64> {
    let candidates = candidates(dimensions, random);
    let values: Vec<f64> = candidates
        .iter()
        .map(|point| acquisition.value(point))
        .collect();
    let mut starts: Vec<&[f64]> = choose(&values, random)
        .into_iter()
        .map(|index| &candidates[index][..])
        .collect();
    starts.push(incumbent);
    let climb = Climb {
        acquisition,
        dimensions,
        lengths: acquisition.process.lengths(),
    };
    let mut best: Option<(Vec<f64>, f64)> = None;
    for start in starts {
        let (point, value) = climb.from(start);
        if best.as_ref().is_none_or(|(_, best)| value > *best) {
            best = Some((point, value));
        }
    }
    let best = best.map_or_else(|| incumbent.to_vec(), |(point, _)| point);
    if is_new(&best) {
        return best;
    }
    let new = (0..candidates.len()).filter(|index| is_new(&candidates[*index]));
    let next = new.max_by(|a, b| values[*a].total_cmp(&values[*b]));
    next.map_or(best, |index| candidates[index].clone())
}

fn candidates(dimensions: &[Dimension], random: &mut Random) -> Vec<Vec<f64>> {
    let sobol = Sobol::scrambled(dimensions.len(), random);
    let mut candidate = |index: usize| -> Vec<f64> {
        let point = sobol.point(index as u64).into_iter().map(Some);
        // Beyond Sobol's dimensions the points are random.
        let point = point.chain(std::iter::repeat(None)).zip(dimensions);
        point
            .map(|(unit, dimension)| dimension.of_uniform(unit.unwrap_or_else(|| random.uniform())))
            .collect()
    };
    (0..N_CANDIDATES).map(&mut candidate).collect()
}

/// The index of the greatest value, and of others by roulette, none twice.
fn choose(values: &[f64], random: &mut Random) -> Vec<usize> {
    let greatest = (0..values.len()).max_by(|a, b| {
        // The first of equals.
        values[*a].total_cmp(&values[*b]).then(b.cmp(a))
    });
    let Some(greatest) = greatest else {
        return Vec::new();
    };
    let relative = values
        .iter()
        .map(|value| libm::exp(value - values[greatest]));
    let mut weights: Vec<f64> = relative
        .map(|weight| if weight.is_finite() { weight } else { 0.0 })
        .collect();
    weights[greatest] = 0.0;
    let mut chosen = vec![greatest];
    while chosen.len() < N_STARTS - 1 && weights.iter().any(|weight| *weight > 0.0) {
        let index = random.weighted_index(&weights);
        weights[index] = 0.0;
        chosen.push(index);
    }
    chosen
}

struct Climb<'a> {
    acquisition: &'a LogEi<'a>,
    dimensions: &'a [Dimension],
    lengths: Vec<f64>,
}

/// What the last improvement was made by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mover {
    Gradient,
    Dimension(usize),
}

impl Climb<'_> {
    /// A local maximum from a start, and its value.
    fn from(&self, start: &[f64]) -> (Vec<f64>, f64) {
        let mut point = start.to_vec();
        let mut value = self.acquisition.value(&point);
        let mut last = Mover::Gradient;
        for _ in 0..MAX_ROUNDS {
            if self.along_gradient(&mut point, &mut value) {
                last = Mover::Gradient;
            }
            for j in 0..self.dimensions.len() {
                if self.dimensions[j].kind == Kind::Continuous {
                    continue;
                }
                // Everything else has been tried since.
                if last == Mover::Dimension(j) {
                    return (point, value);
                }
                if self.along_dimension(j, &mut point, &mut value) {
                    last = Mover::Dimension(j);
                }
            }
            if last == Mover::Gradient {
                break;
            }
        }
        (point, value)
    }

    /// Moves all continuous dimensions, in units of their length scales, which makes them alike. Whether it is better.
    fn along_gradient(&self, point: &mut [f64], value: &mut f64) -> bool {
        let is_continuous = |j: &usize| self.dimensions[*j].kind == Kind::Continuous;
        let moving: Vec<usize> = (0..self.dimensions.len()).filter(is_continuous).collect();
        if moving.is_empty() {
            return false;
        }
        let mut moved = point.to_vec();
        let mut negative = |x: &[f64], gradient: &mut [f64]| {
            for (x, j) in x.iter().zip(&moving) {
                moved[*j] = x * self.lengths[*j];
            }
            let (value, slopes) = self.acquisition.value_and_gradient(&moved);
            for (slope, j) in gradient.iter_mut().zip(&moving) {
                *slope = -slopes[*j] * self.lengths[*j];
            }
            -value
        };
        let start: Vec<f64> = moving
            .iter()
            .map(|j| point[*j] / self.lengths[*j])
            .collect();
        let bounds: Vec<(f64, f64)> = moving
            .iter()
            .map(|j| (0.0, 1.0 / self.lengths[*j]))
            .collect();
        let stop = Stop {
            gradient: 0.01,
            decrease: 2e-9,
            n_steps: 200,
        };
        let found = minimise(&mut negative, &start, &bounds, stop);
        if found.n_steps == 0 || -found.value <= *value {
            return false;
        }
        for (x, j) in found.x.iter().zip(&moving) {
            point[*j] = (x * self.lengths[*j]).min(1.0);
        }
        *value = -found.value;
        true
    }

    /// Moves one grid or choice. Whether it is better.
    ///
    /// All values are tried; of a grid with many values first some that are spread evenly, then some between the
    /// neighbours of the best, and so on. Optuna runs Brent's line search there, which sees one peak only.
    fn along_dimension(&self, j: usize, point: &mut [f64], value: &mut f64) -> bool {
        let dimension = &self.dimensions[j];
        let (count, is_grid) = match dimension.kind {
            Kind::Continuous => return false,
            Kind::Grid { count, .. } => (count, true),
            Kind::Categorical { count } => (count, false),
        };
        let current = dimension.index_of(point[j]);
        let mut best = current;
        let mut trial = point.to_vec();
        let (mut low, mut high) = (0, count - 1);
        loop {
            let is_last = !is_grid || high - low < MAX_EXHAUSTIVE;
            let n = if is_last {
                high - low + 1
            } else {
                MAX_EXHAUSTIVE
            };
            let gap = (high - low) as f64 / (n - 1).max(1) as f64;
            for i in 0..n {
                let index = low.saturating_add((i as f64 * gap).round() as u64);
                if index == best || index == current {
                    continue;
                }
                trial[j] = dimension.at_index(index);
                let found = self.acquisition.value(&trial);
                if found > *value {
                    (best, *value) = (index, found);
                }
            }
            if is_last {
                break;
            }
            let reach = gap.ceil() as u64;
            low = low.max(best.saturating_sub(reach));
            high = high.min(best.saturating_add(reach));
        }
        if best != current {
            point[j] = dimension.at_index(best);
        }
        best != current
    }
}
