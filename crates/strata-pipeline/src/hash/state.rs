//! Which files have been hashed before: one flat file for each project.
//!
//! A file with the same size, modification time and inode as when it was hashed is taken to have the same contents.
//! DVC keeps its own state in another form; neither tool reads the other's.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use strata_fs::write_atomically;

/// First line of the file; another one is another format, and the file is made anew.
const HEADER: &str = "strata state 1";

/// A file changed so recently that a later change might leave its modification time as it is.
const TOO_RECENT: Duration = Duration::from_millis(100);

/// What a file looked like when it was hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    modified_ns: i128,
    size: u64,
    inode: u64,
}

impl Look {
    fn of(metadata: &Metadata) -> Self {
        Self {
            modified_ns: i128::from(metadata.mtime()) * 1_000_000_000
                + i128::from(metadata.mtime_nsec()),
            size: metadata.size(),
            inode: metadata.ino(),
        }
    }
}

#[derive(Debug, Default)]
struct Known {
    files: HashMap<PathBuf, (Look, String)>,
    changed: bool,
}

/// The MD5s of files hashed before.
#[derive(Debug)]
pub struct State {
    path: PathBuf,
    known: Mutex<Known>,
}

impl State {
    /// Reads the state kept at `path`; one that cannot be read is as good as none.
    pub fn open(path: PathBuf) -> Self {
        let known = fs_err::read_to_string(&path)
            .ok()
            .and_then(|text| parse(&text))
            .unwrap_or_default();
        Self {
            path,
            known: Mutex::new(Known {
                files: known,
                changed: false,
            }),
        }
    }

    /// The MD5 of a file that looks as it did when it was hashed.
    pub fn get(&self, path: &Path, metadata: &Metadata) -> Option<String> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (look, md5) = known.files.get(path)?;
        (*look == Look::of(metadata)).then(|| md5.clone())
    }

    /// Remembers a file's MD5, `metadata` having been taken before the file was read.
    pub fn remember(&self, path: &Path, metadata: &Metadata, md5: &str) {
        let age = metadata
            .modified()
            .ok()
            .and_then(|modified| SystemTime::now().duration_since(modified).ok());
        if age.is_none_or(|age| age < TOO_RECENT) {
            return;
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = (Look::of(metadata), md5.to_owned());
        known.files.insert(path.to_owned(), entry);
        known.changed = true;
    }

    /// Writes the state, if there is anything new in it.
    ///
    /// # Errors
    /// Those of writing.
    pub fn save(&self) -> io::Result<()> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.changed {
            return Ok(());
        }
        let mut text = format!("{HEADER}\n");
        for (path, (look, md5)) in &known.files {
            // A name that is no text, or has a line break in it, is hashed each time.
            let Some(path) = path.to_str().filter(|path| !path.contains('\n')) else {
                continue;
            };
            let Look {
                modified_ns,
                size,
                inode,
            } = look;
            let _ = writeln!(text, "{md5} {modified_ns} {size} {inode} {path}");
        }
        write_atomically(&self.path, text.as_bytes())?;
        known.changed = false;
        Ok(())
    }
}

fn parse(text: &str) -> Option<HashMap<PathBuf, (Look, String)>> {
    let mut lines = text.lines();
    if lines.next() != Some(HEADER) {
        return None;
    }
    let entry = |line: &str| {
        let mut parts = line.splitn(5, ' ');
        let md5 = parts.next()?.to_owned();
        let look = Look {
            modified_ns: parts.next()?.parse().ok()?,
            size: parts.next()?.parse().ok()?,
            inode: parts.next()?.parse().ok()?,
        };
        Some((PathBuf::from(parts.next()?), (look, md5)))
    };
    lines.map(entry).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn a_file_is_known_until_it_looks_different() {
        let folder = tempfile::tempdir().unwrap();
        let (file, kept) = (folder.path().join("a b"), folder.path().join("state"));
        fs_err::write(&file, "x").unwrap();
        let old = SystemTime::now() - Duration::from_mins(1);
        File::open(&file).unwrap().set_modified(old).unwrap();
        let metadata = fs_err::metadata(&file).unwrap();
        let state = State::open(kept.clone());
        state.remember(&file, &metadata, "0123");
        state.save().unwrap();

        let state = State::open(kept.clone());
        assert_eq!(state.get(&file, &metadata).as_deref(), Some("0123"));
        fs_err::write(&file, "y").unwrap();
        let changed = fs_err::metadata(&file).unwrap();
        assert_eq!(state.get(&file, &changed), None);
        state.remember(&file, &changed, "4567");
        assert_eq!(state.get(&file, &changed), None, "too recent to be trusted");

        fs_err::write(&kept, "something else").unwrap();
        assert_eq!(State::open(kept).get(&file, &metadata), None);
    }
}
