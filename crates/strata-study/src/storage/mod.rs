//! Where studies are kept.

mod contents;
mod journal;
mod memory;
mod open;
mod sqlite;
mod time;

use std::sync::Arc;

use strata_json::Json;

use crate::trial::{Attributes, Trial, TrialId, TrialState};
use crate::{Direction, Distribution};

pub use journal::JournalStorage;
pub use memory::MemoryStorage;
pub use open::{open, open_existing};
pub use sqlite::SqliteStorage;

/// What a storage knows a study by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StudyId(pub i64);

/// What a storage keeps of a study besides its trials.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyRecord {
    /// What the storage knows it by.
    pub id: StudyId,
    /// Its name, unique in the storage.
    pub name: String,
    /// One direction for each objective; at least one.
    pub directions: Vec<Direction>,
    /// What users keep with it.
    pub user_attrs: Attributes,
    /// What samplers keep with it.
    pub system_attrs: Attributes,
}

/// Whose an attribute is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeKind {
    /// What users keep.
    User,
    /// What samplers, pruners and sweeps keep.
    System,
}

/// Where studies are kept: in memory, in a file of `SQLite`, in a journal.
///
/// Promises, as Optuna's storages give them:
/// * Any number of threads may call at once, and any number of processes where there is a file.
/// * A trial that was created is there for all from then on; its number is one above the greatest.
/// * A finished trial never changes; who tries gets [`StorageError::TrialFinished`].
/// * The last attribute, parameter or value under a name or step counts.
/// * What a call wrote is there for all, and stays when the process ends. What ends a trial or changes a study is
///   on disk when the call returns, with all that was written before.
/// * Values of trials and parameters are numbers, perhaps infinite; NaN is refused. Reported values may be NaN.
///   A database does not keep the sign of a zero.
pub trait Storage: Send + Sync {
    /// Makes a study.
    ///
    /// # Errors
    /// [`StorageError::DuplicatedStudy`] if there is one of the name.
    fn create_study(&self, name: &str, directions: &[Direction]) -> Result<StudyId, StorageError>;

    /// Removes a study with its trials.
    fn delete_study(&self, study: StudyId) -> Result<(), StorageError>;

    /// All studies, in the order in which they were made.
    fn studies(&self) -> Result<Vec<StudyRecord>, StorageError>;

    /// The study of a name; none if there is none.
    fn study_named(&self, name: &str) -> Result<Option<StudyRecord>, StorageError> {
        let studies = self.studies()?;
        Ok(studies.into_iter().find(|study| study.name == name))
    }

    /// Sets an attribute of a study.
    fn set_study_attr(
        &self,
        study: StudyId,
        kind: AttributeKind,
        key: &str,
        value: &Json,
    ) -> Result<(), StorageError>;

    /// Makes a trial like `template`, in whatever state that is, but for identity and number, which are returned.
    fn create_trial(
        &self,
        study: StudyId,
        template: &Trial,
    ) -> Result<(TrialId, u64), StorageError>;

    /// Sets a parameter of a trial that runs.
    ///
    /// # Errors
    /// [`StorageError::Incompatible`] if another trial of the study has the name with a distribution of another kind.
    fn set_trial_param(
        &self,
        trial: TrialId,
        name: &str,
        internal: f64,
        distribution: &Distribution,
    ) -> Result<(), StorageError>;

    /// Ends a trial, or begins one that waits: then false if another has begun it before, even if it is finished.
    ///
    /// The times are set along: the start when it begins, the end when it ends. `values` of a state that has none
    /// are empty.
    fn set_trial_state(
        &self,
        trial: TrialId,
        state: TrialState,
        values: &[f64],
    ) -> Result<bool, StorageError>;

    /// Sets the value reported at a step.
    fn set_intermediate_value(
        &self,
        trial: TrialId,
        step: i64,
        value: f64,
    ) -> Result<(), StorageError>;

    /// Sets an attribute of a trial.
    fn set_trial_attr(
        &self,
        trial: TrialId,
        kind: AttributeKind,
        key: &str,
        value: &Json,
    ) -> Result<(), StorageError>;

    /// All trials of a study, by number. Cheap where nothing has changed since the last call.
    fn trials(&self, study: StudyId) -> Result<Vec<Arc<Trial>>, StorageError>;
}

/// Optuna cannot load a study with a trial that has NaN for a value.
fn check_numbers(values: &[f64]) -> Result<(), StorageError> {
    if values.iter().any(|value| value.is_nan()) {
        return Err(StorageError::NotANumber);
    }
    Ok(())
}

fn check_template(template: &Trial) -> Result<(), StorageError> {
    check_numbers(&template.values)?;
    let params = template.params.values().map(|param| param.internal);
    check_numbers(&params.collect::<Vec<f64>>())
}

/// What a storage cannot do.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The name is taken.
    #[error("there is a study `{0}` in the storage already")]
    DuplicatedStudy(String),
    /// No study has this identity.
    #[error("there is no study with the id {0}")]
    NoStudy(i64),
    /// No trial has this identity.
    #[error("there is no trial with the id {0}")]
    NoTrial(i64),
    /// The trial cannot change any more.
    #[error("trial {0} is finished and cannot change any more")]
    TrialFinished(u64),
    /// A value of a trial or of a parameter is NaN.
    #[error("the value of a trial or of a parameter is not a number")]
    NotANumber,
    /// The parameter is known with another kind of values.
    #[error(
        "the parameter `{name}` has in this study another kind of values: {earlier}, now {now}"
    )]
    Incompatible {
        /// The parameter.
        name: String,
        /// What it has been, as JSON.
        earlier: String,
        /// What it is to be, as JSON.
        now: String,
    },
    /// The file cannot be read, written or understood.
    #[error("{place}: {problem}")]
    File {
        /// The file.
        place: String,
        /// What is wrong.
        problem: String,
    },
}
