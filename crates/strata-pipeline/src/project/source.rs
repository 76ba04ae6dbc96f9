//! Where a project's files are read from: the workspace, or a commit.

use std::io;
use std::path::{Path, PathBuf};

use crate::git::Git;
use crate::hash::{is_missing, relative_text};

/// The files of a project as they are, or as they were.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// Now.
    Workspace,
    /// At a commit.
    Commit {
        git: Git,
        /// As the user names it.
        revision: String,
        /// The project's folder.
        root: PathBuf,
        /// All files of the commit, below the project's folder.
        files: Vec<String>,
    },
}

impl Source {
    /// The files of a commit.
    ///
    /// # Errors
    /// Git does not know it.
    pub(super) fn at_commit(git: &Git, root: &Path, revision: &str) -> io::Result<Self> {
        Ok(Self::Commit {
            files: git.files_of(revision)?,
            git: git.clone(),
            revision: revision.to_owned(),
            root: root.to_owned(),
        })
    }

    /// A file's text; nothing if there is none.
    ///
    /// # Errors
    /// Those of reading; it is no UTF-8.
    pub(super) fn read(&self, path: &Path) -> io::Result<Option<String>> {
        let Some(bytes) = self.read_bytes(path)? else {
            return Ok(None);
        };
        let text = String::from_utf8(bytes).map_err(|_| {
            let why = format!("{} is not valid UTF-8", path.display());
            io::Error::new(io::ErrorKind::InvalidData, why)
        })?;
        Ok(Some(text))
    }

    /// A file's bytes; nothing if there is none.
    ///
    /// # Errors
    /// Those of reading.
    pub(crate) fn read_bytes(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        match self {
            Self::Workspace => match fs_err::read(path) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(error) if is_missing(&error) => Ok(None),
                Err(error) => Err(error),
            },
            Self::Commit {
                git,
                revision,
                root,
                files,
            } => {
                let Some(below) = relative_text(path, root) else {
                    return Ok(None);
                };
                if !files.contains(&below) {
                    return Ok(None);
                }
                git.show(revision, &below).map(Some)
            }
        }
    }

    /// The files of a commit; none where the workspace is to be walked through.
    pub(crate) fn files(&self) -> Option<Vec<PathBuf>> {
        match self {
            Self::Workspace => None,
            Self::Commit { root, files, .. } => {
                Some(files.iter().map(|file| root.join(file)).collect())
            }
        }
    }
}
