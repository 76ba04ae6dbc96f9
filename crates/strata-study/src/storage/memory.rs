//! Studies of this process alone.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use strata_json::Json;

use super::{AttributeKind, Storage, StorageError, StudyId, StudyRecord};
use crate::trial::{Attributes, Param, Trial, TrialId, TrialState};
use crate::{Direction, Distribution};

/// Studies of this process alone; they end with it.
#[derive(Debug, Default)]
pub struct MemoryStorage {
    contents: Mutex<Contents>,
}

#[derive(Debug, Default)]
struct Contents {
    /// By identity; none where one was deleted.
    studies: Vec<Option<Study>>,
    /// Study and number of each trial, by identity.
    places: Vec<(usize, usize)>,
}

#[derive(Debug)]
struct Study {
    record: StudyRecord,
    trials: Vec<Arc<Trial>>,
}

impl MemoryStorage {
    fn contents(&self) -> MutexGuard<'_, Contents> {
        // Every change is made at once, after the last thing that can panic.
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contents {
    fn study(&mut self, id: StudyId) -> Result<&mut Study, StorageError> {
        let study = self.studies.get_mut(id.0 as usize);
        study
            .and_then(Option::as_mut)
            .ok_or(StorageError::NoStudy(id.0))
    }

    /// The trial that may still change, and its study's others.
    fn open_trial(&mut self, id: TrialId) -> Result<&mut Trial, StorageError> {
        let (study, number) = *self
            .places
            .get(id.0 as usize)
            .ok_or(StorageError::NoTrial(id.0))?;
        let study = self.studies[study]
            .as_mut()
            .ok_or(StorageError::NoTrial(id.0))?;
        let trial = &mut study.trials[number];
        if trial.state.is_finished() {
            return Err(StorageError::TrialFinished(trial.number));
        }
        Ok(Arc::make_mut(trial))
    }

    fn check_compatible(
        &self,
        id: TrialId,
        name: &str,
        distribution: &Distribution,
    ) -> Result<(), StorageError> {
        let place = self.places.get(id.0 as usize);
        let study = place.and_then(|(study, _)| self.studies[*study].as_ref());
        let mut trials = study.into_iter().flat_map(|study| &study.trials);
        let earlier = trials.find_map(|trial| trial.params.get(name));
        match earlier {
            Some(param) if !param.distribution.is_compatible(distribution) => {
                Err(StorageError::Incompatible {
                    name: name.to_owned(),
                    earlier: param.distribution.to_json(),
                    now: distribution.to_json(),
                })
            }
            _ => Ok(()),
        }
    }
}

fn attributes_of<'a>(
    kind: AttributeKind,
    user: &'a mut Attributes,
    system: &'a mut Attributes,
) -> &'a mut Attributes {
    match kind {
        AttributeKind::User => user,
        AttributeKind::System => system,
    }
}

impl Storage for MemoryStorage {
    fn create_study(&self, name: &str, directions: &[Direction]) -> Result<StudyId, StorageError> {
        let mut contents = self.contents();
        let mut studies = contents.studies.iter().flatten();
        if studies.any(|study| study.record.name == name) {
            return Err(StorageError::DuplicatedStudy(name.to_owned()));
        }
        let id = StudyId(contents.studies.len() as i64);
        contents.studies.push(Some(Study {
            record: StudyRecord {
                id,
                name: name.to_owned(),
                directions: directions.to_vec(),
                user_attrs: Attributes::new(),
                system_attrs: Attributes::new(),
            },
            trials: Vec::new(),
        }));
        Ok(id)
    }

    fn delete_study(&self, study: StudyId) -> Result<(), StorageError> {
        let mut contents = self.contents();
        contents.study(study)?;
        contents.studies[study.0 as usize] = None;
        Ok(())
    }

    fn studies(&self) -> Result<Vec<StudyRecord>, StorageError> {
        let contents = self.contents();
        let studies = contents.studies.iter().flatten();
        Ok(studies.map(|study| study.record.clone()).collect())
    }

    fn set_study_attr(
        &self,
        study: StudyId,
        kind: AttributeKind,
        key: &str,
        value: &Json,
    ) -> Result<(), StorageError> {
        let mut contents = self.contents();
        let record = &mut contents.study(study)?.record;
        attributes_of(kind, &mut record.user_attrs, &mut record.system_attrs)
            .insert(key.to_owned(), value.clone());
        Ok(())
    }

    fn create_trial(
        &self,
        study: StudyId,
        template: &Trial,
    ) -> Result<(TrialId, u64), StorageError> {
        let mut contents = self.contents();
        let id = TrialId(contents.places.len() as i64);
        let trials = &mut contents.study(study)?.trials;
        let number = trials.len();
        trials.push(Arc::new(Trial {
            id,
            number: number as u64,
            ..template.clone()
        }));
        contents.places.push((study.0 as usize, number));
        Ok((id, number as u64))
    }

    fn set_trial_param(
        &self,
        trial: TrialId,
        name: &str,
        internal: f64,
        distribution: &Distribution,
    ) -> Result<(), StorageError> {
        let mut contents = self.contents();
        contents.check_compatible(trial, name, distribution)?;
        let distribution = Arc::new(distribution.clone());
        contents.open_trial(trial)?.params.insert(
            name.to_owned(),
            Param {
                distribution,
                internal,
            },
        );
        Ok(())
    }

    fn set_trial_state(
        &self,
        trial: TrialId,
        state: TrialState,
        values: &[f64],
    ) -> Result<bool, StorageError> {
        let mut contents = self.contents();
        let trial = contents.open_trial(trial)?;
        if state == TrialState::Running && trial.state != TrialState::Waiting {
            return Ok(false);
        }
        let now = Some(Timestamp::now());
        trial.state = state;
        trial.values = values.to_vec();
        if state == TrialState::Running {
            trial.started = now;
        } else if state.is_finished() {
            trial.completed = now;
        }
        Ok(true)
    }

    fn set_intermediate_value(
        &self,
        trial: TrialId,
        step: i64,
        value: f64,
    ) -> Result<(), StorageError> {
        let mut contents = self.contents();
        let trial = contents.open_trial(trial)?;
        trial.intermediate_values.insert(step, value);
        Ok(())
    }

    fn set_trial_attr(
        &self,
        trial: TrialId,
        kind: AttributeKind,
        key: &str,
        value: &Json,
    ) -> Result<(), StorageError> {
        let mut contents = self.contents();
        let trial = contents.open_trial(trial)?;
        attributes_of(kind, &mut trial.user_attrs, &mut trial.system_attrs)
            .insert(key.to_owned(), value.clone());
        Ok(())
    }

    fn trials(&self, study: StudyId) -> Result<Vec<Arc<Trial>>, StorageError> {
        Ok(self.contents().study(study)?.trials.clone())
    }
}
