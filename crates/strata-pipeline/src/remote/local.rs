//! A folder as a remote.

use std::io::{self, Read as _, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use strata_fs::{Md5Writer, md5_of_file, write_atomically_with};

use super::{Remote, RemoteError, Watch, md5_of_key};
use crate::hash::{is_missing, relative_text};
use crate::progress::Stop;

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
    fn address(&self, key: &str) -> String {
        self.folder.join(key).display().to_string()
    }

    /// As in a cache, an object that is read-only was complete when it became so; any other is hashed, and counts as
    /// missing if it is not what its name says.
    fn size(&self, key: &str, _: &dyn Stop) -> Result<Option<u64>, RemoteError> {
        let path = self.folder.join(key);
        let metadata = match fs_err::metadata(&path) {
            Ok(metadata) if metadata.is_file() => metadata,
            Ok(_) => return Ok(None),
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let is_protected = metadata.permissions().mode() & 0o777 == 0o444;
        if let (false, Some(md5)) = (is_protected, md5_of_key(key)) {
            if md5_of_file(&path)? != md5.trim_end_matches(".dir") {
                return Ok(None);
            }
            protect(&path);
        }
        Ok(Some(metadata.len()))
    }

    fn upload(
        &self,
        file: &Path,
        key: &str,
        md5: Option<&str>,
        watch: Watch<'_>,
    ) -> Result<(), RemoteError> {
        let to = self.folder.join(key);
        let mut found = String::new();
        let written = write_atomically_with(&to, |target| {
            let mut hashing = Md5Writer::new(target);
            copy(file, &mut hashing, watch)?;
            found = hashing.hex();
            match md5 {
                Some(md5) if found != md5.trim_end_matches(".dir") => {
                    Err(io::Error::new(io::ErrorKind::InvalidData, "other contents"))
                }
                _ => Ok(()),
            }
        });
        match written {
            Ok(()) if md5.is_some() => protect(&to),
            Ok(()) => {}
            Err(_) if watch.stop.is_requested() => return Err(RemoteError::Interrupted),
            Err(error) if error.kind() == io::ErrorKind::InvalidData && !found.is_empty() => {
                return Err(RemoteError::Damaged {
                    address: file.display().to_string(),
                    found,
                    verb: "sent",
                });
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn download(
        &self,
        key: &str,
        into: &mut dyn Write,
        watch: Watch<'_>,
    ) -> Result<(), RemoteError> {
        let file = self.folder.join(key);
        match copy(&file, into, watch) {
            Ok(()) => Ok(()),
            Err(_) if watch.stop.is_requested() => Err(RemoteError::Interrupted),
            Err(error) if is_missing(&error) => Err(RemoteError::Missing {
                address: file.display().to_string(),
            }),
            Err(error) => Err(error.into()),
        }
    }

    fn keys(&self, folder: &str, _: &dyn Stop) -> Result<Vec<String>, RemoteError> {
        let mut keys = Vec::new();
        let mut folders = vec![self.folder.join(folder)];
        while let Some(folder) = folders.pop() {
            let entries = match fs_err::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) if is_missing(&error) => continue,
                Err(error) => return Err(error.into()),
            };
            for entry in entries {
                let entry = entry?;
                // What a killed program was still writing is no object.
                let is_temporary = entry.file_name().as_encoded_bytes().starts_with(b".");
                if entry.file_type()?.is_dir() {
                    folders.push(entry.path());
                } else if !is_temporary {
                    keys.extend(relative_text(&entry.path(), &self.folder));
                }
            }
        }
        keys.sort();
        Ok(keys)
    }

    fn remove(&self, key: &str, _: &dyn Stop) -> Result<(), RemoteError> {
        match fs_err::remove_file(self.folder.join(key)) {
            Err(error) if !is_missing(&error) => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// Disks without modes, and others' files, stay as they are; their objects are hashed each time.
fn protect(path: &Path) {
    let _ = fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o444));
}

fn copy(from: &Path, into: &mut dyn Write, watch: Watch<'_>) -> io::Result<()> {
    let mut source = fs_err::File::open(from)?;
    let mut buffer = vec![0; 1 << 18];
    loop {
        if watch.stop.is_requested() {
            return Err(io::Error::other("interrupted"));
        }
        match source.read(&mut buffer)? {
            0 => return Ok(()),
            count => {
                into.write_all(&buffer[..count])?;
                watch.moved(count);
            }
        }
    }
}
