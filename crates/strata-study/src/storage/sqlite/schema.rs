//! The tables.

use rusqlite::{Connection, OptionalExtension as _};

use super::connection::Failure;

/// Those of Optuna 3.2 to 5.0, word for word as SQLAlchemy makes them.
const SCHEMA: &str = include_str!("schema.sql");

/// What Optuna stamps on a file with this schema.
const REVISION: &str = "v3.2.0.a";
const SCHEMA_VERSION: i64 = 12;
const LIBRARY_VERSION: &str = "5.0.0";

const TABLES: [&str; 13] = [
    "alembic_version",
    "studies",
    "study_directions",
    "study_system_attributes",
    "study_user_attributes",
    "trial_heartbeats",
    "trial_intermediate_values",
    "trial_params",
    "trial_system_attributes",
    "trial_user_attributes",
    "trial_values",
    "trials",
    "version_info",
];

/// What a database holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tables {
    /// All tables of studies.
    Complete,
    /// No table, or not all of those of studies.
    Incomplete,
}

/// Looks at the tables of a database.
///
/// # Errors
/// It is a database of something else, or of another version of Optuna's schema.
pub(super) fn check(connection: &Connection, place: &str) -> Result<Tables, Failure> {
    let mut query = connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'")?;
    let names: Vec<String> = query
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let has = |table: &&str| names.iter().any(|name| name == *table);
    if !has(&"studies") {
        return match names.first() {
            None => Ok(Tables::Incomplete),
            Some(table) => Err(Failure::problem(format!(
                "the database is not one of studies; it has a table `{table}`, but none named `studies`"
            ))),
        };
    }
    if has(&"alembic_version") {
        let query = "SELECT version_num FROM alembic_version";
        let revision: Option<String> = connection
            .query_row(query, [], |row| row.get(0))
            .optional()?;
        if let Some(revision) = revision.filter(|revision| revision != REVISION) {
            return Err(Failure::problem(other_revision(&revision, place)));
        }
    }
    let is_complete = TABLES.iter().all(has);
    Ok(if is_complete {
        Tables::Complete
    } else {
        Tables::Incomplete
    })
}

fn other_revision(revision: &str, place: &str) -> String {
    // Revisions are named after the versions that brought them, so far with one digit each.
    if revision.starts_with('v') && revision < REVISION {
        format!(
            "the tables are those of an earlier Optuna ({revision}); Optuna brings them up to date: \
             `optuna storage upgrade --storage sqlite:///{place}`"
        )
    } else {
        format!(
            "the tables are of the version {revision}, which is not known here; \
             known is that of Optuna 3.2 to 5.0, {REVISION}"
        )
    }
}

/// Makes the tables that are missing.
pub(super) fn create(connection: &Connection) -> Result<(), Failure> {
    connection.execute_batch(SCHEMA)?;
    connection.execute(
        "INSERT OR IGNORE INTO version_info VALUES (1, ?1, ?2)",
        (SCHEMA_VERSION, LIBRARY_VERSION),
    )?;
    connection.execute(
        "INSERT INTO alembic_version SELECT ?1 WHERE NOT EXISTS (SELECT * FROM alembic_version)",
        [REVISION],
    )?;
    Ok(())
}
