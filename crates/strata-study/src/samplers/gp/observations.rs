//! What the trials tell of the objective.

use super::dimension::Dimension;
use super::pruned::expected_loss;
use crate::Random;
use crate::samplers::constraints::violation;
use crate::study::History;
use crate::trial::{Trial, TrialState};

/// More trials than this are not looked at: the best half and the latest of the others. A proposal costs their square
/// for each of some 3000 points.
const MAX_TRIALS: usize = 1000;

/// Points and what was found there; large is good.
#[derive(Debug, Clone, Default)]
pub(super) struct Observations {
    pub(super) points: Vec<Vec<f64>>,
    /// With mean 0 and variance 1.
    pub(super) values: Vec<f64>,
    /// The index of the best complete trial.
    pub(super) best: usize,
    /// Where trials were pruned that tell nothing.
    pub(super) untold: Vec<Vec<f64>>,
}

/// What a trial was worth.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Outcome {
    /// A loss of a complete trial.
    Complete(f64),
    /// The loss that a pruned trial is expected to have ended with.
    Pruned(f64),
    /// As bad as the worst complete trial.
    Worst,
}

/// The observations of a study. None without a complete trial.
///
/// * Infinite values are those of the worst or the best finite one, as in Optuna.
/// * Failed trials, and those that violate a constraint, are as bad as the worst complete one: where trainings
///   diverge is nothing to gain. Optuna leaves failed ones out, and has a process for each constraint.
/// * Pruned trials, if they count, have what they are expected to have ended with.
/// * Several objectives become one by random weights, other ones for each trial: `ParEGO` (Knowles 2006). Optuna has
///   the expected hypervolume improvement.
pub(super) fn observations(
    history: &History<'_>,
    dimensions: &[Dimension],
    use_pruned: bool,
    random: &mut Random,
) -> Option<Observations> {
    let scalarise = scalarisation(history, random);
    let mut points = Vec::new();
    let mut outcomes = Vec::new();
    let mut untold = Vec::new();
    for trial in history.trials {
        let outcome = match trial.state {
            TrialState::Complete if trial.values.len() != history.directions.len() => continue,
            TrialState::Complete if violation(trial) > 0.0 => Outcome::Worst,
            TrialState::Complete => Outcome::Complete(scalarise(&losses(history, trial))),
            TrialState::Pruned => {
                let counts = use_pruned && history.directions.len() == 1;
                let expected = counts.then(|| expected_loss(history, trial)).flatten();
                let Some(loss) = expected else {
                    untold.extend(point(trial, dimensions));
                    continue;
                };
                Outcome::Pruned(loss)
            }
            TrialState::Fail => Outcome::Worst,
            TrialState::Running | TrialState::Waiting => continue,
        };
        if let Some(point) = point(trial, dimensions) {
            points.push(point);
            outcomes.push(outcome);
        }
    }
    let losses = finite_losses(&outcomes)?;
    let kept = kept(&losses);
    let losses: Vec<f64> = kept.iter().map(|i| losses[*i]).collect();
    let is_complete = |place: &usize| matches!(outcomes[kept[*place]], Outcome::Complete(_));
    let best = (0..kept.len()).filter(is_complete);
    let best = best.min_by(|a, b| losses[*a].total_cmp(&losses[*b]))?;
    Some(Observations {
        points: kept.iter().map(|i| points[*i].clone()).collect(),
        values: standardised(&losses),
        best,
        untold,
    })
}

/// Where trials that run are, as far as they have all the parameters.
pub(super) fn pending(history: &History<'_>, dimensions: &[Dimension]) -> Vec<Vec<f64>> {
    let running = history.in_state(TrialState::Running);
    running
        .filter_map(|trial| point(trial, dimensions))
        .collect()
}

/// Where trials have been that did not fail, as far as they have all the parameters.
pub(super) fn tried(history: &History<'_>, dimensions: &[Dimension]) -> Vec<Vec<f64>> {
    let waiting_or_failed = [TrialState::Waiting, TrialState::Fail];
    let trials = history.trials.iter();
    trials
        .filter(|trial| !waiting_or_failed.contains(&trial.state))
        .filter_map(|trial| point(trial, dimensions))
        .collect()
}

fn point(trial: &Trial, dimensions: &[Dimension]) -> Option<Vec<f64>> {
    let coordinates = dimensions.iter().map(|dimension| {
        let param = trial.params.get(&dimension.name)?;
        Some(dimension.coordinate(param.internal))
    });
    coordinates.collect()
}

fn losses(history: &History<'_>, trial: &Trial) -> Vec<f64> {
    let pairs = trial.values.iter().zip(history.directions);
    pairs
        .map(|(value, direction)| direction.loss(*value))
        .collect()
}

/// How the losses of several objectives become one: the largest of the weighted losses and a little of their sum,
/// each on the scale of its finite range.
fn scalarisation(history: &History<'_>, random: &mut Random) -> impl Fn(&[f64]) -> f64 + use<> {
    let n = history.directions.len();
    let mut ranges = vec![(f64::INFINITY, f64::NEG_INFINITY); n];
    for trial in history.in_state(TrialState::Complete) {
        for ((low, high), loss) in ranges.iter_mut().zip(losses(history, trial)) {
            if loss.is_finite() {
                *low = low.min(loss);
                *high = high.max(loss);
            }
        }
    }
    // Uniform on the simplex.
    let raw: Vec<f64> = (0..n).map(|_| -libm::log(1.0 - random.uniform())).collect();
    let total: f64 = raw.iter().sum();
    move |losses: &[f64]| {
        if let [loss] = losses {
            return *loss;
        }
        let mut largest = 0.0_f64;
        let mut sum = 0.0;
        for ((loss, (low, high)), weight) in losses.iter().zip(&ranges).zip(&raw) {
            let share = (loss / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
            // A single value, or none that is finite, tells nothing; what is infinite is at an end.
            let share = if share.is_nan() {
                0.0
            } else {
                share.clamp(0.0, 1.0)
            };
            let weighted = weight / total * share;
            largest = largest.max(weighted);
            sum += weighted;
        }
        largest + 0.05 * sum
    }
}

/// The loss of each outcome, between the best and the worst finite one of complete trials.
fn finite_losses(outcomes: &[Outcome]) -> Option<Vec<f64>> {
    let complete = outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Complete(loss) => Some(*loss),
        _ => None,
    });
    let complete: Vec<f64> = complete.collect();
    if complete.is_empty() {
        return None;
    }
    let finite = || complete.iter().copied().filter(|loss| loss.is_finite());
    let least = finite().fold(f64::INFINITY, f64::min);
    let greatest = finite().fold(f64::NEG_INFINITY, f64::max);
    // No finite one at all: infinities of both signs still differ.
    let (least, greatest) = if least <= greatest {
        (least, greatest)
    } else {
        (-1.0, 1.0)
    };
    let losses = outcomes.iter().map(|outcome| match outcome {
        Outcome::Complete(loss) | Outcome::Pruned(loss) => loss.max(least).min(greatest),
        Outcome::Worst => greatest,
    });
    Some(losses.collect())
}

/// The indices of the trials that are looked at, in order.
fn kept(losses: &[f64]) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..losses.len()).collect();
    if kept.len() > MAX_TRIALS {
        kept.sort_by(|a, b| losses[*a].total_cmp(&losses[*b]));
        let mut others = kept.split_off(MAX_TRIALS / 2);
        others.sort_unstable();
        let n_skipped = others.len() - (MAX_TRIALS - kept.len());
        kept.extend(others.into_iter().skip(n_skipped));
        kept.sort_unstable();
    }
    kept
}

/// Losses as values with mean 0 and variance 1; all 0 if they are equal.
fn standardised(losses: &[f64]) -> Vec<f64> {
    // In units of the largest, so that squares do not overflow.
    let unit = losses
        .iter()
        .fold(0.0_f64, |unit, loss| unit.max(loss.abs()));
    let unit = if unit > 0.0 { unit } else { 1.0 };
    let scaled: Vec<f64> = losses.iter().map(|loss| loss / unit).collect();
    let scaled = compressed(&scaled);
    let n = losses.len() as f64;
    let mean = scaled.iter().sum::<f64>() / n;
    let squares = scaled.iter().map(|loss| (loss - mean) * (loss - mean));
    let deviation = (squares.sum::<f64>() / n).sqrt().max(1e-10);
    scaled
        .iter()
        .map(|loss| (mean - loss) / deviation)
        .collect()
}

/// Losses of which those worse than the median are moved closer, with the logarithm of their distance.
///
/// What is worse than half of all trials is of no interest but for being bad; far out, as losses of diverging
/// trainings are, it would leave no difference between the good ones. The others stay as they are, and so does the order.
fn compressed(losses: &[f64]) -> Vec<f64> {
    let mut sorted = losses.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (best, median) = (sorted[0], sorted[sorted.len() / 2]);
    let scale = median - best;
    let compress = |loss: &f64| {
        if *loss <= median || scale <= 0.0 {
            *loss
        } else {
            median + scale * libm::log1p((loss - median) / scale)
        }
    };
    losses.iter().map(compress).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_standardised_whatever_their_size() {
        for unit in [1e-200, 1.0, 1e300] {
            let values = standardised(&[1.0 * unit, 2.0 * unit, 3.0 * unit]);
            let mean = values.iter().sum::<f64>() / 3.0;
            let variance = values.iter().map(|value| value * value).sum::<f64>() / 3.0;
            assert!(mean.abs() < 1e-9 && (variance - 1.0).abs() < 1e-9);
            assert!(values[0] > values[1] && values[1] > values[2]);
        }
        assert_eq!(standardised(&[0.0, 0.0]), [0.0, 0.0]);
    }

    #[test]
    fn losses_worse_than_the_median_are_moved_closer() {
        let found = compressed(&[1.0, 3.0, 2.0, 1e30, 2.0 + 1e-9]);
        assert_eq!((found[0], found[2], found[4]), (1.0, 2.0, 2.0 + 1e-9));
        assert!(found[1] < 3.0 && found[3] > found[1] && found[3] < 100.0);
        assert_eq!(compressed(&[1.0, 1.0, 5.0]), [1.0, 1.0, 5.0]);
    }

    #[test]
    fn outcomes_without_a_finite_loss_take_that_of_another() {
        let outcomes = [
            Outcome::Complete(3.0),
            Outcome::Complete(f64::INFINITY),
            Outcome::Worst,
            Outcome::Complete(1.0),
            Outcome::Pruned(0.5),
        ];
        assert_eq!(
            finite_losses(&outcomes),
            Some(vec![3.0, 3.0, 3.0, 1.0, 1.0])
        );
        assert_eq!(finite_losses(&outcomes[2..3]), None);
        let infinite = [f64::INFINITY, f64::NEG_INFINITY].map(Outcome::Complete);
        assert_eq!(finite_losses(&infinite), Some(vec![1.0, -1.0]));
    }

    #[test]
    fn of_many_trials_the_best_and_the_latest_are_kept() {
        let losses: Vec<f64> = (0..3000).map(f64::from).collect();
        let kept = kept(&losses);
        assert_eq!(kept.len(), 1000);
        assert_eq!(
            (kept[0], kept[499], kept[500], kept[999]),
            (0, 499, 2500, 2999)
        );
    }
}
