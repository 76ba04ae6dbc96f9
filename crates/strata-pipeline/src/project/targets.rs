//! The stages that the user means.

use super::index::{PIPELINE_FILE, Project};
use crate::definition::DefinitionError;
use crate::error::PipelineError;
use crate::hash::normalized;
use crate::stage::Address;

impl Project {
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
