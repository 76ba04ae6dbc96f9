//! The npz format: a zip whose members are `NAME.npy`, stored or deflated.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::npy::{self, Array, NpyError};

/// The largest array read: EMNIST by class as `float32` with 800,000 images is 2.5 GB.
const MAX_ARRAY_BYTES: u64 = 4 << 30;

/// Why an array could not be had from an npz file; every message names the file.
#[derive(Debug, thiserror::Error)]
pub enum NpzError {
    /// The file system refused.
    #[error("cannot read arrays: {0}")]
    Io(#[from] io::Error),
    /// The file is not a zip, or a damaged one.
    #[error("`{}` is not a valid npz file: {source}", path.display())]
    Zip {
        /// The file.
        path: PathBuf,
        /// The zip reader's complaint.
        source: ZipError,
    },
    /// Two members have one name, so which is meant cannot be said.
    #[error("`{}` is not a valid npz file: two members have the same name", path.display())]
    DuplicateNames {
        /// The file.
        path: PathBuf,
    },
    /// There is no array of that name.
    #[error("`{}` has no array `{name}`; it has: {}", path.display(), names.join(", "))]
    Missing {
        /// The file.
        path: PathBuf,
        /// The array asked for.
        name: String,
        /// The arrays there are.
        names: Vec<String>,
    },
    /// The array unpacks to more than is read.
    #[error("`{}`: array `{name}` is larger than {MAX_ARRAY_BYTES} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The array.
        name: String,
    },
    /// The member could not be inflated, or its checksum is wrong.
    #[error("`{}`: array `{name}` is damaged: {source}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The array.
        name: String,
        /// What went wrong.
        source: io::Error,
    },
    /// The member is not an npy array that is read here.
    #[error("`{}`: array `{name}`: {source}", path.display())]
    Npy {
        /// The file.
        path: PathBuf,
        /// The array.
        name: String,
        /// What is wrong with it.
        source: NpyError,
    },
}

/// An open npz file; arrays are read when asked for.
#[derive(Debug)]
pub struct NpzFile {
    path: PathBuf,
    archive: ZipArchive<io::BufReader<fs_err::File>>,
}

impl NpzFile {
    /// Opens the file and reads its directory.
    ///
    /// # Errors
    /// [`NpzError`] when it cannot be read, is not a zip, or repeats a name.
    pub fn open(path: &Path) -> Result<Self, NpzError> {
        let file = io::BufReader::new(fs_err::File::open(path)?);
        let archive = ZipArchive::new(file).map_err(|source| NpzError::Zip {
            path: path.into(),
            source,
        })?;
        if archive.has_duplicate_names() {
            return Err(NpzError::DuplicateNames { path: path.into() });
        }
        Ok(Self {
            path: path.into(),
            archive,
        })
    }

    /// The names of the arrays, in the file's order.
    pub fn names(&self) -> Vec<String> {
        let names = self.archive.file_names().filter_map(Result::ok);
        names
            .map(|name| name.strip_suffix(".npy").unwrap_or(&name).to_owned())
            .collect()
    }

    /// Reads the array `name` (the member `NAME.npy`).
    ///
    /// # Errors
    /// [`NpzError`] when it is absent, too large, damaged, or of a type that is not read.
    pub fn array(&mut self, name: &str) -> Result<Array, NpzError> {
        let member = format!("{name}.npy");
        let Some(index) = self.archive.index_for_name(&member) else {
            return Err(NpzError::Missing {
                path: self.path.clone(),
                name: name.to_owned(),
                names: self.names(),
            });
        };
        let bytes = self.member_bytes(index, name)?;
        npy::parse(&bytes).map_err(|source| NpzError::Npy {
            path: self.path.clone(),
            name: name.to_owned(),
            source,
        })
    }

    /// The unpacked bytes. The declared size is a hint at most: the buffer grows with what arrives.
    fn member_bytes(&mut self, index: usize, name: &str) -> Result<Vec<u8>, NpzError> {
        let path = &self.path;
        let member = self
            .archive
            .by_index(index)
            .map_err(|source| NpzError::Zip {
                path: path.clone(),
                source,
            })?;
        let too_large = || NpzError::TooLarge {
            path: path.clone(),
            name: name.to_owned(),
        };
        if member.size() > MAX_ARRAY_BYTES {
            return Err(too_large());
        }
        let mut bytes = Vec::with_capacity(member.size().min(1 << 20) as usize);
        member
            .take(MAX_ARRAY_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|source| NpzError::Damaged {
                path: path.clone(),
                name: name.to_owned(),
                source,
            })?;
        if bytes.len() as u64 > MAX_ARRAY_BYTES {
            return Err(too_large());
        }
        Ok(bytes)
    }
}
