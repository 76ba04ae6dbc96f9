//! From files to stages.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::lock_file;
use super::source::Source;
use crate::definition::{DataFile, check_pipeline};
use crate::error::PipelineError;
use crate::hash::{Hashed, normalized};
use crate::params;
use crate::repository::Repository;
use crate::stage::{Address, Stage};
use crate::template::{FileError, Files, Resolver, ResolverOptions, TopLevel};
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
    hashed: RefCell<HashMap<PathBuf, Option<Hashed>>>,
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

    fn load_from(
        repository: Repository,
        source: Source,
        warn: Box<dyn Fn(&str)>,
    ) -> Result<Self, PipelineError> {
        let mut project = Self {
            repository,
            stages: Vec::new(),
            groups: HashMap::new(),
            top_level: Vec::new(),
            hashed: RefCell::new(HashMap::new()),
            source,
            warn,
        };
        let mut files = project.files()?;
        // Outputs may hold files of the same names, which are data and no stages.
        let mut index = 0;
        while index < files.len() {
            let file = files[index].clone();
            project.load_file(&file)?;
            let outs = project.stages.iter().flat_map(|stage| &stage.outs);
            let outs: Vec<PathBuf> = outs.map(|out| out.at.clone()).collect();
            let done: Vec<PathBuf> = files[..=index].to_vec();
            files.retain(|file| {
                done.contains(file) || !outs.iter().any(|out| file.starts_with(out))
            });
            index += 1;
        }
        project.check_outputs()?;
        Ok(project)
    }

    fn files(&self) -> Result<Vec<PathBuf>, PipelineError> {
        if let Some(files) = self.source.files() {
            return Ok(files.into_iter().filter(|file| has_stages(file)).collect());
        }
        let mut files = Vec::new();
        let mut visit = |path: &Path| {
            if has_stages(path) {
                files.push(path.to_owned());
            }
        };
        let repository = &self.repository;
        repository
            .ignore
            .walk(&repository.root, &|_| true, &mut visit)?;
        Ok(files)
    }

    fn load_file(&mut self, file: &Path) -> Result<(), PipelineError> {
        let shown = self.display(file);
        if let (Some(git), Source::Workspace) = (&self.repository.git, &self.source) {
            let lock = file.with_file_name(lock_file::NAME);
            if let Some(ignored) = git.first_ignored(&[file, &lock])? {
                return Err(PipelineError::GitIgnored {
                    path: self.display(Path::new(&ignored)),
                });
            }
        }
        let text = self.source.read(file)?.unwrap_or_default();
        let value = read_yaml(&shown, &text)?;
        if file.file_name().is_some_and(|name| name == PIPELINE_FILE) {
            self.load_pipeline(file, &shown, &value)
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
            ..ResolverOptions::default()
        };
        let resolver = Resolver::new(value, &beside, options)?;
        let mut stages = Vec::new();
        for name in resolver.stage_names()? {
            let entry = lock
                .as_ref()
                .and_then(|lock| lock.get(&["stages", name.as_str()]));
            let definition = resolver.resolve(&name)?;
            stages.push(Stage::of_pipeline(file.to_owned(), definition, entry));
        }
        let groups = resolver.groups()?.into_iter().map(|group| {
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
        let top_level = resolver.top_level()?;
        self.groups.extend(groups);
        self.top_level.push((file.to_owned(), top_level));
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
        if let Some(known) = self.hashed.borrow().get(path) {
            return Ok(known.clone());
        }
        let hashed = self.repository.hasher().hash(path)?;
        self.hashed
            .borrow_mut()
            .insert(path.to_owned(), hashed.clone());
        Ok(hashed)
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

/// Whether a file is one that has stages, by its name.
fn has_stages(path: &Path) -> bool {
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
