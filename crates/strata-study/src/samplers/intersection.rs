//! The parameters that all trials have.

use std::sync::Arc;

use crate::Distribution;
use crate::study::History;
use crate::trial::{Trial, TrialState};

/// The parameters that every trial of these states has with the same distribution, by name, without those that
/// have only one value. Optuna's `intersection_search_space`.
pub(super) fn intersection(
    history: &History<'_>,
    counts: impl Fn(TrialState) -> bool,
) -> Vec<(String, Arc<Distribution>)> {
    let mut trials = history.trials.iter().filter(|trial| counts(trial.state));
    let Some(first) = trials.next() else {
        return Vec::new();
    };
    let params = first.params.iter();
    let mut space: Vec<(String, Arc<Distribution>)> = params
        .map(|(name, param)| (name.clone(), Arc::clone(&param.distribution)))
        .collect();
    for trial in trials {
        space.retain(|(name, distribution)| has(trial, name, distribution));
    }
    space.retain(|(_, distribution)| !distribution.is_single());
    space.sort_by(|(a, _), (b, _)| a.cmp(b));
    space
}

fn has(trial: &Trial, name: &str, distribution: &Arc<Distribution>) -> bool {
    trial.params.get(name).is_some_and(|param| {
        Arc::ptr_eq(&param.distribution, distribution) || param.distribution == *distribution
    })
}
