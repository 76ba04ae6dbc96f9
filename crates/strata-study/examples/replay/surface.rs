//! A response surface: what any configuration would come to, learnt from those that were recorded.

use std::sync::Arc;

use strata_study::{Distribution, Random};

use crate::kernel_ridge::{Kernel, KernelRidge};
use crate::recorded::{Recording, best};
use crate::simulation::Outcome;

/// Recorded configurations among which the one is drawn whose residuals are the noise of another.
const NEIGHBOURS: usize = 20;

/// A regression of the logarithm of the error after each epoch.
///
/// The logarithm makes differences among good configurations as large as those among bad ones.
pub(crate) struct Surface<'a> {
    recording: &'a Recording,
    fit: KernelRidge,
    /// What each recorded configuration is predicted to come to by the others, and what it differs by from that after
    /// each epoch; the lowest prediction first.
    residuals: Vec<(f64, Vec<f64>)>,
}

/// How well configurations are predicted by a surface that was not told of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quality {
    /// The part of the variance of the values that is predicted.
    pub(crate) r_squared: f64,
    /// The same among the better half.
    pub(crate) of_better_half: f64,
    /// The root of the mean square of what the better half differs by.
    pub(crate) error: f64,
}

fn log_error(accuracy: f64) -> f64 {
    libm::log(1.0 - accuracy)
}

fn accuracy(log_error: f64) -> f64 {
    1.0 - libm::exp(log_error)
}

impl<'a> Surface<'a> {
    /// The surface of a recording of accuracies, with the kernel of a name.
    pub(crate) fn new(recording: &'a Recording, kernel: &str) -> Result<Self, String> {
        let kernel = match kernel {
            "gaussian" => Kernel::Gaussian(vec![3.0; recording.space.len()]),
            "cubic" => Kernel::Polynomial(3),
            other => {
                return Err(format!(
                    "the surface `{other}` is neither gaussian nor cubic"
                ));
            }
        };
        let runs = recording.runs.iter();
        let points: Vec<Vec<f64>> = runs.map(|run| run.point.clone()).collect();
        let targets: Vec<Vec<f64>> = (1..=recording.epochs())
            .map(|epoch| recording.after(epoch).into_iter().map(log_error).collect())
            .collect();
        let mut surface = Self {
            recording,
            fit: KernelRidge::fit(kernel, &points, &targets),
            residuals: Vec::new(),
        };
        surface.residuals = (0..recording.runs.len())
            .map(|run| {
                let residuals = surface.fit.residuals.iter();
                let residuals = residuals.map(|of_epoch| of_epoch[run]).collect();
                (surface.left_out(run), residuals)
            })
            .collect();
        surface.residuals.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        Ok(surface)
    }

    /// What the value of a recorded configuration is predicted to be by the others.
    fn left_out(&self, run: usize) -> f64 {
        let curve = self.recording.runs[run].curve.iter();
        let curve = curve.zip(&self.fit.residuals);
        let predicted: Vec<f64> = curve
            .map(|(value, residuals)| accuracy(log_error(*value) - residuals[run]))
            .collect();
        best(self.recording.direction, &predicted)
    }

    /// How well it predicts.
    pub(crate) fn quality(&self) -> Quality {
        let direction = self.recording.direction;
        let values = self.recording.values().into_iter().enumerate();
        let mut pairs: Vec<(f64, f64)> = values
            .map(|(run, value)| (value, self.left_out(run)))
            .collect();
        pairs.sort_by(|(a, _), (b, _)| direction.loss(*a).total_cmp(&direction.loss(*b)));
        let better = &pairs[..pairs.len() / 2];
        let square = |(value, predicted): &(f64, f64)| (value - predicted).powi(2);
        let mean_square = better.iter().map(square).sum::<f64>() / better.len() as f64;
        Quality {
            r_squared: r_squared(&pairs),
            of_better_half: r_squared(better),
            error: mean_square.sqrt(),
        }
    }

    /// The value of a point without noise.
    pub(crate) fn truth(&self, point: &[f64]) -> f64 {
        let curve: Vec<f64> = self.fit.predict(point).into_iter().map(accuracy).collect();
        best(self.recording.direction, &curve)
    }

    /// What a training of a point shows: the curve, with the residuals of a recorded configuration of about the same
    /// value. Which one depends on the point and the seed alone, as a training does.
    pub(crate) fn outcome(&self, point: &[f64], seed: u64) -> Outcome {
        let truth = self.truth(point);
        let bits: Vec<u64> = point
            .iter()
            .map(|coordinate| coordinate.to_bits())
            .collect();
        let mut random = Random::new(seed, &format!("noise of {bits:?}"), 0);
        let place = self.residuals.partition_point(|(value, _)| *value < truth);
        let first = place.saturating_sub(NEIGHBOURS / 2);
        let first = first.min(self.residuals.len().saturating_sub(NEIGHBOURS));
        let among = NEIGHBOURS.min(self.residuals.len());
        let (_, noise) = &self.residuals[first + random.below(among as u64) as usize];
        let noisy = self.fit.predict(point).into_iter().zip(noise);
        Outcome {
            curve: noisy
                .map(|(value, noise)| accuracy(value + noise))
                .collect(),
            truth,
        }
    }

    /// The best point without noise, as far as many random points and steps from the best of them can tell.
    pub(crate) fn optimum(&self) -> Vec<f64> {
        let direction = self.recording.direction;
        let space = &self.recording.space;
        let mut random = Random::new(0, "optimum", 0);
        let mut best = vec![0.0; space.len()];
        let mut value = f64::NAN;
        for round in 0..200_000 {
            // First anywhere, then ever closer to the best.
            let reach = 2.0 * libm::pow(1e-4, (f64::from(round) - 1e5).max(0.0) / 1e5);
            let point: Vec<f64> = space
                .iter()
                .zip(&best)
                .map(|((_, distribution), centre)| {
                    let near = if round < 100_000 { 0.0 } else { *centre };
                    let moved = near + reach * (2.0 * random.uniform() - 1.0);
                    on_grid(moved.clamp(-1.0, 1.0), distribution)
                })
                .collect();
            let found = self.truth(&point);
            if value.is_nan() || direction.is_better(found, value) {
                (best, value) = (point, found);
            }
        }
        best
    }

    /// A point in the words of its parameters.
    pub(crate) fn describe(&self, point: &[f64]) -> String {
        let space = self.recording.space.iter().zip(point);
        let words = space.map(|((name, distribution), coordinate)| {
            format!("{name}={:.3e}", value_of(*coordinate, distribution))
        });
        words.collect::<Vec<String>>().join(" ")
    }
}

/// The nearest coordinate that the distribution has.
fn on_grid(coordinate: f64, distribution: &Arc<Distribution>) -> f64 {
    match distribution.count() {
        Some(count) if count > 1 => {
            let steps = (count - 1) as f64;
            (f64::midpoint(coordinate, 1.0) * steps).round() / steps * 2.0 - 1.0
        }
        _ => coordinate,
    }
}

fn value_of(coordinate: f64, distribution: &Distribution) -> f64 {
    let share = f64::midpoint(coordinate, 1.0);
    let between = |low: f64, high: f64, is_log: bool| {
        if is_log {
            low * libm::pow(high / low, share)
        } else {
            low + share * (high - low)
        }
    };
    match *distribution {
        Distribution::Float { low, high, log, .. } => between(low, high, log),
        Distribution::Int { low, high, log, .. } => between(low as f64, high as f64, log),
        Distribution::Categorical { .. } => f64::NAN,
    }
}

/// Of values with their predictions.
fn r_squared(pairs: &[(f64, f64)]) -> f64 {
    let mean = pairs.iter().map(|(value, _)| value).sum::<f64>() / pairs.len() as f64;
    let left: f64 = pairs.iter().map(|(value, p)| (value - p).powi(2)).sum();
    let all: f64 = pairs.iter().map(|(value, _)| (value - mean).powi(2)).sum();
    1.0 - left / all
}
