//! The stages that the user means.

use super::graph::Graph;
use super::index::{PIPELINE_FILE, Project};
use crate::definition::DefinitionError;
use crate::error::PipelineError;
use crate::hash::normalized;
use crate::stage::Address;

/// What is meant beside the targets themselves.
#[derive(Debug, Clone, Copy, Default)]
pub struct Extent {
    /// All that they depend on.
    pub with_deps: bool,
    /// Of a folder all stages whose files lie below it.
    pub recursive: bool,
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
        let error = match self.stages_of_target(target) {
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
        let at = |path: &str| normalized(&self.repository.current.join(path));
        let is_file = |path: &str| {
            let name = path.rsplit('/').next().unwrap_or(path);
            name == PIPELINE_FILE
                || name
                    .strip_suffix(".dvc")
                    .is_some_and(|stem| !stem.is_empty())
        };
        let (file, name) = match target.rsplit_once(':') {
            Some((file, name)) if is_file(file) => (file, Some(name)),
            _ if is_file(target) => (target, None),
            _ => (PIPELINE_FILE, Some(target)),
        };
        let path = at(file);
        if !path.exists() {
            return Err(PipelineError::NoSuchFile {
                path: path.display().to_string(),
            });
        }
        let Some(name) = name else {
            let stages = self.stages.iter().enumerate();
            let of_file = stages.filter(|(_, stage)| stage.address.file == path);
            return Ok(of_file.map(|(index, _)| index).collect());
        };
        let find = |name: &str| {
            let address = Address {
                file: path.clone(),
                name: Some(name.to_owned()),
            };
            self.stages
                .iter()
                .position(|stage| stage.address == address)
        };
        let group = Address {
            file: path.clone(),
            name: Some(name.to_owned()),
        };
        if let Some(members) = self.groups.get(&group) {
            return Ok(members.iter().filter_map(|member| find(member)).collect());
        }
        find(name).map(|index| vec![index]).ok_or_else(|| {
            let of_file = self
                .stages
                .iter()
                .filter(|stage| stage.address.file == path);
            let names = of_file.filter_map(|stage| stage.address.name.as_deref());
            PipelineError::Definition(DefinitionError::StageNotFound {
                file: file.to_owned(),
                name: name.to_owned(),
                closest: strata_diag::closest(name, names).map(str::to_owned),
            })
        })
    }
}
