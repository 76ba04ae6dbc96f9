//! The stages that the user means.

use std::path::PathBuf;

use strata_config::fnmatch;

use super::graph::Graph;
use super::index::{PIPELINE_FILE, Project, has_stages};
use super::lock_file;
use crate::definition::DefinitionError;
use crate::error::PipelineError;
use crate::hash::normalized;
use crate::repository::Repository;
use crate::stage::Address;

/// What is meant beside the targets themselves.
#[derive(Debug, Clone, Copy, Default)]
pub struct Extent {
    /// All that they depend on.
    pub with_deps: bool,
    /// Of a folder all stages whose files lie below it.
    pub recursive: bool,
}

/// A target taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target<'t> {
    /// The file as it was typed, or the `dvc.yaml` of the current folder.
    pub(super) file: &'t str,
    /// Absolute.
    pub(super) path: PathBuf,
    /// A stage or a group in it; none for the whole file.
    pub(super) name: Option<&'t str>,
}

impl<'t> Target<'t> {
    /// A name or a group of the current folder's `dvc.yaml`, `file:name`, a `.dvc` file, a `dvc.yaml`.
    ///
    /// # Errors
    /// There is no such file; it is a lock file.
    pub(super) fn parse(repository: &Repository, target: &'t str) -> Result<Self, PipelineError> {
        let at = |path: &str| normalized(&repository.current.join(path));
        let is_file = |path: &str| has_stages(&at(path));
        let (file, name) = match target.rsplit_once(':') {
            Some((file, name)) if is_file(file) => (file, Some(name)),
            _ if is_file(target) => (target, None),
            _ => (PIPELINE_FILE, Some(target)),
        };
        let (typed, _) = target.split_once(':').unwrap_or((target, ""));
        if name == Some(target)
            && at(typed)
                .file_name()
                .is_some_and(|name| name == lock_file::NAME)
        {
            return Err(PipelineError::LockFileAsTarget {
                meant: target.replacen(".lock", ".yaml", 1),
            });
        }
        let path = at(file);
        if !path.exists() {
            return Err(PipelineError::NoSuchFile {
                path: path.display().to_string(),
            });
        }
        Ok(Self { file, path, name })
    }
}

impl Project {
    /// The stages of targets, each once; all without any. Beside what [`Project::stages_of_target`] knows, an output
    /// stands for its stage.
    ///
    /// # Errors
    /// A target that is none.
    pub fn select(&self, targets: &[String], extent: Extent) -> Result<Vec<usize>, PipelineError> {
        if targets.is_empty() {
            return Ok((0..self.stages.len()).collect());
        }
        let mut chosen = Vec::new();
        for target in targets {
            for stage in self.stages_or_maker(target, extent.recursive)? {
                if !chosen.contains(&stage) {
                    chosen.push(stage);
                }
            }
        }
        if !extent.with_deps {
            return Ok(chosen);
        }
        let graph = Graph::unchecked(self);
        Ok(graph.order(&graph.upstream(&chosen)))
    }

    fn stages_or_maker(&self, target: &str, recursive: bool) -> Result<Vec<usize>, PipelineError> {
        let path = self.path(target);
        let all = || self.stages.iter().enumerate();
        if recursive && path.is_dir() {
            let below = all().filter(|(_, stage)| stage.address.file.starts_with(&path));
            return Ok(below.map(|(index, _)| index).collect());
        }
        let error = match self.stages_of_stage_or_output(target) {
            Ok(stages) => return Ok(stages),
            Err(error) => error,
        };
        let mut makers = all().filter(|(_, stage)| {
            let mut outs = stage.outs.iter();
            outs.any(|out| path.starts_with(&out.at))
        });
        makers.next().map(|(index, _)| vec![index]).ok_or(error)
    }

    /// The stages of a target: a name or a group of the current folder's `dvc.yaml`, `file:name`, a `.dvc` file,
    /// a `dvc.yaml`.
    ///
    /// # Errors
    /// There is no such file or stage.
    pub fn stages_of_target(&self, target: &str) -> Result<Vec<usize>, PipelineError> {
        let Target { file, path, name } = Target::parse(&self.repository, target)?;
        let stages = self.stages.iter().enumerate();
        let of_file = stages.filter(|(_, stage)| stage.address.file == path);
        let Some(name) = name else {
            return Ok(of_file.map(|(index, _)| index).collect());
        };
        let find = |name: &str| {
            let mut of_file = of_file.clone();
            of_file
                .find(|(_, stage)| stage.address.name.as_deref() == Some(name))
                .map(|(index, _)| index)
        };
        let group = Address {
            file: path.clone(),
            name: Some(name.to_owned()),
        };
        if let Some(members) = self.groups.get(&group) {
            return Ok(members.iter().filter_map(|member| find(member)).collect());
        }
        find(name).map(|index| vec![index]).ok_or_else(|| {
            let names = of_file
                .clone()
                .filter_map(|(_, stage)| stage.address.name.as_deref());
            PipelineError::Definition(DefinitionError::StageNotFound {
                file: file.to_owned(),
                name: name.to_owned(),
                closest: strata_diag::closest(name, names).map(str::to_owned),
            })
        })
    }

    /// The same for commands whose targets may also be outputs, which is what they say of one that is neither.
    ///
    /// # Errors
    /// As [`Project::stages_of_target`].
    pub fn stages_of_stage_or_output(&self, target: &str) -> Result<Vec<usize>, PipelineError> {
        self.stages_of_target(target).map_err(|error| match error {
            PipelineError::Definition(DefinitionError::StageNotFound { name, .. })
                if name == target =>
            {
                let names = self.stages.iter().flat_map(|stage| {
                    let outs = stage.outs.iter().map(|out| self.display(&out.at));
                    outs.chain([self.display_address(&stage.address)])
                });
                let names: Vec<String> = names.collect();
                let closest = strata_diag::closest(target, names.iter().map(String::as_str));
                PipelineError::NoSuchTarget {
                    target: name,
                    closest: closest.map(str::to_owned),
                }
            }
            other => other,
        })
    }

    /// The stages of a target whose name is a shell-style pattern, the file before it is none. A pattern may match
    /// nothing.
    ///
    /// # Errors
    /// There is no such file.
    pub fn stages_of_pattern(&self, target: &str) -> Result<Vec<usize>, PipelineError> {
        let Target { path, name, .. } = Target::parse(&self.repository, target)?;
        let group = Address {
            file: path.clone(),
            name: name.map(str::to_owned),
        };
        let Some(pattern) = name.filter(|_| !self.groups.contains_key(&group)) else {
            return self.stages_of_target(target);
        };
        let stages = self.stages.iter().enumerate();
        let fitting = stages.filter(|(_, stage)| {
            let name = stage.address.name.as_deref();
            stage.address.file == path && name.is_some_and(|name| fnmatch(pattern, name))
        });
        Ok(fitting.map(|(index, _)| index).collect())
    }
}
