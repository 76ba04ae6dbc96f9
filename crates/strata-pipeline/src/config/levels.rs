//! The levels of settings, the later ones first in line.

use std::env;
use std::io;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use super::ini::{IniError, IniFile};
use super::schema::validate;
use crate::hash::{is_missing, normalized};

/// Where a setting may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Of the machine.
    System,
    /// Of the user.
    Global,
    /// Of the project, shared with others.
    Project,
    /// Of this copy of the project.
    Local,
}

impl Level {
    /// All, each hidden by those after it.
    pub const ALL: [Self; 4] = [Self::System, Self::Global, Self::Project, Self::Local];

    /// Where its file is; none where the machine or, without a project, the level has no such place.
    pub fn path(self, dvc_folder: Option<&Path>) -> Option<PathBuf> {
        let set = |variable: &str| {
            let value = env::var_os(variable).filter(|value| !value.is_empty());
            value.map(PathBuf::from)
        };
        match self {
            Self::System => {
                let folder = set("DVC_SYSTEM_CONFIG_DIR").or_else(|| {
                    let folders = set("XDG_CONFIG_DIRS")?;
                    Some(env::split_paths(&folders).next()?.join("dvc"))
                });
                Some(
                    folder
                        .unwrap_or_else(|| PathBuf::from("/etc/xdg/dvc"))
                        .join("config"),
                )
            }
            Self::Global => {
                let folder = set("DVC_GLOBAL_CONFIG_DIR").or_else(|| {
                    let folder = set("XDG_CONFIG_HOME");
                    let folder = folder.or_else(|| Some(env::home_dir()?.join(".config")));
                    folder.map(|folder| folder.join("dvc"))
                });
                folder.map(|folder| folder.join("config"))
            }
            Self::Project => dvc_folder.map(|folder| folder.join("config")),
            Self::Local => dvc_folder.map(|folder| folder.join("config.local")),
        }
    }
}

/// The section of a remote: names of remotes are in lower case.
pub fn remote_section(name: &str) -> String {
    format!("remote \"{}\"", name.to_lowercase())
}

/// Settings of some levels laid over each other.
#[derive(Debug, Clone, Default)]
pub struct Merged {
    sections: IndexMap<String, IndexMap<String, String>>,
}

impl Merged {
    /// Lays a file over what is there.
    pub fn lay(&mut self, ini: &IniFile) {
        for section in ini.sections() {
            let options = self.sections.entry(section.to_owned()).or_default();
            for (option, value) in ini.options(section) {
                options.insert(option.to_owned(), value.to_owned());
            }
        }
    }

    /// The value of an option.
    pub fn get(&self, section: &str, option: &str) -> Option<&str> {
        self.sections.get(section)?.get(option).map(String::as_str)
    }

    /// Whether a level has a section of this name.
    pub fn has_section(&self, section: &str) -> bool {
        self.sections.contains_key(section)
    }

    /// Sections with their options.
    pub fn sections(&self) -> impl Iterator<Item = (&str, impl Iterator<Item = (&str, &str)>)> {
        self.sections.iter().map(|(section, options)| {
            let options = options.iter();
            let options = options.map(|(option, value)| (option.as_str(), value.as_str()));
            (section.as_str(), options)
        })
    }
}

/// All settings of a project, or of a user without one.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// From the system's to the local one, those that exist.
    levels: Vec<(Level, PathBuf, IniFile)>,
}

impl Config {
    /// Of the project whose `.dvc` folder this is; without one those of system and user.
    ///
    /// # Errors
    /// A file that cannot be read, or is no such file ([`IniError`] within the error).
    pub fn open(dvc_folder: Option<&Path>) -> io::Result<Self> {
        let mut levels = Vec::new();
        for level in Level::ALL {
            let Some(path) = level.path(dvc_folder) else {
                continue;
            };
            let bytes = match fs_err::read(&path) {
                Ok(bytes) => bytes,
                Err(error) if is_missing(&error) => continue,
                Err(error) => return Err(error),
            };
            let ini = IniFile::from_bytes(&path.display().to_string(), &bytes)
                .map_err(|error: IniError| io::Error::new(io::ErrorKind::InvalidData, error))?;
            levels.push((level, path, ini));
        }
        Ok(Self { levels })
    }

    /// Checks all settings.
    ///
    /// # Errors
    /// What is wrong with the first that is, with its file and line.
    pub fn check(&self) -> Result<(), String> {
        validate(&self.merged(|_| true)).map_err(|invalid| {
            let mut levels = self.levels.iter().rev();
            let place = levels.find_map(|(_, path, ini)| {
                let line = ini.line(&invalid.section, invalid.option.as_deref())?;
                Some(format!("{}:{line}: ", path.display()))
            });
            place.unwrap_or_default() + &invalid.why
        })
    }

    /// One level's file, if it exists.
    pub fn level(&self, level: Level) -> Option<&IniFile> {
        let mut levels = self.levels.iter();
        levels.find_map(|(found, _, ini)| (*found == level).then_some(ini))
    }

    /// The levels that `keep` takes, laid over each other.
    pub fn merged(&self, keep: impl Fn(Level) -> bool) -> Merged {
        let mut merged = Merged::default();
        for (_, _, ini) in self.levels.iter().filter(|(level, _, _)| keep(*level)) {
            merged.lay(ini);
        }
        merged
    }

    /// The value of an option and the file that sets it.
    pub fn get(&self, section: &str, option: &str) -> Option<(&str, &Path)> {
        self.levels.iter().rev().find_map(|(_, path, ini)| {
            let value = ini.get(section, option)?;
            Some((value, path.as_path()))
        })
    }

    /// Whether an option is set to what stands for true.
    pub fn is_true(&self, section: &str, option: &str) -> bool {
        let value = self
            .get(section, option)
            .map(|(value, _)| value.to_lowercase());
        value.is_some_and(|value| matches!(value.as_str(), "true" | "1" | "yes" | "on"))
    }

    /// An option that names a path; a relative one is relative to the file that sets it.
    pub fn path_of(&self, section: &str, option: &str) -> Option<PathBuf> {
        let (value, file) = self.get(section, option)?;
        Some(resolved(value, file))
    }
}

/// A path as a file of settings has it, `~/` being the user's folder.
pub(super) fn resolved(value: &str, file: &Path) -> PathBuf {
    let folder = file.parent().unwrap_or(Path::new("."));
    let value = match value.strip_prefix("~/").zip(env::home_dir()) {
        Some((below, home)) => home.join(below),
        None => PathBuf::from(value),
    };
    normalized(&folder.join(value))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_with_its_file_and_line() {
        let project = tempfile::tempdir().unwrap();
        let local = project.path().join("config.local");
        fs_err::write(
            project.path().join("config"),
            "[core]\n[cache]\n    dir = x\n",
        )
        .unwrap();
        fs_err::write(&local, "# mine\n[cache]\n    type = foo\n").unwrap();
        let why = Config::open(Some(project.path())).unwrap().check();
        let expected = format!("{}:3: Unsupported cache type(s): foo", local.display());
        assert!(why.clone().unwrap_err().starts_with(&expected), "{why:?}");
    }

    #[test]
    fn the_local_level_wins_and_paths_are_relative_to_their_file() {
        let project = tempfile::tempdir().unwrap();
        let dvc = project.path().join(".dvc");
        fs_err::create_dir(&dvc).unwrap();
        fs_err::write(
            dvc.join("config"),
            "[core]\n    remote = a\n[cache]\n    dir = ../../shared\n",
        )
        .unwrap();
        fs_err::write(
            dvc.join("config.local"),
            "[core]\n    remote = b\n    no_scm = true\n",
        )
        .unwrap();
        let config = Config::open(Some(&dvc)).unwrap();
        assert_eq!(config.get("core", "remote").unwrap().0, "b");
        assert!(config.is_true("core", "no_scm"));
        let shared = project.path().parent().unwrap().join("shared");
        assert_eq!(config.path_of("cache", "dir").unwrap(), shared);
    }
}
