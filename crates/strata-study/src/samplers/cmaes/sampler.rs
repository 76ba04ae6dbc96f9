//! The sampler of CMA-ES.

use std::cmp::Ordering;
use std::sync::Arc;

use strata_json::Json;

use super::state::Cma;
use crate::samplers::independent::draw_alone;
use crate::samplers::intersection::intersection;
use crate::samplers::unit_cube::Axis;
use crate::samplers::{Proposal, Sampler};
use crate::study::History;
use crate::trial::{Trial, TrialState};
use crate::{Distribution, Random};

/// Optuna's attribute.
const GENERATION: &str = "cma:generation";

/// What [`CmaEsSampler`] is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CmaEsOptions {
    /// How many complete trials must be there before it begins; 1 by default.
    pub n_startup_trials: usize,
    /// How many trials make a generation; `4 + ⌊3 ln d⌋` for `d` parameters by default.
    pub population_size: Option<usize>,
}

impl Default for CmaEsOptions {
    fn default() -> Self {
        Self {
            n_startup_trials: 1,
            population_size: None,
        }
    }
}

/// CMA-ES (Hansen & Ostermeier 2001) over the numeric parameters that all complete trials have, on the unit
/// cube; the others are drawn by TPE, one at a time. Optuna's `CmaEsSampler`, for one objective; with several TPE does
/// it all. The first trial is random.
///
/// Nothing is kept but the generation of each trial, in Optuna's attribute `cma:generation`: the generations are
/// replayed from the trials each time, the first of each by number. So trials that are asked for at once are of one
/// generation, and a study of Optuna's is gone on with from where it was; Optuna, which keeps its state as a Python
/// pickle, replays ours one generation a trial.
///
/// Other than in Optuna, where only complete trials count, a generation also holds its pruned trials (worse than all
/// complete ones; those that went further are better) and its failed ones (worst): else a region where
/// trainings diverge is never left.
#[derive(Debug, Clone, Copy, Default)]
pub struct CmaEsSampler {
    options: CmaEsOptions,
}

impl CmaEsSampler {
    /// With these options.
    pub fn new(options: CmaEsOptions) -> Self {
        Self { options }
    }

    /// The distribution after all full generations.
    fn replay(&self, history: &History<'_>, space: &[(String, Axis)]) -> Cma {
        let mut cma = Cma::new(space.len(), self.options.population_size);
        let n = cma.population_size();
        let mut generations: Vec<Vec<(&Trial, Vec<f64>)>> = Vec::new();
        // There cannot be more generations than this; other numbers come from elsewhere.
        let limit = history.trials.len() / n + 1;
        for trial in history
            .trials
            .iter()
            .filter(|trial| trial.state.is_finished())
        {
            let generation = trial.system_attrs.get(GENERATION).and_then(Json::as_i64);
            let generation = generation.and_then(|generation| usize::try_from(generation).ok());
            let Some(generation) = generation.filter(|generation| *generation < limit) else {
                continue;
            };
            let Some(point) = point(trial, space) else {
                continue;
            };
            if generations.len() <= generation {
                generations.resize_with(generation + 1, Vec::new);
            }
            generations[generation].push((trial, point));
        }
        for mut generation in generations {
            if generation.len() < n {
                break;
            }
            generation.truncate(n);
            generation.sort_by(|(a, _), (b, _)| by_merit(history, a, b));
            let points: Vec<&[f64]> = generation.iter().map(|(_, point)| &point[..]).collect();
            cma.tell(&points);
        }
        cma
    }
}

/// Where a trial is in the cube.
fn point(trial: &Trial, space: &[(String, Axis)]) -> Option<Vec<f64>> {
    let coordinates = space.iter().map(|(name, axis)| {
        let param = trial.params.get(name)?;
        Some(axis.unit(param.internal))
    });
    coordinates.collect()
}

/// The better trial first.
fn by_merit(history: &History<'_>, a: &Trial, b: &Trial) -> Ordering {
    let class = |trial: &Trial| match trial.state {
        TrialState::Complete if !trial.values.is_empty() => 0,
        TrialState::Pruned => 1,
        _ => 2,
    };
    let by_value = match (class(a), class(b)) {
        (0, 0) => history.loss(a).total_cmp(&history.loss(b)),
        (1, 1) => {
            let last = |trial: &Trial| {
                let (step, value) = trial.last_step().unwrap_or((i64::MIN, f64::NAN));
                let loss = history.directions[0].loss(value);
                (step, if loss.is_nan() { f64::INFINITY } else { loss })
            };
            let ((step_a, loss_a), (step_b, loss_b)) = (last(a), last(b));
            step_b.cmp(&step_a).then(loss_a.total_cmp(&loss_b))
        }
        _ => Ordering::Equal,
    };
    class(a).cmp(&class(b)).then(by_value)
}

impl Sampler for CmaEsSampler {
    fn propose(&self, history: &History<'_>, _: u64, random: &mut Random) -> Proposal {
        let mut proposal = Proposal::default();
        let n_complete = history.in_state(TrialState::Complete).count();
        if history.directions.len() != 1 || n_complete < self.options.n_startup_trials {
            return proposal;
        }
        let space = intersection(history, |state| state == TrialState::Complete);
        let is_numeric = |distribution: &Arc<Distribution>| {
            !matches!(distribution.as_ref(), Distribution::Categorical { .. })
        };
        let space: Vec<(String, Axis)> = space
            .into_iter()
            .filter(|(_, distribution)| is_numeric(distribution))
            .map(|(name, distribution)| (name, Axis::new(&distribution)))
            .collect();
        if space.is_empty() {
            return proposal;
        }
        let cma = self.replay(history, &space);
        for ((name, axis), unit) in space.into_iter().zip(cma.ask(random)) {
            proposal.params.insert(name, axis.internal(unit));
        }
        let generation = Json::Int(cma.generation() as i64);
        proposal.attributes = vec![(GENERATION.to_owned(), generation)];
        proposal
    }

    fn draw(
        &self,
        history: &History<'_>,
        trial: &Trial,
        name: &str,
        distribution: &Distribution,
        random: &mut Random,
    ) -> f64 {
        draw_alone(history, trial, name, distribution, random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Direction;
    use crate::samplers::testing::{history_of, trial_of};

    /// On a sphere the generations close in on its centre.
    #[test]
    fn a_sphere_is_solved() {
        let sampler = CmaEsSampler::default();
        let x = Arc::new(Distribution::float(-5.0, 5.0, false, None).expect("valid"));
        let mut trials: Vec<Arc<Trial>> = Vec::new();
        for number in 0..300 {
            let history = history_of(&trials, &[Direction::Maximize]);
            let mut random = Random::new(1, "relative", number);
            let proposal = sampler.propose(&history, number, &mut random);
            let value = |name: &str, start| proposal.params.get(name).copied().unwrap_or(start);
            let (a, b) = (value("a", 4.0), value("b", -4.0));
            let loss = (a - 1.0) * (a - 1.0) + (b - 2.0) * (b - 2.0);
            let mut trial = trial_of(number, &[("a", &x, a), ("b", &x, b)], &[-loss]);
            trial.system_attrs.extend(proposal.attributes);
            trials.push(Arc::new(trial));
        }
        let best = trials
            .iter()
            .map(|trial| trial.values[0])
            .fold(-50.0, f64::max);
        assert!(best > -1e-6, "{best}");
        let last = trials[299].system_attrs[GENERATION].as_i64();
        assert_eq!(
            last,
            Some(298 / 6),
            "generations of 6 after the first trial"
        );
    }

    #[test]
    fn failed_trials_are_worst_and_pruned_ones_better_the_later() {
        let plain = trial_of(0, &[], &[9.0]);
        let mut failed = trial_of(1, &[], &[]);
        failed.state = TrialState::Fail;
        let pruned = |step, value| {
            let mut trial = trial_of(2, &[], &[]);
            trial.state = TrialState::Pruned;
            trial.intermediate_values.insert(step, value);
            trial
        };
        let (early, late, nan) = (pruned(1, 0.1), pruned(5, 0.9), pruned(5, f64::NAN));
        let history = history_of(&[], &[Direction::Minimize]);
        let order = [&plain, &late, &nan, &early, &failed];
        for pair in order.windows(2) {
            assert_eq!(by_merit(&history, pair[0], pair[1]), Ordering::Less);
        }
    }
}
