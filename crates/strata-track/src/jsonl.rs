//! `metrics.jsonl`: every logged row, one line each.

use std::fs::TryLockError;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use fs_err::File;

use crate::append_file::AppendFile;
use crate::flat::{flattened, scalar};
use crate::step_counter::StepCounter;
use crate::{Event, Logged, Row, RunState, Sink, SinkError};

/// Appends rows to `metrics.jsonl`; each line reaches the file at once, so that others can follow.
///
#[derive(Debug)]
pub struct JsonlSink {
    file: AppendFile,
    steps: StepCounter,
}

impl JsonlSink {
    /// A new file, locked while the run lives.
    ///
    /// # Errors
    /// If `path` exists already or cannot be made.
    pub fn create(path: &Path) -> Result<Self, SinkError> {
        let file = fs_err::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(|source| failed(path, source))?;
        lock(&file)?;
        Ok(Self {
            file: AppendFile::new(file, 0),
            steps: StepCounter::default(),
        })
    }

    /// The file of a run that goes on, cut back to its first `length` bytes; made if there is none and
    /// nothing was logged.
    ///
    /// # Errors
    /// If the run still lives, the file is shorter, or it cannot be written.
    pub fn reopen(path: &Path, length: u64) -> Result<Self, SinkError> {
        let mut file = fs_err::OpenOptions::new()
            .write(true)
            .create(length == 0)
            .truncate(false)
            .open(path)
            .map_err(|source| failed(path, source))?;
        lock(&file)?;
        let cut = |file: &mut File| -> io::Result<()> {
            if file.metadata()?.len() < length {
                let problem = format!("it is shorter than the {length} bytes it should have");
                return Err(io::Error::other(problem));
            }
            file.set_len(length)?;
            file.seek(SeekFrom::Start(length)).map(drop)
        };
        cut(&mut file).map_err(|source| failed(path, source))?;
        Ok(Self {
            file: AppendFile::new(file, length),
            steps: StepCounter::default(),
        })
    }

    /// The file, whatever it holds already; new rows go behind.
    ///
    /// # Errors
    /// As for [`JsonlSink::reopen`].
    pub fn append(path: &Path) -> Result<Self, SinkError> {
        let length = match fs_err::metadata(path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(source) => return Err(failed(path, source)),
        };
        Self::reopen(path, length)
    }

    /// Whether another process holds the file, which is so while its run lives.
    pub fn is_held(path: &Path) -> bool {
        File::open(path).is_ok_and(|file| {
            let locked = file.file().try_lock();
            matches!(locked, Err(TryLockError::WouldBlock))
        })
    }

    fn row_of(&mut self, logged: &Logged) -> Row {
        let mut row = Row::new(self.steps.step_of(logged), None);
        for (name, value) in flattened(&logged.values) {
            // A row has its own time and step under these names.
            let reserved = matches!(name.as_ref(), "step" | "epoch" | "time");
            match (scalar(value), name.as_ref()) {
                (Some(value), "epoch") if value >= 0.0 && value.fract() == 0.0 => {
                    row.epoch = Some(value as u64);
                }
                (Some(value), _) if !reserved => {
                    row.values.insert(name.into_owned(), value);
                }
                _ => {}
            }
        }
        row
    }

    fn failed(&self, source: io::Error) -> SinkError {
        failed(self.file.path(), source)
    }
}

fn failed(path: &Path, source: io::Error) -> SinkError {
    SinkError::Write {
        path: path.to_owned(),
        source,
    }
}

/// Where the file system knows no locks, nobody is kept out.
fn lock(file: &File) -> Result<(), SinkError> {
    match file.file().try_lock() {
        Err(TryLockError::WouldBlock) => {
            let problem = io::Error::other("another process writes it: the run is going on");
            Err(failed(file.path(), problem))
        }
        _ => Ok(()),
    }
}

impl Sink for JsonlSink {
    fn name(&self) -> &'static str {
        "metrics.jsonl"
    }

    fn log(&mut self, row: &Row) -> Result<(), SinkError> {
        let mut line = serde_json::to_vec(row).map_err(|error| self.failed(error.into()))?;
        line.push(b'\n');
        self.file
            .append(|buffer, _| buffer.extend_from_slice(&line))
    }

    /// Numbers of a logged event become a row, nested names joined by `/`; the rest is left out.
    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        match event {
            Event::Log(logged) => {
                let row = self.row_of(logged);
                if row.values.is_empty() {
                    Ok(())
                } else {
                    self.log(&row)
                }
            }
            Event::PurgeStep(step) => {
                self.steps.turn_to(*step);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn hold(&mut self) {
        self.file.hold();
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        self.file.flush()
    }

    fn finish(&mut self, _state: RunState) -> Result<(), SinkError> {
        self.file.sync()
    }
}

/// Why `metrics.jsonl` could not be read.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// The file could not be opened or read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line that is not a row, and not the unfinished last one.
    #[error("{}:{line}: not a row of metrics: {source}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        /// What the JSON reader said.
        source: serde_json::Error,
    },
}

/// The rows of a `metrics.jsonl`, in the order logged.
///
/// A last line without its newline was cut off when the run was killed (or is just being written): it is
/// left out and [`Rows::truncated`] says so afterwards. After an error the iterator goes on with the next line.
#[derive(Debug)]
pub struct Rows {
    path: PathBuf,
    reader: BufReader<File>,
    line: u64,
    ended: bool,
    truncated: bool,
}

impl Rows {
    /// Opens the file.
    pub fn open(path: &Path) -> Result<Self, MetricsError> {
        let file = File::open(path).map_err(|source| MetricsError::Read {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            reader: BufReader::new(file),
            line: 0,
            ended: false,
            truncated: false,
        })
    }

    /// Whether an unfinished last line was left out; known once the iterator has ended.
    pub fn truncated(&self) -> bool {
        self.truncated
    }
}

impl Iterator for Rows {
    type Item = Result<Row, MetricsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let mut bytes = Vec::new();
        self.line += 1;
        if let Err(source) = self.reader.read_until(b'\n', &mut bytes) {
            self.ended = true;
            let path = self.path.clone();
            return Some(Err(MetricsError::Read { path, source }));
        }
        if bytes.last() != Some(&b'\n') {
            self.ended = true;
            self.truncated = !bytes.is_empty();
            return None;
        }
        let row = serde_json::from_slice(&bytes).map_err(|source| MetricsError::Damaged {
            path: self.path.clone(),
            line: self.line,
            source,
        });
        Some(row)
    }
}
