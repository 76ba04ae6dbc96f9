//! What commands made of which inputs: `runs/kk/<key>/<value>` in the cache.

use std::path::{Path, PathBuf};

use strata_fs::{Sha256, write_atomically};

use super::model::Stage;
use super::workspace::add_to_cache;
use crate::error::PipelineError;
use crate::hash::{HashInfo, is_missing};
use crate::project::Project;
use crate::value::{Key, Map, Order, Value};
use crate::yaml;

impl Stage {
    /// Whether runs of the stage are kept: it has a command, inputs and outputs, and all of them can be hashed.
    ///
    /// # Errors
    /// A dependency is missing.
    pub fn is_kept(&self, project: &Project) -> Result<bool, PipelineError> {
        let has_inputs = !self.deps.is_empty() || !self.params.is_empty();
        if self.is_always_changed || self.command.is_none() || !has_inputs || self.outs.is_empty() {
            return Ok(false);
        }
        let inside = |path: &Path| path.starts_with(&project.repository.root);
        for dep in &self.deps {
            if !inside(&dep.at) {
                return Ok(false);
            }
            if project.hash(&dep.at)?.is_none() {
                return Err(PipelineError::MissingDependency {
                    path: dep.at.display().to_string(),
                });
            }
        }
        Ok(self
            .outs
            .iter()
            .all(|out| !out.is_persistent && inside(&out.at)))
    }

    /// What a kept run with the present inputs left, its outputs all in the cache; by the paths of the outputs.
    ///
    /// # Errors
    /// Those of reading.
    pub fn kept_run(
        &self,
        project: &Project,
    ) -> Result<Option<Vec<(String, HashInfo)>>, PipelineError> {
        let folder = folder_of(project, &self.key());
        let mut found: Vec<(std::time::SystemTime, PathBuf)> = Vec::new();
        let entries = match fs_err::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        for entry in entries {
            let entry = entry?;
            found.push((entry.metadata()?.modified()?, entry.path()));
        }
        found.sort();
        while let Some((_, path)) = found.pop() {
            let text = fs_err::read_to_string(&path)?;
            let Ok(value) = yaml::read(&path.display().to_string(), &text) else {
                continue;
            };
            let Some(outs) = outs_of(&value) else {
                continue;
            };
            for (_, info) in &outs {
                if !project.repository.cache_of(info).has_all(&info.md5)? {
                    return Ok(None);
                }
            }
            return Ok(Some(outs));
        }
        Ok(None)
    }

    /// Keeps the run that has just been made.
    ///
    /// # Errors
    /// Those of writing.
    pub fn keep_run(&self, project: &Project) -> Result<(), PipelineError> {
        if !self.is_kept(project)? {
            return Ok(());
        }
        let entry = self.to_lock_entry();
        let path = folder_of(project, &self.key()).join(digest(&entry));
        // Outputs that stay out of the cache otherwise: a kept run must be able to give them back.
        for out in self.outs.iter().filter(|out| !out.is_cached) {
            if let Some(hashed) = project.hash(&out.at)? {
                add_to_cache(project, &out.at, &hashed)?;
            }
        }
        if path.exists() {
            return Ok(());
        }
        write_atomically(&path, yaml::to_text(&entry).as_bytes())?;
        Ok(())
    }

    /// The lock entry with the paths alone of the outputs.
    fn key(&self) -> String {
        let mut entry = match self.to_lock_entry() {
            Value::Map(entry) => entry,
            _ => Map::new(),
        };
        let mut outs: Vec<&str> = self.outs.iter().map(|out| out.path.as_str()).collect();
        outs.sort_unstable();
        let outs = outs.into_iter().map(Value::from).collect();
        entry.insert(Key::from("outs"), Value::List(outs));
        digest(&Value::Map(entry))
    }
}

fn outs_of(entry: &Value) -> Option<Vec<(String, HashInfo)>> {
    let outs = entry.get("outs")?.as_list()?.iter();
    outs.map(|out| {
        Some((
            out.get("path")?.as_str()?.to_owned(),
            HashInfo::from_entry(out)?,
        ))
    })
    .collect()
}

fn folder_of(project: &Project, key: &str) -> PathBuf {
    let runs = project.repository.cache.folder().join("runs");
    runs.join(&key[..2]).join(key)
}

/// SHA-256 of the sorted JSON, sizes and counts left out: `dict_sha256` of DVC.
fn digest(value: &Value) -> String {
    let mut sha256 = Sha256::new();
    sha256.update(without_sizes(value).to_json(Order::Sorted).as_bytes());
    sha256.hex()
}

fn without_sizes(value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            let is_size = |key: &Key| matches!(key.as_str(), Some("size" | "nfiles"));
            let kept = map.iter().filter(|(key, _)| !is_size(key));
            Value::Map(
                kept.map(|(key, value)| (key.clone(), without_sizes(value)))
                    .collect(),
            )
        }
        Value::List(items) => Value::List(items.iter().map(without_sizes).collect()),
        other => other.clone(),
    }
}
