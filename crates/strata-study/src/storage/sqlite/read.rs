//! Trials of rows; those that are finished are read once.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::{OptionalExtension as _, Transaction};
use strata_json::Json;

use super::connection::{Failure, data_version};
use crate::storage::{AttributeKind, StudyId, StudyRecord, time};
use crate::trial::{Attributes, Param, Trial, TrialId, TrialState};
use crate::{Direction, Distribution, StorageError};

/// What is known of a study's trials.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// In the order of their identities, which is that of their numbers.
    trials: Vec<Arc<Trial>>,
    /// The name of the study.
    name: String,
    /// The version of the database that was read.
    version: i64,
    /// Distributions by their JSON; there are few, and samplers compare them often.
    distributions: HashMap<String, Arc<Distribution>>,
}

impl Known {
    /// Whether the database is still as it was when the trials were read.
    pub(super) fn is_current(&self, version: i64) -> bool {
        self.version == version
    }

    /// To be called when this connection has changed the study, which leaves its own version as it is.
    pub(super) fn expire(&mut self) {
        self.version = -1;
    }

    /// The trials as they were read.
    pub(super) fn trials(&self) -> Vec<Arc<Trial>> {
        self.trials.clone()
    }

    /// Reads what may have changed: the trials that were not finished, and those that came since. If it fails
    /// nothing is changed.
    pub(super) fn refresh(
        &mut self,
        transaction: &Transaction<'_>,
        study: StudyId,
    ) -> Result<(), Failure> {
        let mut query =
            transaction.prepare_cached("SELECT study_name FROM studies WHERE study_id = ?1")?;
        let name: Option<String> = query.query_row([study.0], |row| row.get(0)).optional()?;
        let name = name.ok_or(StorageError::NoStudy(study.0))?;
        if self.name != name || !self.holds(transaction, study)? {
            *self = Self::default();
        }
        let version = data_version(transaction)?;
        self.read_trials(transaction, study)?;
        self.name = name;
        self.version = version;
        Ok(())
    }

    /// Whether the trials that are known are still those of the study: another study may come to have the identity
    /// of one that was deleted, and its trials theirs.
    fn holds(&self, transaction: &Transaction<'_>, study: StudyId) -> Result<bool, Failure> {
        let Some(last) = self.trials.last() else {
            return Ok(true);
        };
        let mut query = transaction
            .prepare_cached("SELECT count(*) FROM trials WHERE study_id = ?1 AND trial_id <= ?2")?;
        let count: i64 = query.query_row((study.0, last.id.0), |row| row.get(0))?;
        let mut query =
            transaction.prepare_cached("SELECT datetime_start FROM trials WHERE trial_id = ?1")?;
        let start: Option<Option<String>> =
            query.query_row([last.id.0], |row| row.get(0)).optional()?;
        let start = start.flatten();
        let start = start.and_then(|start| time::parse(&start, &TimeZone::UTC));
        // One that waited may have begun.
        let is_same = last.state == TrialState::Waiting || start == last.started;
        Ok(count == self.trials.len() as i64 && is_same)
    }

    fn read_trials(
        &mut self,
        transaction: &Transaction<'_>,
        study: StudyId,
    ) -> Result<(), Failure> {
        let unfinished = self
            .trials
            .iter()
            .filter(|trial| !trial.state.is_finished());
        let unfinished = list(unfinished.map(|trial| trial.id.0));
        let last = self.trials.last().map_or(-1, |trial| trial.id.0);
        let mut query = transaction.prepare_cached(
            "SELECT trial_id, number, state, datetime_start, datetime_complete FROM trials
             WHERE trial_id IN (SELECT value FROM json_each(?1)) ORDER BY trial_id",
        )?;
        let mut read = read_heads(query.query([unfinished])?)?;
        let mut query = transaction.prepare_cached(
            "SELECT trial_id, number, state, datetime_start, datetime_complete FROM trials
             WHERE study_id = ?1 AND trial_id > ?2 ORDER BY trial_id",
        )?;
        read.append(&mut read_heads(query.query((study.0, last))?)?);
        self.read_details(transaction, &mut read)?;
        for trial in read {
            let place = self
                .trials
                .binary_search_by_key(&trial.id, |known| known.id);
            match place {
                Ok(place) => self.trials[place] = Arc::new(trial),
                Err(place) => self.trials.insert(place, Arc::new(trial)),
            }
        }
        Ok(())
    }

    /// `read` is in the order of identities.
    fn read_details(
        &mut self,
        transaction: &Transaction<'_>,
        read: &mut [Trial],
    ) -> Result<(), Failure> {
        if read.is_empty() {
            return Ok(());
        }
        let ids = list(read.iter().map(|trial| trial.id.0));
        self.read_params(transaction, &ids, read)?;
        read_values(transaction, &ids, read)?;
        read_intermediate_values(transaction, &ids, read)?;
        read_attributes(transaction, &ids, read, AttributeKind::User)?;
        read_attributes(transaction, &ids, read, AttributeKind::System)
    }

    fn read_params(
        &mut self,
        transaction: &Transaction<'_>,
        ids: &str,
        read: &mut [Trial],
    ) -> Result<(), Failure> {
        let mut query = transaction.prepare_cached(
            "SELECT trial_id, param_name, param_value, distribution_json FROM trial_params
             WHERE trial_id IN (SELECT value FROM json_each(?1)) ORDER BY param_id",
        )?;
        let mut rows = query.query([ids])?;
        while let Some(row) = rows.next()? {
            let trial = of_row(row, read)?;
            let name: String = row.get(1)?;
            let internal: Option<f64> = row.get(2)?;
            let json = row.get_ref(3)?.as_str().unwrap_or_default();
            let known = self.distributions.get(json).cloned();
            let distribution =
                known.map_or_else(|| Distribution::from_json(json).map(Arc::new), Ok);
            let distribution = distribution.map_err(|error| {
                let number = trial.number;
                Failure::problem(format!("parameter `{name}` of trial {number}: {error}"))
            })?;
            if !self.distributions.contains_key(json) {
                let shared = Arc::clone(&distribution);
                self.distributions.insert(json.to_owned(), shared);
            }
            let internal = internal.unwrap_or(f64::NAN);
            trial.params.insert(
                name,
                Param {
                    distribution,
                    internal,
                },
            );
        }
        Ok(())
    }
}

fn read_heads(mut rows: rusqlite::Rows<'_>) -> Result<Vec<Trial>, Failure> {
    let mut read = Vec::new();
    while let Some(row) = rows.next()? {
        let number: i64 = row.get(1)?;
        let state: String = row.get(2)?;
        let state = TrialState::from_name(&state).ok_or_else(|| {
            Failure::problem(format!("trial {number} is in no known state: `{state}`"))
        })?;
        let time = |column| -> Result<Option<Timestamp>, Failure> {
            let Some(text) = row.get::<_, Option<String>>(column)? else {
                return Ok(None);
            };
            let time = time::parse(&text, &TimeZone::UTC);
            time.map(Some)
                .ok_or_else(|| Failure::problem(format!("trial {number} has `{text}` for a time")))
        };
        read.push(Trial {
            id: TrialId(row.get(0)?),
            number: number.max(0) as u64,
            started: time(3)?,
            completed: time(4)?,
            ..Trial::new(state)
        });
    }
    Ok(read)
}

/// Identities as a JSON list, for `json_each`: one statement for any number of them.
fn list(ids: impl Iterator<Item = i64>) -> String {
    let ids: Vec<String> = ids.map(|id| id.to_string()).collect();
    format!("[{}]", ids.join(","))
}

/// The trial that a row is of, by its first column.
fn of_row<'a>(row: &rusqlite::Row<'_>, read: &'a mut [Trial]) -> Result<&'a mut Trial, Failure> {
    let id = TrialId(row.get(0)?);
    let place = read.binary_search_by_key(&id, |trial| trial.id);
    Ok(&mut read[place.expect("only rows of these trials were asked for")])
}

/// A number by what is stored of it and its type.
fn number(row: &rusqlite::Row<'_>, column: usize) -> Result<f64, Failure> {
    let value: Option<f64> = row.get(column)?;
    let value_type = row.get_ref(column + 1)?.as_str().unwrap_or_default();
    Ok(match value_type {
        "INF_POS" => f64::INFINITY,
        "INF_NEG" => f64::NEG_INFINITY,
        "NAN" => f64::NAN,
        _ => value.unwrap_or(f64::NAN),
    })
}

fn read_values(
    transaction: &Transaction<'_>,
    ids: &str,
    read: &mut [Trial],
) -> Result<(), Failure> {
    let mut query = transaction.prepare_cached(
        "SELECT trial_id, value, value_type FROM trial_values
         WHERE trial_id IN (SELECT value FROM json_each(?1)) ORDER BY trial_id, objective",
    )?;
    let mut rows = query.query([ids])?;
    while let Some(row) = rows.next()? {
        let value = number(row, 1)?;
        of_row(row, read)?.values.push(value);
    }
    Ok(())
}

fn read_intermediate_values(
    transaction: &Transaction<'_>,
    ids: &str,
    read: &mut [Trial],
) -> Result<(), Failure> {
    let mut query = transaction.prepare_cached(
        "SELECT trial_id, step, intermediate_value, intermediate_value_type
         FROM trial_intermediate_values WHERE trial_id IN (SELECT value FROM json_each(?1))",
    )?;
    let mut rows = query.query([ids])?;
    while let Some(row) = rows.next()? {
        let value = number(row, 2)?;
        let step = row.get(1)?;
        of_row(row, read)?.intermediate_values.insert(step, value);
    }
    Ok(())
}

fn read_attributes(
    transaction: &Transaction<'_>,
    ids: &str,
    read: &mut [Trial],
    kind: AttributeKind,
) -> Result<(), Failure> {
    let mut query = transaction.prepare_cached(match kind {
        AttributeKind::User => {
            r#"SELECT trial_id, "key", value_json FROM trial_user_attributes
               WHERE trial_id IN (SELECT value FROM json_each(?1)) ORDER BY trial_user_attribute_id"#
        }
        AttributeKind::System => {
            r#"SELECT trial_id, "key", value_json FROM trial_system_attributes
               WHERE trial_id IN (SELECT value FROM json_each(?1)) ORDER BY trial_system_attribute_id"#
        }
    })?;
    let mut rows = query.query([ids])?;
    while let Some(row) = rows.next()? {
        let trial = of_row(row, read)?;
        let (key, value) = attribute(row, &format!("trial {}", trial.number))?;
        match kind {
            AttributeKind::User => trial.user_attrs.insert(key, value),
            AttributeKind::System => trial.system_attrs.insert(key, value),
        };
    }
    Ok(())
}

/// The attribute of a row, whose name and JSON are the second and third column.
fn attribute(row: &rusqlite::Row<'_>, owner: &str) -> Result<(String, Json), Failure> {
    let key: String = row.get(1)?;
    let json = row.get_ref(2)?.as_str().unwrap_or_default();
    let value = strata_json::parse(json).map_err(|error| {
        Failure::problem(format!(
            "the attribute `{key}` of {owner} is no JSON: {error}"
        ))
    })?;
    Ok((key, value))
}

/// All studies.
pub(super) fn studies(transaction: &Transaction<'_>) -> Result<Vec<StudyRecord>, Failure> {
    let mut query =
        transaction.prepare_cached("SELECT study_id, study_name FROM studies ORDER BY study_id")?;
    let rows = query.query_map([], |row| Ok((StudyId(row.get(0)?), row.get(1)?)))?;
    rows.map(|row| {
        let (id, name) = row?;
        record(transaction, id, name)
    })
    .collect()
}

/// The study of a name.
pub(super) fn study_named(
    transaction: &Transaction<'_>,
    name: &str,
) -> Result<Option<StudyRecord>, Failure> {
    let mut query =
        transaction.prepare_cached("SELECT study_id FROM studies WHERE study_name = ?1")?;
    let id = query.query_row([name], |row| row.get(0)).optional()?;
    id.map(|id| record(transaction, StudyId(id), name.to_owned()))
        .transpose()
}

fn record(
    transaction: &Transaction<'_>,
    id: StudyId,
    name: String,
) -> Result<StudyRecord, Failure> {
    let mut query = transaction.prepare_cached(
        "SELECT direction FROM study_directions WHERE study_id = ?1 ORDER BY objective",
    )?;
    let directions = query.query_map([id.0], |row| row.get::<_, String>(0))?;
    let directions = directions
        .map(|direction| {
            let direction = direction?;
            // An old Optuna's study for which nobody has said it is minimised.
            let name = if direction == "NOT_SET" {
                "minimize"
            } else {
                &direction
            };
            Direction::from_name(name).ok_or_else(|| {
                Failure::problem(format!("`{direction}` is no direction of a study"))
            })
        })
        .collect::<Result<_, Failure>>()?;
    let owner = format!("the study `{name}`");
    let attributes = |query: &str| -> Result<Attributes, Failure> {
        let mut query = transaction.prepare_cached(query)?;
        let mut rows = query.query([id.0])?;
        let mut attributes = Attributes::new();
        while let Some(row) = rows.next()? {
            let (key, value) = attribute(row, &owner)?;
            attributes.insert(key, value);
        }
        Ok(attributes)
    };
    let user_attrs = attributes(
        r#"SELECT study_id, "key", value_json FROM study_user_attributes
           WHERE study_id = ?1 ORDER BY study_user_attribute_id"#,
    )?;
    let system_attrs = attributes(
        r#"SELECT study_id, "key", value_json FROM study_system_attributes
           WHERE study_id = ?1 ORDER BY study_system_attribute_id"#,
    )?;
    Ok(StudyRecord {
        id,
        name,
        directions,
        user_attrs,
        system_attrs,
    })
}
