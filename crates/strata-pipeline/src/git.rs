//! What is asked of Git: a few questions to the program.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The Git repository that a project lies in.
#[derive(Debug, Clone)]
pub struct Git {
    folder: PathBuf,
}

impl Git {
    /// The repository around a folder, if there is one and the program is there.
    pub fn around(folder: &Path) -> Option<Self> {
        let git = Self {
            folder: folder.to_owned(),
        };
        // Without starting a program in the ordinary case.
        let has_git = |folder: &Path| folder.join(".git").exists();
        folder.ancestors().any(has_git).then_some(git)
    }

    /// Whether a file, or any file below a folder, is tracked.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn is_tracked(&self, path: &Path) -> io::Result<bool> {
        let output = self.ask(&["ls-files", "--"], &[path])?;
        Ok(output.status.success() && !output.stdout.is_empty())
    }

    /// Whether a path is ignored.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn is_ignored(&self, path: &Path) -> io::Result<bool> {
        let output = self.ask(&["check-ignore", "--quiet", "--"], &[path])?;
        Ok(output.status.code() == Some(0))
    }

    /// The first of some paths that is ignored.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn first_ignored(&self, paths: &[&Path]) -> io::Result<Option<String>> {
        let words = ["-c", "core.quotePath=false", "check-ignore", "--"];
        let output = self.ask(&words, paths)?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(text.lines().next().map(str::to_owned))
    }

    /// Whether a file that Git tracks differs from the last commit.
    ///
    /// # Errors
    /// There is no commit yet.
    pub fn has_changes(&self) -> io::Result<bool> {
        let words = ["status", "--porcelain", "--untracked-files=no"];
        Ok(!self.text(&words)?.is_empty())
    }

    /// The files of a commit below the folder, by their paths from it.
    ///
    /// # Errors
    /// Git does not know the commit.
    pub fn files_of(&self, revision: &str) -> io::Result<Vec<String>> {
        let text = self.text(&["ls-tree", "-r", "-z", "--name-only", revision])?;
        let files = text.split('\0').filter(|file| !file.is_empty());
        Ok(files.map(str::to_owned).collect())
    }

    /// The bytes of a file of a commit, by its path from the folder.
    ///
    /// # Errors
    /// There is no such file.
    pub fn show(&self, revision: &str, file: &str) -> io::Result<Vec<u8>> {
        self.output(&["show", &format!("{revision}:./{file}")])
    }

    /// The commits that a choice of `git rev-list` names.
    ///
    /// # Errors
    /// Git does not understand it.
    pub fn commits(&self, choice: &[&str]) -> io::Result<Vec<String>> {
        let words = [&["rev-list"], choice].concat();
        Ok(self.text(&words)?.lines().map(str::to_owned).collect())
    }

    /// The tips of branches (`refs/heads`) or tags (`refs/tags`): commits and their short names.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn tips(&self, references: &str) -> io::Result<Vec<(String, String)>> {
        let format = "--format=%(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end) %(refname:short)";
        let text = self.text(&["for-each-ref", format, references])?;
        let tips = text.lines().filter_map(|line| line.split_once(' '));
        Ok(tips
            .map(|(commit, name)| (commit.to_owned(), name.to_owned()))
            .collect())
    }

    /// Files that Git neither tracks nor ignores, by their paths from the folder.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn untracked(&self) -> io::Result<Vec<String>> {
        let text = self.text(&["ls-files", "--others", "--exclude-standard", "-z"])?;
        let files = text.split('\0').filter(|file| !file.is_empty());
        Ok(files.map(str::to_owned).collect())
    }

    fn text(&self, words: &[&str]) -> io::Result<String> {
        String::from_utf8(self.output(words)?)
            .map_err(|_| io::Error::other(format!("git {}: no text", words.join(" "))))
    }

    fn output(&self, words: &[&str]) -> io::Result<Vec<u8>> {
        let output = self.ask(words, &[])?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(io::Error::other(format!(
                "git {}: {}",
                words.join(" "),
                said.trim()
            )));
        }
        Ok(output.stdout)
    }

    /// Adds files to the index; failures are of no consequence.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn add(&self, paths: &[&Path]) -> io::Result<()> {
        self.ask(&["add", "--"], paths).map(drop)
    }

    fn ask(&self, words: &[&str], paths: &[&Path]) -> io::Result<Output> {
        Command::new("git")
            .current_dir(&self.folder)
            .env("GIT_OPTIONAL_LOCKS", "0")
            .args(words)
            .args(paths)
            .output()
            .map_err(|error| io::Error::new(error.kind(), format!("cannot start `git`: {error}")))
    }
}
