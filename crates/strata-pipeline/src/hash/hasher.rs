//! Reads files and folders, several at a time.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use strata_fs::md5_of_file;

use super::info::HashInfo;
use super::state::State;
use super::tree::Tree;
use crate::ignore::Ignore;

/// What stands at a path.
#[derive(Debug, Clone)]
pub struct Hashed {
    /// What a lock file says of it.
    pub info: HashInfo,
    /// The files of a folder.
    pub tree: Option<Tree>,
}

/// Hashes files and folders, and remembers what it has hashed.
#[derive(Debug, Clone, Copy)]
pub struct Hasher<'a> {
    /// What is known from before.
    pub state: &'a State,
    /// Which files of a folder do not count.
    pub ignore: &'a Ignore,
}

/// Files below which more threads cost more than they bring.
const FEW_FILES: usize = 16;

impl Hasher<'_> {
    /// What stands at `path`, nothing if nothing does. Symbolic links count as what they point to.
    ///
    /// # Errors
    /// Those of reading, with the path.
    pub fn hash(&self, path: &Path) -> io::Result<Option<Hashed>> {
        let metadata = match fs_err::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        if metadata.is_dir() {
            return self.hash_folder(path).map(Some);
        }
        let info = HashInfo {
            md5: self.md5(path, &metadata)?,
            size: Some(metadata.len()),
            is_executable: metadata.permissions().mode() & 0o100 != 0,
            ..HashInfo::default()
        };
        Ok(Some(Hashed { info, tree: None }))
    }

    /// The MD5 of a file.
    ///
    /// # Errors
    /// Those of reading.
    pub fn md5(&self, path: &Path, metadata: &Metadata) -> io::Result<String> {
        if let Some(md5) = self.state.get(path, metadata) {
            return Ok(md5);
        }
        let md5 = md5_of_file(path)?;
        self.state.remember(path, metadata, &md5);
        Ok(md5)
    }

    fn hash_folder(&self, folder: &Path) -> io::Result<Hashed> {
        let files = self.ignore.files_below(folder)?;
        let hashed = side_by_side(&files, |file| {
            let path = folder.join(file);
            let metadata = fs_err::metadata(&path)?;
            Ok((self.md5(&path, &metadata)?, metadata.len()))
        })?;
        let size = hashed.iter().map(|(_, size)| size).sum();
        let md5s = hashed.into_iter().map(|(md5, _)| md5);
        let tree = Tree::new(files.into_iter().zip(md5s).collect());
        let info = tree.info(size);
        Ok(Hashed {
            info,
            tree: Some(tree),
        })
    }
}

/// Whether an error says that nothing stands at a path.
pub(crate) fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// `work` done for each item, in as many threads as the machine has; results in the items' order. The first error, in
/// time, ends the work.
///
/// # Errors
/// That error.
pub(crate) fn side_by_side<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> io::Result<R> + Sync,
) -> io::Result<Vec<R>> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    if items.len() < FEW_FILES || threads == 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(None);
    let done = Mutex::new(Vec::with_capacity(items.len()));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut own = Vec::new();
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { break };
                    match work(item) {
                        Ok(result) => own.push((index, result)),
                        Err(error) => {
                            next.store(items.len(), Ordering::Relaxed);
                            *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                        }
                    }
                }
                done.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .extend(own);
            });
        }
    });
    if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

/// Paths below a folder, with `/` between their parts.
pub(crate) fn relative_text(path: &Path, folder: &Path) -> Option<String> {
    let below = path.strip_prefix(folder).ok()?;
    let parts: Option<Vec<&str>> = below.iter().map(|part| part.to_str()).collect();
    parts.map(|parts| parts.join("/"))
}

/// A path without `.` and `..`, which are taken as text.
pub(crate) fn normalized(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}
