//! Which files of a project do not count: `.dvcignore`, in the syntax of `.gitignore`.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::hash::{is_missing, relative_text};

/// Name of the files that list patterns.
pub const IGNORE_FILE: &str = ".dvcignore";

/// What is never looked into.
const ALWAYS: [&str; 4] = [".hg/", ".git/", ".git", ".dvc/"];

/// The patterns of a project.
#[derive(Debug)]
pub struct Ignore {
    root: PathBuf,
    /// Of the project's root, the fixed ones first.
    of_root: Vec<Arc<Gitignore>>,
    /// Of folders below it that have been asked for, most of which have none.
    of_folders: Mutex<HashMap<PathBuf, Option<Arc<Gitignore>>>>,
}

/// Why a path is ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The file with the pattern; none for a fixed one.
    pub file: Option<PathBuf>,
    /// The pattern as it is written.
    pub pattern: String,
}

impl Ignore {
    /// Of the project at `root`, an absolute path.
    ///
    /// # Errors
    /// A `.dvcignore` cannot be read, or has a pattern that is none.
    pub fn open(root: &Path) -> io::Result<Self> {
        let mut always = GitignoreBuilder::new(root);
        for pattern in ALWAYS {
            always.add_line(None, pattern).map_err(io::Error::other)?;
        }
        let mut of_root = vec![Arc::new(always.build().map_err(io::Error::other)?)];
        of_root.extend(read_patterns(root)?);
        Ok(Self {
            root: root.to_owned(),
            of_root,
            of_folders: Mutex::default(),
        })
    }

    /// Whether a path below the root is ignored, itself or by a folder above it.
    ///
    /// # Errors
    /// Those of reading `.dvcignore` files.
    pub fn is_ignored(&self, path: &Path, is_folder: bool) -> io::Result<bool> {
        Ok(self.reason(path, is_folder)?.is_some())
    }

    /// The pattern that decides that a path is ignored.
    ///
    /// # Errors
    /// Those of reading `.dvcignore` files.
    pub fn reason(&self, path: &Path, is_folder: bool) -> io::Result<Option<Reason>> {
        let Ok(below) = path.strip_prefix(&self.root) else {
            return Ok(None);
        };
        let mut patterns = self.of_root.clone();
        let mut at = self.root.clone();
        let parts: Vec<_> = below.iter().collect();
        for (index, part) in parts.iter().enumerate() {
            at.push(part);
            let inner = index + 1 < parts.len();
            if let Some(reason) = decide(&patterns, &at, inner || is_folder) {
                return Ok(Some(reason));
            }
            if inner {
                patterns.extend(self.patterns_in(&at)?);
            }
        }
        Ok(None)
    }

    /// The same where none may be left out.
    ///
    /// # Errors
    /// As [`Ignore::files_below`]; a link that points to nothing.
    pub fn all_files_below(&self, folder: &Path) -> io::Result<Vec<String>> {
        self.walk(folder, &|link| {
            Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!(
                    "the link '{}' points to nothing; remove it, or name it in {IGNORE_FILE}",
                    link.display()
                ),
            ))
        })
    }

    /// The files below a folder that count, by their paths below it, sorted. Links that point to nothing are left out.
    ///
    /// # Errors
    /// Those of reading; a `.dvcignore` below the folder, which DVC does not allow where a folder is tracked; a
    /// name that is no Unicode.
    pub fn files_below(&self, folder: &Path) -> io::Result<Vec<String>> {
        self.walk(folder, &|_| Ok(()))
    }

    fn walk(
        &self,
        folder: &Path,
        on_broken_link: &dyn Fn(&Path) -> io::Result<()>,
    ) -> io::Result<Vec<String>> {
        let mut patterns = self.of_root.clone();
        let mut at = self.root.clone();
        if let Ok(below) = folder.strip_prefix(&self.root) {
            for part in below {
                at.push(part);
                if at != folder {
                    patterns.extend(self.patterns_in(&at)?);
                }
            }
        }
        let mut files = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(current) = folders.pop() {
            for entry in fs_err::read_dir(&current)? {
                let entry = entry?;
                let path = entry.path();
                let kind = entry.file_type()?;
                // Links count as what they point to.
                let is_folder = if kind.is_symlink() {
                    let Ok(metadata) = fs_err::metadata(&path) else {
                        if decide(&patterns, &path, false).is_none() {
                            on_broken_link(&path)?;
                        }
                        continue;
                    };
                    metadata.is_dir()
                } else {
                    kind.is_dir()
                };
                if decide(&patterns, &path, is_folder).is_some() {
                    continue;
                }
                if is_folder {
                    if !(kind.is_symlink() && leads_upwards(&path)) {
                        folders.push(path);
                    }
                    continue;
                }
                if path.file_name().is_some_and(|name| name == IGNORE_FILE) {
                    return Err(io::Error::other(format!(
                        "{IGNORE_FILE} file should not be in collected dir path: '{}'",
                        folder.display()
                    )));
                }
                let text = relative_text(&path, folder).ok_or_else(|| {
                    io::Error::other(format!("the name of '{}' is no Unicode", path.display()))
                })?;
                files.push(text);
            }
        }
        files.sort();
        Ok(files)
    }

    /// The files that `wanted` chooses by their paths, and the folders, that stand in a folder below the root and count;
    /// either sorted.
    ///
    /// # Errors
    /// Those of reading.
    pub fn children(
        &self,
        folder: &Path,
        wanted: impl Fn(&Path) -> bool,
    ) -> io::Result<(Vec<PathBuf>, Vec<PathBuf>)> {
        let mut patterns = self.of_root.clone();
        if let Ok(below) = folder.strip_prefix(&self.root) {
            let mut at = self.root.clone();
            for part in below {
                at.push(part);
                patterns.extend(self.patterns_in(&at)?);
            }
        }
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        for entry in fs_err::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            let is_folder = entry.file_type()?.is_dir();
            // Of many files few are wanted, and patterns cost more than names.
            if (is_folder || wanted(&path)) && decide(&patterns, &path, is_folder).is_none() {
                if is_folder { &mut folders } else { &mut files }.push(path);
            }
        }
        files.sort();
        folders.sort();
        Ok((files, folders))
    }

    fn patterns_in(&self, folder: &Path) -> io::Result<Option<Arc<Gitignore>>> {
        let mut known = self
            .of_folders
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(patterns) = known.get(folder) {
            return Ok(patterns.clone());
        }
        let patterns = read_patterns(folder)?;
        known.insert(folder.to_owned(), patterns.clone());
        Ok(patterns)
    }
}

/// Whether a link to a folder leads to one that it lies in.
fn leads_upwards(link: &Path) -> bool {
    match (
        fs_err::canonicalize(link),
        link.parent().map(fs_err::canonicalize),
    ) {
        (Ok(target), Some(Ok(parent))) => parent.starts_with(target),
        _ => true,
    }
}

/// The deepest patterns that say anything decide.
fn decide(patterns: &[Arc<Gitignore>], path: &Path, is_folder: bool) -> Option<Reason> {
    for patterns in patterns.iter().rev() {
        match patterns.matched(path, is_folder) {
            Match::None => {}
            Match::Whitelist(_) => return None,
            Match::Ignore(glob) => {
                return Some(Reason {
                    file: glob.from().map(Path::to_owned),
                    pattern: glob.original().to_owned(),
                });
            }
        }
    }
    None
}

fn read_patterns(folder: &Path) -> io::Result<Option<Arc<Gitignore>>> {
    let file = folder.join(IGNORE_FILE);
    let text = match fs_err::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if is_missing(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut builder = GitignoreBuilder::new(folder);
    for line in text.lines() {
        builder
            .add_line(Some(file.clone()), line)
            .map_err(|error| io::Error::other(format!("'{}': {error}", file.display())))?;
    }
    let patterns = builder.build().map_err(io::Error::other)?;
    Ok(Some(Arc::new(patterns)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn later_and_deeper_patterns_win() {
        let project = project(&[
            (".dvcignore", "*.log\n!keep.log\nsrc/cache/\n"),
            ("src/a.txt", ""),
            ("src/b.log", ""),
            ("src/keep.log", ""),
            ("src/cache/x", ""),
            ("src/deep/c.txt", ""),
        ]);
        let ignore = Ignore::open(project.path()).unwrap();
        let files = ignore.files_below(&project.path().join("src")).unwrap();
        assert_eq!(files, ["a.txt", "deep/c.txt", "keep.log"]);
        let log = project.path().join("src/b.log");
        assert_eq!(
            ignore.reason(&log, false).unwrap().unwrap().pattern,
            "*.log"
        );
        let cached = project.path().join("src/cache/x");
        assert!(ignore.is_ignored(&cached, false).unwrap());
        assert!(
            ignore
                .is_ignored(&project.path().join(".git"), true)
                .unwrap()
        );
    }

    #[test]
    fn a_tracked_folder_has_no_patterns_of_its_own() {
        let project = project(&[("src/deep/.dvcignore", ""), ("src/a", "")]);
        let ignore = Ignore::open(project.path()).unwrap();
        let error = ignore.files_below(&project.path().join("src")).unwrap_err();
        let expected = ".dvcignore file should not be in collected dir path";
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}
