//! Patience before another pruner is asked.

use super::{Pruner, Verdict};
use crate::study::History;
use crate::trial::Trial;

/// Asks another pruner only if the trial has not improved for some steps.
pub struct PatientPruner {
    /// Whom to ask; without one the trial is pruned.
    pub wrapped: Option<Box<dyn Pruner>>,
    /// The best of the last `patience + 1` values is compared with the best before them.
    pub patience: usize,
    /// So much must the last values be worse for patience to end, at least 0. Default 0.
    pub min_delta: f64,
}

impl Pruner for PatientPruner {
    fn judge(&self, history: &History<'_>, trial: &Trial) -> Verdict {
        let values: Vec<f64> = trial.intermediate_values.values().copied().collect();
        if values.len() <= self.patience + 1 {
            return Verdict::default();
        }
        let direction = history.directions[0];
        let (before, last) = values.split_at(values.len() - self.patience - 1);
        let best_loss = |values: &[f64]| {
            direction
                .best(values.iter().copied())
                .map(|value| direction.loss(value))
        };
        let is_stuck = match (best_loss(before), best_loss(last)) {
            (Some(before), Some(last)) => before + self.min_delta < last,
            _ => false,
        };
        match &self.wrapped {
            _ if !is_stuck => Verdict::default(),
            Some(wrapped) => wrapped.judge(history, trial),
            None => Verdict::of(true),
        }
    }
}
