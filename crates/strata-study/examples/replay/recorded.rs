//! A study of random configurations whose whole learning curves are known.

use std::error::Error;
use std::sync::Arc;

use strata_study::storage::open_existing;
use strata_study::{Direction, Distribution, Trial, TrialState};

/// Configurations and what became of them.
pub(crate) struct Recording {
    pub(crate) direction: Direction,
    /// The parameters, in the order in which they were asked for.
    pub(crate) space: Vec<(String, Arc<Distribution>)>,
    pub(crate) runs: Vec<Run>,
}

/// One configuration.
pub(crate) struct Run {
    /// Each parameter from -1 to 1 over its range, on a logarithmic scale where it was drawn on one.
    pub(crate) point: Vec<f64>,
    /// What was reported after each epoch.
    pub(crate) curve: Vec<f64>,
}

impl Recording {
    /// The complete trials of the only study of a storage.
    pub(crate) fn open(url: &str) -> Result<Self, Box<dyn Error>> {
        let storage = open_existing(url)?;
        let studies = storage.studies()?;
        let [study] = &studies[..] else {
            return Err("the storage must have one study".into());
        };
        let trials = storage.trials(study.id)?;
        let mut complete = trials
            .iter()
            .filter(|trial| trial.state == TrialState::Complete)
            .peekable();
        let first = complete.peek().ok_or("the study has no complete trial")?;
        let epochs = first.intermediate_values.len();
        let space: Vec<(String, Arc<Distribution>)> = first
            .params
            .iter()
            .map(|(name, param)| (name.clone(), Arc::clone(&param.distribution)))
            .collect();
        let runs = complete.map(|trial| {
            let run = Run {
                point: point(trial, &space).ok_or("a trial has other parameters")?,
                curve: trial.intermediate_values.values().copied().collect(),
            };
            if run.curve.len() == epochs {
                Ok(run)
            } else {
                Err("the trials are not equally long")
            }
        });
        Ok(Self {
            direction: study.directions[0],
            runs: runs.collect::<Result<_, _>>()?,
            space,
        })
    }

    /// Epochs of a whole trial.
    pub(crate) fn epochs(&self) -> usize {
        self.runs[0].curve.len()
    }

    /// What each configuration had come to after some epochs.
    pub(crate) fn after(&self, epochs: usize) -> Vec<f64> {
        let values = self.runs.iter().map(|run| run.curve[epochs - 1]);
        values.collect()
    }

    /// The value of each configuration: the best that was reported.
    pub(crate) fn values(&self) -> Vec<f64> {
        let values = self.runs.iter().map(|run| best(self.direction, &run.curve));
        values.collect()
    }
}

/// The value of a trial with a curve: the best that was reported.
pub(crate) fn best(direction: Direction, curve: &[f64]) -> f64 {
    let best = direction.best(curve.iter().copied());
    best.unwrap_or(f64::NAN)
}

/// A trial's parameters, each from -1 to 1.
pub(crate) fn point(trial: &Trial, space: &[(String, Arc<Distribution>)]) -> Option<Vec<f64>> {
    let coordinates = space.iter().map(|(name, distribution)| {
        let value = trial.params.get(name)?.internal;
        let (low, high, is_log) = match **distribution {
            Distribution::Float { low, high, log, .. } => (low, high, log),
            Distribution::Int { low, high, log, .. } => (low as f64, high as f64, log),
            Distribution::Categorical { .. } => return None,
        };
        let scale = |value: f64| if is_log { libm::log(value) } else { value };
        Some(2.0 * (scale(value) - scale(low)) / (scale(high) - scale(low)) - 1.0)
    });
    coordinates.collect()
}
