//! The storage.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Transaction;
use strata_json::Json;

use super::connection::{Connection, Durability, Failure};
use super::read::{self, Known};
use super::write;
use crate::storage::open::Access;
use crate::storage::{AttributeKind, Storage, StudyId, StudyRecord, check_numbers, check_template};
use crate::trial::{Trial, TrialId, TrialState};
use crate::{Direction, Distribution, StorageError};

/// Studies in a file of SQLite, in the schema of Optuna 3.2 to 5.0, which may use the file at the same time.
///
/// Any number of processes of this machine may write at once; each change waits for its turn. The end of a trial,
/// and whatever changes a study, is on disk when the call returns. Other changes to a trial that runs are safe from
/// the end of the process, and on disk with the next of those.
///
/// Finished trials are read once, so [`Storage::trials`] costs as much as there are trials that are not finished.
#[derive(Debug)]
pub struct SqliteStorage {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    connection: Connection,
    known: HashMap<StudyId, Known>,
}

impl SqliteStorage {
    /// Opens the database of a file to read and write, and makes it if there is none.
    ///
    /// # Errors
    /// The folder does not exist, the file cannot be written, or it is something else than a database of studies.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        Connection::open(path, Access::Write).map(Self::of)
    }

    /// Opens the database of a file that exists, to read it only.
    ///
    /// # Errors
    /// There is no file, or it is something else than a database of studies.
    pub fn open_existing(path: &Path) -> Result<Self, StorageError> {
        Connection::open(path, Access::Read).map(Self::of)
    }

    /// A database of this process alone, which ends with it.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn in_memory() -> Result<Self, StorageError> {
        Connection::in_memory().map(Self::of)
    }

    fn of(connection: Connection) -> Self {
        Self {
            inner: Mutex::new(Inner {
                connection,
                known: HashMap::new(),
            }),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A transaction that a panic has cut short was rolled back; what is known is replaced as a whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(
        &self,
        look: impl Fn(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, StorageError> {
        let connection = &mut self.inner().connection;
        let result = connection.read(look);
        result.map_err(|failure| connection.error(failure))
    }

    fn write<T>(
        &self,
        durability: Durability,
        change: impl Fn(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, StorageError> {
        let Inner { connection, known } = &mut *self.inner();
        known.values_mut().for_each(Known::expire);
        let result = connection.write(durability, change);
        result.map_err(|failure| connection.error(failure))
    }
}

fn durability_of(state: TrialState) -> Durability {
    if state.is_finished() {
        Durability::Now
    } else {
        Durability::Later
    }
}

impl Storage for SqliteStorage {
    fn create_study(&self, name: &str, directions: &[Direction]) -> Result<StudyId, StorageError> {
        self.write(Durability::Now, |transaction| {
            write::create_study(transaction, name, directions)
        })
    }

    fn delete_study(&self, study: StudyId) -> Result<(), StorageError> {
        self.write(Durability::Now, |transaction| {
            write::delete_study(transaction, study)
        })
    }

    fn studies(&self) -> Result<Vec<StudyRecord>, StorageError> {
        self.read(read::studies)
    }

    fn study_named(&self, name: &str) -> Result<Option<StudyRecord>, StorageError> {
        self.read(|transaction| read::study_named(transaction, name))
    }

    fn set_study_attr(
        &self,
        study: StudyId,
        kind: AttributeKind,
        key: &str,
        value: &Json,
    ) -> Result<(), StorageError> {
        self.write(Durability::Now, |transaction| {
            write::set_study_attr(transaction, study, kind, key, value)
        })
    }

    fn create_trial(
        &self,
        study: StudyId,
        template: &Trial,
    ) -> Result<(TrialId, u64), StorageError> {
        check_template(template)?;
        self.write(durability_of(template.state), |transaction| {
            write::create_trial(transaction, study, template)
        })
    }

    fn set_trial_param(
        &self,
        trial: TrialId,
        name: &str,
        internal: f64,
        distribution: &Distribution,
    ) -> Result<(), StorageError> {
        check_numbers(&[internal])?;
        self.write(Durability::Later, |transaction| {
            let study = write::study_of_open_trial(transaction, trial)?;
            write::set_param(transaction, trial, study, name, internal, distribution)
        })
    }

    fn set_trial_state(
        &self,
        trial: TrialId,
        state: TrialState,
        values: &[f64],
    ) -> Result<bool, StorageError> {
        check_numbers(values)?;
        self.write(durability_of(state), |transaction| {
            write::set_state(transaction, trial, state, values)
        })
    }

    fn set_intermediate_value(
        &self,
        trial: TrialId,
        step: i64,
        value: f64,
    ) -> Result<(), StorageError> {
        self.write(Durability::Later, |transaction| {
            write::study_of_open_trial(transaction, trial)?;
            write::set_intermediate_value(transaction, trial, step, value)
        })
    }

    fn set_trial_attr(
        &self,
        trial: TrialId,
        kind: AttributeKind,
        key: &str,
        value: &Json,
    ) -> Result<(), StorageError> {
        self.write(Durability::Later, |transaction| {
            write::study_of_open_trial(transaction, trial)?;
            write::set_trial_attr(transaction, trial, kind, key, value)
        })
    }

    fn trials(&self, study: StudyId) -> Result<Vec<Arc<Trial>>, StorageError> {
        let Inner { connection, known } = &mut *self.inner();
        let known = known.entry(study).or_default();
        let refreshed = connection.version().and_then(|version| {
            if known.is_current(version) {
                return Ok(());
            }
            connection.read(|transaction| known.refresh(transaction, study))
        });
        refreshed.map_err(|failure| connection.error(failure))?;
        Ok(known.trials())
    }
}
