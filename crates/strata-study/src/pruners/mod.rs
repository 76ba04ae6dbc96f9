//! Whether a trial is worth going on with.
//!
//! One method a file, by Optuna's names, rules and defaults; `conformance/sweep/vectors` has whole studies of
//! Optuna's decisions, which the tests repeat.

mod hyperband;
mod name;
mod patient;
mod percentile;
mod steps;
mod successive_halving;
mod threshold;
mod wilcoxon;

use strata_json::Json;

use crate::study::History;
use crate::trial::Trial;

pub use hyperband::HyperbandPruner;
pub use name::PrunerName;
pub use patient::PatientPruner;
pub use percentile::PercentilePruner;
pub use successive_halving::SuccessiveHalvingPruner;
pub use threshold::ThresholdPruner;
pub use wilcoxon::WilcoxonPruner;

/// What a pruner says of a trial.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verdict {
    /// Whether it is to end.
    pub prune: bool,
    /// What is to be kept with the trial.
    pub attributes: Vec<(String, Json)>,
}

impl Verdict {
    fn of(prune: bool) -> Self {
        Self {
            prune,
            attributes: Vec::new(),
        }
    }
}

/// Whether a trial is worth going on with, by what it has reported so far: a function of the trials alone.
pub trait Pruner: Send + Sync {
    /// Judges `trial`, which has reported at least one value; `history` holds the others. The study has one objective.
    fn judge(&self, history: &History<'_>, trial: &Trial) -> Verdict;
}

/// Lets every trial go on.
#[derive(Debug, Clone, Copy, Default)]
pub struct NopPruner;

impl Pruner for NopPruner {
    fn judge(&self, _: &History<'_>, _: &Trial) -> Verdict {
        Verdict::default()
    }
}

#[cfg(test)]
mod vectors;
