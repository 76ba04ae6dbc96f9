//! A project: its folder, its settings, and what every command needs of them.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use strata_fs::md5_of_bytes;

use crate::cache::{Cache, LinkType, Placing, Scratch, Wanted};
use crate::config::Config;
use crate::error::PipelineError;
use crate::git::Git;
use crate::hash::{HashInfo, Hasher, State, normalized};
use crate::ignore::{IGNORE_FILE, Ignore};
use crate::lock::{PathLocks, RepositoryLock};
use crate::parallel;
use crate::progress::{DataProgress, Silent};

const IGNORE_TEXT: &str = "\
# Add patterns of files dvc should ignore, which could improve
# the performance. Learn more at
# https://dvc.org/doc/user-guide/dvcignore
";

/// An opened project.
#[derive(Debug)]
pub struct Repository {
    /// Its absolute folder.
    pub root: PathBuf,
    /// The folder that paths of the user are relative to.
    pub current: PathBuf,
    /// Its settings.
    pub config: Config,
    /// Git, unless the project does without.
    pub git: Option<Git>,
    /// Files that do not count.
    pub ignore: Ignore,
    /// The cache.
    pub cache: Cache,
    /// What DVC 2 has left in its folder.
    legacy_cache: Cache,
    /// How objects become files.
    pub link_types: Vec<LinkType>,
    /// Who is told how far long work on data has come.
    pub progress: Box<dyn DataProgress>,
    /// How many files are read at a time, if the settings say so.
    checksum_jobs: Option<usize>,
    state: State,
    /// Where files of the workspace lie until they are complete.
    scratch: OnceLock<Scratch>,
}

impl Repository {
    /// The project around a folder.
    ///
    /// # Errors
    /// There is none, or its settings cannot be read.
    pub fn open(current: &Path) -> Result<Self, PipelineError> {
        let current = fs_err::canonicalize(current)?;
        let root = current
            .ancestors()
            .find(|folder| folder.join(".dvc").is_dir())
            .ok_or(PipelineError::NotARepository)?
            .to_owned();
        let dvc = root.join(".dvc");
        let wrong = |why: String| PipelineError::Config { why };
        let config = Config::open(Some(&dvc)).map_err(|error| wrong(error.to_string()))?;
        config.check().map_err(wrong)?;
        let git = if config.is_true("core", "no_scm") {
            None
        } else {
            let git = Git::around(&root);
            Some(git.ok_or_else(|| PipelineError::NotAGitRepository {
                folder: root.display().to_string(),
            })?)
        };
        let cache = config.path_of("cache", "dir");
        let mut cache = Cache::new(cache.unwrap_or_else(|| dvc.join("cache")));
        if is_shared(&config)? {
            cache = cache.shared();
        }
        let types = config
            .get("cache", "type")
            .map_or("reflink,copy", |(types, _)| types);
        Ok(Self {
            ignore: Ignore::open(&root)?,
            legacy_cache: cache.legacy(),
            cache,
            link_types: LinkType::parse_list(types),
            progress: Box::new(Silent),
            checksum_jobs: checksum_jobs(&config)?,
            state: State::open(state_path(&config, &root)),
            scratch: OnceLock::new(),
            config,
            git,
            current,
            root,
        })
    }

    /// Makes a project in a folder.
    ///
    /// # Errors
    /// There is one already and `force` is not set; there is no Git and `no_scm` is not set; the folder is not the
    /// one of the Git repository and `subdir` is not set.
    pub fn initiate(
        folder: &Path,
        no_scm: bool,
        subdir: bool,
        force: bool,
    ) -> Result<(), PipelineError> {
        let folder = fs_err::canonicalize(folder)?;
        let dvc = folder.join(".dvc");
        let has_git = subdir || folder.join(".git").exists();
        let git = Git::around(&folder).filter(|_| !no_scm && has_git);
        let failed = |why: String| Err(PipelineError::Initiate { why });
        if git.is_none() && !no_scm {
            return failed(format!(
                "{} is not tracked by any supported SCM tool (e.g. Git). Use `--no-scm` if you don't want to use any SCM or `--subdir` if initializing inside a subdirectory of a parent SCM repository.",
                folder.display()
            ));
        }
        if dvc.is_dir() {
            if !force {
                return failed("'.dvc' exists. Use `-f` to force.".to_owned());
            }
            fs_err::remove_dir_all(&dvc)?;
        }
        fs_err::create_dir(&dvc)?;
        let text = if no_scm {
            "[core]\n    no_scm = True\n"
        } else {
            ""
        };
        fs_err::write(dvc.join("config"), text)?;
        fs_err::create_dir_all(dvc.join("tmp"))?;
        fs_err::write(dvc.join("tmp/btime"), "")?;
        if let Some(git) = &git {
            fs_err::write(dvc.join(".gitignore"), "/config.local\n/tmp\n/cache\n")?;
            write_ignore_file(&folder)?;
            let files = [
                dvc.join("config"),
                dvc.join(".gitignore"),
                folder.join(IGNORE_FILE),
            ];
            let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
            git.add(&files)?;
        } else {
            write_ignore_file(&folder)?;
        }
        Ok(())
    }

    /// What hashes the project's files.
    pub fn hasher(&self) -> Hasher<'_> {
        Hasher {
            state: &self.state,
            ignore: &self.ignore,
            threads: self.threads(),
            progress: &*self.progress,
        }
    }

    fn threads(&self) -> usize {
        self.checksum_jobs.unwrap_or_else(parallel::available)
    }

    /// The cache that keeps what an entry names: entries that DVC 2 wrote name objects of another place.
    pub fn cache_of(&self, info: &HashInfo) -> &Cache {
        if info.is_legacy {
            &self.legacy_cache
        } else {
            &self.cache
        }
    }

    /// Makes files of the workspace from objects.
    pub(crate) fn place(&self, wanted: &[Wanted]) -> io::Result<()> {
        self.place_by(&self.link_types, wanted)
    }

    /// Makes files of the workspace from others, whatever `cache.type` says.
    pub(crate) fn place_copies(&self, wanted: &[Wanted]) -> io::Result<()> {
        self.place_by(&[LinkType::Reflink, LinkType::Copy], wanted)
    }

    fn place_by(&self, types: &[LinkType], wanted: &[Wanted]) -> io::Result<()> {
        if wanted.is_empty() {
            return Ok(());
        }
        let scratch = if let Some(scratch) = self.scratch.get() {
            scratch
        } else {
            let made = Scratch::open_in(&self.temporary().join("strata"))?;
            self.scratch.get_or_init(|| made)
        };
        let placing = Placing {
            types,
            scratch,
            state: &self.state,
            threads: self.threads(),
            progress: &*self.progress,
        };
        placing.place(wanted)
    }

    /// Whether `cache.type` begins with `hardlink`: what is added becomes an object itself.
    pub(crate) fn adds_links(&self) -> bool {
        self.link_types.first() == Some(&LinkType::Hardlink)
    }

    /// Whether something is in the project when links above it are followed.
    pub(crate) fn holds(&self, path: &Path) -> bool {
        fs_err::canonicalize(path).is_ok_and(|path| path.starts_with(&self.root))
    }

    /// Keeps what has been hashed for the next command. A state that cannot be kept costs time, nothing else.
    pub fn save_state(&self) {
        let _ = self.state.save();
    }

    /// Adds files that were written to Git's index, if `core.autostage` is set.
    ///
    /// # Errors
    /// Git cannot be started.
    pub(crate) fn stage_in_git(&self, files: &[PathBuf]) -> io::Result<()> {
        match &self.git {
            Some(git) if !files.is_empty() && self.config.is_true("core", "autostage") => {
                let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
                git.add(&files)
            }
            _ => Ok(()),
        }
    }

    /// The project's folder for temporary files.
    pub fn temporary(&self) -> PathBuf {
        self.root.join(".dvc/tmp")
    }

    /// Takes the project's lock.
    ///
    /// # Errors
    /// Another process holds it.
    pub fn lock(&self) -> Result<RepositoryLock, PipelineError> {
        // With another lock than DVC's, both would work on the project at the same time.
        if self.config.is_true("core", "hardlink_lock") {
            return Err(PipelineError::Config {
                why: "`core.hardlink_lock` is set, and strata does not have that kind of lock; \
                      without it (`dvc config --unset core.hardlink_lock`, in the file that sets it) \
                      both tools lock the project with flock"
                    .to_owned(),
            });
        }
        Ok(RepositoryLock::acquire(&self.temporary().join("lock"))?)
    }

    /// The marks of paths that are worked with.
    pub fn path_locks(&self, command: &str) -> PathLocks {
        PathLocks::new(&self.temporary(), command.to_owned())
    }

    /// A path as the user would write it: from the current folder.
    pub fn display(&self, path: &Path) -> String {
        relative(path, &self.current)
    }
}

fn write_ignore_file(folder: &Path) -> io::Result<()> {
    let file = folder.join(IGNORE_FILE);
    if file.exists() {
        return Ok(());
    }
    fs_err::write(file, IGNORE_TEXT)
}

/// `cache.shared`: `group` is the only choice.
fn is_shared(config: &Config) -> Result<bool, PipelineError> {
    match config.get("cache", "shared") {
        None => Ok(false),
        Some(("group", _)) => Ok(true),
        Some((other, file)) => Err(PipelineError::Config {
            why: format!(
                "'{}': `cache.shared` is '{other}'; the only choice is 'group'",
                file.display()
            ),
        }),
    }
}

fn checksum_jobs(config: &Config) -> Result<Option<usize>, PipelineError> {
    let Some((text, file)) = config.get("core", "checksum_jobs") else {
        return Ok(None);
    };
    match text.trim().parse::<usize>() {
        Ok(number) if number > 0 => Ok(Some(number)),
        _ => Err(PipelineError::Config {
            why: format!(
                "'{}': `core.checksum_jobs` is '{text}'; it must be a number from 1 on",
                file.display()
            ),
        }),
    }
}

/// One state for each project, outside of it, so that copies of the project do not share one.
fn state_path(config: &Config, root: &Path) -> PathBuf {
    let site = env::var_os("DVC_SITE_CACHE_DIR")
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
        .or_else(|| config.path_of("core", "site_cache_dir"))
        .unwrap_or_else(|| PathBuf::from("/var/tmp/dvc"));
    let name = md5_of_bytes(root.as_os_str().as_encoded_bytes());
    site.join("strata").join(name)
}

/// A path from a folder, with `..` where it lies elsewhere; `.` for the folder itself.
pub(crate) fn relative(path: &Path, from: &Path) -> String {
    let (path, from) = (normalized(path), normalized(from));
    let common = path
        .components()
        .zip(from.components())
        .take_while(|(a, b)| a == b)
        .count();
    let up = from.components().skip(common).map(|_| "..".to_owned());
    let down = path
        .components()
        .skip(common)
        .map(|part| part.as_os_str().to_string_lossy().into_owned());
    let parts: Vec<String> = up.chain(down).collect();
    if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shown_from_the_current_folder() {
        let shown = |path: &str, from: &str| relative(Path::new(path), Path::new(from));
        assert_eq!(shown("/a/b/c", "/a"), "b/c");
        assert_eq!(shown("/a/x", "/a/b/c"), "../../x");
        assert_eq!(shown("/a", "/a"), ".");
    }
}
