//! How long, how high and how noisy: the hyperparameters of the process.

use super::lbfgs::{Stop, minimise};
use super::regressor::{Evidence, Hyperparameters, Regressor};

/// The least variance of noise, which also keeps covariances regular.
const MIN_NOISE: f64 = 1e-6;

/// A fit to more observations than this uses so many of them, spread evenly over the study: it costs `n³` for each
/// of some 30 steps, and hyperparameters do not change much with yet more observations.
const MAX_OBSERVATIONS: usize = 200;

/// The process with the hyperparameters of the greatest posterior density, given values at points.
///
/// The prior is Optuna's (`optuna/_gp/prior.py`): for inverse squared length scales `v` the density
/// `exp(-0.1/v - 0.1 v)`, for the scale a gamma distribution of shape 2 and rate 1, for the noise one of shape 1.1 and
/// rate 30. L-BFGS on the logarithms from all ones, until no component of the gradient is above 0.01. Optuna
/// begins at what it found for the last trial; so a sampler would be no function of the trials.
pub(super) fn fit(
    points: &[Vec<f64>],
    values: &[f64],
    is_categorical: &[bool],
) -> Option<Regressor> {
    let hyperparameters = hyperparameters(points, values, is_categorical);
    let fitted = Regressor::new(points, values, is_categorical, hyperparameters);
    // As Optuna does where the fit fails.
    fitted.or_else(|| {
        let default = from_logarithms(&vec![0.0; is_categorical.len() + 2]);
        Regressor::new(points, values, is_categorical, default)
    })
}

fn hyperparameters(
    points: &[Vec<f64>],
    values: &[f64],
    is_categorical: &[bool],
) -> Hyperparameters {
    let mut start = vec![0.0; is_categorical.len() + 2];
    if let Some(noise) = start.last_mut() {
        *noise = libm::log(1.0 - 0.99 * MIN_NOISE);
    }
    let n = points.len().min(MAX_OBSERVATIONS);
    let chosen: Vec<usize> = (0..n).map(|i| i * points.len() / n).collect();
    let points: Vec<Vec<f64>> = chosen.iter().map(|i| points[*i].clone()).collect();
    let values: Vec<f64> = chosen.iter().map(|i| values[*i]).collect();
    let evidence = Evidence::new(&points, &values, is_categorical);
    let stop = Stop {
        gradient: 0.01,
        decrease: 2e-9,
        n_steps: 200,
    };
    // Wider than any prior allows, and narrow enough for the exponential.
    let bounds = vec![(-30.0, 30.0); start.len()];
    let mut loss = |logarithms: &[f64], gradient: &mut [f64]| {
        let at = from_logarithms(logarithms);
        let likelihood = evidence.loss(&at, gradient);
        likelihood + prior(&at, gradient)
    };
    let found = minimise(&mut loss, &start, &bounds, stop);
    from_logarithms(&found.x)
}

fn from_logarithms(logarithms: &[f64]) -> Hyperparameters {
    let (lengths, others) = logarithms.split_at(logarithms.len() - 2);
    Hyperparameters {
        inverse_squared_lengths: lengths.iter().map(|v| libm::exp(*v)).collect(),
        scale: libm::exp(others[0]),
        noise: libm::exp(others[1]) + MIN_NOISE,
    }
}

/// Minus the logarithm of the prior density. To `gradient`, that of the likelihood by the hyperparameters, it
/// adds its own, and makes it the gradient by the logarithms.
fn prior(at: &Hyperparameters, gradient: &mut [f64]) -> f64 {
    let (by_lengths, others) = gradient.split_at_mut(at.inverse_squared_lengths.len());
    let mut loss = 0.0;
    for (v, by_length) in at.inverse_squared_lengths.iter().zip(by_lengths) {
        loss += 0.1 / v + 0.1 * v;
        *by_length = *by_length * v - 0.1 / v + 0.1 * v;
    }
    let Hyperparameters { scale, noise, .. } = at;
    loss += scale - libm::log(*scale);
    others[0] = others[0] * scale + scale - 1.0;
    loss += 30.0 * noise - 0.1 * libm::log(*noise);
    others[1] = (others[1] + 30.0 - 0.1 / noise) * (noise - MIN_NOISE);
    loss
}
