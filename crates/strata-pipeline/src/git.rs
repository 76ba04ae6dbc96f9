//! What is asked of Git: a few questions to the program.

use std::ffi::OsStr;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};

/// Paths that one command line surely holds.
const MOST_ARGUMENTS: usize = 200;
/// Bytes that a pipe surely holds.
const PIPE_BYTES: usize = 1 << 15;

/// The Git repository that a project lies in.
#[derive(Debug, Clone)]
pub struct Git {
    folder: PathBuf,
}

/// Tells which paths are ignored.
#[derive(Debug)]
pub struct IgnoreChecker {
    git: Git,
    /// Started anew after a question that ended it.
    process: Option<CheckIgnore>,
}

/// `git check-ignore`, question by question.
#[derive(Debug)]
struct CheckIgnore {
    child: Child,
    questions: Option<ChildStdin>,
    answers: Option<BufReader<ChildStdout>>,
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

    /// The first of some paths that is tracked, itself or by any file below it.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn first_tracked<'a>(&self, paths: &[&'a Path]) -> io::Result<Option<&'a Path>> {
        for paths in paths.chunks(MOST_ARGUMENTS) {
            let words = ["--literal-pathspecs", "ls-files", "-z", "--"];
            let output = self.ask(&words, paths)?;
            let files = output.stdout.split(|byte| *byte == 0);
            let files = files.filter(|file| !file.is_empty());
            let files: Vec<PathBuf> = files
                .map(|file| self.folder.join(OsStr::from_bytes(file)))
                .collect();
            let is_tracked = |path: &&&Path| files.iter().any(|file| file.starts_with(path));
            if let Some(path) = paths.iter().find(is_tracked) {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    /// A process that says of paths whether they are ignored; it gets ready while other work goes on.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn ignore_checker(&self) -> io::Result<IgnoreChecker> {
        Ok(IgnoreChecker {
            git: self.clone(),
            process: Some(CheckIgnore::start(self)?),
        })
    }

    /// Whether each of some paths is ignored.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn ignored(&self, paths: &[&Path]) -> io::Result<Vec<bool>> {
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        self.ignore_checker()?.ignored(paths)
    }

    /// Whether a path is ignored.
    ///
    /// # Errors
    /// The program cannot be started.
    fn is_ignored(&self, path: &Path) -> io::Result<bool> {
        let output = self.ask(&["check-ignore", "--quiet", "--"], &[path])?;
        Ok(output.status.code() == Some(0))
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

    /// The folder of the work tree.
    ///
    /// # Errors
    /// There is none.
    pub fn top(&self) -> io::Result<PathBuf> {
        let text = self.text(&["rev-parse", "--show-toplevel"])?;
        Ok(PathBuf::from(text.trim_end_matches('\n')))
    }

    /// Sets an option of this clone.
    ///
    /// # Errors
    /// The settings cannot be written.
    pub fn set(&self, option: &str, value: &str) -> io::Result<()> {
        self.text(&["config", "--local", option, value]).map(drop)
    }

    /// Merges texts line by line into the file of our version; returns whether there are no conflicts.
    ///
    /// # Errors
    /// A file is no text or cannot be read.
    pub fn merge_lines(base: &Path, ours: &Path, theirs: &Path) -> io::Result<bool> {
        let git = Self {
            folder: PathBuf::from("."),
        };
        let words = [
            "merge-file",
            "--quiet",
            "-L",
            "ours",
            "-L",
            "base",
            "-L",
            "theirs",
            "--",
        ];
        let output = git.ask(&words, &[ours, base, theirs])?;
        match output.status.code() {
            Some(0) => Ok(true),
            Some(1..=127) => Ok(false),
            _ => Err(failed(&words, &output)),
        }
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
            return Err(failed(words, &output));
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
        let mut command = self.command(words);
        command.args(paths).output().map_err(cannot_start)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("git");
        command
            .current_dir(&self.folder)
            .env("GIT_OPTIONAL_LOCKS", "0")
            .args(words);
        command
    }
}

fn cannot_start(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot start `git`: {error}"))
}

impl IgnoreChecker {
    /// Whether each of some paths is ignored. A tracked one is not.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn ignored<P: AsRef<Path>>(&mut self, paths: &[P]) -> io::Result<Vec<bool>> {
        let mut ignored = Vec::with_capacity(paths.len());
        let mut rest = paths;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(within_a_pipe(rest));
            rest = later;
            let mut process = match self.process.take() {
                Some(process) => process,
                None => CheckIgnore::start(&self.git)?,
            };
            if let Ok(answers) = process.ask(now) {
                ignored.extend(answers);
                self.process = Some(process);
                continue;
            }
            // Git ends at a path that it refuses, such as one beyond a symbolic link.
            for path in now {
                ignored.push(self.git.is_ignored(path.as_ref())?);
            }
        }
        Ok(ignored)
    }
}

/// How many of some paths can be written without waiting for Git to read them: it may wait for its answers to be read.
fn within_a_pipe<P: AsRef<Path>>(paths: &[P]) -> usize {
    let mut bytes = 0;
    let fits = paths.iter().take_while(|path| {
        bytes += path.as_ref().as_os_str().len() + 1;
        bytes <= PIPE_BYTES
    });
    fits.count().max(1)
}

impl CheckIgnore {
    fn start(git: &Git) -> io::Result<Self> {
        let words = [
            "check-ignore",
            "-z",
            "--stdin",
            "--verbose",
            "--non-matching",
        ];
        let mut child = git
            .command(&words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(cannot_start)?;
        Ok(Self {
            questions: child.stdin.take(),
            answers: child.stdout.take().map(BufReader::new),
            child,
        })
    }

    fn ask<P: AsRef<Path>>(&mut self, paths: &[P]) -> io::Result<Vec<bool>> {
        let (Some(questions), Some(answers)) = (&mut self.questions, &mut self.answers) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let mut text = Vec::new();
        for path in paths {
            text.extend_from_slice(path.as_ref().as_os_str().as_bytes());
            text.push(0);
        }
        questions.write_all(&text)?;
        questions.flush()?;
        let mut ignored = Vec::with_capacity(paths.len());
        for _ in paths {
            // File, line and text of the pattern, all empty without one; the path.
            let mut fields = [const { Vec::new() }; 4];
            for field in &mut fields {
                if answers.read_until(0, field)? == 0 || field.pop() != Some(0) {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            let pattern = &fields[2];
            ignored.push(!pattern.is_empty() && !pattern.starts_with(b"!"));
        }
        Ok(ignored)
    }
}

impl Drop for CheckIgnore {
    fn drop(&mut self) {
        // Without questions to come Git ends.
        self.questions = None;
        let _ = self.child.wait();
    }
}

fn failed(words: &[&str], output: &Output) -> io::Error {
    let said = String::from_utf8_lossy(&output.stderr);
    io::Error::other(format!("git {}: {}", words.join(" "), said.trim()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn one_process_answers_for_many_paths() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let git = Git {
            folder: root.to_owned(),
        };
        assert!(git.ask(&["init", "--quiet"], &[]).unwrap().status.success());
        fs_err::write(root.join(".gitignore"), "*.log\n!keep.log\n/[x]\n").unwrap();
        fs_err::write(root.join("a[b].txt"), "").unwrap();
        fs_err::write(root.join("tracked.log"), "").unwrap();
        let tracked = [root.join("a[b].txt"), root.join("tracked.log")];
        git.ask(&["add", "-f", "--"], &[&tracked[0], &tracked[1]])
            .unwrap();

        let names = [
            "a.log",
            "keep.log",
            "tracked.log",
            "deep/ü\n.log",
            "x",
            "xx",
            "a[b].txt",
        ];
        let paths: Vec<PathBuf> = names.iter().map(|name| root.join(name)).collect();
        let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
        let ignored = git.ignored(&paths).unwrap();
        assert_eq!(ignored, [true, false, false, true, true, false, false]);
        // Brackets are no pattern here: nothing named `ab.txt` is meant.
        let other = root.join("ab.txt");
        let first = git.first_tracked(&[&other, paths[6]]).unwrap();
        assert_eq!(first, Some(paths[6]));
        assert_eq!(git.first_tracked(&[paths[0]]).unwrap(), None);

        // Git refuses to look beyond a link; the others are answered all the same.
        fs_err::create_dir(root.join("real")).unwrap();
        fs_err::os::unix::fs::symlink("real", root.join("link")).unwrap();
        let beyond = root.join("link/a.log");
        let ignored = git.ignored(&[&beyond, paths[0], paths[1]]).unwrap();
        assert_eq!(ignored[1..], [true, false]);
    }
}
