//! A study: trials that are asked for, evaluated and told.

use std::sync::Arc;

use indexmap::IndexMap;
use strata_json::Json;

use crate::samplers::Proposal;
use crate::storage::{AttributeKind, StudyId, StudyRecord};
use crate::trial::{Attributes, Trial, TrialId, TrialState};
use crate::{Direction, Distribution, Pruner, Random, Sampler, Storage, StorageError};

/// The attribute of a trial that holds values it must take, as Optuna's `enqueue_trial` writes it.
pub const FIXED_PARAMS: &str = "fixed_params";

/// A study that can be asked for trials.
pub struct Study {
    storage: Arc<dyn Storage>,
    id: StudyId,
    name: String,
    directions: Vec<Direction>,
    seed: u64,
    sampler: Box<dyn Sampler>,
    pruner: Box<dyn Pruner>,
}

/// What can go wrong with a study.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// The storage.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The storage has a study of the name that searches for something else.
    #[error("the study `{name}` of the storage is to {stored}, not to {wanted}")]
    OtherDirections {
        /// The study.
        name: String,
        /// What it is for.
        stored: String,
        /// What was asked for.
        wanted: String,
    },
}

/// What samplers and pruners see of a study.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    /// The name of the study.
    pub study_name: &'a str,
    /// One direction for each objective.
    pub directions: &'a [Direction],
    /// All trials but the one that is asked for, by number.
    pub trials: &'a [Arc<Trial>],
    /// The seed of the study.
    pub seed: u64,
}

impl<'a> History<'a> {
    /// The trials in a state.
    pub fn in_state(&self, state: TrialState) -> impl Iterator<Item = &'a Arc<Trial>> {
        self.trials.iter().filter(move |trial| trial.state == state)
    }

    /// The value of a complete trial as a loss: less is better. For studies with one objective.
    pub fn loss(&self, trial: &Trial) -> f64 {
        let value = trial.values.first().copied().unwrap_or(f64::NAN);
        self.directions[0].loss(value)
    }
}

fn named(directions: &[Direction]) -> String {
    let names: Vec<&str> = directions
        .iter()
        .map(|direction| direction.name())
        .collect();
    names.join(", ")
}

impl Study {
    /// Opens the study of a name, or makes it.
    ///
    /// # Errors
    /// The storage fails, or has a study of the name with other directions.
    pub fn open_or_create(
        storage: Arc<dyn Storage>,
        name: &str,
        directions: &[Direction],
        seed: u64,
        sampler: Box<dyn Sampler>,
        pruner: Box<dyn Pruner>,
    ) -> Result<Self, StudyError> {
        let record = match storage.study_named(name)? {
            Some(record) => record,
            None => match storage.create_study(name, directions) {
                // Another process was faster.
                Ok(_) | Err(StorageError::DuplicatedStudy(_)) => storage
                    .study_named(name)?
                    .ok_or(StorageError::NoStudy(-1))?,
                Err(error) => return Err(error.into()),
            },
        };
        if record.directions != directions {
            return Err(StudyError::OtherDirections {
                name: name.to_owned(),
                stored: named(&record.directions),
                wanted: named(directions),
            });
        }
        Ok(Self::of_record(storage, record, seed, sampler, pruner))
    }

    /// A study that the storage has.
    pub fn of_record(
        storage: Arc<dyn Storage>,
        record: StudyRecord,
        seed: u64,
        sampler: Box<dyn Sampler>,
        pruner: Box<dyn Pruner>,
    ) -> Self {
        Self {
            storage,
            id: record.id,
            name: record.name,
            directions: record.directions,
            seed,
            sampler,
            pruner,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the storage knows it by.
    pub fn id(&self) -> StudyId {
        self.id
    }

    /// One direction for each objective.
    pub fn directions(&self) -> &[Direction] {
        &self.directions
    }

    /// Where it is kept.
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    /// All trials, by number.
    ///
    /// # Errors
    /// The storage fails.
    pub fn trials(&self) -> Result<Vec<Arc<Trial>>, StorageError> {
        self.storage.trials(self.id)
    }

    /// The best complete trial, the first of equals; for studies with one objective.
    ///
    /// # Errors
    /// The storage fails.
    pub fn best(&self) -> Result<Option<Arc<Trial>>, StorageError> {
        Ok(best_of(&self.trials()?, self.directions[0]))
    }

    /// Whether the sampler has nothing left to propose.
    ///
    /// # Errors
    /// The storage fails.
    pub fn is_exhausted(&self) -> Result<bool, StorageError> {
        let trials = self.trials()?;
        Ok(self.sampler.is_exhausted(&self.history(&trials)))
    }

    /// Keeps a trial for later that takes the values given, of parameters by name, and has these system attributes;
    /// the next [`Study::ask`] takes it.
    ///
    /// # Errors
    /// The storage fails.
    pub fn enqueue(
        &self,
        values: IndexMap<String, Json>,
        attributes: Attributes,
    ) -> Result<(), StorageError> {
        let mut template = Trial::new(TrialState::Waiting);
        template.system_attrs = attributes;
        let attrs = &mut template.system_attrs;
        attrs.insert(FIXED_PARAMS.to_owned(), Json::Map(values));
        self.storage.create_trial(self.id, &template)?;
        Ok(())
    }

    /// Begins the next trial: the first that waits, or a new one.
    ///
    /// # Errors
    /// The storage fails.
    pub fn ask(&self) -> Result<ActiveTrial<'_>, StorageError> {
        self.ask_with(Attributes::new(), Attributes::new())
    }

    /// The same; a new trial has these attributes from its first moment on, and one that waited gets them.
    ///
    /// # Errors
    /// The storage fails.
    pub fn ask_with(
        &self,
        user_attrs: Attributes,
        system_attrs: Attributes,
    ) -> Result<ActiveTrial<'_>, StorageError> {
        for trial in self.trials()? {
            let waits = trial.state == TrialState::Waiting;
            // Of several workers only one begins it.
            if waits
                && self
                    .storage
                    .set_trial_state(trial.id, TrialState::Running, &[])?
            {
                let kinds = [AttributeKind::User, AttributeKind::System];
                for (kind, attrs) in kinds.into_iter().zip([&user_attrs, &system_attrs]) {
                    for (key, value) in attrs {
                        self.storage.set_trial_attr(trial.id, kind, key, value)?;
                    }
                }
                return self.activate(trial.id, trial.number);
            }
        }
        let template = Trial {
            user_attrs,
            system_attrs,
            ..Trial::new(TrialState::Running)
        };
        let (id, number) = self.storage.create_trial(self.id, &template)?;
        self.activate(id, number)
    }

    /// Goes on with a trial that runs already, begun by a process that is no more. Parameters that it has are kept;
    /// those that it has not yet are drawn as they would have been.
    ///
    /// # Errors
    /// The storage fails.
    pub fn adopt(&self, trial: &Trial) -> Result<ActiveTrial<'_>, StorageError> {
        self.activate(trial.id, trial.number)
    }

    fn activate(&self, id: TrialId, number: u64) -> Result<ActiveTrial<'_>, StorageError> {
        let mut trials = self.trials()?;
        let place = trials.iter().position(|trial| trial.id == id);
        let trial = place.map(|place| trials.remove(place));
        let trial = trial.ok_or(StorageError::NoTrial(id.0))?;
        let fixed = trial.system_attrs.get(FIXED_PARAMS);
        let fixed = fixed.and_then(Json::as_map).cloned().unwrap_or_default();
        let history = self.history(&trials);
        let mut random = Random::new(self.seed, "relative", number);
        let proposal = self.sampler.propose(&history, number, &mut random);
        let mut trial = Trial::clone(&trial);
        for (key, value) in &proposal.attributes {
            if trial.system_attrs.get(key) != Some(value) {
                let kind = AttributeKind::System;
                self.storage.set_trial_attr(id, kind, key, value)?;
                trial.system_attrs.insert(key.clone(), value.clone());
            }
        }
        Ok(ActiveTrial {
            study: self,
            others: trials,
            trial,
            fixed,
            proposal,
        })
    }

    fn history<'a>(&'a self, trials: &'a [Arc<Trial>]) -> History<'a> {
        History {
            study_name: &self.name,
            directions: &self.directions,
            trials,
            seed: self.seed,
        }
    }
}

/// The best complete trial, the first of equals.
pub fn best_of(trials: &[Arc<Trial>], direction: Direction) -> Option<Arc<Trial>> {
    let complete = trials
        .iter()
        .filter(|trial| trial.state == TrialState::Complete);
    let valued = complete.filter_map(|trial| Some((trial, *trial.values.first()?)));
    let best = valued.reduce(|best, next| {
        if direction.is_better(next.1, best.1) {
            next
        } else {
            best
        }
    });
    best.map(|(trial, _)| Arc::clone(trial))
}

/// A trial that is being evaluated.
pub struct ActiveTrial<'a> {
    study: &'a Study,
    /// The other trials as they were when this one was begun.
    others: Vec<Arc<Trial>>,
    trial: Trial,
    fixed: IndexMap<String, Json>,
    proposal: Proposal,
}

impl ActiveTrial<'_> {
    /// Its number in the study.
    pub fn number(&self) -> u64 {
        self.trial.number
    }

    /// What the storage knows it by.
    pub fn id(&self) -> TrialId {
        self.trial.id
    }

    /// The trial as far as it is known here.
    pub fn trial(&self) -> &Trial {
        &self.trial
    }

    /// The value of a parameter. Asked twice, it is the same.
    ///
    /// # Errors
    /// The storage fails, or knows the parameter with another kind of values.
    pub fn suggest(
        &mut self,
        name: &str,
        distribution: &Arc<Distribution>,
    ) -> Result<Json, StorageError> {
        if let Some(known) = self.trial.params.get(name) {
            return Ok(known.value());
        }
        let internal = self.draw(name, distribution);
        self.study
            .storage
            .set_trial_param(self.trial.id, name, internal, distribution)?;
        let param = crate::Param {
            distribution: Arc::clone(distribution),
            internal,
        };
        let value = param.value();
        self.trial.params.insert(name.to_owned(), param);
        Ok(value)
    }

    fn draw(&self, name: &str, distribution: &Distribution) -> f64 {
        let fixed = self.fixed.get(name);
        if let Some(fixed) = fixed.and_then(|value| distribution.internal(value)) {
            return fixed;
        }
        if distribution.is_single() {
            return match distribution {
                Distribution::Float { low, .. } => *low,
                Distribution::Int { low, .. } => *low as f64,
                Distribution::Categorical { .. } => 0.0,
            };
        }
        let proposed = self.proposal.params.get(name);
        if let Some(proposed) = proposed.filter(|value| distribution.contains(**value)) {
            return *proposed;
        }
        let study = self.study;
        let mut random = Random::new(study.seed, name, self.trial.number);
        let history = study.history(&self.others);
        study
            .sampler
            .draw(&history, &self.trial, name, distribution, &mut random)
    }

    /// Tells the value at a step, for pruners. The last value of a step counts.
    ///
    /// # Errors
    /// The storage fails.
    pub fn report(&mut self, step: i64, value: f64) -> Result<(), StorageError> {
        let storage = &self.study.storage;
        storage.set_intermediate_value(self.trial.id, step, value)?;
        self.trial.intermediate_values.insert(step, value);
        Ok(())
    }

    /// Whether the trial is not promising enough to go on, by what was reported. Never with several objectives.
    ///
    /// # Errors
    /// The storage fails.
    pub fn should_prune(&mut self) -> Result<bool, StorageError> {
        let study = self.study;
        if study.directions.len() > 1 || self.trial.intermediate_values.is_empty() {
            return Ok(false);
        }
        let mut trials = study.trials()?;
        trials.retain(|trial| trial.id != self.trial.id);
        let verdict = study.pruner.judge(&study.history(&trials), &self.trial);
        for (key, value) in verdict.attributes {
            self.set_attr(AttributeKind::System, &key, value)?;
        }
        Ok(verdict.prune)
    }

    /// Keeps something with the trial.
    ///
    /// # Errors
    /// The storage fails.
    pub fn set_attr(
        &mut self,
        kind: AttributeKind,
        key: &str,
        value: Json,
    ) -> Result<(), StorageError> {
        let storage = &self.study.storage;
        storage.set_trial_attr(self.trial.id, kind, key, &value)?;
        let attrs = match kind {
            AttributeKind::User => &mut self.trial.user_attrs,
            AttributeKind::System => &mut self.trial.system_attrs,
        };
        attrs.insert(key.to_owned(), value);
        Ok(())
    }

    /// Ends the trial with its values, one for each direction; with NaN among them, or not as many, it has failed.
    ///
    /// # Errors
    /// The storage fails.
    pub fn complete(self, values: &[f64]) -> Result<TrialState, StorageError> {
        let is_valid = values.len() == self.study.directions.len();
        if is_valid && !values.iter().any(|value| value.is_nan()) {
            self.end(TrialState::Complete, values)
        } else {
            self.fail()
        }
    }

    /// Ends the trial as not promising; its value is the last that was reported.
    ///
    /// # Errors
    /// The storage fails.
    pub fn prune(self) -> Result<TrialState, StorageError> {
        let last = self.trial.last_step().map(|(_, value)| value);
        let values: Vec<f64> = last.filter(|value| !value.is_nan()).into_iter().collect();
        self.end(TrialState::Pruned, &values)
    }

    /// Ends the trial without a value.
    ///
    /// # Errors
    /// The storage fails.
    pub fn fail(self) -> Result<TrialState, StorageError> {
        self.end(TrialState::Fail, &[])
    }

    fn end(self, state: TrialState, values: &[f64]) -> Result<TrialState, StorageError> {
        let storage = &self.study.storage;
        storage.set_trial_state(self.trial.id, state, values)?;
        Ok(state)
    }
}
