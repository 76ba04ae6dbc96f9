//! The storage.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use strata_json::Json;

use super::file::JournalFile;
use super::record::Record;
use super::uuid::uuid;
use crate::storage::contents::{Contents, StateChange};
use crate::storage::open::Access;
use crate::storage::{AttributeKind, Storage, StudyId, StudyRecord, check_numbers, check_template};
use crate::trial::{Attributes, Param, Trial, TrialId, TrialState};
use crate::{Direction, Distribution, StorageError};

/// Studies in a journal of Optuna, which may use the file at the same time.
///
/// Any number of processes may write at once, also from several machines. The end of a trial, and whatever changes a
/// study, is on disk when the call returns, with all lines before it; Optuna waits for the disk after every line, which
/// costs a trial of five parameters eight waits instead of one, and a trial that runs does not outlive the machine
/// anyway. Every process replays the lines that were added since it last looked.
#[derive(Debug)]
pub struct JournalStorage {
    inner: Mutex<Inner>,
    /// Unique to this storage; with the thread's number it names the writer of a line.
    worker: String,
}

#[derive(Debug)]
struct Inner {
    file: JournalFile,
    contents: Contents,
    /// That of times without an offset.
    zone: TimeZone,
}

/// What came of a line.
#[derive(Debug, Clone, Copy)]
enum Applied {
    Changed,
    Study(StudyId),
    Trial(TrialId, u64),
    /// Whether this line has begun the trial; another may have been first.
    State(bool),
}

impl JournalStorage {
    /// Opens a journal to read and write, and makes it if there is none.
    ///
    /// # Errors
    /// The folder does not exist, the file cannot be written, or a line is none of a journal.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        Self::open_with(path, Access::Write, TimeZone::system())
    }

    /// Opens a journal that exists, to read it only.
    ///
    /// # Errors
    /// There is no file, or a line is none of a journal.
    pub fn open_existing(path: &Path) -> Result<Self, StorageError> {
        Self::open_with(path, Access::Read, TimeZone::system())
    }

    /// Opens a journal, as [`JournalStorage::open_existing`], that Optuna 4 or before has written on a machine of
    /// another time zone: it wrote local times without their offset.
    ///
    /// # Errors
    /// There is no file, or a line is none of a journal.
    pub fn open_existing_of_zone(path: &Path, zone: TimeZone) -> Result<Self, StorageError> {
        Self::open_with(path, Access::Read, zone)
    }

    fn open_with(path: &Path, access: Access, zone: TimeZone) -> Result<Self, StorageError> {
        let mut inner = Inner {
            file: JournalFile::open(path, access)?,
            contents: Contents::default(),
            zone,
        };
        inner.replay(None)?;
        Ok(Self {
            inner: Mutex::new(inner),
            worker: uuid(),
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A line is applied by one change of the contents, after the last thing that can panic.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As it is in the file now.
    fn current(&self) -> Result<MutexGuard<'_, Inner>, StorageError> {
        let mut inner = self.inner();
        inner.replay(None)?;
        Ok(inner)
    }

    fn write(&self, record: &Record) -> Result<Applied, StorageError> {
        let thread = format!("{:?}", std::thread::current().id());
        let thread: String = thread.chars().filter(char::is_ascii_digit).collect();
        let line = record.to_line(&format!("{}-{thread}", self.worker));
        self.inner().write(record, &line)
    }
}

impl Inner {
    /// Applies the lines that were added. What came of the one that begins at `watched` is returned.
    ///
    /// A line that contradicts those before, such as a change of a trial that is finished, has no effect, for any
    /// process: who came first counts.
    fn replay(
        &mut self,
        watched: Option<u64>,
    ) -> Result<Option<Result<Applied, StorageError>>, StorageError> {
        let mut outcome = None;
        let Self {
            file,
            contents,
            zone,
        } = self;
        file.read_new(|offset, line| {
            let applied = apply(contents, Record::parse(line, zone)?);
            if watched == Some(offset) {
                outcome = Some(applied);
            }
            Ok(())
        })?;
        Ok(outcome)
    }

    /// Appends a line and applies it. If it can have no effect it is not written.
    fn write(&mut self, record: &Record, line: &str) -> Result<Applied, StorageError> {
        let lock = self.file.lock();
        let held = self.file.acquire(&lock)?;
        self.replay(None)?;
        if self.file.mend_end(&held)? {
            self.replay(None)?;
        }
        check(&self.contents, record)?;
        let appended = self.file.append(&held, line)?;
        drop(held);
        if record.is_lasting() {
            self.file.wait_for_disk(&appended)?;
        }
        // Had the lock been broken, others may have written before: the file says what has come of the line.
        let outcome = self.replay(Some(appended.offset))?;
        outcome.unwrap_or(Ok(Applied::Changed))
    }
}

/// Whether a change would have an effect.
fn check(contents: &Contents, record: &Record) -> Result<(), StorageError> {
    match record {
        Record::CreateStudy { name, .. } => contents.check_name(name),
        Record::DeleteStudy(study)
        | Record::StudyAttrs(study, ..)
        | Record::CreateTrial(study, _) => contents.check_study(*study),
        Record::TrialParam { trial, name, param } => {
            contents.check_open(*trial)?;
            contents.check_compatible(*trial, name, &param.distribution)
        }
        Record::TrialState(trial, change) if change.state == TrialState::Running => {
            contents.waits(*trial).map(drop)
        }
        Record::TrialState(trial, _)
        | Record::IntermediateValue { trial, .. }
        | Record::TrialAttrs(trial, ..) => contents.check_open(*trial),
        Record::Discard => Ok(()),
    }
}

fn apply(contents: &mut Contents, record: Record) -> Result<Applied, StorageError> {
    match record {
        Record::CreateStudy { name, directions } => {
            return contents
                .create_study(&name, &directions)
                .map(Applied::Study);
        }
        Record::DeleteStudy(study) => contents.delete_study(study)?,
        Record::StudyAttrs(study, kind, attrs) => {
            for (key, value) in &attrs {
                contents.set_study_attr(study, kind, key, value)?;
            }
        }
        Record::CreateTrial(study, template) => {
            let (id, number) = contents.create_trial(study, *template)?;
            return Ok(Applied::Trial(id, number));
        }
        Record::TrialParam { trial, name, param } => {
            contents.set_trial_param(trial, &name, param)?;
        }
        Record::TrialState(trial, change) => {
            return contents.set_trial_state(trial, change).map(Applied::State);
        }
        Record::IntermediateValue { trial, step, value } => {
            contents.set_intermediate_value(trial, step, value)?;
        }
        Record::TrialAttrs(trial, kind, attrs) => {
            for (key, value) in &attrs {
                contents.set_trial_attr(trial, kind, key, value)?;
            }
        }
        Record::Discard => {}
    }
    Ok(Applied::Changed)
}

fn one(key: &str, value: &Json) -> Attributes {
    Attributes::from([(key.to_owned(), value.clone())])
}

impl Storage for JournalStorage {
    fn create_study(&self, name: &str, directions: &[Direction]) -> Result<StudyId, StorageError> {
        let record = Record::CreateStudy {
            name: name.to_owned(),
            directions: directions.to_vec(),
        };
        match self.write(&record)? {
            Applied::Study(id) => Ok(id),
            _ => Err(StorageError::NoStudy(-1)),
        }
    }

    fn delete_study(&self, study: StudyId) -> Result<(), StorageError> {
        self.write(&Record::DeleteStudy(study)).map(|_| ())
    }

    fn studies(&self) -> Result<Vec<StudyRecord>, StorageError> {
        Ok(self.current()?.contents.studies())
    }

    fn set_study_attr(
        &self,
        study: StudyId,
        kind: AttributeKind,
        key: &str,
        value: &Json,
    ) -> Result<(), StorageError> {
        let record = Record::StudyAttrs(study, kind, one(key, value));
        self.write(&record).map(|_| ())
    }

    fn create_trial(
        &self,
        study: StudyId,
        template: &Trial,
    ) -> Result<(TrialId, u64), StorageError> {
        check_template(template)?;
        let record = Record::CreateTrial(study, Box::new(template.clone()));
        match self.write(&record)? {
            Applied::Trial(id, number) => Ok((id, number)),
            _ => Err(StorageError::NoTrial(-1)),
        }
    }

    fn set_trial_param(
        &self,
        trial: TrialId,
        name: &str,
        internal: f64,
        distribution: &Distribution,
    ) -> Result<(), StorageError> {
        check_numbers(&[internal])?;
        let record = Record::TrialParam {
            trial,
            name: name.to_owned(),
            param: Param {
                distribution: Arc::new(distribution.clone()),
                internal,
            },
        };
        self.write(&record).map(|_| ())
    }

    fn set_trial_state(
        &self,
        trial: TrialId,
        state: TrialState,
        values: &[f64],
    ) -> Result<bool, StorageError> {
        check_numbers(values)?;
        // Spares the file a line without effect in the usual case.
        if state == TrialState::Running && !self.current()?.contents.waits(trial)? {
            return Ok(false);
        }
        let values = (!values.is_empty()).then(|| values.to_vec());
        let change = StateChange {
            state,
            values,
            time: Some(Timestamp::now()),
        };
        let applied = self.write(&Record::TrialState(trial, change))?;
        Ok(!matches!(applied, Applied::State(false)))
    }

    fn set_intermediate_value(
        &self,
        trial: TrialId,
        step: i64,
        value: f64,
    ) -> Result<(), StorageError> {
        let record = Record::IntermediateValue { trial, step, value };
        self.write(&record).map(|_| ())
    }

    fn set_trial_attr(
        &self,
        trial: TrialId,
        kind: AttributeKind,
        key: &str,
        value: &Json,
    ) -> Result<(), StorageError> {
        let record = Record::TrialAttrs(trial, kind, one(key, value));
        self.write(&record).map(|_| ())
    }

    fn trials(&self, study: StudyId) -> Result<Vec<Arc<Trial>>, StorageError> {
        self.current()?.contents.trials(study)
    }
}
