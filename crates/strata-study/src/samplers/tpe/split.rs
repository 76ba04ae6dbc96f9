//! The good trials and the others.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::multi_objective::best_subset;
use crate::samplers::constraints::violation;
use crate::study::History;
use crate::trial::{Trial, TrialState};

/// The trials that the densities are made of, each side by number.
pub(super) struct Split {
    /// The good ones.
    pub(super) below: Vec<Arc<Trial>>,
    /// The others, with those that run, and those that failed.
    pub(super) above: Vec<Arc<Trial>>,
}

/// How many trials of `n` are good.
pub(super) fn gamma(n: usize, n_objectives: usize) -> usize {
    let tenth = n.div_ceil(10);
    if n_objectives > 1 {
        tenth
    } else {
        tenth.min(25)
    }
}

/// Divides the trials. The best complete ones are good, then those that were pruned last, then those that violate
/// their constraints least.
///
/// Trials that run count as not good, so that workers keep apart. So do those that failed, unlike in Optuna, where
/// they are not seen and a region in which trainings diverge is proposed again and again.
pub(super) fn split(history: &History<'_>) -> Split {
    let mut complete = Vec::new();
    let mut pruned = Vec::new();
    let mut infeasible = Vec::new();
    let mut above = Vec::new();
    for trial in history.trials {
        let trial = Arc::clone(trial);
        match trial.state {
            TrialState::Waiting => {}
            TrialState::Running | TrialState::Fail => above.push(trial),
            _ if violation(&trial) > 0.0 => infeasible.push(trial),
            TrialState::Complete => complete.push(trial),
            TrialState::Pruned => pruned.push(trial),
        }
    }
    let n = complete.len() + pruned.len() + infeasible.len();
    let mut wanted = gamma(n, history.directions.len());
    sort_complete(history, &mut complete, wanted);
    pruned.sort_by(|a, b| by_progress(history, a, b));
    infeasible.sort_by(|a, b| violation(a).total_cmp(&violation(b)));
    let mut below = Vec::new();
    for mut trials in [complete, pruned, infeasible] {
        let others = trials.split_off(wanted.min(trials.len()));
        wanted -= trials.len();
        below.extend(trials);
        above.extend(others);
    }
    below.sort_by_key(|trial| trial.number);
    above.sort_by_key(|trial| trial.number);
    Split { below, above }
}

/// The best `wanted` first.
fn sort_complete(history: &History<'_>, trials: &mut [Arc<Trial>], wanted: usize) {
    if history.directions.len() == 1 {
        trials.sort_by(|a, b| history.loss(a).total_cmp(&history.loss(b)));
        return;
    }
    let losses: Vec<Vec<f64>> = trials
        .iter()
        .map(|trial| losses_of(history, trial))
        .collect();
    let best = best_subset(&losses, wanted.min(trials.len()));
    let mut is_best = vec![false; trials.len()];
    for index in best {
        is_best[index] = true;
    }
    let mut marked: Vec<(bool, Arc<Trial>)> = is_best
        .into_iter()
        .zip(trials.iter().map(Arc::clone))
        .collect();
    marked.sort_by_key(|(is_best, _)| !is_best);
    for (place, (_, trial)) in trials.iter_mut().zip(marked) {
        *place = trial;
    }
}

fn losses_of(history: &History<'_>, trial: &Trial) -> Vec<f64> {
    // A trial from outside may lack some.
    let values = trial
        .values
        .iter()
        .copied()
        .chain(std::iter::repeat(f64::NAN));
    let pairs = history.directions.iter().zip(values);
    pairs
        .map(|(direction, value)| direction.loss(value))
        .collect()
}

/// Those that came furthest first, and of these the better ones; those that reported nothing last.
fn by_progress(history: &History<'_>, a: &Trial, b: &Trial) -> Ordering {
    let key = |trial: &Trial| match trial.last_step() {
        Some((_, value)) if value.is_nan() => f64::INFINITY,
        Some((_, value)) => history.directions[0].loss(value),
        None => 0.0,
    };
    let last = |trial: &Trial| trial.last_step().map(|(step, _)| step);
    last(b).cmp(&last(a)).then(key(a).total_cmp(&key(b)))
}
