//! Tree-structured Parzen estimators (Bergstra et al. 2011; Watanabe 2023, arXiv 2304.11127), by the rules of
//! Optuna 5.0.
//!
//! [`split`] divides the trials into good ones and others, [`parzen`] makes a density of each; of points drawn from
//! the good ones' density `l`, that with the greatest `l/g` is proposed.

mod parzen;
mod split;
mod truncated_normal;

use std::sync::Arc;

use indexmap::IndexMap;
use strata_json::Json;

use super::intersection::intersection;
use super::random::uniform;
use super::{Proposal, Sampler};
use crate::study::History;
use crate::trial::{Trial, TrialState};
use crate::{Distribution, Random};
use parzen::{ParzenEstimator, weights_by_age};
use split::{Split, split};

pub(crate) use truncated_normal::log_mass;

/// Attributes in which Optuna keeps the values of a running trial before it asks for them, in pieces.
const RELATIVE_PARAMS: &str = "tpe:relative_params";

/// How TPE proposes; the default is that of Optuna 5.0 with one objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TpeOptions {
    /// So many trials are random first; failed ones do not count. Default 10.
    pub n_startup_trials: usize,
    /// So many points are compared. Default 24, at least 1.
    pub n_ei_candidates: usize,
    /// Whether parameters are drawn together, as far as all trials have them. Default true.
    pub multivariate: bool,
    /// Whether parameters that occur together are drawn together, where not all trials have them. Default false.
    pub group: bool,
    /// Whether trials that run count as not good, so that workers keep apart. Default true.
    pub constant_liar: bool,
    /// Whether a point that was tried already is passed over for the next best. Where results are exact, as ours are,
    /// nothing is learnt from the same point again. Default false, as Optuna.
    pub skip_duplicates: bool,
}

impl Default for TpeOptions {
    fn default() -> Self {
        Self {
            n_startup_trials: 10,
            n_ei_candidates: 24,
            multivariate: true,
            group: false,
            constant_liar: true,
            skip_duplicates: false,
        }
    }
}

/// Proposes where good trials are dense and others are not.
///
/// Unlike in Optuna, failed trials count as not good, see `split`.
#[derive(Debug, Clone)]
pub struct TpeSampler {
    options: TpeOptions,
}

impl TpeSampler {
    /// A sampler with these options.
    pub fn new(options: TpeOptions) -> Self {
        Self { options }
    }

    /// Whether too few trials have ended to learn from.
    fn is_starting(&self, history: &History<'_>) -> bool {
        let ended = history.trials.iter().filter(|trial| counts(trial.state));
        ended.count() < self.options.n_startup_trials
    }

    /// The best of several points in these parameters, best first.
    fn candidates(
        &self,
        split: &Split,
        n_objectives: usize,
        space: &[(String, Arc<Distribution>)],
        random: &mut Random,
    ) -> Vec<Vec<f64>> {
        let distributions: Vec<Arc<Distribution>> = space
            .iter()
            .map(|(_, distribution)| Arc::clone(distribution))
            .collect();
        let density = |trials: &[Arc<Trial>], are_equal: bool| {
            let columns = columns(trials, space);
            let n = columns[0].len();
            let weights = if are_equal {
                vec![1.0; n]
            } else {
                weights_by_age(n)
            };
            ParzenEstimator::new(&distributions, &columns, weights)
        };
        let good = density(&split.below, n_objectives > 1);
        let others = density(&split.above, false);
        let mut rated: Vec<(f64, Vec<f64>)> = (0..self.options.n_ei_candidates.max(1))
            .map(|_| {
                let point = good.sample(random);
                (good.log_density(&point) - others.log_density(&point), point)
            })
            .collect();
        // Stable, so the first of equals stays first.
        rated.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        rated.into_iter().map(|(_, point)| point).collect()
    }

    fn split(&self, history: &History<'_>) -> Split {
        let mut split = split(history);
        if !self.options.constant_liar {
            split
                .above
                .retain(|trial| trial.state != TrialState::Running);
        }
        split
    }
}

/// Whether trials in a state have something to learn from.
fn counts(state: TrialState) -> bool {
    matches!(state, TrialState::Complete | TrialState::Pruned)
}

/// The values of each parameter, of the trials that have all of them.
fn columns(trials: &[Arc<Trial>], space: &[(String, Arc<Distribution>)]) -> Vec<Vec<f64>> {
    let mut columns = vec![Vec::with_capacity(trials.len()); space.len()];
    let mut row = Vec::with_capacity(space.len());
    for trial in trials {
        let proposed = relative_params(trial);
        row.clear();
        row.extend(space.iter().map_while(|(name, distribution)| {
            let known = trial.params.get(name).map(|param| param.internal);
            let coming = || distribution.internal(proposed.as_ref()?.get(name)?);
            known
                .or_else(coming)
                .filter(|value| distribution.contains(*value))
        }));
        if row.len() == space.len() {
            for (column, value) in columns.iter_mut().zip(&row) {
                column.push(*value);
            }
        }
    }
    columns
}

/// What real Optuna has drawn for a trial that has not asked for it yet.
fn relative_params(trial: &Trial) -> Option<IndexMap<String, Json>> {
    if trial.state != TrialState::Running {
        return None;
    }
    let mut text = String::new();
    for piece in 0.. {
        let piece = trial
            .system_attrs
            .get(&format!("{RELATIVE_PARAMS}:{piece}"));
        let Some(piece) = piece.and_then(Json::as_str) else {
            break;
        };
        text += piece;
    }
    // While another process writes, a part may be missing.
    strata_json::parse(&text).ok()?.as_map().cloned()
}

/// The parameters that are drawn together: one group for all, or those that occur together.
fn groups(history: &History<'_>, by_occurrence: bool) -> Vec<Vec<(String, Arc<Distribution>)>> {
    if !by_occurrence {
        return vec![intersection(history, counts)];
    }
    let mut groups: Vec<IndexMap<String, Arc<Distribution>>> = Vec::new();
    for trial in history.trials.iter().filter(|trial| counts(trial.state)) {
        let params = trial.params.iter();
        let mut rest: IndexMap<String, Arc<Distribution>> = params
            .map(|(name, param)| (name.clone(), Arc::clone(&param.distribution)))
            .collect();
        let mut next = Vec::new();
        for group in groups {
            let (within, without): (IndexMap<_, _>, IndexMap<_, _>) = group
                .into_iter()
                .partition(|(name, _)| rest.contains_key(name));
            rest.retain(|name, _| !within.contains_key(name));
            next.extend([within, without]);
        }
        next.push(rest);
        next.retain(|group| !group.is_empty());
        groups = next;
    }
    let sorted = groups.into_iter().map(|group| {
        let mut group: Vec<_> = group.into_iter().collect();
        group.retain(|(_, distribution)| !distribution.is_single());
        group.sort_by(|(a, _), (b, _)| a.cmp(b));
        group
    });
    sorted.collect()
}

impl Sampler for TpeSampler {
    fn propose(&self, history: &History<'_>, _: u64, random: &mut Random) -> Proposal {
        let mut proposal = Proposal::default();
        let is_joint = self.options.multivariate || self.options.group;
        if !is_joint || self.is_starting(history) {
            return proposal;
        }
        let split = self.split(history);
        for space in groups(history, self.options.group) {
            if space.is_empty() {
                continue;
            }
            let candidates = self.candidates(&split, history.directions.len(), &space, random);
            let is_new = |point: &&Vec<f64>| {
                !self.options.skip_duplicates || !was_tried(history, &space, point)
            };
            let chosen = candidates.iter().find(is_new).unwrap_or(&candidates[0]);
            let names = space.iter().map(|(name, _)| name.clone());
            proposal.params.extend(names.zip(chosen.iter().copied()));
        }
        proposal
    }

    fn draw(
        &self,
        history: &History<'_>,
        _: &Trial,
        name: &str,
        distribution: &Distribution,
        random: &mut Random,
    ) -> f64 {
        if self.is_starting(history) {
            return uniform(distribution, random);
        }
        let space = [(name.to_owned(), Arc::new(distribution.clone()))];
        let split = self.split(history);
        self.candidates(&split, history.directions.len(), &space, random)[0][0]
    }
}

/// Whether a trial that did not fail has exactly these values and no others.
fn was_tried(history: &History<'_>, space: &[(String, Arc<Distribution>)], point: &[f64]) -> bool {
    history.trials.iter().any(|trial| {
        trial.state != TrialState::Waiting
            && trial.params.len() == space.len()
            && space.iter().zip(point).all(|((name, _), value)| {
                let param = trial.params.get(name);
                param.is_some_and(|param| param.internal == *value)
            })
    })
}

#[cfg(test)]
mod vectors;
