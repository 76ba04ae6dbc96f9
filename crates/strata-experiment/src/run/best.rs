//! The best model so far, kept on disk whenever there is a better one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use strata_data::Splits;
use strata_nn::{Mlp, NamedTensor, Trainer};
use strata_track::Row;

use super::job::Job;
use crate::artifact::{self, ModelCard};
use crate::config::SweepMode;
use crate::error::ExperimentError;

/// The best model so far.
pub(super) struct Best<'a> {
    job: &'a Job<'a>,
    splits: &'a Splits,
    found: Option<(BestRecord, Mlp)>,
}

/// What is known of the best model besides its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct BestRecord {
    /// The sweep's metric; none if it was not a number.
    pub(super) value: Option<f64>,
    /// Epoch, from 1.
    pub(super) epoch: u64,
    /// Figures of its evaluation.
    metrics: BTreeMap<String, f64>,
}

impl<'a> Best<'a> {
    pub(super) fn new(job: &'a Job<'a>, splits: &'a Splits) -> Self {
        Self {
            job,
            splits,
            found: None,
        }
    }

    /// Takes up what a checkpoint has kept, and brings the file on disk back to it.
    pub(super) fn restore(
        &mut self,
        record: BestRecord,
        parameters: &[NamedTensor],
        trainer: &Trainer,
    ) -> Result<(), ExperimentError> {
        let mut mlp = trainer.mlp().clone();
        mlp.load_parameters(parameters)
            .map_err(strata_nn::StateError::from)?;
        self.keep(record, mlp)
    }

    /// The record and the parameters, for a checkpoint.
    pub(super) fn found(&self) -> Option<&(BestRecord, Mlp)> {
        self.found.as_ref()
    }

    /// Keeps the model if the sweep's metric is better than before; of equal ones the first.
    pub(super) fn offer(
        &mut self,
        mlp: &Mlp,
        epoch: u64,
        row: &Row,
    ) -> Result<(), ExperimentError> {
        let sweep = &self.job.config.training.sweep;
        let value = row.values.get(&sweep.metric).copied();
        let value = value.filter(|value| !value.is_nan());
        let better = match (&self.found, value) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some((best, _)), Some(value)) => best
                .value
                .is_none_or(|best| is_better(sweep.mode, value, best)),
        };
        if !better {
            return Ok(());
        }
        let metrics = row
            .values
            .iter()
            .filter(|(name, value)| is_of_an_evaluation(name) && value.is_finite());
        let record = BestRecord {
            value,
            epoch,
            metrics: metrics
                .map(|(name, value)| (name.clone(), *value))
                .collect(),
        };
        self.keep(record, mlp.clone())
    }

    /// Keeps the model of a run that was stopped before its first evaluation.
    pub(super) fn offer_unevaluated(
        &mut self,
        mlp: &Mlp,
        epoch: u64,
    ) -> Result<(), ExperimentError> {
        if self.found.is_some() {
            return Ok(());
        }
        let record = BestRecord {
            value: None,
            epoch,
            metrics: BTreeMap::new(),
        };
        self.keep(record, mlp.clone())
    }

    fn keep(&mut self, record: BestRecord, mlp: Mlp) -> Result<(), ExperimentError> {
        let config = self.job.config;
        let mut data = config.data.clone();
        data.root = absolute(&data.root);
        let card = ModelCard {
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            epoch: record.epoch,
            model: config.model.clone(),
            data,
            seed: config.training.seed,
            data_fingerprint: self.splits.fingerprint.clone(),
            class_names: self.splits.class_names.clone(),
            metrics: record.metrics.clone(),
        };
        artifact::write(self.job.directory, &mlp, &card)?;
        self.found = Some((record, mlp));
        Ok(())
    }

    /// The best model, or the last one where none was kept.
    pub(super) fn mlp(&self, trainer: &Trainer) -> Mlp {
        let found = self.found.as_ref();
        found.map_or_else(|| trainer.mlp().clone(), |(_, mlp)| mlp.clone())
    }
}

/// Whether a value is strictly better than another.
pub(super) fn is_better(mode: SweepMode, value: f64, than: f64) -> bool {
    match mode {
        SweepMode::Max => value > than,
        SweepMode::Min => value < than,
    }
}

fn is_of_an_evaluation(name: &str) -> bool {
    ["train/", "train_eval/", "validation/"]
        .iter()
        .any(|start| name.starts_with(start))
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
