//! The file: reads the lines that were added, appends one.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use fs_err as fs;
use strata_json::Json;

use super::lock::{GRACE, Held, Lock};
use crate::StorageError;
use crate::storage::open::{Access, is_sqlite};

/// A journal, read up to some line.
#[derive(Debug)]
pub(super) struct JournalFile {
    path: PathBuf,
    access: Access,
    /// Where the first line begins that was not read.
    offset: u64,
    /// How many lines were read.
    lines: u64,
}

impl JournalFile {
    /// Opens a journal, and makes it if that is asked for.
    pub(super) fn open(path: &Path, access: Access) -> Result<Self, StorageError> {
        let file = Self {
            path: path.to_owned(),
            access,
            offset: 0,
            lines: 0,
        };
        if path.is_dir() {
            return Err(file.error("this is a folder, not a file"));
        }
        match access {
            Access::Read => {
                if !path.exists() {
                    return Err(file.error("there is no such file"));
                }
            }
            Access::Write => {
                let mut options = fs::OpenOptions::new();
                let opened = options.append(true).create(true).open(path);
                opened.map_err(|error| file.failed(&error))?;
            }
        }
        Ok(file)
    }

    fn error(&self, problem: impl Into<String>) -> StorageError {
        StorageError::File {
            place: self.path.display().to_string(),
            problem: problem.into(),
        }
    }

    fn failed(&self, error: &std::io::Error) -> StorageError {
        let folder = self.path.parent();
        let folder = folder.filter(|folder| *folder != Path::new("") && !folder.is_dir());
        match folder {
            Some(folder) => self.error(format!("there is no folder `{}`", folder.display())),
            // The kind alone, as fs-err's message names the file once more.
            None => self.error(std::io::Error::from(error.kind()).to_string()),
        }
    }

    fn bad_line(&self, problem: &str) -> StorageError {
        StorageError::File {
            place: format!("{}:{}", self.path.display(), self.lines + 1),
            problem: problem.to_owned(),
        }
    }

    /// Gives each line that was added since the last call to `take`, with the offset at which it begins. A line
    /// without an end is still being written and is left for the next call.
    ///
    /// # Errors
    /// The file cannot be read, or `take` says what is wrong with a line; that line is the first of the next call.
    pub(super) fn read_new(
        &mut self,
        mut take: impl FnMut(u64, &str) -> Result<(), String>,
    ) -> Result<(), StorageError> {
        let bytes = self.read_added().map_err(|error| self.failed(&error))?;
        let Some(bytes) = bytes else {
            return Err(self.error(
                "the file has become shorter while it was in use; was it replaced or edited?",
            ));
        };
        if self.offset == 0 && is_sqlite(&bytes) {
            let path = self.path.display();
            return Err(self.error(format!(
                "this is a database of SQLite, not a journal; write `sqlite:///{path}`"
            )));
        }
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if !line.ends_with(b"\n") {
                break;
            }
            let text = std::str::from_utf8(line);
            let text = text.map_err(|_| self.bad_line("the line is not text in UTF-8"))?;
            take(self.offset, text).map_err(|problem| self.bad_line(&problem))?;
            self.offset += line.len() as u64;
            self.lines += 1;
        }
        Ok(())
    }

    /// What lies behind the lines that were read; none if the file ends before them.
    fn read_added(&self) -> std::io::Result<Option<Vec<u8>>> {
        let mut file = fs::File::open(&self.path)?;
        let length = file.metadata()?.len();
        if length < self.offset {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        if length > self.offset {
            file.seek(SeekFrom::Start(self.offset))?;
            file.take(length - self.offset).read_to_end(&mut bytes)?;
        }
        Ok(Some(bytes))
    }

    /// The lock of this journal.
    pub(super) fn lock(&self) -> Lock {
        Lock::new(&self.path, GRACE)
    }

    /// Waits for the lock, then mends the end of the file: a line that a process has begun and not ended would make
    /// one line with the next, which nobody can read.
    pub(super) fn acquire<'a>(&self, lock: &'a Lock) -> Result<Held<'a>, StorageError> {
        if self.access == Access::Read {
            return Err(self.error("the file was opened to be read only"));
        }
        let held = lock.acquire().map_err(|error| {
            let problem = match self.failed(&error) {
                StorageError::File { problem, .. } => problem,
                other => other.to_string(),
            };
            self.error(format!(
                "the lock beside it, `{}.lock`, cannot be made: {problem}",
                self.path.display()
            ))
        })?;
        Ok(held)
    }

    /// Mends the end of the file, under the lock and when all lines were read. True if another line was won by that.
    pub(super) fn mend_end(&self, _: &Held<'_>) -> Result<bool, StorageError> {
        let Some(rest) = self.read_added().map_err(|error| self.failed(&error))? else {
            return Ok(false);
        };
        if rest.is_empty() {
            return Ok(false);
        }
        let text = std::str::from_utf8(&rest).unwrap_or_default();
        let is_whole = strata_json::parse(text).is_ok_and(|line| matches!(line, Json::Map(_)));
        let mended = if is_whole {
            self.append_bytes(b"\n").map(drop)
        } else {
            let file = fs::OpenOptions::new().write(true).open(&self.path);
            file.and_then(|file| file.set_len(self.offset))
        };
        mended.map_err(|error| self.failed(&error))?;
        Ok(is_whole)
    }

    /// Appends a line, under the lock and when all lines were read; it begins where those end.
    pub(super) fn append(&self, _: &Held<'_>, line: &str) -> Result<Appended, StorageError> {
        let appended = self.append_bytes(format!("{line}\n").as_bytes());
        let file = appended.map_err(|error| self.failed(&error))?;
        Ok(Appended {
            offset: self.offset,
            file,
        })
    }

    /// In one call of the system, so that a process that ends in the midst of it leaves all or nothing.
    fn append_bytes(&self, bytes: &[u8]) -> std::io::Result<fs::File> {
        let mut file = fs::OpenOptions::new().append(true).open(&self.path)?;
        file.write_all(bytes)?;
        Ok(file)
    }

    /// Waits until the disk has a line, and all before it.
    pub(super) fn wait_for_disk(&self, appended: &Appended) -> Result<(), StorageError> {
        let waited = appended.file.sync_data();
        waited.map_err(|error| self.failed(&error))
    }
}

/// A line that was appended.
#[derive(Debug)]
pub(super) struct Appended {
    /// Where it begins.
    pub(super) offset: u64,
    file: fs::File,
}
