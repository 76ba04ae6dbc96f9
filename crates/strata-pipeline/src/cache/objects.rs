//! The objects.

use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use strata_fs::{Md5Writer, md5_of_file};
use thiserror::Error;

use crate::hash::{Tree, TreeError, is_missing};

/// The largest list of a folder's files that is read; ten million files have about this much.
const LARGEST_TREE_BYTES: u64 = 1 << 30;

/// A folder of objects, named by their contents.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
}

/// Why an object cannot be had.
#[derive(Debug, Error)]
pub enum CacheError {
    /// There is none.
    #[error(
        "the object {md5} is not in the cache '{folder}'; `strata pull` gets it from a remote that has it"
    )]
    Missing {
        /// Its name.
        md5: String,
        /// The cache.
        folder: String,
    },
    /// A folder's list is damaged.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The file system says no.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Cache {
    /// The cache in a folder, which is made when the first object comes.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the object of this name is or would be.
    pub fn path(&self, md5: &str) -> PathBuf {
        let (first, rest) = md5.split_at_checked(2).unwrap_or((md5, ""));
        self.folder.join("files/md5").join(first).join(rest)
    }

    /// Whether there is such an object, and a whole one.
    ///
    /// As in DVC a read-only file is taken for whole: it was made so when it was complete. Any other is hashed, made
    /// read-only if it is what its name says, and removed if it is not.
    ///
    /// # Errors
    /// Those of reading.
    pub fn has(&self, md5: &str) -> io::Result<bool> {
        let path = self.path(md5);
        let metadata = match fs_err::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if is_missing(&error) => return Ok(false),
            Err(error) => return Err(error),
        };
        if !metadata.is_file() {
            return Ok(false);
        }
        if metadata.permissions().mode() & 0o777 == 0o444 {
            return Ok(true);
        }
        let hashed = md5_of_file(&path)?;
        if hashed == md5.trim_end_matches(".dir") {
            protect(&path)?;
            return Ok(true);
        }
        fs_err::remove_file(&path)?;
        Ok(false)
    }

    /// Adds a file whose MD5 is known to be `md5`.
    ///
    /// # Errors
    /// Those of copying.
    pub fn add_file(&self, file: &Path, md5: &str) -> io::Result<()> {
        if self.has(md5)? {
            return Ok(());
        }
        let mut source = fs_err::File::open(file)?;
        self.add(md5, |target| io::copy(&mut source, target).map(drop))
    }

    /// Adds the list of a folder's files, whose own objects are there already.
    ///
    /// # Errors
    /// Those of writing.
    pub fn add_tree(&self, tree: &Tree) -> io::Result<()> {
        let md5 = tree.md5();
        if self.has(&md5)? {
            return Ok(());
        }
        self.add(&md5, |target| target.write_all(tree.to_json().as_bytes()))
    }

    /// An object appears under its name when it is complete, and is read-only.
    fn add(
        &self,
        md5: &str,
        fill: impl FnOnce(&mut std::fs::File) -> io::Result<()>,
    ) -> io::Result<()> {
        let path = self.path(md5);
        let mut file = temporary_beside(&path)?;
        fill(file.as_file_mut())?;
        protect(file.path())?;
        file.persist(&path).map_err(|error| error.error)?;
        Ok(())
    }

    /// Takes an object from elsewhere: `fill` writes its contents, which are kept only if their MD5 is the expected one.
    ///
    /// Gives the MD5 that was found where it is another.
    ///
    /// # Errors
    /// Those of writing, and those of `fill`; nothing is kept then.
    pub fn receive<E: From<io::Error>>(
        &self,
        md5: &str,
        fill: impl FnOnce(&mut dyn io::Write) -> Result<(), E>,
    ) -> Result<Option<String>, E> {
        let path = self.path(md5);
        let mut file = temporary_beside(&path)?;
        let mut hashing = Md5Writer::new(file.as_file_mut());
        fill(&mut hashing)?;
        let found = hashing.hex();
        if found != md5.trim_end_matches(".dir") {
            return Ok(Some(found));
        }
        protect(file.path())?;
        file.persist(&path).map_err(|error| error.error)?;
        Ok(None)
    }

    /// The files of a folder.
    ///
    /// # Errors
    /// There is no such object, or it is damaged.
    pub fn tree(&self, md5: &str) -> Result<Tree, CacheError> {
        if !self.has(md5)? {
            return Err(CacheError::Missing {
                md5: md5.to_owned(),
                folder: self.folder.display().to_string(),
            });
        }
        let mut text = String::new();
        let file = fs_err::File::open(self.path(md5))?;
        file.take(LARGEST_TREE_BYTES).read_to_string(&mut text)?;
        Ok(Tree::from_json(md5, &text)?)
    }

    /// Whether an object is there, and, for a folder, all of its files.
    ///
    /// # Errors
    /// Those of reading; a damaged list counts as none.
    pub fn has_all(&self, md5: &str) -> io::Result<bool> {
        if !self.has(md5)? {
            return Ok(false);
        }
        if md5.strip_suffix(".dir").is_none() {
            return Ok(true);
        }
        let tree = match self.tree(md5) {
            Ok(tree) => tree,
            Err(CacheError::Io(error)) => return Err(error),
            Err(_) => return Ok(false),
        };
        for (_, md5) in tree.entries() {
            if !self.has(md5)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// A file that is removed unless it gets its name.
fn temporary_beside(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs_err::create_dir_all(folder)?;
    tempfile::Builder::new()
        .prefix(".strata-")
        .suffix(".tmp")
        .permissions(std::fs::Permissions::from_mode(0o666))
        .tempfile_in(folder)
}

fn protect(path: &Path) -> io::Result<()> {
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o444))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use strata_fs::md5_of_bytes;

    use super::*;

    #[test]
    fn objects_are_read_only_and_damaged_ones_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().join("cache"));
        let file = folder.path().join("file");
        fs_err::write(&file, "contents").unwrap();
        let md5 = md5_of_bytes(b"contents");
        cache.add_file(&file, &md5).unwrap();
        let object = cache.path(&md5);
        let mode = fs_err::metadata(&object).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o444);
        assert!(cache.has(&md5).unwrap());

        fs_err::set_permissions(&object, std::fs::Permissions::from_mode(0o644)).unwrap();
        fs_err::write(&object, "damaged").unwrap();
        assert!(!cache.has(&md5).unwrap());
        assert!(!object.exists());
    }

    #[test]
    fn a_folder_is_whole_with_all_of_its_files() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().join("cache"));
        let file = folder.path().join("file");
        fs_err::write(&file, "x").unwrap();
        let md5 = md5_of_bytes(b"x");
        let tree = Tree::new(vec![("a/b".to_owned(), md5.clone())]);
        cache.add_tree(&tree).unwrap();
        assert!(!cache.has_all(&tree.md5()).unwrap());
        cache.add_file(&file, &md5).unwrap();
        assert!(cache.has_all(&tree.md5()).unwrap());
        assert_eq!(cache.tree(&tree.md5()).unwrap(), tree);
    }
}
