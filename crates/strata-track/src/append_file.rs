//! A file that grows by whole records.

use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use fs_err::File;

use crate::SinkError;

/// No more is held in memory.
const MOST_HELD: usize = 1 << 18;

/// Appends records, each of which reaches the file at once with one `write(2)`, unless more is said to follow.
///
/// What could be written only in part (a full disk) is taken back, so that the file stays whole.
#[derive(Debug)]
pub(crate) struct AppendFile {
    file: File,
    /// Of the part that is whole.
    length: u64,
    /// A write has failed, and what it left is still there.
    torn: bool,
    /// Records that follow.
    pending: Vec<u8>,
    is_held: bool,
}

impl AppendFile {
    /// Goes on behind the first `length` bytes of `file`, where it must stand.
    pub(crate) fn new(file: File, length: u64) -> Self {
        Self {
            file,
            length,
            torn: false,
            pending: Vec::new(),
            is_held: false,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Bytes of the file that are whole records.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Appends what `encode` appends to a buffer whose first byte comes to stand where its second argument says.
    pub(crate) fn append(
        &mut self,
        encode: impl FnOnce(&mut Vec<u8>, u64),
    ) -> Result<(), SinkError> {
        encode(&mut self.pending, self.length);
        if self.is_held && self.pending.len() < MOST_HELD {
            return Ok(());
        }
        self.write()
    }

    /// Lets records that follow each other at once wait for [`AppendFile::flush`], so that they share a write.
    pub(crate) fn hold(&mut self) {
        self.is_held = true;
    }

    /// Writes what is held.
    pub(crate) fn flush(&mut self) -> Result<(), SinkError> {
        self.is_held = false;
        self.write()
    }

    /// Writes what is held and waits until the disk has everything.
    pub(crate) fn sync(&mut self) -> Result<(), SinkError> {
        self.flush()?;
        self.file.sync_all().map_err(|error| self.failed(error))
    }

    fn write(&mut self) -> Result<(), SinkError> {
        let written = self.take_back().and_then(|()| {
            self.torn = !self.pending.is_empty();
            self.file.write_all(&self.pending)
        });
        if let Err(error) = written {
            self.pending.clear();
            // What cannot be taken back now is taken back before the next write.
            let _ = self.take_back();
            return Err(self.failed(error));
        }
        self.torn = false;
        self.length += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    fn take_back(&mut self) -> io::Result<()> {
        if self.torn {
            self.file.set_len(self.length)?;
            self.file.seek(SeekFrom::Start(self.length))?;
            self.torn = false;
        }
        Ok(())
    }

    fn failed(&self, source: io::Error) -> SinkError {
        SinkError::Write {
            path: self.path().to_owned(),
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_written_at_once_or_when_no_more_follows() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        let mut file = AppendFile::new(File::create(&path).expect("made"), 0);
        let content = || fs_err::read_to_string(&path).expect("read");
        let append = |file: &mut AppendFile, text: &str, start: u64| {
            let appended = file.append(|buffer, at| {
                assert_eq!(at + buffer.len() as u64, start);
                buffer.extend_from_slice(text.as_bytes());
            });
            appended.expect("written");
        };
        append(&mut file, "one ", 0);
        assert_eq!(content(), "one ");
        file.hold();
        append(&mut file, "two ", 4);
        append(&mut file, "three", 8);
        assert_eq!((content().as_str(), file.length()), ("one ", 4));
        file.flush().expect("written");
        assert_eq!((content().as_str(), file.length()), ("one two three", 13));
        append(&mut file, "!", 13);
        assert_eq!(content(), "one two three!");
    }
}
