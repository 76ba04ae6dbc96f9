//! Whether a trial is worth going on with.

use strata_json::Json;

use crate::study::History;
use crate::trial::Trial;

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

/// Whether a trial is worth going on with, by what it has reported so far.
pub trait Pruner: Send + Sync {
    /// Judges `trial`, which has reported at least one value; `history` holds the others. The study has one objective.
    fn judge(&self, history: &History<'_>, trial: &Trial) -> Verdict;
}
