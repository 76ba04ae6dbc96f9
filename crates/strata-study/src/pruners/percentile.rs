//! Prunes what is worse than a part of the others.

use super::steps::Steps;
use super::{Pruner, Verdict};
use crate::Direction;
use crate::study::History;
use crate::trial::{Trial, TrialState};

/// Prunes a trial whose best value so far is worse than a percentile of the complete trials' values at the same step.
///
/// If it has reported only NaN, it is pruned. Steps that no complete trial has reported prune nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct PercentilePruner {
    /// The best part that is kept, in percent from 0 to 100.
    pub percentile: f64,
    /// Nothing is pruned before so many trials are complete. Default 5.
    pub n_startup_trials: usize,
    /// Nothing is pruned before this step. Default 0.
    pub n_warmup_steps: i64,
    /// Of so many steps one is looked at. Default 1.
    pub interval_steps: i64,
    /// So many trials must have reported the step. Default 1.
    pub n_min_trials: usize,
}

impl PercentilePruner {
    /// A pruner that keeps the best `percentile` percent, with Optuna's other defaults.
    pub fn new(percentile: f64) -> Self {
        Self {
            percentile,
            n_startup_trials: 5,
            n_warmup_steps: 0,
            interval_steps: 1,
            n_min_trials: 1,
        }
    }

    /// Optuna's `MedianPruner`.
    pub fn median() -> Self {
        Self::new(50.0)
    }
}

impl Pruner for PercentilePruner {
    fn judge(&self, history: &History<'_>, trial: &Trial) -> Verdict {
        let complete: Vec<&Trial> = history
            .in_state(TrialState::Complete)
            .map(AsRef::as_ref)
            .collect();
        if complete.is_empty() || complete.len() < self.n_startup_trials {
            return Verdict::default();
        }
        let steps = Steps {
            n_warmup_steps: self.n_warmup_steps,
            interval_steps: self.interval_steps,
        };
        let Some(step) = steps.looked_at(trial) else {
            return Verdict::default();
        };
        let direction = history.directions[0];
        let reported = trial.intermediate_values.values().copied();
        let Some(best) = direction.best(reported) else {
            return Verdict::of(true);
        };
        let at_step = complete
            .iter()
            .filter_map(|other| other.intermediate_values.get(&step));
        let at_step: Vec<f64> = at_step.copied().collect();
        if at_step.len() < self.n_min_trials {
            return Verdict::default();
        }
        let part = match direction {
            Direction::Minimize => self.percentile,
            Direction::Maximize => 100.0 - self.percentile,
        };
        let bound = percentile(at_step, part);
        Verdict::of(bound.is_some_and(|bound| direction.is_better(bound, best)))
    }
}

/// The value below which `part` percent lie, between two neighbours in proportion, as `numpy.nanpercentile`; none
/// if there is no number.
fn percentile(mut values: Vec<f64>, part: f64) -> Option<f64> {
    values.retain(|value| !value.is_nan());
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    let place = part / 100.0 * last as f64;
    let below = (place.floor() as usize).min(last);
    let above = (below + 1).min(last);
    let fraction = place - below as f64;
    let difference = values[above] - values[below];
    Some(if fraction == 0.0 || difference == 0.0 {
        values[below]
    } else if fraction < 0.5 {
        values[below] + difference * fraction
    } else {
        // From the nearer side, as NumPy.
        values[above] - difference * (1.0 - fraction)
    })
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn percentiles_are_numpy_s() {
        let values = || vec![3.0, 1.0, f64::NAN, 2.0, 10.0];
        // python3 -c 'import numpy; print(numpy.nanpercentile([3, 1, numpy.nan, 2, 10], [0, 25, 50, 80, 100]))'
        let expected = [
            (0.0, 1.0),
            (25.0, 1.75),
            (50.0, 2.5),
            (80.0, 5.8),
            (100.0, 10.0),
        ];
        for (part, value) in expected {
            let found = percentile(values(), part).expect("a number");
            assert!((found - value).abs() < 1e-12, "{part}: {found}");
        }
        assert_eq!(percentile(vec![f64::NAN], 50.0), None);
    }
}
