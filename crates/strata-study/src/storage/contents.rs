//! Studies and trials in memory, as [`MemoryStorage`](super::MemoryStorage) keeps them and as a journal is replayed.

use std::sync::Arc;

use jiff::Timestamp;
use strata_json::Json;

use super::{AttributeKind, StorageError, StudyId, StudyRecord};
use crate::trial::{Attributes, Param, Trial, TrialId, TrialState};
use crate::{Direction, Distribution};

/// All studies of a storage. Identities count from 0; those of what was deleted do not come again.
#[derive(Debug, Default)]
pub(super) struct Contents {
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

/// What a change of state sets.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StateChange {
    pub(super) state: TrialState,
    /// None leaves those that there are.
    pub(super) values: Option<Vec<f64>>,
    /// When it began or ended.
    pub(super) time: Option<Timestamp>,
}

impl Contents {
    fn study(&self, id: StudyId) -> Result<&Study, StorageError> {
        let study = usize::try_from(id.0)
            .ok()
            .and_then(|id| self.studies.get(id));
        study
            .and_then(Option::as_ref)
            .ok_or(StorageError::NoStudy(id.0))
    }

    fn study_mut(&mut self, id: StudyId) -> Result<&mut Study, StorageError> {
        self.check_study(id)?;
        let study = self.studies[id.0 as usize].as_mut();
        study.ok_or(StorageError::NoStudy(id.0))
    }

    fn place(&self, id: TrialId) -> Result<(StudyId, usize), StorageError> {
        let place = usize::try_from(id.0)
            .ok()
            .and_then(|id| self.places.get(id));
        let (study, number) = *place.ok_or(StorageError::NoTrial(id.0))?;
        Ok((StudyId(study as i64), number))
    }

    fn trial(&self, id: TrialId) -> Result<&Trial, StorageError> {
        let (study, number) = self.place(id)?;
        let study = self.study(study);
        let study = study.map_err(|_| StorageError::NoTrial(id.0))?;
        Ok(&study.trials[number])
    }

    /// That the study exists.
    pub(super) fn check_study(&self, id: StudyId) -> Result<(), StorageError> {
        self.study(id).map(|_| ())
    }

    /// That no study has the name.
    pub(super) fn check_name(&self, name: &str) -> Result<(), StorageError> {
        let mut studies = self.studies.iter().flatten();
        if studies.any(|study| study.record.name == name) {
            return Err(StorageError::DuplicatedStudy(name.to_owned()));
        }
        Ok(())
    }

    /// That the trial may still change.
    pub(super) fn check_open(&self, id: TrialId) -> Result<(), StorageError> {
        let trial = self.trial(id)?;
        if trial.state.is_finished() {
            return Err(StorageError::TrialFinished(trial.number));
        }
        Ok(())
    }

    /// Whether nobody has begun the trial.
    pub(super) fn waits(&self, id: TrialId) -> Result<bool, StorageError> {
        Ok(self.trial(id)?.state == TrialState::Waiting)
    }

    /// That the trial's study has the parameter with the same kind of values, if at all.
    pub(super) fn check_compatible(
        &self,
        id: TrialId,
        name: &str,
        distribution: &Distribution,
    ) -> Result<(), StorageError> {
        let (study, _) = self.place(id)?;
        let mut trials = self.study(study)?.trials.iter();
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

    fn open_trial(&mut self, id: TrialId) -> Result<&mut Trial, StorageError> {
        self.check_open(id)?;
        let (study, number) = self.place(id)?;
        Ok(Arc::make_mut(&mut self.study_mut(study)?.trials[number]))
    }

    /// All studies, in the order in which they were made.
    pub(super) fn studies(&self) -> Vec<StudyRecord> {
        let studies = self.studies.iter().flatten();
        studies.map(|study| study.record.clone()).collect()
    }

    /// The trials of a study, by number.
    pub(super) fn trials(&self, study: StudyId) -> Result<Vec<Arc<Trial>>, StorageError> {
        Ok(self.study(study)?.trials.clone())
    }

    pub(super) fn create_study(
        &mut self,
        name: &str,
        directions: &[Direction],
    ) -> Result<StudyId, StorageError> {
        self.check_name(name)?;
        let id = StudyId(self.studies.len() as i64);
        self.studies.push(Some(Study {
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

    pub(super) fn delete_study(&mut self, study: StudyId) -> Result<(), StorageError> {
        self.check_study(study)?;
        self.studies[study.0 as usize] = None;
        Ok(())
    }

    pub(super) fn set_study_attr(
        &mut self,
        study: StudyId,
        kind: AttributeKind,
        key: &str,
        value: &Json,
    ) -> Result<(), StorageError> {
        let record = &mut self.study_mut(study)?.record;
        attributes_of(kind, &mut record.user_attrs, &mut record.system_attrs)
            .insert(key.to_owned(), value.clone());
        Ok(())
    }

    pub(super) fn create_trial(
        &mut self,
        study: StudyId,
        template: Trial,
    ) -> Result<(TrialId, u64), StorageError> {
        let id = TrialId(self.places.len() as i64);
        let trials = &mut self.study_mut(study)?.trials;
        let number = trials.len();
        trials.push(Arc::new(Trial {
            id,
            number: number as u64,
            ..template
        }));
        self.places.push((study.0 as usize, number));
        Ok((id, number as u64))
    }

    pub(super) fn set_trial_param(
        &mut self,
        trial: TrialId,
        name: &str,
        param: Param,
    ) -> Result<(), StorageError> {
        self.check_open(trial)?;
        self.check_compatible(trial, name, &param.distribution)?;
        self.open_trial(trial)?
            .params
            .insert(name.to_owned(), param);
        Ok(())
    }

    pub(super) fn set_trial_state(
        &mut self,
        trial: TrialId,
        change: StateChange,
    ) -> Result<bool, StorageError> {
        if change.state == TrialState::Running && !self.waits(trial)? {
            return Ok(false);
        }
        let trial = self.open_trial(trial)?;
        trial.state = change.state;
        if let Some(values) = change.values {
            trial.values = values;
        }
        if change.state == TrialState::Running {
            trial.started = change.time;
        } else if change.state.is_finished() {
            trial.completed = change.time;
        }
        Ok(true)
    }

    pub(super) fn set_intermediate_value(
        &mut self,
        trial: TrialId,
        step: i64,
        value: f64,
    ) -> Result<(), StorageError> {
        let trial = self.open_trial(trial)?;
        trial.intermediate_values.insert(step, value);
        Ok(())
    }

    pub(super) fn set_trial_attr(
        &mut self,
        trial: TrialId,
        kind: AttributeKind,
        key: &str,
        value: &Json,
    ) -> Result<(), StorageError> {
        let trial = self.open_trial(trial)?;
        attributes_of(kind, &mut trial.user_attrs, &mut trial.system_attrs)
            .insert(key.to_owned(), value.clone());
        Ok(())
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
