//! Trials and histories for tests.

use std::sync::Arc;

use crate::study::History;
use crate::trial::{Param, Trial, TrialState};
use crate::{Direction, Distribution};

/// A complete trial.
pub(super) fn trial_of(
    number: u64,
    params: &[(&str, &Arc<Distribution>, f64)],
    values: &[f64],
) -> Trial {
    let mut trial = Trial::new(TrialState::Complete);
    trial.number = number;
    trial.values = values.to_vec();
    for (name, distribution, internal) in params {
        let param = Param {
            distribution: Arc::clone(distribution),
            internal: *internal,
        };
        trial.params.insert((*name).to_owned(), param);
    }
    trial
}

/// A study of these trials.
pub(super) fn history_of<'a>(trials: &'a [Arc<Trial>], directions: &'a [Direction]) -> History<'a> {
    History {
        study_name: "test",
        directions,
        trials,
        seed: 1,
    }
}
