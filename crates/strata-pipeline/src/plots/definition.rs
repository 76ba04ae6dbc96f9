//! Plots that a project defines.

use std::path::{Path, PathBuf};

use crate::definition::{OutKind, normalise};
use crate::error::PipelineError;
use crate::project::Project;
use crate::value::{Key, Map, Value};

/// A plot as it is defined.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// The `dvc.yaml` that defines it, as the user would write it; empty for outputs of stages and files that were named.
    pub file: String,
    /// Its name: a path from the current folder, or a title.
    pub id: String,
    /// `x`, `y`, `template`, `title`, `x_label`, `y_label`, `header`.
    pub properties: Map,
}

impl Definition {
    /// The files that it is drawn from, each once: those of `y`, or the one that is its name, then that of `x`.
    pub fn sources(&self) -> Vec<String> {
        let keys = |axis: &str| {
            let files = self
                .properties
                .get(&Key::from(axis))
                .and_then(Value::as_map);
            files.map(|files| files.keys().map(Key::python_str).collect::<Vec<_>>())
        };
        let mut sources = keys("y").unwrap_or_else(|| vec![self.id.clone()]);
        for file in keys("x").into_iter().flatten().take(1) {
            if !sources.contains(&file) {
                sources.push(file);
            }
        }
        sources
    }
}

impl Project {
    /// The plots of all `dvc.yaml` files and stages, or those of them that `targets` name: by a beginning of their
    /// name, by `file::name`, or as any file with data.
    ///
    /// # Errors
    /// Those of reading folders.
    pub fn plots(&self, targets: &[String]) -> Result<Vec<Definition>, PipelineError> {
        let mut plots = Vec::new();
        for (file, top) in &self.top_level {
            self.plots_of_file(file, &top.plots, targets, &mut plots)?;
        }
        let outs = self.stages.iter().flat_map(|stage| &stage.outs);
        for out in outs.filter(|out| out.kind == OutKind::Plot) {
            let id = self.display(&out.at);
            if is_meant(targets, "", &id) {
                self.add_files(&mut plots, "", &out.at, &out.plot)?;
            }
        }
        for target in targets {
            let path = self.path(target);
            let is_known = plots.iter().any(|plot| {
                plot.id == normalise(target)
                    || plot.id.starts_with(&format!("{}/", normalise(target)))
            });
            let names_one =
                |plot: &Definition| is_meant(std::slice::from_ref(target), &plot.file, &plot.id);
            // One that is nowhere is told when it is to be read.
            if !is_known && (self.has_data(&path)? || !plots.iter().any(names_one)) {
                self.add_files(&mut plots, "", &path, &Map::new())?;
            }
        }
        Ok(plots)
    }

    fn plots_of_file(
        &self,
        file: &Path,
        entries: &[Value],
        targets: &[String],
        plots: &mut Vec<Definition>,
    ) -> Result<(), PipelineError> {
        let shown = self.display(file);
        let folder = file.parent().unwrap_or(&self.repository.root);
        let path_of = |id: &str| crate::hash::normalized(&folder.join(id));
        let named: Vec<(String, Map)> = entries
            .iter()
            .filter_map(|entry| match entry {
                Value::Str(id) => Some((id.clone(), Map::new())),
                entry => {
                    let (id, properties) = entry.as_map()?.first()?;
                    let properties = properties.as_map().cloned();
                    Some((id.python_str(), properties.unwrap_or_default()))
                }
            })
            .collect();
        let paths: Vec<PathBuf> = named.iter().map(|(id, _)| path_of(id)).collect();
        for (id, properties) in &named {
            if !is_meant(targets, &shown, id) {
                continue;
            }
            if matches!(properties.get(&Key::from("y")), Some(Value::Map(_))) {
                plots.push(Definition {
                    file: shown.clone(),
                    id: id.clone(),
                    properties: self.with_paths(folder, properties),
                });
                continue;
            }
            let own = path_of(id);
            let mut found = Vec::new();
            self.add_files(&mut found, &shown, &own, properties)?;
            // A file of a folder that has a definition of its own is drawn by that one.
            let is_closest = |plot: &Definition| {
                let path = self.path(&plot.id);
                let around = paths.iter().filter(|other| path.starts_with(other));
                around.max_by_key(|other| other.components().count()) == Some(&own)
            };
            plots.extend(found.into_iter().filter(is_closest));
        }
        Ok(())
    }

    /// Files of `x` and `y` are named from the folder of the `dvc.yaml`.
    fn with_paths(&self, folder: &Path, properties: &Map) -> Map {
        let entries = properties.iter().map(|(key, value)| {
            let value = match (key.as_str(), value) {
                (Some("x" | "y"), Value::Map(files)) => {
                    let files = files.iter().map(|(file, fields)| {
                        let path = crate::hash::normalized(&folder.join(file.python_str()));
                        (Key::Str(self.display(&path)), fields.clone())
                    });
                    Value::Map(files.collect())
                }
                _ => value.clone(),
            };
            (key.clone(), value)
        });
        entries.collect()
    }

    /// A file that cannot be read counts: that is told when it is to be drawn.
    fn has_data(&self, path: &Path) -> Result<bool, PipelineError> {
        if self.files_of_folder(path)?.is_some() {
            return Ok(true);
        }
        match self.read_data(path) {
            Err(PipelineError::Io(_)) => Ok(true),
            data => Ok(data?.is_some()),
        }
    }

    fn add_files(
        &self,
        plots: &mut Vec<Definition>,
        file: &str,
        path: &Path,
        properties: &Map,
    ) -> Result<(), PipelineError> {
        let below = self.files_of_folder(path)?;
        let paths = match &below {
            Some(files) => files.iter().map(|file| path.join(file)).collect(),
            None => vec![path.to_owned()],
        };
        for path in paths {
            let id = self.display(&path);
            plots.push(Definition {
                file: file.to_owned(),
                id,
                properties: properties.clone(),
            });
        }
        Ok(())
    }
}

/// Whether a plot is one of those that were named, or all are.
fn is_meant(targets: &[String], file: &str, id: &str) -> bool {
    let full = if file.is_empty() {
        id.to_owned()
    } else {
        format!("{file}::{id}")
    };
    let names = |target: &String| {
        let target = normalise(target);
        id.starts_with(&target) || full.starts_with(&target)
    };
    targets.is_empty() || targets.iter().any(names)
}
