//! A project: its folder, its settings, and what every command needs of them.

use std::env;
use std::io;
use std::path::{Path, PathBuf};

use strata_fs::{md5_of_bytes, write_atomically};

use crate::cache::{Cache, LinkType};
use crate::config::{Config, IniFile};
use crate::error::PipelineError;
use crate::git::Git;
use crate::hash::{Hasher, State, normalized};
use crate::ignore::{IGNORE_FILE, Ignore};
use crate::lock::{PathLocks, RepositoryLock};

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
    /// How objects become files.
    pub link_types: Vec<LinkType>,
    state: State,
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
        let config = Config::open(&dvc).map_err(|error| PipelineError::Config {
            why: error.to_string(),
        })?;
        let git = if config.is_true("core", "no_scm") {
            None
        } else {
            let git = Git::around(&root);
            Some(git.ok_or_else(|| PipelineError::NotAGitRepository {
                folder: root.display().to_string(),
            })?)
        };
        let cache = config.path_of("cache", "dir");
        let types = config
            .get("cache", "type")
            .map_or("reflink,copy", |(types, _)| types);
        Ok(Self {
            ignore: Ignore::open(&root)?,
            cache: Cache::new(cache.unwrap_or_else(|| dvc.join("cache"))),
            link_types: LinkType::parse_list(types),
            state: State::open(state_path(&config, &root)),
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
        }
    }

    /// Keeps what has been hashed for the next command. A state that cannot be kept costs time, nothing else.
    pub fn save_state(&self) {
        let _ = self.state.save();
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
        Ok(RepositoryLock::acquire(&self.temporary().join("lock"))?)
    }

    /// The marks of paths that are worked with.
    pub fn path_locks(&self, command: &str) -> PathLocks {
        PathLocks::new(&self.temporary(), command.to_owned())
    }

    /// Adds a remote to the project's settings. A relative folder is kept relative to the settings' own.
    ///
    /// # Errors
    /// There is one of that name and `force` is not set; the settings cannot be written.
    pub fn add_remote(
        &self,
        name: &str,
        url: &str,
        is_default: bool,
        force: bool,
    ) -> Result<(), PipelineError> {
        let section = format!("remote \"{name}\"");
        if !force && self.config.get(&section, "url").is_some() {
            return Err(PipelineError::Config {
                why: format!("remote '{name}' already exists. Use `-f|--force` to overwrite it."),
            });
        }
        let is_relative =
            !url.contains("://") && Path::new(url).is_relative() && !url.starts_with('~');
        let url = if is_relative {
            relative(&self.current.join(url), &self.root.join(".dvc"))
        } else {
            url.to_owned()
        };
        self.edit_config(|ini| {
            if is_default {
                ini.set("core", "remote", name);
            }
            ini.set(&section, "url", &url);
            true
        })?;
        Ok(())
    }

    /// Removes a remote from the project's settings; gives whether it was there.
    ///
    /// # Errors
    /// The settings cannot be written.
    pub fn remove_remote(&self, name: &str) -> Result<bool, PipelineError> {
        self.edit_config(|ini| {
            if ini.get("core", "remote") == Some(name) {
                ini.unset("core", "remote");
            }
            ini.remove_section(&format!("remote \"{name}\""))
        })
    }

    /// Names and URLs of the remotes.
    pub fn remotes(&self) -> Vec<(String, String)> {
        let sections = self.config.sections().into_iter();
        let remotes = sections.filter_map(|section| {
            let name = section.strip_prefix("remote \"")?.strip_suffix('"')?;
            let (url, _) = self.config.get(section, "url")?;
            Some((name.to_owned(), url.to_owned()))
        });
        remotes.collect()
    }

    fn edit_config(
        &self,
        change: impl FnOnce(&mut IniFile) -> bool,
    ) -> Result<bool, PipelineError> {
        let path = self.root.join(".dvc/config");
        let text = fs_err::read_to_string(&path)?;
        let mut ini =
            IniFile::parse(".dvc/config", &text).map_err(|error| PipelineError::Config {
                why: error.to_string(),
            })?;
        let changed = change(&mut ini);
        if changed {
            write_atomically(&path, ini.to_text().as_bytes())?;
        }
        Ok(changed)
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

/// One state for each project, outside of it, so that copies of the project do not share one.
fn state_path(config: &Config, root: &Path) -> PathBuf {
    let site = ["STRATA_SITE_CACHE_DIR", "DVC_SITE_CACHE_DIR"]
        .iter()
        .find_map(|name| env::var_os(name).filter(|value| !value.is_empty()))
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
