//! Each value as likely as the others.

use super::{Proposal, Sampler};
use crate::study::History;
use crate::trial::Trial;
use crate::{Distribution, Random};

/// Draws each parameter by itself, each value as likely as the others, on its scale.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomSampler;

impl Sampler for RandomSampler {
    fn propose(&self, _: &History<'_>, _: u64, _: &mut Random) -> Proposal {
        Proposal::default()
    }

    fn draw(
        &self,
        _: &History<'_>,
        _: &Trial,
        _: &str,
        distribution: &Distribution,
        random: &mut Random,
    ) -> f64 {
        uniform(distribution, random)
    }
}

/// A value of the distribution, each as likely as the others on its scale. On a logarithmic scale an integer is
/// as likely as the interval that rounds to it is long, as in Optuna.
pub(super) fn uniform(distribution: &Distribution, random: &mut Random) -> f64 {
    match distribution {
        Distribution::Float {
            low,
            high,
            log: true,
            ..
        } => {
            let (low_ln, high_ln) = (libm::log(*low), libm::log(*high));
            let drawn = libm::exp(low_ln + random.uniform() * (high_ln - low_ln));
            drawn.clamp(*low, *high)
        }
        Distribution::Float {
            low,
            high,
            step: None,
            ..
        } => {
            // Halves, so that bounds far apart do not overflow.
            let half = high / 2.0 - low / 2.0;
            (low + half * random.uniform() * 2.0).clamp(*low, *high)
        }
        Distribution::Int {
            low,
            high,
            log: true,
            ..
        } => {
            let low_ln = libm::log(*low as f64 - 0.5);
            let high_ln = libm::log(*high as f64 + 0.5);
            let drawn = libm::exp(low_ln + random.uniform() * (high_ln - low_ln));
            drawn.round().clamp(*low as f64, *high as f64)
        }
        Distribution::Float {
            low,
            high,
            step: Some(step),
            ..
        } => {
            let index = random.below(distribution.count().unwrap_or(1));
            (low + index as f64 * step).clamp(*low, *high)
        }
        Distribution::Int { low, step, .. } => {
            let index = random.below(distribution.count().unwrap_or(1));
            (low + index as i64 * step) as f64
        }
        Distribution::Categorical { choices } => random.below(choices.len() as u64) as f64,
    }
}
