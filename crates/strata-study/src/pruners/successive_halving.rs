//! Asynchronous successive halving.

use strata_json::Json;

use super::{Pruner, Verdict};
use crate::Direction;
use crate::study::History;
use crate::trial::{Trial, TrialState};

/// Lets the best part of the trials pass at steps that grow by a factor (Li et al. 2020, ASHA, in the variant that
/// stops trials and never resumes them).
///
/// Rung `r` is at step `min_resource · reduction_factor^(min_early_stopping_rate + r)`. The value reported there is
/// kept as the attribute `completed_rung_r`; a trial passes if it is among the best `1/reduction_factor` of all
/// values of the rung, its own included, or the best one. So the first trials of a rung pass, whatever they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuccessiveHalvingPruner {
    /// The step of the first rung, at least 1; none for a hundredth of the steps of the longest complete trial, and no
    /// pruning before there is one. Default none.
    pub min_resource: Option<u64>,
    /// What steps grow by from rung to rung, at least 2. Default 4.
    pub reduction_factor: u64,
    /// Rungs that are left out at the start. Default 0.
    pub min_early_stopping_rate: u32,
    /// So many trials end at a rung before any passes. Default 0.
    pub bootstrap_count: usize,
}

impl Default for SuccessiveHalvingPruner {
    fn default() -> Self {
        Self {
            min_resource: None,
            reduction_factor: 4,
            min_early_stopping_rate: 0,
            bootstrap_count: 0,
        }
    }
}

impl Pruner for SuccessiveHalvingPruner {
    fn judge(&self, history: &History<'_>, trial: &Trial) -> Verdict {
        let mut verdict = Verdict::default();
        let min_resource = self.min_resource.or_else(|| estimated_resource(history));
        let (Some(min_resource), Some((step, value))) = (min_resource, trial.last_step()) else {
            return verdict;
        };
        let mut rung = 0;
        while trial.system_attrs.contains_key(&rung_key(rung)) {
            rung += 1;
        }
        loop {
            let exponent = self.min_early_stopping_rate.saturating_add(rung);
            let factor = self.reduction_factor.max(2).saturating_pow(exponent);
            if step < i64::try_from(min_resource.saturating_mul(factor)).unwrap_or(i64::MAX) {
                return verdict;
            }
            if value.is_nan() {
                verdict.prune = true;
                return verdict;
            }
            let key = rung_key(rung);
            let others = history.trials.iter();
            let others = others.filter_map(|other| other.system_attrs.get(&key)?.as_f64());
            let competing: Vec<f64> = others.chain([value]).collect();
            verdict.attributes.push((key, Json::Float(value)));
            let passes = competing.len() > self.bootstrap_count
                && self.is_among_the_best(value, competing, history.directions[0]);
            if !passes {
                verdict.prune = true;
                return verdict;
            }
            rung += 1;
        }
    }
}

impl SuccessiveHalvingPruner {
    fn is_among_the_best(&self, value: f64, competing: Vec<f64>, direction: Direction) -> bool {
        let mut losses: Vec<f64> = competing
            .iter()
            .map(|value| direction.loss(*value))
            .collect();
        losses.sort_by(f64::total_cmp);
        let passing = losses.len() / self.reduction_factor.max(2) as usize;
        direction.loss(value) <= losses[passing.max(1) - 1]
    }
}

fn rung_key(rung: u32) -> String {
    format!("completed_rung_{rung}")
}

fn estimated_resource(history: &History<'_>) -> Option<u64> {
    let complete = history.in_state(TrialState::Complete);
    let last = complete
        .filter_map(|trial| trial.last_step())
        .map(|(step, _)| step)
        .max()?;
    Some((last / 100).max(1) as u64)
}
