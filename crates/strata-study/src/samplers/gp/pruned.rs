//! What a pruned trial would have come to.

use crate::study::History;
use crate::trial::{Trial, TrialState};

/// Fewer complete trials that reported the same step tell nothing.
const MIN_PAIRS: usize = 5;
/// With a rank correlation below this between the step and the end the step tells nothing.
const MIN_CORRELATION: f64 = 0.3;

/// The loss that a pruned trial is expected to have ended with.
///
/// Its last value is compared with those of complete trials at the same step. Its place among them, moved towards
/// the middle as far as places at that step do not go with places at the end (Spearman's correlation), is its
/// place among their last losses. Infinite, if its last value is NaN; none, if nothing can be said.
///
/// The value itself would be on another scale: losses are larger early, and of trials that learn slowly most of all.
pub(super) fn expected_loss(history: &History<'_>, pruned: &Trial) -> Option<f64> {
    let direction = history.directions[0];
    let (step, value) = pruned.last_step()?;
    if value.is_nan() {
        return Some(f64::INFINITY);
    }
    let pairs = history.in_state(TrialState::Complete).filter_map(|trial| {
        let early = direction.loss(*trial.intermediate_values.get(&step)?);
        let end = history.loss(trial);
        (early.is_finite() && end.is_finite()).then_some((early, end))
    });
    let (early, mut ends): (Vec<f64>, Vec<f64>) = pairs.unzip();
    if early.len() < MIN_PAIRS {
        return None;
    }
    let correlation = rank_correlation(&early, &ends);
    if correlation < MIN_CORRELATION {
        return None;
    }
    let last = (ends.len() - 1) as f64;
    let place = place(direction.loss(value), &early);
    let expected = (0.5 * last + correlation * (place - 0.5 * last)).clamp(0.0, last);
    ends.sort_by(f64::total_cmp);
    let below = expected.floor() as usize;
    let above = (below + 1).min(ends.len() - 1);
    let share = expected - below as f64;
    Some(ends[below] * (1.0 - share) + ends[above] * share)
}

/// Where a value stands among others, from -0.5 to their number less 0.5; a member that has no equal at its index.
fn place(value: f64, others: &[f64]) -> f64 {
    let less = others.iter().filter(|other| **other < value).count() as f64;
    let equal = others.iter().filter(|other| **other == value).count() as f64;
    less + 0.5 * equal - 0.5
}

/// Spearman's; 0 if all of one side are equal.
fn rank_correlation(a: &[f64], b: &[f64]) -> f64 {
    let middle = 0.5 * (a.len() as f64 - 1.0);
    let centred = |values: &[f64]| -> Vec<f64> {
        let places = values.iter().map(|value| place(*value, values));
        places.map(|place| place - middle).collect()
    };
    let (a, b) = (centred(a), centred(b));
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let spread = (product(&a, &a) * product(&b, &b)).sqrt();
    if spread > 0.0 {
        product(&a, &b) / spread
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Direction;
    use crate::samplers::testing::{history_of, trial_of};

    fn expected(ends: [f64; 5], value: f64) -> Option<f64> {
        let complete = |(number, end): (u64, f64)| {
            let mut trial = trial_of(number, &[], &[end]);
            trial.intermediate_values.insert(3, number as f64);
            Arc::new(trial)
        };
        let trials: Vec<Arc<Trial>> = (0..).zip(ends).map(complete).collect();
        let mut pruned = trial_of(9, &[], &[]);
        pruned.intermediate_values.insert(3, value);
        expected_loss(&history_of(&trials, &[Direction::Minimize]), &pruned)
    }

    #[test]
    fn the_place_at_the_step_is_the_place_at_the_end() {
        let ends = [10.0, 11.0, 12.0, 20.0, 30.0];
        assert_eq!(expected(ends, 2.5), Some(16.0));
        assert_eq!(expected(ends, -9.0), Some(10.0));
        assert_eq!(expected(ends, 99.0), Some(30.0));
        assert_eq!(expected(ends, f64::NAN), Some(f64::INFINITY));
    }

    #[test]
    fn where_curves_cross_a_step_tells_less_or_nothing() {
        let less = expected([11.0, 10.0, 20.0, 12.0, 30.0], 3.5);
        // The correlation is 0.8, the place 3.5 becomes 3.2.
        assert!(
            less.is_some_and(|loss| (loss - 22.0).abs() < 1e-9),
            "{less:?}"
        );
        assert_eq!(expected([30.0, 20.0, 12.0, 11.0, 10.0], 99.0), None);
        assert_eq!(expected([1.0; 5], 99.0), None);
    }
}
