//! The `.wandb` file: records in the log layout of `LevelDB`.
//!
//! After 7 bytes of header come blocks of 32 KiB, counted from the start of the file, so that the header is
//! part of the first. A record is one chunk, or several where it crosses the end of a block. A chunk is the
//! CRC-32 (IEEE, not masked as in `LevelDB`) of its type and data, their length, its type, its data; fewer
//! than 7 bytes at the end of a block are zeros. Measured against wandb 0.31.0.

use std::fs::TryLockError;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use fs_err::File;

use crate::SinkError;
use crate::append_file::AppendFile;

/// `:W&B`, the magic number `0xBEE1` in little-endian order, and version 0 of the layout.
const FILE_HEADER: [u8; 7] = [b':', b'W', b'&', b'B', 0xE1, 0xBE, 0];
const BLOCK: u64 = 32 * 1024;
const CHUNK_HEADER: u64 = 7;

const FULL: u8 = 1;
const FIRST: u8 = 2;
const MIDDLE: u8 = 3;
const LAST: u8 = 4;

/// Writes a `.wandb` file; records have left the process when [`TransactionLog::append`] returns.
///
/// The real client keeps up to 15 s of records in memory and loses them when it is killed.
#[derive(Debug)]
pub struct TransactionLog {
    file: AppendFile,
}

impl TransactionLog {
    /// A new file.
    ///
    /// # Errors
    /// If `path` exists already or cannot be made.
    pub fn create(path: &Path) -> Result<Self, SinkError> {
        let created = fs_err::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path);
        let file = created.map_err(|source| SinkError::Write {
            path: path.to_owned(),
            source,
        })?;
        // Lets `strata sync` know that the run lives; where the file system knows no locks, nobody is kept out.
        let _ = file.file().try_lock();
        let mut file = AppendFile::new(file, 0);
        file.append(|buffer, _| buffer.extend_from_slice(&FILE_HEADER))?;
        Ok(Self { file })
    }

    /// The file of a run that goes on, cut back to its first `length` bytes, which are whole records.
    ///
    /// # Errors
    /// If the run still lives or the file cannot be written.
    pub(super) fn reopen(path: &Path, length: u64) -> Result<Self, SinkError> {
        let open = || -> io::Result<File> {
            let mut file = fs_err::OpenOptions::new().write(true).open(path)?;
            if matches!(file.file().try_lock(), Err(TryLockError::WouldBlock)) {
                return Err(io::Error::other("another process writes it"));
            }
            file.set_len(length)?;
            file.seek(SeekFrom::Start(length))?;
            Ok(file)
        };
        let file = open().map_err(|source| SinkError::Write {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            file: AppendFile::new(file, length),
        })
    }

    /// Whether another process holds the file, which is so while its run lives.
    pub fn is_held(path: &Path) -> bool {
        File::open(path).is_ok_and(|file| {
            let locked = file.file().try_lock_shared();
            matches!(locked, Err(TryLockError::WouldBlock))
        })
    }

    /// How long the file is: a reader finds whole records up to there.
    pub fn length(&self) -> u64 {
        self.file.length()
    }

    /// Appends records, with a single write unless they are [held](TransactionLog::hold), so that a kill leaves all of
    /// them or, at worst, a torn end.
    ///
    /// # Errors
    /// If the file cannot be written; what a failed write left is taken back, here or with the next call.
    pub fn append(&mut self, records: &[Vec<u8>]) -> Result<(), SinkError> {
        self.file.append(|buffer, start| {
            for record in records {
                push_record(buffer, start, record);
            }
        })
    }

    /// Lets records that follow each other at once wait for [`TransactionLog::flush`].
    pub fn hold(&mut self) {
        self.file.hold();
    }

    /// Writes what is held.
    ///
    /// # Errors
    /// As for [`TransactionLog::append`].
    pub fn flush(&mut self) -> Result<(), SinkError> {
        self.file.flush()
    }

    /// Waits until the disk has everything.
    ///
    /// # Errors
    /// If the system reports that it has not.
    pub fn sync(&mut self) -> Result<(), SinkError> {
        self.file.sync()
    }
}

/// Appends the chunks of `record` to `buffer`, whose first byte stands at `start` in the file.
fn push_record(buffer: &mut Vec<u8>, start: u64, record: &[u8]) {
    let mut rest = record;
    let mut is_first = true;
    loop {
        let mut room = BLOCK - (start + buffer.len() as u64) % BLOCK;
        if room < CHUNK_HEADER {
            buffer.resize(buffer.len() + room as usize, 0);
            room = BLOCK;
        }
        let taken = rest.len().min((room - CHUNK_HEADER) as usize);
        let (data, left) = rest.split_at(taken);
        let kind = match (is_first, left.is_empty()) {
            (true, true) => FULL,
            (true, false) => FIRST,
            (false, false) => MIDDLE,
            (false, true) => LAST,
        };
        buffer.extend_from_slice(&checksum(kind, data).to_le_bytes());
        buffer.extend_from_slice(&(data.len() as u16).to_le_bytes());
        buffer.push(kind);
        buffer.extend_from_slice(data);
        if left.is_empty() {
            return;
        }
        rest = left;
        is_first = false;
    }
}

fn checksum(kind: u8, data: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&[kind]);
    hasher.update(data);
    hasher.finalize()
}

/// Why a `.wandb` file could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum TransactionLogError {
    /// The file could not be opened or read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file does not begin as a `.wandb` file of a version known here.
    #[error("`{}` is not a `.wandb` file of a known version", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// From here on nothing can be trusted; the records before are whole.
    #[error("`{}` is damaged at byte {offset}: {damage}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the chunk begins that cannot be read.
        offset: u64,
        /// What is wrong there.
        damage: Damage,
    },
}

/// What can be wrong in a `.wandb` file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The file ends within a record, as it does when its writer was killed.
    #[error("the file ends within a record")]
    Truncated,
    /// The data are not those that were written.
    #[error("the checksum does not fit the data")]
    Checksum,
    /// No writer makes such a chunk.
    #[error("no chunk can be like this")]
    Chunk,
}

/// The records of a `.wandb` file in the order written; ends after the first error.
#[derive(Debug)]
pub struct Records {
    path: PathBuf,
    reader: BufReader<File>,
    offset: u64,
    ended: bool,
}

impl Records {
    /// Opens the file and checks its first bytes.
    ///
    /// # Errors
    /// [`TransactionLogError::Read`] or [`TransactionLogError::Foreign`].
    pub fn open(path: &Path) -> Result<Self, TransactionLogError> {
        let read_failed = |source| TransactionLogError::Read {
            path: path.to_owned(),
            source,
        };
        let mut reader = BufReader::new(File::open(path).map_err(read_failed)?);
        let header = read_up_to(&mut reader, FILE_HEADER.len()).map_err(read_failed)?;
        if header != FILE_HEADER {
            return Err(TransactionLogError::Foreign {
                path: path.to_owned(),
            });
        }
        Ok(Self {
            path: path.to_owned(),
            reader,
            offset: FILE_HEADER.len() as u64,
            ended: false,
        })
    }

    /// How far the records read so far reach.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    fn record(&mut self) -> Result<Option<Vec<u8>>, TransactionLogError> {
        let mut record = Vec::new();
        let mut is_first = true;
        loop {
            let Some((kind, data)) = self.chunk()? else {
                if is_first {
                    return Ok(None);
                }
                return Err(self.damaged(Damage::Truncated));
            };
            if is_first != matches!(kind, FULL | FIRST) {
                return Err(self.damaged(Damage::Chunk));
            }
            self.offset += CHUNK_HEADER + data.len() as u64;
            record.extend_from_slice(&data);
            is_first = false;
            if matches!(kind, FULL | LAST) {
                return Ok(Some(record));
            }
        }
    }

    /// The chunk at `offset`, which stays where it is so that errors can name it.
    fn chunk(&mut self) -> Result<Option<(u8, Vec<u8>)>, TransactionLogError> {
        let mut room = BLOCK - self.offset % BLOCK;
        if room < CHUNK_HEADER {
            let padding = self.read(room as usize)?;
            if padding.iter().any(|&byte| byte != 0) {
                return Err(self.damaged(Damage::Chunk));
            }
            self.offset += padding.len() as u64;
            room = BLOCK;
        }
        let header = self.read(CHUNK_HEADER as usize)?;
        let &[c0, c1, c2, c3, l0, l1, kind] = header.as_slice() else {
            if header.is_empty() {
                return Ok(None);
            }
            return Err(self.damaged(Damage::Truncated));
        };
        let length = u16::from_le_bytes([l0, l1]);
        if !(FULL..=LAST).contains(&kind) || CHUNK_HEADER + u64::from(length) > room {
            return Err(self.damaged(Damage::Chunk));
        }
        let data = self.read(usize::from(length))?;
        if data.len() < usize::from(length) {
            return Err(self.damaged(Damage::Truncated));
        }
        if checksum(kind, &data) != u32::from_le_bytes([c0, c1, c2, c3]) {
            return Err(self.damaged(Damage::Checksum));
        }
        Ok(Some((kind, data)))
    }

    fn read(&mut self, length: usize) -> Result<Vec<u8>, TransactionLogError> {
        read_up_to(&mut self.reader, length).map_err(|source| TransactionLogError::Read {
            path: self.path.clone(),
            source,
        })
    }

    fn damaged(&self, damage: Damage) -> TransactionLogError {
        TransactionLogError::Damaged {
            path: self.path.clone(),
            offset: self.offset,
            damage,
        }
    }
}

impl Iterator for Records {
    type Item = Result<Vec<u8>, TransactionLogError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let record = self.record().transpose();
        self.ended = !matches!(record, Some(Ok(_)));
        record
    }
}

fn read_up_to(reader: &mut impl Read, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(length);
    reader.take(length as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}
