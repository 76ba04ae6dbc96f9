//! From files to stages.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;

use super::lock_file;
use super::source::Source;
use super::targets::Target;
use crate::cache::{Before, Intake};
use crate::config::Config;
use crate::definition::{DataFile, check_pipeline};
use crate::error::PipelineError;
use crate::git::IgnoreChecker;
use crate::hash::{Algorithm, HashInfo, Hashed, is_missing, normalized};
use crate::params;
use crate::repository::Repository;
use crate::stage::{Address, Stage};
use crate::template::{
    BoolFlags, FileError, Files, Group, ListFlags, ParsingOptions, Resolver, ResolverOptions,
    TopLevel,
};
use crate::value::Value;
use crate::yaml;

/// Name of the files with stages.
pub(super) const PIPELINE_FILE: &str = "dvc.yaml";

/// An opened project with all of its stages.
pub struct Project {
    /// Its folder, settings, cache.
    pub repository: Repository,
    /// In the order of their files, those of the upper folders first.
    pub stages: Vec<Stage>,
    /// Groups of generated stages, by their file and name.
    pub groups: HashMap<Address, Vec<String>>,
    /// The sections beside the stages, by their files.
    pub top_level: Vec<(PathBuf, TopLevel)>,
    /// What each path was found to be; forgotten when a command has run.
    hashed: RefCell<HashMap<(PathBuf, Algorithm), Option<Hashed>>>,
    /// Where its files are read from.
    pub(crate) source: Source,
    /// Who is told of warnings.
    warn: Box<dyn Fn(&str)>,
}

impl Project {
    /// Reads all stages of a project. `warn` is told what the user should know.
    ///
    /// # Errors
    /// A file that cannot be read or does not say what it must; outputs that are in each other's way; circles.
    pub fn load(repository: Repository, warn: Box<dyn Fn(&str)>) -> Result<Self, PipelineError> {
        Self::load_from(repository, Source::Workspace, warn)
    }

    /// The stages as they were at a commit.
    ///
    /// # Errors
    /// As [`Project::load`]; there is no Git, or no such commit.
    pub fn load_at(
        repository: Repository,
        revision: &str,
        warn: Box<dyn Fn(&str)>,
    ) -> Result<Self, PipelineError> {
        let git = repository
            .git
            .clone()
            .ok_or_else(|| PipelineError::NotAGitRepository {
                folder: repository.root.display().to_string(),
            })?;
        let source = Source::at_commit(&git, &repository.root, revision)?;
        Self::load_from(repository, source, warn)
    }

    /// The stages of some targets and no others: what is wrong with those does not hinder these, as in DVC.
    ///
    /// # Errors
    /// A target that is none; as [`Project::load`] for the stages of the targets.
    pub fn load_only(
        repository: Repository,
        targets: &[String],
        warn: Box<dyn Fn(&str)>,
    ) -> Result<Self, PipelineError> {
        let mut project = Self::empty(repository, Source::Workspace, warn);
        // One file after the other, the stages of each in the order of the targets.
        let mut files: IndexMap<PathBuf, Option<Vec<&str>>> = IndexMap::new();
        for target in targets {
            let Target { path, name, .. } = Target::parse(&project.repository, target)?;
            let names = files.entry(path).or_insert_with(|| Some(Vec::new()));
            match (names.as_mut(), name) {
                (Some(names), Some(name)) => names.push(name),
                _ => *names = None,
            }
        }
        let with_locks = files
            .keys()
            .flat_map(|file| [file.clone(), file.with_file_name(lock_file::NAME)]);
        let looked_at: Vec<PathBuf> = with_locks.collect();
        if let Some(git) = &project.repository.git {
            project.refuse_ignored(&mut git.ignore_checker()?, &looked_at)?;
        }
        for (file, names) in &files {
            project.load_file(file, names.as_deref())?;
        }
        project.check_outputs()?;
        Ok(project)
    }

    fn empty(repository: Repository, source: Source, warn: Box<dyn Fn(&str)>) -> Self {
        Self {
            repository,
            stages: Vec::new(),
            groups: HashMap::new(),
            top_level: Vec::new(),
            hashed: RefCell::new(HashMap::new()),
            source,
            warn,
        }
    }

    fn load_from(
        repository: Repository,
        source: Source,
        warn: Box<dyn Fn(&str)>,
    ) -> Result<Self, PipelineError> {
        let mut project = Self::empty(repository, source, warn);
        match project.source.files() {
            Some(files) => {
                let mut outs = HashSet::new();
                for file in files.iter().filter(|file| has_stages(file)) {
                    project.load_unless_output(file, &mut outs)?;
                }
            }
            None => project.load_workspace()?,
        }
        project.check_outputs()?;
        Ok(project)
    }

    /// Reads the files with stages of all folders, top down. Outputs and folders that Git ignores are not looked into.
    fn load_workspace(&mut self) -> Result<(), PipelineError> {
        let mut checker = match &self.repository.git {
            Some(git) => Some(git.ignore_checker()?),
            None => None,
        };
        let mut looked_at = Vec::new();
        let loaded = self.load_folders(checker.as_mut(), &mut looked_at);
        // A file that Git ignores is not known to others, whatever is wrong in it.
        if let Some(checker) = &mut checker {
            self.refuse_ignored(checker, &looked_at)?;
        }
        loaded
    }

    fn refuse_ignored(
        &self,
        checker: &mut IgnoreChecker,
        files: &[PathBuf],
    ) -> Result<(), PipelineError> {
        let ignored = checker.ignored(files)?;
        match ignored.iter().position(|ignored| *ignored) {
            None => Ok(()),
            Some(index) => Err(PipelineError::GitIgnored {
                path: self.display(&files[index]),
            }),
        }
    }

    /// Adds the files that were read, and the lock files that belong to them, to `looked_at`.
    fn load_folders(
        &mut self,
        mut checker: Option<&mut IgnoreChecker>,
        looked_at: &mut Vec<PathBuf>,
    ) -> Result<(), PipelineError> {
        let mut outs = HashSet::new();
        let mut folders = vec![self.repository.root.clone()];
        while let Some(folder) = folders.pop() {
            let (files, mut inner) = match self.repository.ignore.children(&folder, has_stages) {
                Ok(children) => children,
                // A folder that is somebody else's, or that has just gone, has no stages of ours.
                Err(error) if error.kind() == ErrorKind::PermissionDenied || is_missing(&error) => {
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            for file in files {
                if outs.contains(&file) {
                    continue;
                }
                looked_at.extend([file.clone(), file.with_file_name(lock_file::NAME)]);
                self.load_unless_output(&file, &mut outs)?;
            }
            inner.retain(|folder| !outs.contains(folder));
            if let Some(checker) = checker.as_deref_mut().filter(|_| !inner.is_empty()) {
                let mut ignored = checker.ignored(&inner)?.into_iter();
                inner.retain(|_| !ignored.next().unwrap_or_default());
            }
            folders.extend(inner.into_iter().rev());
        }
        Ok(())
    }

    /// Reads a file with stages, and adds what they write to `outs`. Outputs may hold files of such names, which are data.
    fn load_unless_output(
        &mut self,
        file: &Path,
        outs: &mut HashSet<PathBuf>,
    ) -> Result<(), PipelineError> {
        if file.ancestors().any(|above| outs.contains(above)) {
            return Ok(());
        }
        let known = self.stages.len();
        self.load_file(file, None)?;
        let new = self.stages[known..].iter().flat_map(|stage| &stage.outs);
        outs.extend(new.map(|out| out.at.clone()));
        Ok(())
    }

    /// All stages of a file, or some.
    fn load_file(&mut self, file: &Path, only: Option<&[&str]>) -> Result<(), PipelineError> {
        let shown = self.display(file);
        let text = self.source.read(file)?.unwrap_or_default();
        let value = read_yaml(&shown, &text)?;
        if file.file_name().is_some_and(|name| name == PIPELINE_FILE) {
            self.load_pipeline(file, &shown, &value, only)
        } else {
            let data = DataFile::from_value(&value, &shown)?;
            self.stages.push(Stage::of_data(file.to_owned(), data));
            Ok(())
        }
    }

    fn load_pipeline(
        &mut self,
        file: &Path,
        shown: &str,
        value: &Value,
        only: Option<&[&str]>,
    ) -> Result<(), PipelineError> {
        check_pipeline(value, shown)?;
        let lock = lock_file::read(self, &file.with_file_name(lock_file::NAME))?;
        let folder = file.parent().unwrap_or(&self.repository.root).to_owned();
        let directory = match self.display(&folder) {
            here if here == "." => String::new(),
            other => other,
        };
        let beside = FilesBeside {
            folder: &folder,
            source: &self.source,
        };
        let options = ResolverOptions {
            directory,
            parsing: parsing_options(&self.repository.config),
        };
        let resolver = Resolver::new(value, &beside, options)?;
        let (names, groups) = match only {
            None => (resolver.stage_names()?, resolver.groups()?),
            Some(only) => some_of(&resolver, only)?,
        };
        let mut stages = Vec::new();
        for name in names {
            let entry = lock
                .as_ref()
                .and_then(|lock| lock.get(&["stages", name.as_str()]));
            let definition = resolver.resolve(&name)?;
            stages.push(Stage::of_pipeline(file.to_owned(), definition, entry));
        }
        let groups = groups.into_iter().map(|group| {
            let address = Address {
                file: file.to_owned(),
                name: Some(group.name),
            };
            (address, group.members)
        });
        let groups: Vec<_> = groups.collect();
        for warning in resolver.warnings() {
            self.warn(&warning);
        }
        self.groups.extend(groups);
        if only.is_none() {
            self.top_level
                .push((file.to_owned(), resolver.top_level()?));
        }
        self.stages.extend(stages);
        Ok(())
    }

    /// Outputs that are ignored cannot be kept.
    fn check_outputs(&self) -> Result<(), PipelineError> {
        for out in self.stages.iter().flat_map(|stage| &stage.outs) {
            if let Some(reason) = self.repository.ignore.reason(&out.at, out.at.is_dir())? {
                let file = reason
                    .file
                    .map_or_else(String::new, |file| self.display(&file) + ":");
                return Err(PipelineError::IgnoredOutput {
                    path: self.display(&out.at),
                    pattern: file + &reason.pattern,
                });
            }
        }
        Ok(())
    }

    /// What stands at a path; read once, until [`Project::forget`].
    ///
    /// # Errors
    /// Those of reading.
    pub fn hash(&self, path: &Path) -> Result<Option<Hashed>, PipelineError> {
        self.hash_by(path, Algorithm::Md5)
    }

    /// The same, hashed as an entry of a lock file or a `.dvc` file was.
    ///
    /// # Errors
    /// Those of reading.
    pub fn hash_like(
        &self,
        path: &Path,
        locked: Option<&HashInfo>,
    ) -> Result<Option<Hashed>, PipelineError> {
        self.hash_by(path, locked.map_or(Algorithm::Md5, HashInfo::algorithm))
    }

    /// The same for a new entry: one that DVC 2 wrote stays as it is as long as the contents do.
    ///
    /// # Errors
    /// Those of reading.
    pub fn hash_for_entry(
        &self,
        path: &Path,
        locked: Option<&HashInfo>,
    ) -> Result<Option<Hashed>, PipelineError> {
        if let Some(locked) = locked.filter(|locked| locked.is_legacy) {
            let hashed = self.hash_by(path, Algorithm::Md5Dos2Unix)?;
            let same = |hashed: &Hashed| hashed.info.same_contents(locked);
            if hashed.as_ref().is_none_or(same) {
                return Ok(hashed);
            }
        }
        self.hash(path)
    }

    fn hash_by(&self, path: &Path, algorithm: Algorithm) -> Result<Option<Hashed>, PipelineError> {
        let key = (path.to_owned(), algorithm);
        if let Some(known) = self.hashed.borrow().get(&key) {
            return Ok(known.clone());
        }
        let hashed = self.repository.hasher().hash(path, algorithm)?;
        self.hashed.borrow_mut().insert(key, hashed.clone());
        Ok(hashed)
    }

    /// Puts what stands at a path into the cache, read once: hashed and copied at the same time. What it is, is known
    /// to [`Project::hash`] from then on.
    ///
    /// # Errors
    /// Those of reading and writing.
    pub(crate) fn take_in(&self, path: &Path, before: &Before) -> Result<(), PipelineError> {
        let key = (path.to_owned(), Algorithm::Md5);
        if self.hashed.borrow().contains_key(&key) {
            return Ok(());
        }
        let repository = &self.repository;
        let intake = Intake::new(
            repository.hasher(),
            &repository.cache,
            repository.adds_links() && repository.holds(path),
        );
        let hashed = intake.take(path, before)?;
        self.hashed.borrow_mut().insert(key, hashed);
        Ok(())
    }

    /// Files may have changed.
    pub fn forget(&self) {
        self.hashed.borrow_mut().clear();
    }

    /// A file of parameters; nothing if there is none.
    ///
    /// # Errors
    /// It cannot be read, or is not what its suffix says.
    pub fn read_params(&self, at: &Path, shown: &str) -> Result<Option<Value>, PipelineError> {
        read_params(&self.source, at, shown).map_err(PipelineError::from)
    }

    /// The absolute path of what the user has written.
    pub fn path(&self, written: &str) -> PathBuf {
        normalized(&self.repository.current.join(written))
    }

    /// A path as the user would write it.
    pub fn display(&self, path: &Path) -> String {
        self.repository.display(path)
    }

    /// A stage's address as the user would write it: the name alone where its file is the one of the current
    /// folder.
    pub fn display_address(&self, address: &Address) -> String {
        let file = self.display(&address.file);
        match &address.name {
            Some(name) if file == PIPELINE_FILE => name.clone(),
            Some(name) => format!("{file}:{name}"),
            None => file,
        }
    }

    /// Tells the user something.
    pub fn warn(&self, text: &str) {
        (self.warn)(text);
    }
}

/// Some stages and groups, by their names.
fn some_of(
    resolver: &Resolver<'_>,
    names: &[&str],
) -> Result<(Vec<String>, Vec<Group>), PipelineError> {
    let mut stages: Vec<String> = Vec::new();
    let mut groups = Vec::new();
    for name in names {
        let members = match resolver.group(name)? {
            Some(group) => {
                let members = group.members.clone();
                groups.push(group);
                members
            }
            None => vec![(*name).to_owned()],
        };
        for member in members {
            if !stages.contains(&member) {
                stages.push(member);
            }
        }
    }
    Ok((stages, groups))
}

/// The `parsing` section of the settings, whose words have been checked with them; DVC takes them in any case.
fn parsing_options(config: &Config) -> ParsingOptions {
    let is = |option: &str, word: &str| {
        let value = config.get("parsing", option);
        value.is_some_and(|(value, _)| value.eq_ignore_ascii_case(word))
    };
    ParsingOptions {
        bool_flags: if is("bool", "boolean_optional") {
            BoolFlags::BooleanOptional
        } else {
            BoolFlags::StoreTrue
        },
        list_flags: if is("list", "append") {
            ListFlags::Append
        } else {
            ListFlags::Nargs
        },
    }
}

/// Whether a file is one that has stages, by its name.
pub(super) fn has_stages(path: &Path) -> bool {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let is_data = name
        .strip_suffix(".dvc")
        .is_some_and(|stem| !stem.is_empty());
    name == PIPELINE_FILE || is_data
}

struct FilesBeside<'a> {
    folder: &'a Path,
    source: &'a Source,
}

impl Files for FilesBeside<'_> {
    fn read_value(&self, path: &str) -> Result<Option<Value>, FileError> {
        read_params(self.source, &self.folder.join(path), path)
            .map_err(|error| Arc::new(error) as FileError)
    }
}

fn read_params(source: &Source, at: &Path, shown: &str) -> Result<Option<Value>, ReadError> {
    match source.read(at)? {
        Some(text) => Ok(Some(parse(shown, &text)?)),
        None => Ok(None),
    }
}

fn parse(shown: &str, text: &str) -> Result<Value, params::ParamsError> {
    let yaml = |name: &str, text: &str| {
        yaml::read(name, text).map_err(|error| Arc::new(error) as FileError)
    };
    params::read(shown, text, yaml)
}

/// The value of a file of parameters or metrics, by the suffix of its name.
pub(super) fn parse_params(shown: &str, text: &str) -> Result<Value, PipelineError> {
    Ok(parse(shown, text)?)
}

#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Params(#[from] params::ParamsError),
}

impl From<ReadError> for PipelineError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io(error) => error.into(),
            ReadError::Params(error) => error.into(),
        }
    }
}

/// A file's YAML; the file is shown as DVC shows it.
pub(super) fn read_yaml(shown: &str, text: &str) -> Result<Value, PipelineError> {
    yaml::read(shown, text).map_err(|source| PipelineError::Syntax {
        file: with_dot(shown),
        source,
    })
}

pub(super) fn with_dot(shown: &str) -> String {
    if shown.contains('/') {
        shown.to_owned()
    } else {
        format!("./{shown}")
    }
}
