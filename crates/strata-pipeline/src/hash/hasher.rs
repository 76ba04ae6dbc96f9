//! Reads files and folders, several at a time.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::info::HashInfo;
use super::reading::{Algorithm, digest_of};
use super::state::State;
use super::tree::Tree;
use crate::ignore::Ignore;
use crate::parallel::side_by_side;
use crate::progress::{Activity, Begun, DataProgress};

/// What stands at a path.
#[derive(Debug, Clone)]
pub struct Hashed {
    /// What a lock file says of it.
    pub info: HashInfo,
    /// The files of a folder.
    pub tree: Option<Arc<Tree>>,
}

/// Hashes files and folders, and remembers what it has hashed.
#[derive(Debug, Clone, Copy)]
pub struct Hasher<'a> {
    /// What is known from before.
    pub state: &'a State,
    /// Which files of a folder do not count.
    pub ignore: &'a Ignore,
    /// How many files are read at a time.
    pub threads: usize,
    /// Who is told how far it has come.
    pub progress: &'a dyn DataProgress,
}

impl Hasher<'_> {
    /// What stands at `path`, nothing if nothing does. Symbolic links count as what they point to.
    ///
    /// # Errors
    /// Those of reading, with the path; a file that keeps changing.
    pub fn hash(&self, path: &Path, algorithm: Algorithm) -> io::Result<Option<Hashed>> {
        let Some(metadata) = metadata_of(path)? else {
            return Ok(None);
        };
        if metadata.is_dir() {
            return self.hash_folder(path, algorithm).map(Some);
        }
        let begun = self.begin(1, Some(metadata.len()));
        let (md5, size) = self.md5(path, &metadata, algorithm, &begun)?;
        Ok(Some(of_file(md5, size, &metadata, algorithm)))
    }

    fn begin(&self, files: u64, bytes: Option<u64>) -> Begun<'_> {
        Begun::new(self.progress, Activity::Hashing, files, bytes)
    }

    /// The hash and the size of a file.
    fn md5(
        &self,
        path: &Path,
        metadata: &Metadata,
        algorithm: Algorithm,
        begun: &Begun<'_>,
    ) -> io::Result<(String, u64)> {
        let key = key_of(path, algorithm);
        if let Some(md5) = self.state.get(&key, metadata) {
            begun.advance(1, metadata.len());
            return Ok((md5, metadata.len()));
        }
        let (md5, look) = digest_of(path, algorithm, &|bytes| begun.advance(0, bytes))?;
        begun.advance(1, 0);
        self.state.remember(&key, look, &md5);
        Ok((md5, look.size))
    }

    fn hash_folder(&self, folder: &Path, algorithm: Algorithm) -> io::Result<Hashed> {
        let files = self.ignore.files_below(folder)?;
        let begun = self.begin(files.len() as u64, None);
        let hashed = side_by_side(&files, self.threads, |file| {
            let path = folder.join(file);
            let metadata = fs_err::metadata(&path)?;
            self.md5(&path, &metadata, algorithm, &begun)
        })?;
        Ok(of_folder(files, hashed, algorithm))
    }
}

/// Of what stands at a path; nothing if nothing does.
pub(crate) fn metadata_of(path: &Path) -> io::Result<Option<Metadata>> {
    match fs_err::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(crate) fn of_file(md5: String, size: u64, metadata: &Metadata, algorithm: Algorithm) -> Hashed {
    let info = HashInfo {
        md5,
        size: Some(size),
        nfiles: None,
        is_executable: metadata.permissions().mode() & 0o100 != 0,
        is_legacy: algorithm == Algorithm::Md5Dos2Unix,
    };
    Hashed { info, tree: None }
}

/// Of a folder's files, with the hash and the size of each.
pub(crate) fn of_folder(
    files: Vec<String>,
    hashed: Vec<(String, u64)>,
    algorithm: Algorithm,
) -> Hashed {
    let size = hashed.iter().map(|(_, size)| size).sum();
    let md5s = hashed.into_iter().map(|(md5, _)| md5);
    let tree = Tree::new(files.into_iter().zip(md5s).collect());
    let info = HashInfo {
        is_legacy: algorithm == Algorithm::Md5Dos2Unix,
        ..tree.info(size)
    };
    Hashed {
        info,
        tree: Some(Arc::new(tree)),
    }
}

/// What the state knows a file's hash by; no path has a NUL in it.
fn key_of(path: &Path, algorithm: Algorithm) -> PathBuf {
    let mut key = path.as_os_str().to_owned();
    if algorithm == Algorithm::Md5Dos2Unix {
        key.push("\0dos2unix");
    }
    PathBuf::from(key)
}

/// Whether an error says that nothing stands at a path.
pub(crate) fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::progress::Silent;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn any_number_of_threads_finds_the_same(
            files in prop::collection::btree_map("[a-c]/[a-z]{1,3}", prop::collection::vec(any::<u8>(), 0..40), 0..60),
            threads in 2_usize..6,
        ) {
            let project = tempfile::tempdir().unwrap();
            let data = project.path().join("data");
            fs_err::create_dir(&data).unwrap();
            for (path, contents) in &files {
                let path = data.join(path);
                fs_err::create_dir_all(path.parent().unwrap()).unwrap();
                fs_err::write(path, contents).unwrap();
            }
            let ignore = Ignore::open(project.path()).unwrap();
            let hash = |threads: usize| {
                let state = State::open(project.path().join("state"));
                let hasher = Hasher { state: &state, ignore: &ignore, threads, progress: &Silent };
                hasher.hash(&data, Algorithm::Md5).unwrap().unwrap()
            };
            let (alone, together) = (hash(1), hash(threads));
            prop_assert_eq!(&alone.info, &together.info);
            prop_assert_eq!(alone.tree, together.tree);
            prop_assert_eq!(alone.info.nfiles, Some(files.len() as u64));
        }
    }
}
