//! One project at two times: outputs, parameters and metrics compared.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::index::Project;
use crate::definition::OutKind;
use crate::error::PipelineError;
use crate::hash::normalized;
use crate::params::lookup;
use crate::value::{Key, Map, Value};

/// What is at one side and not at the other.
#[derive(Debug, Clone, Default)]
pub struct Difference {
    /// Only at the later side.
    pub added: Vec<String>,
    /// Only at the earlier side.
    pub deleted: Vec<String>,
    /// Something else at the later side.
    pub modified: Vec<String>,
    /// The same contents under another path: before, after.
    pub renamed: Vec<(String, String)>,
}

/// Values of files by dotted keys: parameters or metrics.
pub type Values = BTreeMap<String, Vec<(String, Value)>>;

/// What is known of outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What lock files and `.dvc` files say.
    Locked,
    /// What is in the workspace.
    Present,
}

/// The parameters that are compared.
#[derive(Debug, Clone, Copy)]
pub enum ParamsScope<'a> {
    /// Those that stages read, and all of `params.yaml` at the top and of the files that `dvc.yaml` files list.
    All,
    /// Those that stages read.
    Deps,
    /// All of some files.
    Files(&'a [String]),
}

impl Project {
    /// The objects of all outputs that the cache keeps, by path; a folder ends with `/`, its files are there as well.
    ///
    /// # Errors
    /// A folder's list cannot be read; those of reading files.
    pub fn objects(&self, side: Side) -> Result<BTreeMap<String, String>, PipelineError> {
        let mut objects = BTreeMap::new();
        let outs = self.stages.iter().flat_map(|stage| &stage.outs);
        for out in outs.filter(|out| out.is_cached) {
            let cache = match &out.locked {
                Some(info) => self.repository.cache_of(info),
                None => &self.repository.cache,
            };
            let found = match side {
                Side::Present => self
                    .hash_like(&out.at, out.locked.as_ref())?
                    .map(|hashed| (hashed.info, hashed.tree)),
                Side::Locked => match &out.locked {
                    Some(info) if info.is_folder() && cache.has(&info.md5)? => {
                        Some((info.clone(), Some(Arc::new(cache.tree(&info.md5)?))))
                    }
                    locked => locked.clone().map(|info| (info, None)),
                },
            };
            let Some((info, tree)) = found else { continue };
            let path = self.display(&out.at);
            for (inside, md5) in tree.iter().flat_map(|tree| tree.entries()) {
                objects.insert(format!("{path}/{inside}"), md5.clone());
            }
            let end = if info.is_folder() { "/" } else { "" };
            objects.insert(path + end, info.md5);
        }
        Ok(objects)
    }

    /// Parameters by file.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn parameters(&self, scope: ParamsScope) -> Result<Values, PipelineError> {
        // For each file its keys; none for all of it.
        let mut requests: BTreeMap<PathBuf, Option<Vec<String>>> = BTreeMap::new();
        if let ParamsScope::Files(files) = scope {
            requests.extend(files.iter().map(|file| (self.path(file), None)));
        } else {
            for params in self.stages.iter().flat_map(|stage| &stage.params) {
                let known = requests
                    .entry(params.at.clone())
                    .or_insert_with(|| Some(Vec::new()));
                match (known.as_mut(), &params.request.keys) {
                    (Some(known), Some(keys)) => known.extend(keys.iter().cloned()),
                    _ => *known = None,
                }
            }
        }
        if matches!(scope, ParamsScope::All) {
            for (file, top) in &self.top_level {
                let folder = file.parent().unwrap_or(&self.repository.root);
                let listed = top.params.iter();
                requests.extend(listed.map(|path| (normalized(&folder.join(path)), None)));
            }
            requests.insert(self.repository.root.join("params.yaml"), None);
        }
        let mut values = Values::new();
        for (path, keys) in requests {
            let shown = self.display(&path);
            let Some(content) = self.read_values(&path, &shown)? else {
                continue;
            };
            let mut leaves = Vec::new();
            match keys {
                None => flatten("", &content, &mut leaves),
                Some(keys) => {
                    for key in &keys {
                        if let Some(value) = lookup(&content, key) {
                            flatten(key, value, &mut leaves);
                        }
                    }
                }
            }
            let mut seen = HashSet::new();
            leaves.retain(|(key, _)| seen.insert(key.clone()));
            values.insert(shown, leaves);
        }
        Ok(values)
    }

    /// Metrics by file: those of stages and of the sections `metrics`, or the files of `targets` alone, of folders all
    /// files. Of what the files hold only numbers, truths and texts are metrics. A file that cannot be read is told.
    ///
    /// # Errors
    /// Those of reading.
    pub fn metrics(&self, targets: &[String]) -> Result<Vec<(String, Value)>, PipelineError> {
        let mut paths: Vec<PathBuf> = targets.iter().map(|target| self.path(target)).collect();
        if targets.is_empty() {
            let outs = self.stages.iter().flat_map(|stage| &stage.outs);
            let outs = outs.filter(|out| out.kind == OutKind::Metric);
            paths.extend(outs.map(|out| out.at.clone()));
            for (file, top) in &self.top_level {
                let folder = file.parent().unwrap_or(&self.repository.root);
                let listed = top.metrics.iter();
                paths.extend(listed.map(|path| normalized(&folder.join(path))));
            }
        }
        let mut files: Vec<PathBuf> = Vec::new();
        for path in paths {
            let inside = self.files_of_folder(&path)?;
            let inside = inside.map(|inside| inside.iter().map(|file| path.join(file)).collect());
            for file in inside.unwrap_or_else(|| vec![path]) {
                if !files.contains(&file) {
                    files.push(file);
                }
            }
        }
        let mut metrics = Vec::new();
        for path in files {
            let shown = self.display(&path);
            match self.read_values(&path, &shown) {
                Ok(Some(content)) => metrics.push((shown, measured(&content))),
                Ok(None) => {}
                Err(error) => self.warn(&format!("'{shown}' is left out: {error}")),
            }
        }
        Ok(metrics)
    }

    /// A file of parameters or metrics, by the suffix of its name; nothing if there is none.
    fn read_values(&self, path: &Path, shown: &str) -> Result<Option<Value>, PipelineError> {
        let Some(bytes) = self.read_data(path)? else {
            return Ok(None);
        };
        let text = String::from_utf8(bytes).map_err(|_| {
            let why = format!("'{shown}' is not valid UTF-8");
            io::Error::new(io::ErrorKind::InvalidData, why)
        })?;
        super::index::parse_params(shown, &text).map(Some)
    }
}

/// What DVC takes for metrics: numbers, truths and texts, in mappings or alone.
fn measured(value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            let entries = map.iter().filter_map(|(key, value)| {
                let value = measured(value);
                let is_empty = matches!(&value, Value::Map(map) if map.is_empty());
                (!is_empty).then(|| (key.clone(), value))
            });
            Value::Map(entries.collect())
        }
        Value::Null | Value::List(_) => Value::Map(Map::new()),
        leaf => leaf.clone(),
    }
}

/// What differs between two lists of objects.
pub fn difference(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> Difference {
    let mut found = Difference::default();
    for (path, md5) in before {
        match after.get(path) {
            None => found.deleted.push(path.clone()),
            Some(other) if other != md5 => found.modified.push(path.clone()),
            Some(_) => {}
        }
    }
    found.added = after
        .keys()
        .filter(|path| !before.contains_key(*path))
        .cloned()
        .collect();
    for path in std::mem::take(&mut found.deleted) {
        let same = |other: &&String| after[*other] == before[&path];
        if let Some(to) = found.added.iter().find(same).cloned() {
            found.added.retain(|other| *other != to);
            found.renamed.push((path, to));
        } else {
            found.deleted.push(path);
        }
    }
    found
}

/// The leaves of a value by dotted keys; lists are leaves.
pub fn flatten(prefix: &str, value: &Value, leaves: &mut Vec<(String, Value)>) {
    let Value::Map(map) = value else {
        leaves.push((prefix.to_owned(), value.clone()));
        return;
    };
    for (key, value) in map {
        let key = match key {
            Key::Str(text) => text.clone(),
            other => other.python_str(),
        };
        let key = if prefix.is_empty() {
            key
        } else {
            format!("{prefix}.{key}")
        };
        flatten(&key, value, leaves);
    }
}
