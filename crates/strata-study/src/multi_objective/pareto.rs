//! The trials that no other dominates.

use std::sync::Arc;

use super::nondominated_ranks;
use crate::Direction;
use crate::trial::{Trial, TrialState};

/// The complete trials that no other complete trial dominates, by number.
pub fn pareto_front(trials: &[Arc<Trial>], directions: &[Direction]) -> Vec<Arc<Trial>> {
    let complete: Vec<&Arc<Trial>> = trials
        .iter()
        .filter(|trial| trial.state == TrialState::Complete)
        .filter(|trial| trial.values.len() == directions.len())
        .collect();
    let losses = complete.iter().map(|trial| {
        let values = trial.values.iter().zip(directions);
        values
            .map(|(value, direction)| direction.loss(*value))
            .collect()
    });
    let ranks = nondominated_ranks(&losses.collect::<Vec<Vec<f64>>>());
    let front = complete.into_iter().zip(ranks);
    front
        .filter(|(_, rank)| *rank == 0)
        .map(|(trial, _)| Arc::clone(trial))
        .collect()
}
