//! The files of a task, named as submitit names them.
//!
//! | file | what it is |
//! | --- | --- |
//! | `<id>_0_log.out`, `<id>_0_log.err` | the output; the 0 is the rank of the process, of which we have one |
//! | `<id>_submission.sh` | Slurm's batch script |
//! | `<id>_0_exit` | how the task ended; ours |
//! | `<id>_0_requeues` | a line for each time the task was queued again; ours |
//!
//! They are in `submitit_folder`, in which `%j` stands for the id, `%A` and `%a` for the two halves of an id `4711_3`, and
//! `%t` for the rank.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{self, Path, PathBuf};

use crate::task::TaskLog;

/// The end of the file for the standard output.
pub(crate) const STDOUT: &str = "_log.out";
/// The end of the file for the standard error.
pub(crate) const STDERR: &str = "_log.err";
/// The end of the file with the exit code.
pub(crate) const EXIT: &str = "_exit";
/// The end of the file that counts how often the task was queued again.
pub(crate) const REQUEUES: &str = "_requeues";

/// `submitit_folder`, and the names in it.
#[derive(Debug, Clone)]
pub(crate) struct TaskPaths {
    folder: PathBuf,
}

/// A stretch of a path that depends on the task, or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    Fixed(&'a OsStr),
    /// `%j`
    Id,
    /// `%A`
    ArrayId,
    /// `%a`
    Index,
    /// `%t`
    Rank,
}

impl TaskPaths {
    /// # Errors
    /// There is no current folder for a path to be relative to.
    pub(crate) fn new(folder: &Path) -> io::Result<Self> {
        let folder = path::absolute(folder)?;
        Ok(Self { folder })
    }

    /// The parts of the path that starts every file of a task: its folder, its id and its rank.
    pub(crate) fn stem(&self) -> PathBuf {
        self.folder.join("%j_%t")
    }

    /// The folder of a task.
    pub(crate) fn folder_of(&self, id: &str) -> PathBuf {
        substituted(&self.folder, id)
    }

    /// A file of a task.
    pub(crate) fn file_of(&self, id: &str, end: &str) -> PathBuf {
        let mut path = substituted(&self.stem(), id).into_os_string();
        path.push(end);
        path.into()
    }

    pub(crate) fn log_of(&self, id: &str, stderr_to_stdout: bool) -> TaskLog {
        TaskLog {
            stdout: self.file_of(id, STDOUT),
            stderr: (!stderr_to_stdout).then(|| self.file_of(id, STDERR)),
        }
    }

    /// The folder nearest to the tasks' whose name is known before their ids are.
    pub(crate) fn independent_folder(&self) -> &Path {
        let is_fixed =
            |folder: &&Path| parts(folder.as_os_str()).all(|part| matches!(part, Part::Fixed(_)));
        self.folder
            .ancestors()
            .find(is_fixed)
            .unwrap_or(&self.folder)
    }
}

/// A path taken apart at `%j`, `%A`, `%a` and `%t`. Any other `%` is an ordinary character.
pub(crate) fn parts(path: &OsStr) -> impl Iterator<Item = Part<'_>> {
    let mut rest = path.as_bytes();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some(part) = variable(rest) {
            rest = &rest[2..];
            return Some(part);
        }
        let is_variable = |index: &usize| variable(&rest[*index..]).is_some();
        let end = (0..rest.len()).find(is_variable).unwrap_or(rest.len());
        let (fixed, others) = rest.split_at(end);
        rest = others;
        Some(Part::Fixed(OsStr::from_bytes(fixed)))
    })
}

fn variable(text: &[u8]) -> Option<Part<'static>> {
    match text.get(..2)? {
        b"%j" => Some(Part::Id),
        b"%A" => Some(Part::ArrayId),
        b"%a" => Some(Part::Index),
        b"%t" => Some(Part::Rank),
        _ => None,
    }
}

fn substituted(path: &Path, id: &str) -> PathBuf {
    let (array, index) = id.split_once('_').unwrap_or((id, "0"));
    let mut bytes = Vec::new();
    for part in parts(path.as_os_str()) {
        bytes.extend_from_slice(match part {
            Part::Fixed(text) => text.as_bytes(),
            Part::Id => id.as_bytes(),
            Part::ArrayId => array.as_bytes(),
            Part::Index => index.as_bytes(),
            Part::Rank => b"0",
        });
    }
    OsString::from_vec(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_as_submitit_names_them() {
        let paths = TaskPaths::new(Path::new("/sweep/.submitit/%j")).unwrap();
        let log = paths.log_of("12_3", false);
        assert_eq!(
            log.stdout,
            Path::new("/sweep/.submitit/12_3/12_3_0_log.out")
        );
        assert_eq!(
            log.stderr.unwrap(),
            Path::new("/sweep/.submitit/12_3/12_3_0_log.err")
        );
        assert_eq!(paths.log_of("12", true).stderr, None);
        assert_eq!(paths.independent_folder(), Path::new("/sweep/.submitit"));
    }

    #[test]
    fn halves_of_an_id_and_other_percent_signs() {
        let paths = TaskPaths::new(Path::new("/100%/%x/%A/%a")).unwrap();
        assert_eq!(paths.folder_of("12_3"), Path::new("/100%/%x/12/3"));
        assert_eq!(paths.independent_folder(), Path::new("/100%/%x"));

        let paths = TaskPaths::new(Path::new("/same/for/all")).unwrap();
        assert_eq!(paths.independent_folder(), Path::new("/same/for/all"));
    }
}
