//! One events file, from its first record on.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::messages::{Event, SessionLog, SessionStatus, SourceMetadata, What};
use super::record;
use crate::SinkError;
use crate::append_file::AppendFile;

/// How file names begin; readers look for it.
const PREFIX: &str = "events.out.tfevents.";

/// An events file of this process.
///
/// Every event reaches the file with one `write(2)`, so that a running TensorBoard follows and nothing is
/// lost when the process is killed. An event that could be written only in part (a full disk) is taken
/// back: readers stop for good at a torn record.
#[derive(Debug)]
pub(super) struct EventFile {
    file: AppendFile,
}

impl EventFile {
    /// A new file in `folder` (made if it is missing), with its version and a session that starts at `step`:
    /// readers drop what earlier files of the folder have of that step and later ones.
    pub(super) fn create(folder: &Path, step: u64) -> Result<Self, SinkError> {
        fs_err::create_dir_all(folder).map_err(|source| failed(folder, source))?;
        let path = next_path(folder).map_err(|source| failed(folder, source))?;
        let file = fs_err::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(|source| failed(&path, source))?;
        let mut created = Self {
            file: AppendFile::new(file, 0),
        };
        created.write(&Event {
            wall_time: now_s(),
            step: 0,
            what: Some(What::FileVersion("brain.Event:2".to_owned())),
            source_metadata: Some(SourceMetadata {
                writer: "strata".to_owned(),
            }),
        })?;
        // The first file has one too: the reader in Python ignores the first start that it meets.
        let start = SessionLog {
            status: SessionStatus::Start.into(),
        };
        created.write(&Event {
            wall_time: now_s(),
            step: signed(step),
            what: Some(What::SessionLog(start)),
            source_metadata: None,
        })?;
        Ok(created)
    }

    /// Appends an event.
    pub(super) fn write(&mut self, event: &Event) -> Result<(), SinkError> {
        self.file.append(|buffer, _| record::encode(event, buffer))
    }

    /// More follows at once: see [`AppendFile::hold`].
    pub(super) fn hold(&mut self) {
        self.file.hold();
    }

    /// Writes what is held.
    pub(super) fn flush(&mut self) -> Result<(), SinkError> {
        self.file.flush()
    }

    /// Waits until the disk has everything.
    pub(super) fn sync(&mut self) -> Result<(), SinkError> {
        self.file.sync()
    }
}

/// Seconds since 1970-01-01 UTC.
pub(super) fn now_s() -> f64 {
    Timestamp::now().as_microsecond() as f64 / 1e6
}

/// The step as event files have it.
pub(super) fn signed(step: u64) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}

fn failed(path: &Path, source: io::Error) -> SinkError {
    SinkError::Write {
        path: path.to_owned(),
        source,
    }
}

/// A name after those of all files that are there, because files are read in the order of their names:
/// a second restart within a second gets the time of the next one.
fn next_path(folder: &Path) -> io::Result<PathBuf> {
    let mut seconds = Timestamp::now().as_second();
    for entry in fs_err::read_dir(folder)? {
        if let Some(taken) = seconds_of(&entry?.file_name().to_string_lossy()) {
            seconds = seconds.max(taken.saturating_add(1));
        }
    }
    let host = crate::host_name().unwrap_or_else(|| "localhost".to_owned());
    let host: String = host
        .chars()
        .map(|character| match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '.' | '_' => character,
            _ => '_',
        })
        .collect();
    let process = std::process::id();
    Ok(folder.join(format!("{PREFIX}{seconds:010}.{host}.{process}.0")))
}

/// The time in the name of an events file.
fn seconds_of(name: &str) -> Option<i64> {
    let (seconds, _) = name.strip_prefix(PREFIX)?.split_once('.')?;
    seconds.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_file_has_a_later_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut names = Vec::new();
        for step in 0..12 {
            let file = EventFile::create(folder.path(), step).expect("a file");
            names.push(file.file.path().to_owned());
        }
        assert!(names.is_sorted());
        names.dedup();
        assert_eq!(names.len(), 12);
    }
}
