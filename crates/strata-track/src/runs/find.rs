//! Where runs are.

use std::io;
use std::path::{Path, PathBuf};

/// Folders of results lie in each other, but not without end.
const DEEPEST: usize = 8;

/// What lies below some paths.
#[derive(Debug, Default)]
pub struct Found {
    /// The directories of runs, sorted by path, each once.
    pub runs: Vec<PathBuf>,
    /// Folders that could not be looked into.
    pub unreadable: Vec<(PathBuf, io::Error)>,
}

/// Looks for run directories below some paths, themselves included. A run may lie within another one's directory; links
/// are not followed.
pub fn find_run_directories(paths: &[PathBuf]) -> Found {
    let mut found = Found::default();
    for path in paths {
        found.gather(path, 0);
    }
    found.runs.sort();
    found.runs.dedup();
    found
}

impl Found {
    fn gather(&mut self, folder: &Path, depth: usize) {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                // What another process has just removed, or was no folder to begin with, holds no runs.
                let is_absent = matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                );
                if !is_absent {
                    self.unreadable.push((folder.to_owned(), error));
                }
                return;
            }
        };
        for entry in entries.flatten() {
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder && depth < DEEPEST {
                self.gather(&entry.path(), depth + 1);
            } else if !is_folder && entry.file_name() == "run.json" {
                self.runs.push(folder.to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_within_runs_are_found_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let outer = folder.path().join("runs");
        let inner = outer.join("deep/down");
        fs_err::create_dir_all(&inner).expect("made");
        for path in [&outer, &inner] {
            fs_err::write(path.join("run.json"), "{}").expect("written");
        }
        let found = find_run_directories(&[folder.path().to_owned(), outer.clone()]);
        assert_eq!(found.runs, [outer, inner]);
        assert!(found.unreadable.is_empty());
    }
}
