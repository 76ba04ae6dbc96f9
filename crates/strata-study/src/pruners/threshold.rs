//! Prunes what leaves given bounds.

use super::steps::Steps;
use super::{Pruner, Verdict};
use crate::study::History;
use crate::trial::Trial;

/// Prunes a trial whose last value is NaN, below `lower` or above `upper`.
#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdPruner {
    /// The least value; none for any.
    pub lower: Option<f64>,
    /// The greatest value; none for any.
    pub upper: Option<f64>,
    /// Nothing is pruned before this step. Default 0.
    pub n_warmup_steps: i64,
    /// Of so many steps one is looked at. Default 1.
    pub interval_steps: i64,
}

impl Pruner for ThresholdPruner {
    fn judge(&self, _: &History<'_>, trial: &Trial) -> Verdict {
        let steps = Steps {
            n_warmup_steps: self.n_warmup_steps,
            interval_steps: self.interval_steps,
        };
        let last = steps.looked_at(trial).and_then(|_| trial.last_step());
        let Some((_, value)) = last else {
            return Verdict::default();
        };
        let is_outside = value.is_nan()
            || self.lower.is_some_and(|lower| value < lower)
            || self.upper.is_some_and(|upper| value > upper);
        Verdict::of(is_outside)
    }
}
