//! The objects.

use std::fs::Permissions;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use thiserror::Error;

use super::link::Wanted;
use super::scratch::{Scratch, remove_abandoned};
use crate::hash::{
    Algorithm, Digest, DigestWriter, PIECE, Tree, digest_of, digest_pieces, is_missing, steadily,
};
use crate::parallel::{self, side_by_side};

/// The largest list of a folder's files that is read; ten million files have about this much.
const LARGEST_TREE_BYTES: u64 = 1 << 30;

/// Permissions of a complete object.
pub(super) const OBJECT_MODE: u32 = 0o444;

/// A folder of objects, named by their contents.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
    /// How the objects were hashed; DVC 2's lie elsewhere.
    algorithm: Algorithm,
    is_shared: bool,
    scratch: Arc<Mutex<Option<Arc<Scratch>>>>,
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
    /// A folder's list was damaged, and has been dropped.
    #[error(
        "'{object}' was damaged and has been dropped: {why}; `strata fetch` gets it again from a remote that has it"
    )]
    Damaged {
        /// Its file.
        object: String,
        /// What was wrong.
        why: String,
    },
    /// The file system says no.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Cache {
    /// The cache in a folder, which is made when the first object comes.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            algorithm: Algorithm::Md5,
            is_shared: false,
            scratch: Arc::default(),
        }
    }

    /// The same cache used by a group (`cache.shared`): its folders may be written by the group and stay the group's.
    #[must_use]
    pub fn shared(self) -> Self {
        Self {
            is_shared: true,
            ..self
        }
    }

    /// What DVC 2 has left in the same folder, which its entries still name.
    #[must_use]
    pub fn legacy(&self) -> Self {
        Self {
            algorithm: Algorithm::Md5Dos2Unix,
            ..self.clone()
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// An object as a file of the workspace.
    pub(crate) fn wanted(&self, md5: &str, at: PathBuf, is_executable: bool) -> Wanted {
        Wanted {
            object: self.path(md5),
            md5: self.has_plain_md5s().then(|| md5.to_owned()),
            at,
            is_executable,
        }
    }

    /// Where the object of this name is or would be.
    pub fn path(&self, md5: &str) -> PathBuf {
        self.folder.join(self.key(md5))
    }

    /// Where the object of this name is from the folder on; remotes have the same layout.
    pub fn key(&self, md5: &str) -> String {
        let (first, rest) = md5.split_at_checked(2).unwrap_or((md5, ""));
        match self.algorithm {
            Algorithm::Md5 => format!("files/md5/{first}/{rest}"),
            Algorithm::Md5Dos2Unix => format!("{first}/{rest}"),
        }
    }

    /// Whether names are the MD5s of contents; DVC 2's are those of texts with other ends of lines.
    pub(crate) fn has_plain_md5s(&self) -> bool {
        self.algorithm == Algorithm::Md5
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
        let metadata = match std::fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if is_missing(&error) => return Ok(false),
            Err(_) => fs_err::metadata(&path)?,
        };
        if !metadata.is_file() {
            return Ok(false);
        }
        if metadata.permissions().mode() & 0o777 == OBJECT_MODE {
            return Ok(true);
        }
        let (hashed, _) = digest_of(&path, self.algorithm, &|_| ())?;
        if hashed == md5.trim_end_matches(".dir") {
            // In a shared cache it may be another user's; then it is hashed again the next time.
            let _ = protect(&path);
            return Ok(true);
        }
        fs_err::remove_file(&path)?;
        Ok(false)
    }

    /// Adds a file whose hash was found to be `md5`.
    ///
    /// # Errors
    /// Those of copying; the file is not what it was when it was hashed.
    pub fn add_file(&self, file: &Path, md5: &str) -> io::Result<()> {
        if self.has(md5)? {
            return Ok(());
        }
        let scratch = self.scratch()?;
        let ((copy, hashed), _) = steadily(file, |source, look| {
            let (copy, mut target) = scratch.file(OBJECT_MODE)?;
            let write = |piece: &[u8]| target.write_all(piece);
            let hashed = digest_pieces(source, look.size, self.algorithm, write)?;
            Ok((copy, hashed))
        })?;
        if hashed != md5 {
            fs_err::remove_file(&copy)?;
            return Err(io::Error::other(format!(
                "'{}' has changed since it was hashed; try again when nothing writes to it",
                file.display()
            )));
        }
        self.install(&copy, md5)
    }

    /// Adds an object of some bytes that are known to have this hash.
    ///
    /// # Errors
    /// Those of writing.
    pub(crate) fn add_bytes(&self, bytes: &[u8], md5: &str) -> io::Result<()> {
        if self.has(md5)? {
            return Ok(());
        }
        let (path, mut file) = self.scratch()?.file(OBJECT_MODE)?;
        for piece in bytes.chunks(PIECE) {
            file.write_all(piece)?;
        }
        self.install(&path, md5)
    }

    /// Adds the list of a folder's files, whose own objects are there already.
    ///
    /// # Errors
    /// Those of writing.
    pub fn add_tree(&self, tree: &Tree) -> io::Result<()> {
        self.add_bytes(tree.to_json().as_bytes(), &tree.md5())
    }

    /// Where objects are made; a folder beside them, so that they can be renamed.
    ///
    /// # Errors
    /// It cannot be made.
    pub(crate) fn scratch(&self) -> io::Result<Arc<Scratch>> {
        let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(scratch) = &*scratch {
            return Ok(Arc::clone(scratch));
        }
        let parent = self.scratch_parent();
        self.make_folder(&parent)?;
        let made = Arc::new(Scratch::open_in(&parent)?);
        *scratch = Some(Arc::clone(&made));
        Ok(made)
    }

    fn scratch_parent(&self) -> PathBuf {
        self.folder.join(".strata-tmp")
    }

    /// Removes objects that processes which were killed have not completed.
    pub(crate) fn clear_up(&self) {
        remove_abandoned(&self.scratch_parent());
    }

    /// Gives a complete file its name, and makes it read-only before: an object that is read-only is trusted.
    ///
    /// # Errors
    /// Those of renaming.
    pub(crate) fn install(&self, file: &Path, md5: &str) -> io::Result<()> {
        // Mostly it was made so; a question costs less than a change.
        let mode = fs_err::metadata(file)?.permissions().mode();
        if mode & 0o777 != OBJECT_MODE {
            protect(file)?;
        }
        let path = self.path(md5);
        match std::fs::rename(file, &path) {
            Err(error) if is_missing(&error) => {
                self.make_folder(path.parent().unwrap_or(&self.folder))?;
                fs_err::rename(file, &path)
            }
            Err(_) => fs_err::rename(file, &path),
            Ok(()) => Ok(()),
        }
    }

    /// Makes a folder and those above it; in a shared cache with the group's permissions, whatever the umask.
    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        if !self.is_shared {
            return fs_err::create_dir_all(folder);
        }
        let above = folder.ancestors().take_while(|above| !above.exists());
        let missing: Vec<&Path> = above.collect();
        for folder in missing.into_iter().rev() {
            match fs_err::create_dir(folder) {
                Ok(()) => fs_err::set_permissions(folder, Permissions::from_mode(0o2775))?,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Takes an object from elsewhere: `fill` writes its contents, which are kept only if their hash is the expected one.
    ///
    /// Gives the hash that was found where it is another.
    ///
    /// # Errors
    /// Those of writing, and those of `fill`; nothing is kept then.
    pub fn receive<E: From<io::Error>>(
        &self,
        md5: &str,
        fill: impl FnOnce(&mut dyn io::Write) -> Result<(), E>,
    ) -> Result<Option<String>, E> {
        let (copy, file) = self.scratch()?.file(OBJECT_MODE)?;
        let mut hashing = DigestWriter::new(file, self.algorithm);
        let filled = fill(&mut hashing);
        let found = hashing.hex();
        let is_right = filled.is_ok() && found == md5.trim_end_matches(".dir");
        if is_right {
            self.install(&copy, md5)?;
        } else {
            fs_err::remove_file(&copy)?;
        }
        filled?;
        Ok((!is_right).then_some(found))
    }

    /// The files of a folder. A list that is damaged is dropped, so that it can be fetched again.
    ///
    /// # Errors
    /// There is no such object, or it is damaged.
    pub fn tree(&self, md5: &str) -> Result<Tree, CacheError> {
        if !self.has(md5)? {
            return Err(self.missing(md5));
        }
        let path = self.path(md5);
        let mut bytes = Vec::new();
        let file = fs_err::File::open(&path)?;
        file.take(LARGEST_TREE_BYTES).read_to_end(&mut bytes)?;
        self.tree_of(md5, &bytes).or_else(|why| {
            fs_err::remove_file(&path)?;
            Err(CacheError::Damaged {
                object: path.display().to_string(),
                why,
            })
        })
    }

    /// The list that an object of this name holds, or what is wrong with it.
    fn tree_of(&self, md5: &str, bytes: &[u8]) -> Result<Tree, String> {
        let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        let tree = Tree::from_json(md5, text).map_err(|error| error.to_string())?;
        let mut digest = Digest::new(self.algorithm);
        digest.update(bytes);
        let found = digest.hex();
        if found == md5.trim_end_matches(".dir") {
            Ok(tree)
        } else {
            Err(format!("its hash is {found}"))
        }
    }

    pub(crate) fn missing(&self, md5: &str) -> CacheError {
        CacheError::Missing {
            md5: md5.to_owned(),
            folder: self.folder.display().to_string(),
        }
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
        let has = side_by_side(tree.entries(), parallel::available(), |(_, md5)| {
            self.has(md5)
        })?;
        Ok(has.into_iter().all(|has| has))
    }
}

fn protect(path: &Path) -> io::Result<()> {
    fs_err::set_permissions(path, Permissions::from_mode(OBJECT_MODE))
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

        fs_err::set_permissions(&object, Permissions::from_mode(0o644)).unwrap();
        fs_err::write(&object, "damaged").unwrap();
        assert!(!cache.has(&md5).unwrap());
        assert!(!object.exists());
    }

    #[test]
    fn a_file_that_is_not_what_it_was_does_not_get_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().join("cache"));
        let file = folder.path().join("file");
        fs_err::write(&file, "after").unwrap();
        let md5 = md5_of_bytes(b"before");
        let error = cache.add_file(&file, &md5).unwrap_err();
        assert!(error.to_string().contains("has changed since"), "{error}");
        assert!(!cache.path(&md5).exists());
    }

    #[test]
    fn the_folders_of_a_shared_cache_are_the_groups() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().join("cache")).shared();
        let md5 = md5_of_bytes(b"x");
        cache.add_bytes(b"x", &md5).unwrap();
        let mode = |path: &Path| fs_err::metadata(path).unwrap().permissions().mode() & 0o7777;
        let object = cache.path(&md5);
        assert_eq!(mode(&object), 0o444);
        for folder in object.ancestors().skip(1).take(4) {
            assert_eq!(mode(folder), 0o2775, "{}", folder.display());
        }
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
