//! Hyperband.

use std::sync::Arc;

use super::{Pruner, SuccessiveHalvingPruner, Verdict};
use crate::study::History;
use crate::trial::{Trial, TrialState};

/// Several brackets of successive halving, each with its first rung later than the one before (Li et al. 2018).
///
/// A trial's bracket follows from the name of the study and its number, so that all workers agree; of `B` brackets,
/// bracket `i` gets a share of `⌈B · factor^s / (s + 1)⌉`, with `s = B − 1 − i`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HyperbandPruner {
    /// The step of the first rung of the first bracket, at least 1. Default 1.
    pub min_resource: u64,
    /// The steps of a whole trial; none for one more than the longest complete trial has, and no pruning before there
    /// is one. Default none.
    pub max_resource: Option<u64>,
    /// What steps grow by from rung to rung, at least 2. Default 3.
    pub reduction_factor: u64,
    /// So many trials end at a rung before any passes. Default 0.
    pub bootstrap_count: usize,
}

impl Default for HyperbandPruner {
    fn default() -> Self {
        Self {
            min_resource: 1,
            max_resource: None,
            reduction_factor: 3,
            bootstrap_count: 0,
        }
    }
}

/// The brackets and the share of trials that each gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Brackets {
    shares: Vec<u64>,
}

impl Brackets {
    pub(super) fn new(min_resource: u64, max_resource: u64, reduction_factor: u64) -> Self {
        let ratio = max_resource as f64 / min_resource.max(1) as f64;
        let log = libm::log(ratio) / libm::log(reduction_factor as f64);
        let count = (log.floor().max(0.0) as u32).min(63) + 1;
        let shares = (0..count).rev().map(|s| {
            let share = u64::from(count).saturating_mul(reduction_factor.saturating_pow(s));
            share.div_ceil(u64::from(s) + 1)
        });
        Self {
            shares: shares.collect(),
        }
    }

    /// The bracket of a trial.
    pub(super) fn of_trial(&self, study_name: &str, number: u64) -> usize {
        let hash = crc32fast::hash(format!("{study_name}_{number}").as_bytes());
        let mut left = u64::from(hash) % self.shares.iter().sum::<u64>();
        for (bracket, share) in self.shares.iter().enumerate() {
            if left < *share {
                return bracket;
            }
            left -= share;
        }
        unreachable!("what is left is below the sum of the shares")
    }
}

impl Pruner for HyperbandPruner {
    fn judge(&self, history: &History<'_>, trial: &Trial) -> Verdict {
        let max_resource = self.max_resource.or_else(|| first_known_resource(history));
        let Some(max_resource) = max_resource else {
            return Verdict::default();
        };
        let brackets = Brackets::new(self.min_resource, max_resource, self.reduction_factor);
        let bracket_of = |number| brackets.of_trial(history.study_name, number);
        let bracket = bracket_of(trial.number);
        let others = history.trials.iter();
        let of_bracket: Vec<Arc<Trial>> = others
            .filter(|other| bracket_of(other.number) == bracket)
            .map(Arc::clone)
            .collect();
        let halving = SuccessiveHalvingPruner {
            min_resource: Some(self.min_resource),
            reduction_factor: self.reduction_factor,
            min_early_stopping_rate: bracket as u32,
            bootstrap_count: self.bootstrap_count,
        };
        let history = History {
            trials: &of_bracket,
            ..*history
        };
        halving.judge(&history, trial)
    }
}

/// One more than the steps of the longest trial among those that were complete when the first one was: Optuna looks
/// once and stays with what it saw.
fn first_known_resource(history: &History<'_>) -> Option<u64> {
    let complete = history.in_state(TrialState::Complete);
    let last = complete
        .filter_map(|trial| trial.last_step())
        .map(|(step, _)| step)
        .max()?;
    Some(last.max(0) as u64 + 1)
}

#[cfg(test)]
impl Brackets {
    pub(super) fn shares(&self) -> &[u64] {
        &self.shares
    }
}
