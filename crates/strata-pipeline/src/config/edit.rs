//! Settings looked up and changed, as `config` and `remote` do.

use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use strata_fs::write_atomically;

use super::ini::IniFile;
use super::levels::{Config, Level, Merged, remote_section, resolved};
use super::name::OptionName;
use super::schema::{closest_option, option_takes_path, validate};
use crate::error::PipelineError;
use crate::repository::relative;

/// The files of settings around a folder; there need not be a project.
#[derive(Debug)]
pub struct ConfigFiles {
    /// The project's folder.
    root: Option<PathBuf>,
    /// The folder that paths of the user are relative to.
    current: PathBuf,
    config: Config,
}

impl ConfigFiles {
    /// Those around a folder. They are not checked: what is wrong in them must be mendable.
    ///
    /// # Errors
    /// A file that cannot be read, or that is no file of settings.
    pub fn around(current: &Path) -> Result<Self, PipelineError> {
        let current = fs_err::canonicalize(current)?;
        let root = current
            .ancestors()
            .find(|folder| folder.join(".dvc").is_dir())
            .map(Path::to_owned);
        let dvc = root.as_ref().map(|root| root.join(".dvc"));
        Ok(Self {
            config: Config::open(dvc.as_deref()).map_err(|error| wrong(error.to_string()))?,
            root,
            current,
        })
    }

    /// A value as the highest level that has it says, and the file in question; with `level` that one alone.
    ///
    /// # Errors
    /// With `level`: there is no such option.
    pub fn get(
        &self,
        name: &OptionName,
        level: Option<Level>,
    ) -> Result<Option<(String, PathBuf)>, PipelineError> {
        for &candidate in self.levels(level)?.iter().rev() {
            let found = self.shown(candidate, &name.section_of_file(), &name.option);
            if found.is_some() {
                return Ok(found);
            }
        }
        match level {
            Some(level) => Err(self.missing(name, level)),
            None => Ok(None),
        }
    }

    /// The option that was perhaps meant by a name that none has.
    pub fn closest(&self, name: &OptionName) -> Option<String> {
        let settings = self.config.merged(|_| true);
        let closest = closest_option(&name.section_of_file(), &name.option, &settings)?;
        (closest != name.to_string()).then_some(closest)
    }

    /// All options of the levels in order, with names, values and files.
    ///
    /// # Errors
    /// A level that only projects have, where there is none.
    pub fn list(
        &self,
        level: Option<Level>,
    ) -> Result<Vec<(String, String, PathBuf)>, PipelineError> {
        let mut lines = Vec::new();
        for level in self.levels(level)? {
            let Some(ini) = self.config.level(level) else {
                continue;
            };
            // DVC has remotes and databases before the other sections.
            let (named, plain): (Vec<&str>, Vec<&str>) =
                ini.sections().partition(|section| section.contains('"'));
            for section in named.into_iter().chain(plain) {
                for (option, _) in ini.options(section) {
                    let prefix = section.replace(" \"", ".").replace('"', "");
                    let found = self.shown(level, section, option);
                    lines.extend(
                        found.map(|(value, file)| (format!("{prefix}.{option}"), value, file)),
                    );
                }
            }
        }
        Ok(lines)
    }

    /// Sets an option; without a level in the project's file.
    ///
    /// # Errors
    /// The settings would not be valid; the file cannot be written.
    pub fn set(
        &self,
        name: &OptionName,
        value: &str,
        level: Option<Level>,
    ) -> Result<(), PipelineError> {
        let section = name.section_of_file();
        if name.kind == Some("remote") && name.option == "url" {
            must_have_no_key(&name.section, value)?;
        }
        self.edit(level, |ini, file| {
            ini.set(
                &section,
                &name.option,
                &self.stored(&section, &name.option, value, file),
            );
            Ok(())
        })
    }

    /// Removes an option.
    ///
    /// # Errors
    /// There is no such option in the file; the rest would not be valid.
    pub fn unset(&self, name: &OptionName, level: Option<Level>) -> Result<(), PipelineError> {
        let section = name.section_of_file();
        self.edit(level, |ini, _| {
            if ini.unset(&section, &name.option) {
                return Ok(());
            }
            Err(self.missing(name, level.unwrap_or(Level::Project)))
        })
    }

    /// Adds a remote.
    ///
    /// # Errors
    /// There is one of that name and `force` is not set; a key stands in the URL; the settings would not be valid.
    pub fn add_remote(
        &self,
        name: &str,
        url: &str,
        is_default: bool,
        force: bool,
        level: Option<Level>,
    ) -> Result<(), PipelineError> {
        let (name, section) = (name.to_lowercase(), remote_section(name));
        must_have_no_key(&name, url)?;
        self.edit(level, |ini, file| {
            if ini.has_section(&section) && !force {
                return Err(wrong(format!(
                    "remote '{name}' already exists. Use `-f|--force` to overwrite it."
                )));
            }
            ini.remove_section(&section);
            ini.set(&section, "url", &self.stored(&section, "url", url, file));
            if is_default {
                ini.set("core", "remote", &name);
            }
            Ok(())
        })
    }

    /// Sets or, without a value, removes an option of a remote that some level has.
    ///
    /// # Errors
    /// There is no such remote; the settings would not be valid.
    pub fn modify_remote(
        &self,
        name: &str,
        option: &str,
        value: Option<&str>,
        level: Option<Level>,
    ) -> Result<(), PipelineError> {
        let (section, option) = (remote_section(name), option.to_lowercase());
        if let ("url", Some(url)) = (option.as_str(), value) {
            must_have_no_key(name, url)?;
        }
        self.edit(level, |ini, file| {
            self.must_exist(name, ini, level)?;
            match value {
                Some(value) => {
                    ini.set(
                        &section,
                        &option,
                        &self.stored(&section, &option, value, file),
                    );
                }
                None => {
                    ini.unset(&section, &option);
                }
            }
            Ok(())
        })
    }

    /// The name of the default remote.
    ///
    /// # Errors
    /// A level that only projects have, where there is none.
    pub fn default_remote(&self, level: Option<Level>) -> Result<Option<String>, PipelineError> {
        let levels = self.levels(level)?;
        let settings = self.config.merged(|level| levels.contains(&level));
        Ok(settings.get("core", "remote").map(str::to_lowercase))
    }

    /// Makes a remote the default, or none with no name.
    ///
    /// # Errors
    /// There is no such remote.
    pub fn set_default_remote(
        &self,
        name: Option<&str>,
        level: Option<Level>,
    ) -> Result<(), PipelineError> {
        self.edit(level, |ini, _| {
            let Some(name) = name else {
                ini.unset("core", "remote");
                return Ok(());
            };
            let section = remote_section(name);
            if !ini.has_section(&section) && !self.below(level).has_section(&section) {
                let why = "default remote must be present in remote list.".to_owned();
                return Err(wrong(self.with_closest_remote(why, name)));
            }
            ini.set("core", "remote", &name.to_lowercase());
            Ok(())
        })
    }

    /// Removes a remote, what the levels above say of it included; what it holds stays.
    ///
    /// # Errors
    /// The level has no such remote.
    pub fn remove_remote(&self, name: &str, level: Option<Level>) -> Result<(), PipelineError> {
        let section = remote_section(name);
        self.edit_down_to(level, name, |ini| {
            ini.remove_section(&section);
            if ini
                .get("core", "remote")
                .is_some_and(|default| default.eq_ignore_ascii_case(name))
            {
                ini.unset("core", "remote");
            }
        })
    }

    /// Gives a remote another name, in the levels above as well.
    ///
    /// # Errors
    /// The level has no such remote, or there is one of the new name.
    pub fn rename_remote(
        &self,
        name: &str,
        new: &str,
        level: Option<Level>,
    ) -> Result<(), PipelineError> {
        let (section, new_section) = (remote_section(name), remote_section(new));
        if self.config.merged(|_| true).has_section(&new_section) {
            return Err(wrong(format!(
                "Rename failed. Remote name '{new}' already exists."
            )));
        }
        self.edit_down_to(level, name, |ini| {
            ini.rename_section(&section, &new_section);
            if ini
                .get("core", "remote")
                .is_some_and(|default| default.eq_ignore_ascii_case(name))
            {
                ini.set("core", "remote", &new.to_lowercase());
            }
        })
    }

    /// Names and URLs of the remotes, paths absolute.
    ///
    /// # Errors
    /// A level that only projects have, where there is none.
    pub fn remotes(&self, level: Option<Level>) -> Result<Vec<(String, String)>, PipelineError> {
        let levels = self.levels(level)?;
        let settings = self.config.merged(|level| levels.contains(&level));
        let mut remotes = Vec::new();
        for (section, _) in settings.sections() {
            let Some(name) = section
                .strip_prefix("remote \"")
                .and_then(|rest| rest.strip_suffix('"'))
            else {
                continue;
            };
            let url = levels
                .iter()
                .rev()
                .find_map(|level| self.shown(*level, section, "url"));
            remotes.extend(url.map(|(url, _)| (name.to_owned(), url)));
        }
        Ok(remotes)
    }

    /// The file of settings that a value is found in, as `--show-origin` has it.
    pub fn origin(&self, file: &Path) -> String {
        match &self.root {
            Some(root) if file.starts_with(root) => relative(file, root),
            _ => file.display().to_string(),
        }
    }

    /// The levels that are looked at, from the lowest on.
    fn levels(&self, level: Option<Level>) -> Result<Vec<Level>, PipelineError> {
        let needs_project = |level: Level| matches!(level, Level::Project | Level::Local);
        match level {
            Some(level) if needs_project(level) && self.root.is_none() => {
                Err(wrong("Not inside a DVC repo".to_owned()))
            }
            Some(level) => Ok(vec![level]),
            None => Ok(Level::ALL.to_vec()),
        }
    }

    /// A value as it is shown: a relative path from the root of the file system.
    fn shown(&self, level: Level, section: &str, option: &str) -> Option<(String, PathBuf)> {
        let value = self.config.level(level)?.get(section, option)?;
        let file = level.path(self.dvc_folder().as_deref())?;
        let shown = if option_takes_path(section, option) && !value.contains("://") {
            resolved(value, &file).display().to_string()
        } else {
            value.to_owned()
        };
        Some((shown, file))
    }

    /// A value as it is kept: a relative path from the folder of the file.
    fn stored(&self, section: &str, option: &str, value: &str, file: &Path) -> String {
        let is_relative = option_takes_path(section, option)
            && !value.contains("://")
            && Path::new(value).is_relative()
            && !value.starts_with('~');
        match file.parent() {
            Some(folder) if is_relative => relative(&self.current.join(value), folder),
            _ => value.to_owned(),
        }
    }

    fn dvc_folder(&self) -> Option<PathBuf> {
        Some(self.root.as_ref()?.join(".dvc"))
    }

    /// The levels below one, which its file is laid over.
    fn below(&self, level: Option<Level>) -> Merged {
        let level = level.unwrap_or(Level::Project);
        self.config.merged(|other| other < level)
    }

    /// Changes one level's file, if the result is valid.
    fn edit(
        &self,
        level: Option<Level>,
        change: impl FnOnce(&mut IniFile, &Path) -> Result<(), PipelineError>,
    ) -> Result<(), PipelineError> {
        let target = level.unwrap_or(Level::Project);
        self.levels(Some(target))?;
        let path = target.path(self.dvc_folder().as_deref());
        let path = path.ok_or_else(|| wrong("this machine has no place for them".to_owned()))?;
        let mut ini = self.config.level(target).cloned().unwrap_or_default();
        change(&mut ini, &path)?;
        let mut merged = self.below(level);
        merged.lay(&ini);
        validate(&merged).map_err(|invalid| wrong(invalid.why))?;
        Ok(write(&path, &ini, target)?)
    }

    /// Changes the level that has a remote, and those above it, from the highest on.
    fn edit_down_to(
        &self,
        level: Option<Level>,
        remote: &str,
        change: impl Fn(&mut IniFile),
    ) -> Result<(), PipelineError> {
        let target = level.unwrap_or(Level::Project);
        self.levels(Some(target))?;
        if !self
            .config
            .level(target)
            .is_some_and(|ini| ini.has_section(&remote_section(remote)))
        {
            return Err(self.no_remote(remote));
        }
        for level in Level::ALL
            .into_iter()
            .rev()
            .filter(|level| *level >= target)
        {
            let (Some(ini), Some(path)) = (
                self.config.level(level),
                level.path(self.dvc_folder().as_deref()),
            ) else {
                continue;
            };
            let mut changed = ini.clone();
            change(&mut changed);
            if changed != *ini {
                write(&path, &changed, level)?;
            }
        }
        Ok(())
    }

    fn must_exist(
        &self,
        remote: &str,
        ini: &IniFile,
        level: Option<Level>,
    ) -> Result<(), PipelineError> {
        let section = remote_section(remote);
        if ini.has_section(&section) || self.below(level).has_section(&section) {
            return Ok(());
        }
        Err(self.no_remote(remote))
    }

    fn no_remote(&self, name: &str) -> PipelineError {
        let why = format!("remote '{}' doesn't exist.", name.to_lowercase());
        wrong(self.with_closest_remote(why, name))
    }

    fn with_closest_remote(&self, why: String, name: &str) -> String {
        let settings = self.config.merged(|_| true);
        let remotes = settings
            .sections()
            .filter_map(|(section, _)| section.strip_prefix("remote \"")?.strip_suffix('"'));
        match strata_diag::closest(&name.to_lowercase(), remotes) {
            Some(closest) => format!("{why} Did you mean '{closest}'?"),
            None => why,
        }
    }

    fn missing(&self, name: &OptionName, level: Level) -> PipelineError {
        let kind = name.kind.unwrap_or("section");
        let file = self.config.level(level);
        let has_section = file.is_some_and(|ini| ini.has_section(&name.section_of_file()));
        let is_known = matches!(
            name.section.as_str(),
            "core" | "cache" | "remote" | "state" | "index" | "machine"
        ) || matches!(
            name.section.as_str(),
            "feature" | "plots" | "exp" | "parsing" | "hydra" | "studio" | "db"
        );
        let why = if has_section || (name.kind.is_none() && is_known) {
            format!(
                "option '{}' doesn't exist in {kind} '{}'",
                name.option, name.section
            )
        } else {
            format!("{kind} '{}' doesn't exist", name.section)
        };
        match self.closest(name) {
            Some(closest) => wrong(format!("{why}; did you mean '{closest}'?")),
            None => wrong(why),
        }
    }
}

/// The file that holds the URL goes to others with the project, and whoever may not read a key may read it there. The name
/// of a user is no secret, but a bucket has none.
fn must_have_no_key(remote: &str, url: &str) -> Result<(), PipelineError> {
    let Some((user, plain)) = without_user(url) else {
        return Ok(());
    };
    let is_bucket = url.starts_with("s3://");
    if !is_bucket && !user.contains(':') {
        return Ok(());
    }
    let options: &[&str] = if is_bucket {
        &["access_key_id", "secret_access_key"]
    } else {
        &["password"]
    };
    let commands = options
        .iter()
        .map(|option| format!("\n  strata remote modify --local {remote} {option} …"));
    Err(wrong(format!(
        "a key stands in the URL of remote '{remote}', which others get with the project. \
         Take '{plain}', and keep the key in .dvc/config.local:{}",
        commands.collect::<String>()
    )))
}

/// The name and password in a URL, and the URL without them; none where there are none.
pub(crate) fn without_user(url: &str) -> Option<(&str, String)> {
    let (scheme, rest) = url.split_once("://")?;
    let host = &rest[..rest.find('/').unwrap_or(rest.len())];
    // A key may have a slash in it, and a bucket's name has no `@`.
    let end = match (host.rfind('@'), scheme) {
        (Some(end), _) => end,
        (None, "s3") if host.contains(':') => rest.find('@')?,
        (None, _) => return None,
    };
    let (user, plain) = (&rest[..end], &rest[end + 1..]);
    Some((user, format!("{scheme}://{plain}")))
}

/// A local file may hold keys: a new one is for its owner alone.
fn write(path: &Path, ini: &IniFile, level: Level) -> io::Result<()> {
    if level == Level::Local && !path.exists() {
        let mut options = std::fs::OpenOptions::new();
        options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
    }
    write_atomically(path, ini.to_text().as_bytes())
}

fn wrong(why: String) -> PipelineError {
    PipelineError::Config { why }
}
