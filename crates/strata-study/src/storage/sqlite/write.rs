//! The statements that change a study.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Transaction};
use strata_json::{Json, Style};

use super::connection::Failure;
use crate::storage::{AttributeKind, StudyId, time};
use crate::trial::{Trial, TrialId, TrialState};
use crate::{Direction, Distribution, StorageError};

/// Where a trial stands.
struct Head {
    study: StudyId,
    number: u64,
    state: TrialState,
}

pub(super) fn create_study(
    transaction: &Transaction<'_>,
    name: &str,
    directions: &[Direction],
) -> Result<StudyId, Failure> {
    let query = "SELECT study_id FROM studies WHERE study_name = ?1";
    let taken: Option<i64> = transaction
        .query_row(query, [name], |row| row.get(0))
        .optional()?;
    if taken.is_some() {
        return Err(StorageError::DuplicatedStudy(name.to_owned()).into());
    }
    transaction.execute("INSERT INTO studies (study_name) VALUES (?1)", [name])?;
    let id = transaction.last_insert_rowid();
    let mut insert = transaction.prepare(
        "INSERT INTO study_directions (direction, study_id, objective) VALUES (?1, ?2, ?3)",
    )?;
    for (objective, direction) in directions.iter().enumerate() {
        insert.execute((direction.name().to_ascii_uppercase(), id, objective as i64))?;
    }
    Ok(StudyId(id))
}

pub(super) fn delete_study(transaction: &Transaction<'_>, study: StudyId) -> Result<(), Failure> {
    check_study(transaction, study)?;
    for table in [
        "trial_heartbeats",
        "trial_intermediate_values",
        "trial_values",
        "trial_params",
        "trial_system_attributes",
        "trial_user_attributes",
    ] {
        transaction.execute(
            &format!(
                "DELETE FROM {table} WHERE trial_id IN (SELECT trial_id FROM trials WHERE study_id = ?1)"
            ),
            [study.0],
        )?;
    }
    for table in [
        "trials",
        "study_system_attributes",
        "study_user_attributes",
        "study_directions",
        "studies",
    ] {
        transaction.execute(
            &format!("DELETE FROM {table} WHERE study_id = ?1"),
            [study.0],
        )?;
    }
    Ok(())
}

fn check_study(transaction: &Transaction<'_>, study: StudyId) -> Result<(), Failure> {
    let mut query = transaction.prepare_cached("SELECT 1 FROM studies WHERE study_id = ?1")?;
    if query.exists([study.0])? {
        Ok(())
    } else {
        Err(StorageError::NoStudy(study.0).into())
    }
}

pub(super) fn set_study_attr(
    transaction: &Transaction<'_>,
    study: StudyId,
    kind: AttributeKind,
    key: &str,
    value: &Json,
) -> Result<(), Failure> {
    check_study(transaction, study)?;
    let statement = match kind {
        AttributeKind::User => {
            r#"INSERT INTO study_user_attributes (study_id, "key", value_json) VALUES (?1, ?2, ?3)
               ON CONFLICT (study_id, "key") DO UPDATE SET value_json = excluded.value_json"#
        }
        AttributeKind::System => {
            r#"INSERT INTO study_system_attributes (study_id, "key", value_json) VALUES (?1, ?2, ?3)
               ON CONFLICT (study_id, "key") DO UPDATE SET value_json = excluded.value_json"#
        }
    };
    let mut statement = transaction.prepare_cached(statement)?;
    statement.execute((study.0, key, value.written(Style::Default)))?;
    Ok(())
}

pub(super) fn create_trial(
    transaction: &Transaction<'_>,
    study: StudyId,
    template: &Trial,
) -> Result<(TrialId, u64), Failure> {
    check_study(transaction, study)?;
    // Others count the trials before; without holes, as they are made, that is the same.
    let mut last = transaction.prepare_cached(
        "SELECT number FROM trials WHERE study_id = ?1 ORDER BY trial_id DESC LIMIT 1",
    )?;
    let last: Option<i64> = last.query_row([study.0], |row| row.get(0)).optional()?;
    let number = last.map_or(0, |last| last + 1);
    let mut insert = transaction.prepare_cached(
        "INSERT INTO trials (number, study_id, state, datetime_start, datetime_complete)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    insert.execute((
        number,
        study.0,
        template.state.name(),
        template.started.map(time::for_database),
        template.completed.map(time::for_database),
    ))?;
    let id = TrialId(transaction.last_insert_rowid());
    for (name, param) in &template.params {
        set_param(
            transaction,
            id,
            study,
            name,
            param.internal,
            &param.distribution,
        )?;
    }
    set_values(transaction, id, &template.values)?;
    for (step, value) in &template.intermediate_values {
        set_intermediate_value(transaction, id, *step, *value)?;
    }
    for (key, value) in &template.user_attrs {
        set_trial_attr(transaction, id, AttributeKind::User, key, value)?;
    }
    for (key, value) in &template.system_attrs {
        set_trial_attr(transaction, id, AttributeKind::System, key, value)?;
    }
    Ok((id, number as u64))
}

fn head(transaction: &Transaction<'_>, id: TrialId) -> Result<Head, Failure> {
    let mut query = transaction
        .prepare_cached("SELECT study_id, number, state FROM trials WHERE trial_id = ?1")?;
    let row = query.query_row([id.0], |row| {
        Ok((row.get(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?))
    });
    let (study, number, state) = row.optional()?.ok_or(StorageError::NoTrial(id.0))?;
    let state = TrialState::from_name(&state)
        .ok_or_else(|| Failure::problem(format!("trial {number} is in no known state: {state}")))?;
    Ok(Head {
        study: StudyId(study),
        number: number as u64,
        state,
    })
}

/// The study of a trial that may still change.
pub(super) fn study_of_open_trial(
    transaction: &Transaction<'_>,
    id: TrialId,
) -> Result<StudyId, Failure> {
    let head = head(transaction, id)?;
    if head.state.is_finished() {
        return Err(StorageError::TrialFinished(head.number).into());
    }
    Ok(head.study)
}

pub(super) fn set_param(
    transaction: &Transaction<'_>,
    id: TrialId,
    study: StudyId,
    name: &str,
    internal: f64,
    distribution: &Distribution,
) -> Result<(), Failure> {
    check_compatible(transaction, study, name, distribution)?;
    let mut insert = transaction.prepare_cached(
        "INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)
         VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (trial_id, param_name) DO UPDATE
         SET param_value = excluded.param_value, distribution_json = excluded.distribution_json",
    )?;
    insert.execute((id.0, name, internal, distribution.to_json()))?;
    Ok(())
}

fn check_compatible(
    transaction: &Transaction<'_>,
    study: StudyId,
    name: &str,
    distribution: &Distribution,
) -> Result<(), Failure> {
    let mut query = transaction.prepare_cached(
        "SELECT distribution_json FROM trials JOIN trial_params USING (trial_id)
         WHERE study_id = ?1 AND param_name = ?2 LIMIT 1",
    )?;
    let earlier: Option<String> = query
        .query_row((study.0, name), |row| row.get(0))
        .optional()?;
    let Some(earlier) = earlier else {
        return Ok(());
    };
    let is_compatible =
        Distribution::from_json(&earlier).is_ok_and(|earlier| earlier.is_compatible(distribution));
    if is_compatible {
        return Ok(());
    }
    Err(StorageError::Incompatible {
        name: name.to_owned(),
        earlier,
        now: distribution.to_json(),
    }
    .into())
}

/// A number as the tables have it: itself if it is finite, and of what type it is.
fn stored(value: f64) -> (Option<f64>, &'static str) {
    if value.is_finite() {
        (Some(value), "FINITE")
    } else if value.is_nan() {
        (None, "NAN")
    } else if value > 0.0 {
        (None, "INF_POS")
    } else {
        (None, "INF_NEG")
    }
}

fn set_values(transaction: &Transaction<'_>, id: TrialId, values: &[f64]) -> Result<(), Failure> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO trial_values (trial_id, objective, value, value_type)
         VALUES (?1, ?2, ?3, ?4)",
    )?;
    for (objective, value) in values.iter().enumerate() {
        let (value, value_type) = stored(*value);
        insert.execute((id.0, objective as i64, value, value_type))?;
    }
    Ok(())
}

pub(super) fn set_state(
    transaction: &Transaction<'_>,
    id: TrialId,
    state: TrialState,
    values: &[f64],
) -> Result<bool, Failure> {
    if state == TrialState::Running && head(transaction, id)?.state != TrialState::Waiting {
        return Ok(false);
    }
    study_of_open_trial(transaction, id)?;
    let now = time::for_database(Timestamp::now());
    let (started, completed) = match state {
        TrialState::Running => (Some(&now), None),
        _ if state.is_finished() => (None, Some(&now)),
        _ => (None, None),
    };
    let mut update = transaction.prepare_cached(
        "UPDATE trials SET state = ?2, datetime_start = coalesce(?3, datetime_start),
         datetime_complete = coalesce(?4, datetime_complete) WHERE trial_id = ?1",
    )?;
    update.execute((id.0, state.name(), started, completed))?;
    let mut delete = transaction.prepare_cached("DELETE FROM trial_values WHERE trial_id = ?1")?;
    delete.execute([id.0])?;
    set_values(transaction, id, values)?;
    Ok(true)
}

pub(super) fn set_intermediate_value(
    transaction: &Transaction<'_>,
    id: TrialId,
    step: i64,
    value: f64,
) -> Result<(), Failure> {
    let (value, value_type) = stored(value);
    let mut insert = transaction.prepare_cached(
        "INSERT INTO trial_intermediate_values
         (trial_id, step, intermediate_value, intermediate_value_type) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (trial_id, step) DO UPDATE
         SET intermediate_value = excluded.intermediate_value,
         intermediate_value_type = excluded.intermediate_value_type",
    )?;
    insert.execute((id.0, step, value, value_type))?;
    Ok(())
}

pub(super) fn set_trial_attr(
    transaction: &Transaction<'_>,
    id: TrialId,
    kind: AttributeKind,
    key: &str,
    value: &Json,
) -> Result<(), Failure> {
    let statement = match kind {
        AttributeKind::User => {
            r#"INSERT INTO trial_user_attributes (trial_id, "key", value_json) VALUES (?1, ?2, ?3)
               ON CONFLICT (trial_id, "key") DO UPDATE SET value_json = excluded.value_json"#
        }
        AttributeKind::System => {
            r#"INSERT INTO trial_system_attributes (trial_id, "key", value_json) VALUES (?1, ?2, ?3)
               ON CONFLICT (trial_id, "key") DO UPDATE SET value_json = excluded.value_json"#
        }
    };
    let mut statement = transaction.prepare_cached(statement)?;
    statement.execute((id.0, key, value.written(Style::Default)))?;
    Ok(())
}
