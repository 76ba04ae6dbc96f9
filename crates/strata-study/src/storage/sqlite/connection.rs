//! The connection to a file: how long it waits for others, and what is on disk when.
//!
//! Other processes may read and write at any time. Every change begins with `BEGIN IMMEDIATE`, so it waits for
//! its turn before it has read anything, and never finds in the midst of it that another was faster; only then
//! would SQLite give up at once with "database is locked" instead of waiting.
//!
//! On a disk of this machine the file is kept in write-ahead mode while it is open. A change then costs one
//! append to `FILE-wal`, and readers and writers do not wait for each other. With `synchronous=NORMAL` such an
//! append survives the end of the process, but not that of the machine, which may undo the last changes, never
//! harm the file. So what is worth a wait for the disk — the end of a trial, all of a study — is written with
//! `synchronous=FULL`, which takes along what was written before; a parameter of a trial that runs is not, as
//! its trial would not outlive the machine either. When the last process closes the file it is one plain file
//! again, which can be copied, and opened from a disk that cannot be written.
//!
//! Write-ahead mode needs memory that processes share, so it does not work across machines: on a network's disk
//! SQLite's rollback mode is left as it is, with all changes on disk at once.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rusqlite::{Connection as Raw, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use super::schema::{self, Tables};
use crate::StorageError;
use crate::storage::open::Access;

/// How long a change waits for others. They take milliseconds, so only a process that hangs is waited for so long.
const PATIENCE: Duration = Duration::from_mins(2);

/// When a change is on disk; until then it is only safe from the end of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// When the call returns.
    Now,
    /// At the latest with the next change that is on disk when its call returns.
    Later,
}

/// Why something in a transaction fails.
#[derive(Debug)]
pub(super) enum Failure {
    Sql(rusqlite::Error),
    Storage(StorageError),
    /// What is wrong with the file's contents.
    Problem(String),
}

impl Failure {
    pub(super) fn problem(problem: impl Into<String>) -> Self {
        Self::Problem(problem.into())
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

/// A connection to a file.
#[derive(Debug)]
pub(super) struct Connection {
    raw: Raw,
    place: String,
    access: Access,
    /// Whether this connection found the file in write-ahead mode, which nobody can end while it is open.
    write_ahead: bool,
    durability: Durability,
}

impl Connection {
    /// Opens the database of a file, and makes it if that is asked for.
    pub(super) fn open(path: &Path, access: Access) -> Result<Self, StorageError> {
        let place = path.display().to_string();
        check_path(path, access).map_err(|problem| file_error(&place, problem))?;
        let raw = match access {
            Access::Write => Raw::open_with_flags(
                path,
                OpenFlags::SQLITE_OPEN_READ_WRITE
                    | OpenFlags::SQLITE_OPEN_CREATE
                    | OpenFlags::SQLITE_OPEN_NO_MUTEX,
            ),
            Access::Read => open_to_read(path),
        };
        let raw = raw.map_err(|error| file_error(&place, explain(&error)))?;
        Self::prepare(raw, place, access, is_on_a_local_disk(path))
    }

    /// A database of this process alone.
    pub(super) fn in_memory() -> Result<Self, StorageError> {
        let place = ":memory:".to_owned();
        let raw = Raw::open_in_memory().map_err(|error| file_error(&place, error.to_string()))?;
        Self::prepare(raw, place, Access::Write, false)
    }

    fn prepare(
        raw: Raw,
        place: String,
        access: Access,
        is_local: bool,
    ) -> Result<Self, StorageError> {
        let mut connection = Self {
            raw,
            place,
            access,
            write_ahead: false,
            durability: Durability::Now,
        };
        let prepared = connection.set_up(is_local);
        prepared.map_err(|failure| connection.error(failure))?;
        Ok(connection)
    }

    fn set_up(&mut self, is_local: bool) -> Result<(), Failure> {
        self.raw.busy_handler(Some(wait_for_others))?;
        self.raw.set_prepared_statement_cache_capacity(64);
        self.raw
            .execute_batch("PRAGMA foreign_keys = OFF; PRAGMA synchronous = FULL")?;
        let place = self.place.clone();
        let tables = self.retry(|raw| schema::check(raw, &place))?;
        match (self.access, tables) {
            (Access::Read, Tables::Incomplete) => {
                return Err(Failure::problem(
                    "the database holds no studies; it has not all of their tables",
                ));
            }
            (Access::Read, Tables::Complete) => return Ok(()),
            (Access::Write, Tables::Incomplete) => {
                self.write(Durability::Now, |transaction| schema::create(transaction))?;
            }
            (Access::Write, Tables::Complete) => {}
        }
        if self.raw.is_readonly(rusqlite::MAIN_DB)? {
            return Err(Failure::problem("the file cannot be written"));
        }
        if is_local {
            self.write_ahead = self.begin_write_ahead()?;
        }
        Ok(())
    }

    /// Whether the file is in write-ahead mode afterwards. If others are at work in rollback mode it stays in that.
    fn begin_write_ahead(&mut self) -> Result<bool, Failure> {
        self.raw.busy_timeout(Duration::from_millis(500))?;
        let mode = self
            .raw
            .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0));
        self.raw.busy_handler(Some(wait_for_others))?;
        let mode: String = match mode {
            Err(error) if is_busy(&error) => {
                self.retry(|raw| Ok(raw.query_row("PRAGMA journal_mode", [], |row| row.get(0))?))?
            }
            other => other?,
        };
        Ok(mode == "wal")
    }

    /// A failure as the storage's error.
    pub(super) fn error(&self, failure: Failure) -> StorageError {
        match failure {
            Failure::Storage(error) => error,
            Failure::Sql(error) => file_error(&self.place, explain(&error)),
            Failure::Problem(problem) => file_error(&self.place, problem),
        }
    }

    /// Changes something, in one transaction.
    pub(super) fn write<T>(
        &mut self,
        durability: Durability,
        change: impl Fn(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if self.access == Access::Read {
            return Err(Failure::problem("the file was opened to be read only"));
        }
        self.set_durability(durability)?;
        self.retry(|raw| {
            let transaction = raw.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = change(&transaction)?;
            transaction.commit()?;
            Ok(result)
        })
    }

    /// Reads something, all of it from the same state of the database.
    pub(super) fn read<T>(
        &mut self,
        mut look: impl FnMut(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.retry(|raw| look(&raw.transaction()?))
    }

    /// A number that changes when another connection has changed something.
    pub(super) fn version(&mut self) -> Result<i64, Failure> {
        self.retry(|raw| data_version(raw))
    }

    /// Only in write-ahead mode is `NORMAL` safe for the file.
    fn set_durability(&mut self, durability: Durability) -> Result<(), Failure> {
        if self.write_ahead && durability != self.durability {
            self.raw.execute_batch(match durability {
                Durability::Now => "PRAGMA synchronous = FULL",
                Durability::Later => "PRAGMA synchronous = NORMAL",
            })?;
            self.durability = durability;
        }
        Ok(())
    }

    /// SQLite waits by itself in almost all cases; here it is asked again in the others.
    fn retry<T>(
        &mut self,
        mut attempt: impl FnMut(&mut Raw) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let begun = Instant::now();
        loop {
            match attempt(&mut self.raw) {
                Err(Failure::Sql(error)) if is_busy(&error) && begun.elapsed() < PATIENCE => {
                    sleep(Duration::from_millis(5));
                }
                other => return other,
            }
        }
    }
}

impl Drop for Connection {
    /// The last one that closes the file leaves it as one plain file.
    fn drop(&mut self) {
        self.raw.flush_prepared_statement_cache();
        let waits = self.raw.busy_timeout(Duration::ZERO);
        if self.write_ahead && waits.is_ok() {
            // It fails while others have the file open; then they do it.
            let _ = self
                .raw
                .query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()));
        }
    }
}

/// See [`Connection::version`]; in a transaction the version that it sees.
pub(super) fn data_version(raw: &Raw) -> Result<i64, Failure> {
    let mut query = raw.prepare_cached("PRAGMA data_version")?;
    Ok(query.query_row([], |row| row.get(0))?)
}

/// Called by SQLite when it has found the file locked for the `count`-th time since it began to wait.
///
/// Waits are short at first, as changes are; different lengths keep processes from meeting again and again.
fn wait_for_others(count: i32) -> bool {
    let count = count.max(0) as u64;
    let jitter = u64::from(std::process::id()).wrapping_mul(count + 1) % 1000;
    let wait = Duration::from_micros(500 * (count + 1).min(20) + jitter);
    sleep(wait);
    // Some 10 ms each.
    count < PATIENCE.as_secs() * 100
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed
        )
    )
}

fn file_error(place: &str, problem: impl Into<String>) -> StorageError {
    StorageError::File {
        place: place.to_owned(),
        problem: problem.into(),
    }
}

/// What SQLite's errors mean for those who use studies.
fn explain(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => "the file is no SQLite database".to_owned(),
        Some(ErrorCode::DatabaseCorrupt) => format!("the database is damaged ({error})"),
        Some(ErrorCode::ReadOnly) => "the file cannot be written".to_owned(),
        Some(ErrorCode::DiskFull) => "the disk is full".to_owned(),
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::FileLockingProtocolFailed,
        ) => format!(
            "another process has kept the database locked for {} minutes",
            PATIENCE.as_secs() / 60
        ),
        _ => error.to_string(),
    }
}

/// Says what SQLite would only call "unable to open".
fn check_path(path: &Path, access: Access) -> Result<(), String> {
    if path.is_dir() {
        return Err("this is a folder, not a file".to_owned());
    }
    if access == Access::Read && !path.exists() {
        return Err("there is no such file".to_owned());
    }
    let folder = folder_of(path);
    if !folder.is_dir() {
        return Err(format!("there is no folder `{}`", folder.display()));
    }
    Ok(())
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// A file that was left in write-ahead mode cannot be opened in the usual way where nothing can be written; as
/// nobody can write there, it can be taken for one that does not change.
fn open_to_read(path: &Path) -> Result<Raw, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let raw = Raw::open_with_flags(path, flags)?;
    let first = raw.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()));
    let code = first.err().and_then(|error| error.sqlite_error_code());
    let cannot_open = matches!(code, Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly));
    let log = PathBuf::from(format!("{}-wal", path.display()));
    if !cannot_open || log.exists() {
        return Ok(raw);
    }
    let name = path.display().to_string();
    let name = name
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23");
    Raw::open_with_flags(
        format!("file:{name}?immutable=1"),
        flags | OpenFlags::SQLITE_OPEN_URI,
    )
}

/// Whether a file lies on a disk of this machine, as far as that is known.
#[cfg(target_os = "linux")]
fn is_on_a_local_disk(path: &Path) -> bool {
    // The numbers of statfs(2): ext2 to ext4, XFS, Btrfs, tmpfs, overlayfs, ZFS, F2FS, bcachefs.
    const LOCAL: [u32; 8] = [
        0xef53,
        0x5846_5342,
        0x9123_683e,
        0x0102_1994,
        0x794c_7630,
        0x2fc1_2fc1,
        0xf2f5_2010,
        0xca45_1a4e,
    ];
    rustix::fs::statfs(folder_of(path)).is_ok_and(|disk| LOCAL.contains(&(disk.f_type as u32)))
}

/// Whether a file lies on a disk of this machine, as far as that is known.
#[cfg(not(target_os = "linux"))]
fn is_on_a_local_disk(_: &Path) -> bool {
    false
}
