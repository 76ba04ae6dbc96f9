//! Studies of this process alone.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use strata_json::Json;

use super::contents::{Contents, StateChange};
use super::{
    AttributeKind, Storage, StorageError, StudyId, StudyRecord, check_numbers, check_template,
};
use crate::trial::{Param, Trial, TrialId, TrialState};
use crate::{Direction, Distribution};

/// Studies of this process alone; they end with it.
#[derive(Debug, Default)]
pub struct MemoryStorage {
    contents: Mutex<Contents>,
}

impl MemoryStorage {
    fn contents(&self) -> MutexGuard<'_, Contents> {
        // Every change is made at once, after the last thing that can panic.
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Storage for MemoryStorage {
    fn create_study(&self, name: &str, directions: &[Direction]) -> Result<StudyId, StorageError> {
        self.contents().create_study(name, directions)
    }

    fn delete_study(&self, study: StudyId) -> Result<(), StorageError> {
        self.contents().delete_study(study)
    }

    fn studies(&self) -> Result<Vec<StudyRecord>, StorageError> {
        Ok(self.contents().studies())
    }

    fn set_study_attr(
        &self,
        study: StudyId,
        kind: AttributeKind,
        key: &str,
        value: &Json,
    ) -> Result<(), StorageError> {
        self.contents().set_study_attr(study, kind, key, value)
    }

    fn create_trial(
        &self,
        study: StudyId,
        template: &Trial,
    ) -> Result<(TrialId, u64), StorageError> {
        check_template(template)?;
        self.contents().create_trial(study, template.clone())
    }

    fn set_trial_param(
        &self,
        trial: TrialId,
        name: &str,
        internal: f64,
        distribution: &Distribution,
    ) -> Result<(), StorageError> {
        check_numbers(&[internal])?;
        let distribution = Arc::new(distribution.clone());
        let param = Param {
            distribution,
            internal,
        };
        self.contents().set_trial_param(trial, name, param)
    }

    fn set_trial_state(
        &self,
        trial: TrialId,
        state: TrialState,
        values: &[f64],
    ) -> Result<bool, StorageError> {
        check_numbers(values)?;
        let change = StateChange {
            state,
            values: Some(values.to_vec()),
            time: Some(Timestamp::now()),
        };
        self.contents().set_trial_state(trial, change)
    }

    fn set_intermediate_value(
        &self,
        trial: TrialId,
        step: i64,
        value: f64,
    ) -> Result<(), StorageError> {
        self.contents().set_intermediate_value(trial, step, value)
    }

    fn set_trial_attr(
        &self,
        trial: TrialId,
        kind: AttributeKind,
        key: &str,
        value: &Json,
    ) -> Result<(), StorageError> {
        self.contents().set_trial_attr(trial, kind, key, value)
    }

    fn trials(&self, study: StudyId) -> Result<Vec<Arc<Trial>>, StorageError> {
        self.contents().trials(study)
    }
}
