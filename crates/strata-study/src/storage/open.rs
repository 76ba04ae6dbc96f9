//! The storage of an address.

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use super::{JournalStorage, MemoryStorage, SqliteStorage, Storage, StorageError};

/// What a file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// To read what is there.
    Read,
    /// To read and write; it is made if there is none.
    Write,
}

/// Opens the storage of an address, and makes it if there is none.
///
/// * `sqlite:///study.db`, with four slashes `sqlite:////home/me/study.db`: a file of SQLite, as SQLAlchemy and Optuna
///   write it; `sqlite:///:memory:` is one of this process alone.
/// * `journal://study.journal`, `journal:///home/me/study.journal`: a journal of Optuna.
/// * A path: what the file is, if its contents tell, else SQLite for `.db`, `.sqlite` and `.sqlite3`, and a journal for all
///   other names.
/// * `memory`, `None` and nothing: in memory.
///
/// # Errors
/// The address is of a server or of no known kind; the file cannot be opened, or is something else.
pub fn open(url: &str) -> Result<Arc<dyn Storage>, StorageError> {
    open_with(url, Access::Write)
}

/// Opens the storage of an address, see [`open`], to read it only.
///
/// # Errors
/// As for [`open`]; also if there is no file.
pub fn open_existing(url: &str) -> Result<Arc<dyn Storage>, StorageError> {
    open_with(url, Access::Read)
}

fn open_with(url: &str, access: Access) -> Result<Arc<dyn Storage>, StorageError> {
    match Address::of(url)? {
        Address::Memory => Ok(Arc::new(MemoryStorage::default())),
        Address::SqliteMemory => Ok(Arc::new(SqliteStorage::in_memory()?)),
        Address::Sqlite(path) => Ok(match access {
            Access::Write => Arc::new(SqliteStorage::open(Path::new(path))?),
            Access::Read => Arc::new(SqliteStorage::open_existing(Path::new(path))?),
        }),
        Address::Journal(path) => Ok(match access {
            Access::Write => Arc::new(JournalStorage::open(Path::new(path))?),
            Access::Read => Arc::new(JournalStorage::open_existing(Path::new(path))?),
        }),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Address<'a> {
    Memory,
    SqliteMemory,
    Sqlite(&'a str),
    Journal(&'a str),
}

impl<'a> Address<'a> {
    fn of(url: &'a str) -> Result<Self, StorageError> {
        if ["", "memory", "None", "null"].contains(&url) {
            return Ok(Self::Memory);
        }
        let Some((scheme, rest)) = url.split_once("://") else {
            return Ok(Self::of_path(url));
        };
        // SQLAlchemy writes the driver behind a plus: `sqlite+pysqlite`.
        match scheme.split('+').next().unwrap_or_default() {
            "sqlite" => Self::of_sqlite(url, rest),
            "journal" if rest.is_empty() => Err(unknown(
                url,
                "the path of the file is missing; write `journal://study.journal`",
            )),
            "journal" => Ok(Self::Journal(rest)),
            "postgresql" | "postgres" | "mysql" | "mariadb" | "oracle" | "mssql" | "redis" => {
                Err(unknown(
                    url,
                    "databases behind a server are not supported; use a file that all processes reach: \
                     `sqlite:///study.db`, or on a network's disk `journal://study.journal`",
                ))
            }
            other => Err(unknown(
                url,
                format!(
                    "`{other}://` is no kind of storage; there are `sqlite:///study.db`, \
                     `journal://study.journal`, the path of a file, and `memory`"
                ),
            )),
        }
    }

    fn of_sqlite(url: &'a str, rest: &'a str) -> Result<Self, StorageError> {
        // What follows a question mark are settings of SQLAlchemy's.
        let rest = rest.split('?').next().unwrap_or_default();
        match rest.strip_prefix('/') {
            None if rest.is_empty() => Ok(Self::SqliteMemory),
            None => Err(unknown(
                url,
                format!("a file needs three slashes: `sqlite:///{rest}`"),
            )),
            Some("" | ":memory:") => Ok(Self::SqliteMemory),
            Some(path) => Ok(Self::Sqlite(path)),
        }
    }

    fn of_path(path: &'a str) -> Self {
        let extension = Path::new(path).extension();
        let extension = extension.and_then(|extension| extension.to_str());
        let beginning = first_bytes(Path::new(path));
        let is_sqlite = match beginning.as_deref() {
            Some(bytes) if is_sqlite(bytes) => true,
            Some([b'{', ..]) => false,
            _ => matches!(extension, Some("db" | "sqlite" | "sqlite3")),
        };
        if is_sqlite {
            Self::Sqlite(path)
        } else {
            Self::Journal(path)
        }
    }
}

fn unknown(url: &str, problem: impl Into<String>) -> StorageError {
    StorageError::File {
        place: url.to_owned(),
        problem: problem.into(),
    }
}

/// The beginning of a file that has contents.
fn first_bytes(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = fs_err::File::open(path).ok()?;
    file.take(16).read_to_end(&mut bytes).ok()?;
    (!bytes.is_empty()).then_some(bytes)
}

/// Whether a file that begins so is one of SQLite.
pub(super) fn is_sqlite(beginning: &[u8]) -> bool {
    beginning.starts_with(b"SQLite format 3\0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_sqlalchemy() {
        let table = [
            ("sqlite:///study.db", Address::Sqlite("study.db")),
            ("sqlite:////tmp/study.db", Address::Sqlite("/tmp/study.db")),
            (
                "sqlite+pysqlite:///a/b.db?timeout=20",
                Address::Sqlite("a/b.db"),
            ),
            ("sqlite:///:memory:", Address::SqliteMemory),
            ("sqlite://", Address::SqliteMemory),
            ("journal://study.log", Address::Journal("study.log")),
            (
                "journal:///tmp/study.log",
                Address::Journal("/tmp/study.log"),
            ),
            (
                "no-such-file.sqlite3",
                Address::Sqlite("no-such-file.sqlite3"),
            ),
            (
                "no-such-file.journal",
                Address::Journal("no-such-file.journal"),
            ),
            ("memory", Address::Memory),
            ("None", Address::Memory),
        ];
        for (url, address) in table {
            assert_eq!(Address::of(url).expect(url), address, "{url}");
        }
    }

    #[test]
    fn what_is_no_address_is_told_what_is() {
        let table = [
            ("postgresql+psycopg2://me@host/db", "sqlite:///study.db"),
            ("mysql://host/db", "journal://study.journal"),
            ("sqlite://study.db", "sqlite:///study.db"),
            ("http://host/db", "`http://` is no kind of storage"),
            ("journal://", "the path of the file is missing"),
        ];
        for (url, hint) in table {
            let message = Address::of(url).expect_err(url).to_string();
            assert!(
                message.starts_with(url) && message.contains(hint),
                "{message}"
            );
        }
    }
}
