//! The levels of settings, the later ones first in line.

use std::env;
use std::io;
use std::path::{Path, PathBuf};

use super::ini::{IniError, IniFile};
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

/// All settings of a project.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// From the system's to the local one, those that exist.
    levels: Vec<(Level, PathBuf, IniFile)>,
}

impl Config {
    /// Of the project whose `.dvc` folder this is.
    ///
    /// # Errors
    /// A file that cannot be read, or is no such file ([`IniError`] within the error).
    pub fn open(dvc_folder: &Path) -> io::Result<Self> {
        let mut levels = Vec::new();
        for level in [Level::System, Level::Global, Level::Project, Level::Local] {
            let Some(path) = Self::path(dvc_folder, level) else {
                continue;
            };
            let text = match fs_err::read_to_string(&path) {
                Ok(text) => text,
                Err(error) if is_missing(&error) => continue,
                Err(error) => return Err(error),
            };
            let ini = IniFile::parse(&path.display().to_string(), &text)
                .map_err(|error: IniError| io::Error::new(io::ErrorKind::InvalidData, error))?;
            levels.push((level, path, ini));
        }
        Ok(Self { levels })
    }

    /// Where a level's file is, if the machine has such a place.
    pub fn path(dvc_folder: &Path, level: Level) -> Option<PathBuf> {
        let in_home = |variable: &str, below: &str| {
            let set = env::var_os(variable).filter(|value| !value.is_empty());
            set.map(PathBuf::from)
                .or_else(|| env::home_dir().map(|home| home.join(below)))
        };
        match level {
            Level::System => Some(PathBuf::from("/etc/xdg/dvc/config")),
            Level::Global => {
                in_home("XDG_CONFIG_HOME", ".config").map(|folder| folder.join("dvc/config"))
            }
            Level::Project => Some(dvc_folder.join("config")),
            Level::Local => Some(dvc_folder.join("config.local")),
        }
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
        let folder = file.parent().unwrap_or(Path::new("."));
        let value = match value.strip_prefix("~/").zip(env::home_dir()) {
            Some((below, home)) => home.join(below),
            None => PathBuf::from(value),
        };
        Some(normalized(&folder.join(value)))
    }

    /// All sections of any level, each once.
    pub fn sections(&self) -> Vec<&str> {
        let mut sections: Vec<&str> = Vec::new();
        for section in self.levels.iter().flat_map(|(_, _, ini)| ini.sections()) {
            if !sections.contains(&section) {
                sections.push(section);
            }
        }
        sections
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

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
        let config = Config::open(&dvc).unwrap();
        assert_eq!(config.get("core", "remote").unwrap().0, "b");
        assert!(config.is_true("core", "no_scm"));
        let shared = project.path().parent().unwrap().join("shared");
        assert_eq!(config.path_of("cache", "dir").unwrap(), shared);
    }
}
