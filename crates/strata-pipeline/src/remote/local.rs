//! A folder as a remote.

use std::io;
use std::path::{Path, PathBuf};

use strata_fs::write_atomically_with;

use super::Remote;
use crate::hash::{is_missing, relative_text};

/// A folder.
#[derive(Debug, Clone)]
pub struct LocalRemote {
    folder: PathBuf,
}

impl LocalRemote {
    /// The remote in a folder, which is made when the first object comes.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }
}

impl Remote for LocalRemote {
    fn has(&self, key: &str) -> io::Result<bool> {
        self.folder.join(key).try_exists()
    }

    fn upload(&self, file: &Path, key: &str) -> io::Result<()> {
        copy(file, &self.folder.join(key))
    }

    fn download(&self, key: &str, to: &Path) -> io::Result<()> {
        copy(&self.folder.join(key), to)
    }

    fn keys(&self, prefix: &str) -> io::Result<Vec<String>> {
        let mut keys = Vec::new();
        let mut folders = vec![self.folder.join(prefix)];
        while let Some(folder) = folders.pop() {
            let entries = match fs_err::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) if is_missing(&error) => continue,
                Err(error) => return Err(error),
            };
            for entry in entries {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    folders.push(entry.path());
                } else {
                    keys.extend(relative_text(&entry.path(), &self.folder));
                }
            }
        }
        keys.sort();
        Ok(keys)
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = fs_err::File::open(from)?;
    write_atomically_with(to, |mut target| {
        io::copy(&mut source, &mut target).map(drop)
    })
}
