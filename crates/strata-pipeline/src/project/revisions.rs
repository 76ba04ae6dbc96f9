//! One project at two times: outputs, parameters and metrics compared.

use std::collections::BTreeMap;

use super::index::Project;
use crate::definition::OutKind;
use crate::error::PipelineError;
use crate::hash::HashInfo;
use crate::params::lookup;
use crate::value::{Key, Value};

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

impl Project {
    /// The objects of all outputs by path; a folder ends with `/`, its files follow it.
    ///
    /// # Errors
    /// A folder's list cannot be read.
    pub fn objects(&self) -> Result<BTreeMap<String, String>, PipelineError> {
        let outs = self.stages.iter().flat_map(|stage| &stage.outs);
        let locked = outs.filter(|out| out.is_cached);
        let locked = locked.filter_map(|out| Some((self.display(&out.at), out.locked.as_ref()?)));
        let locked: Vec<(String, &HashInfo)> = locked.collect();
        let mut objects = BTreeMap::new();
        for (path, info) in locked {
            if !info.is_folder() {
                objects.insert(path, info.md5.clone());
                continue;
            }
            let cache = self.repository.cache_of(info);
            if cache.has(&info.md5)? {
                for (inside, md5) in cache.tree(&info.md5)?.entries() {
                    objects.insert(format!("{path}/{inside}"), md5.clone());
                }
            }
            objects.insert(path + "/", info.md5.clone());
        }
        Ok(objects)
    }

    /// The same for what is in the workspace.
    ///
    /// # Errors
    /// Those of reading.
    pub fn objects_in_workspace(&self) -> Result<BTreeMap<String, String>, PipelineError> {
        let mut objects = BTreeMap::new();
        let outs = self.stages.iter().flat_map(|stage| &stage.outs);
        for out in outs.filter(|out| out.is_cached) {
            let Some(hashed) = self.hash_like(&out.at, out.locked.as_ref())? else {
                continue;
            };
            let path = self.display(&out.at);
            let Some(tree) = hashed.tree else {
                objects.insert(path, hashed.info.md5);
                continue;
            };
            for (inside, md5) in tree.entries() {
                objects.insert(format!("{path}/{inside}"), md5.clone());
            }
            objects.insert(path + "/", hashed.info.md5);
        }
        Ok(objects)
    }

    /// Parameters that stages read, by file; with `all` every one of these files.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn parameters(&self, all: bool) -> Result<Values, PipelineError> {
        let mut values = Values::new();
        for params in self.stages.iter().flat_map(|stage| &stage.params) {
            let shown = self.display(&params.at);
            let Some(content) = self.read_params(&params.at, &params.request.path)? else {
                continue;
            };
            let file = values.entry(shown).or_default();
            match &params.request.keys {
                Some(keys) if !all => {
                    for key in keys {
                        if let Some(value) = lookup(&content, key) {
                            flatten(key, value, file);
                        }
                    }
                }
                _ => flatten("", &content, file),
            }
        }
        for file in values.values_mut() {
            let mut seen = std::collections::HashSet::new();
            file.retain(|(key, _)| seen.insert(key.clone()));
        }
        Ok(values)
    }

    /// Metrics, by file, as they are in the files.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn metrics(&self) -> Result<Vec<(String, Value)>, PipelineError> {
        let outs = self.stages.iter().flat_map(|stage| &stage.outs);
        let mut metrics = Vec::new();
        for out in outs.filter(|out| out.kind == OutKind::Metric) {
            let shown = self.display(&out.at);
            // At a commit a metric that Git does not keep is in the cache.
            let content = match self.read_params(&out.at, &shown)? {
                Some(content) => Some(content),
                None => self.read_kept_metric(out.locked.as_ref(), &shown)?,
            };
            if let Some(content) = content {
                metrics.push((shown, content));
            }
        }
        Ok(metrics)
    }

    fn read_kept_metric(
        &self,
        locked: Option<&HashInfo>,
        shown: &str,
    ) -> Result<Option<Value>, PipelineError> {
        let cache = &self.repository.cache;
        match locked.filter(|locked| !locked.is_folder()) {
            Some(locked) if cache.has(&locked.md5)? => {
                let text = fs_err::read_to_string(cache.path(&locked.md5))?;
                super::index::parse_params(shown, &text).map(Some)
            }
            _ => Ok(None),
        }
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
