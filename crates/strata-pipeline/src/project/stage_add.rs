//! A stage from the command line, written into the `dvc.yaml` of the current folder.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use strata_fs::write_atomically;

use super::graph::Graph;
use super::index::{PIPELINE_FILE, Project};
use crate::definition::{OutKind, StageDefinition, normalise};
use crate::error::PipelineError;
use crate::gitignore;
use crate::hash::{is_missing, normalized};
use crate::stage::{Address, Stage};
use crate::value::{Key, Map, Value};
use crate::yaml::Document;

/// The file of parameters that stands before all others, and whose keys stand without it.
const PARAMS_FILE: &str = "params.yaml";

/// A stage as it was typed.
#[derive(Debug, Clone, Default)]
pub struct NewStage {
    /// Its name.
    pub name: String,
    /// What it runs.
    pub command: String,
    /// Its folder, from the current one; what follows is relative to it.
    pub folder: Option<String>,
    /// Paths that it reads.
    pub deps: Vec<String>,
    /// Parameters that it reads: `key,key` of `params.yaml`, `file:key,key`, `file:` for all of a file.
    pub params: Vec<String>,
    /// What it writes.
    pub outs: Vec<NewOutput>,
    /// A description.
    pub description: Option<String>,
    /// Whether it is run again each time.
    pub is_always_changed: bool,
}

/// An output as it was typed.
#[derive(Debug, Clone)]
pub struct NewOutput {
    /// Its path.
    pub path: String,
    /// The section it is listed in.
    pub kind: OutKind,
    /// Whether the cache keeps it.
    pub is_cached: bool,
    /// Whether it is left where it is before the stage runs.
    pub is_persistent: bool,
}

/// What [`Project::add_stage`] has written.
#[derive(Debug, Clone)]
pub struct AddedStage {
    /// Where the stage stands now.
    pub address: Address,
    /// Files that Git should know of: those of `.gitignore` that have changed, then the `dvc.yaml`.
    pub files: Vec<PathBuf>,
}

impl Project {
    /// Writes a stage into the `dvc.yaml` of the current folder, and lets Git ignore the outputs that the cache keeps.
    ///
    /// The rest of the file keeps its comments and its form. With `force` a stage of the same name is replaced: its
    /// `meta`, its description unless there is a new one, and what it says of outputs that both have
    /// (`desc`, `type`, `labels`, `meta`, `remote`, `push`) stay, as in DVC.
    ///
    /// # Errors
    /// No command; a name with punctuation; a stage of that name; a folder that is not there; outputs outside of the
    /// project or in the way of others; a circle. Nothing has been written then.
    pub fn add_stage(&mut self, new: &NewStage, force: bool) -> Result<AddedStage, PipelineError> {
        check_words(new)?;
        if new.outs.iter().any(|out| out.path.is_empty()) {
            return Err(PipelineError::CannotEdit {
                why: format!(
                    "Cached output(s) outside of DVC project: {}. See <https://dvc.org/doc/user-guide/pipelines/external-dependencies-and-outputs> for more info.",
                    self.repository.current.display()
                ),
            });
        }
        let file = self.repository.current.join(PIPELINE_FILE);
        let folder = self.stage_folder(new.folder.as_deref())?;
        let shown = self.display(&file);
        let mut document = self.pipeline_document(&file)?;
        let present = document.get(&["stages", new.name.as_str()]).cloned();
        let wdir = crate::repository::relative(&folder, &self.repository.current);
        let entry = Value::Map(new.to_entry(&wdir, present.as_ref()));
        let definition = StageDefinition::from_value(&new.name, &entry, &shown)?;
        let stage = Stage::of_pipeline(file.clone(), definition, None);
        self.check_paths(&stage)?;
        check_duplicates(new, &folder)?;
        if present.is_some() && !force {
            return Err(PipelineError::CannotEdit {
                why: format!(
                    "Stage '{}' already exists in '{shown}'. Use '--force' to overwrite.",
                    new.name
                ),
            });
        }
        self.stages
            .retain(|other| !is_replaced(&other.address, &stage.address));
        self.check_outputs_are_free(&stage)?;
        self.stages.push(stage.clone());
        Graph::of(self)?;
        document.update(&["stages", new.name.as_str()], &entry);
        write_atomically(&file, document.to_text().as_bytes())?;
        let mut files = self.ignore_outputs(new, &folder)?;
        files.push(file);
        Ok(AddedStage {
            address: stage.address,
            files,
        })
    }

    fn stage_folder(&self, written: Option<&str>) -> Result<PathBuf, PipelineError> {
        let Some(written) = written else {
            return Ok(self.repository.current.clone());
        };
        let folder = self.path(written);
        let problem = if !folder.exists() {
            "does not exist"
        } else if !folder.is_dir() {
            "is not directory"
        } else if !folder.starts_with(&self.repository.root) {
            "is outside of DVC repo"
        } else {
            return Ok(folder);
        };
        Err(PipelineError::CannotEdit {
            why: format!("stage working dir '{}' {problem}", folder.display()),
        })
    }

    fn pipeline_document(&self, file: &Path) -> Result<Document, PipelineError> {
        match fs_err::read_to_string(file) {
            Ok(text) => {
                let shown = self.display(file);
                Document::parse(&shown, &text).map_err(|source| PipelineError::Syntax {
                    file: shown,
                    source,
                })
            }
            Err(error) if is_missing(&error) => Ok(Document::new()),
            Err(error) => Err(error.into()),
        }
    }

    fn check_paths(&self, stage: &Stage) -> Result<(), PipelineError> {
        let outside = stage
            .outs
            .iter()
            .filter(|out| out.is_cached && !out.at.starts_with(&self.repository.root));
        let outside: Vec<String> = outside.map(|out| out.at.display().to_string()).collect();
        if !outside.is_empty() {
            return Err(PipelineError::CannotEdit {
                why: format!(
                    "Cached output(s) outside of DVC project: {}. See <https://dvc.org/doc/user-guide/pipelines/external-dependencies-and-outputs> for more info.",
                    outside.join(", ")
                ),
            });
        }
        let reads = |path: &Path| {
            let deps = stage.deps.iter().map(|dep| &dep.at);
            let mut paths = deps.chain(stage.params.iter().map(|params| &params.at));
            paths.any(|at| at == path)
        };
        match stage.outs.iter().find(|out| reads(&out.at)) {
            None => Ok(()),
            Some(out) => Err(PipelineError::CannotEdit {
                why: format!(
                    "'{}' is specified as an output and as a dependency.",
                    out.at.display()
                ),
            }),
        }
    }

    fn check_outputs_are_free(&self, stage: &Stage) -> Result<(), PipelineError> {
        for out in &stage.outs {
            let makes = |other: &&Stage| other.outs.iter().any(|made| made.at == out.at);
            if let Some(other) = self.stages.iter().find(makes) {
                let name = self.display_address(&other.address);
                return Err(PipelineError::CannotEdit {
                    why: format!(
                        "output '{}' is already specified in stage: '{name}'.\nUse `strata remove {name}` to stop tracking the overlapping output.",
                        self.display(&out.at),
                    ),
                });
            }
        }
        Ok(())
    }

    /// An output whose folder is not there yet is ignored when the stage has run.
    fn ignore_outputs(&self, new: &NewStage, folder: &Path) -> Result<Vec<PathBuf>, PipelineError> {
        let mut changed = Vec::new();
        let Some(git) = &self.repository.git else {
            return Ok(changed);
        };
        for out in new.outs.iter().filter(|out| out.is_cached) {
            let at = normalized(&folder.join(&out.path));
            let file = at.with_file_name(".gitignore");
            if at.parent().is_some_and(|parent| !parent.is_dir()) {
                self.warn(&format!(
                    "Could not create .gitignore entry in {}. It is made when the stage is run.",
                    self.display(&file)
                ));
                continue;
            }
            if git.first_tracked(&[&at])?.is_some() {
                return Err(PipelineError::TrackedByGit {
                    path: self.display(&at),
                });
            }
            let written = gitignore::ignore(git, &[&at])?;
            changed.extend(
                written
                    .into_iter()
                    .filter(|file| !changed.contains(file))
                    .collect::<Vec<_>>(),
            );
        }
        Ok(changed)
    }
}

fn check_words(new: &NewStage) -> Result<(), PipelineError> {
    let why = if new.command.is_empty() {
        "command is not specified"
    } else if new.name.is_empty() {
        "`-n|--name` is required"
    } else if new
        .name
        .contains(|letter: char| letter.is_ascii_punctuation() && !matches!(letter, '_' | '-'))
    {
        "Stage name cannot contain punctuation characters."
    } else {
        return Ok(());
    };
    Err(PipelineError::CannotEdit {
        why: why.to_owned(),
    })
}

/// A path may stand once, among dependencies and outputs together.
fn check_duplicates(new: &NewStage, folder: &Path) -> Result<(), PipelineError> {
    let paths = new.deps.iter().chain(new.outs.iter().map(|out| &out.path));
    let mut seen = HashSet::new();
    for path in paths {
        let at = normalized(&folder.join(path));
        if seen.contains(&at) {
            return Err(PipelineError::CannotEdit {
                why: format!("file '{}' is specified more than once.", at.display()),
            });
        }
        seen.insert(at);
    }
    Ok(())
}

/// Whether a stage is the one of an address, or generated from the group of that name.
fn is_replaced(other: &Address, address: &Address) -> bool {
    let name = |address: &Address| address.name.clone().unwrap_or_default();
    let group = name(other).split('@').next().map(str::to_owned);
    other.file == address.file && other.name.is_some() && group == address.name
}

impl NewStage {
    /// The entry in the order of keys that DVC writes; `present` is the one that it replaces.
    fn to_entry(&self, wdir: &str, present: Option<&Value>) -> Map {
        let mut entry = Map::new();
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                entry.insert(Key::from(key), value);
            }
        };
        let kept = |key: &str| present.and_then(|present| present.get(key)).cloned();
        let description = self.description.as_deref().map(Value::from);
        put("desc", description.or_else(|| kept("desc")));
        put("cmd", Some(Value::from(self.command.as_str())));
        put("wdir", (wdir != ".").then(|| Value::from(wdir)));
        let mut deps: Vec<&str> = self.deps.iter().map(String::as_str).collect();
        deps.sort_unstable();
        put("deps", list(deps.into_iter().map(Value::from)));
        put("params", list(params_entries(&self.params).into_iter()));
        for (section, kind) in [
            ("outs", OutKind::Out),
            ("metrics", OutKind::Metric),
            ("plots", OutKind::Plot),
        ] {
            let outs = self.outs.iter().filter(|out| out.kind == kind);
            let mut outs: Vec<&NewOutput> = outs.collect();
            outs.sort_by_key(|out| &out.path);
            put(
                section,
                list(outs.into_iter().map(|out| out.to_entry(present))),
            );
        }
        put(
            "always_changed",
            self.is_always_changed.then_some(Value::Bool(true)),
        );
        put("meta", kept("meta"));
        entry
    }
}

impl NewOutput {
    fn to_entry(&self, present: Option<&Value>) -> Value {
        let known = present.and_then(|present| flags_of(present, &self.path));
        let kept = |keys: &[&str]| {
            let entries = keys.iter().filter_map(|key| {
                let value = known.as_ref()?.get(&Key::from(*key))?;
                Some((Key::from(*key), value.clone()))
            });
            entries.collect::<Vec<_>>()
        };
        let mut flags = Map::from_iter(kept(&["desc", "type", "labels", "meta"]));
        if !self.is_cached {
            flags.insert(Key::from("cache"), Value::Bool(false));
        }
        if self.is_persistent {
            flags.insert(Key::from("persist"), Value::Bool(true));
        }
        flags.extend(kept(&["remote", "push"]));
        if flags.is_empty() {
            return Value::from(self.path.as_str());
        }
        Value::Map(Map::from_iter([(
            Key::from(self.path.as_str()),
            Value::Map(flags),
        )]))
    }
}

/// What an entry of a stage says of one of its outputs.
fn flags_of(entry: &Value, path: &str) -> Option<Map> {
    let sections = ["outs", "metrics", "plots"].into_iter();
    let mut items = sections.flat_map(|section| {
        let items = entry.get(section).and_then(Value::as_list);
        items.unwrap_or_default()
    });
    items.find_map(|item| {
        let (key, flags) = item.as_map()?.first()?;
        let is_same = normalise(key.as_str()?) == normalise(path);
        is_same.then(|| flags.as_map().cloned())?
    })
}

/// `-p` words as DVC writes them: sorted keys of `params.yaml`, then the other files in order, each with its keys.
fn params_entries(words: &[String]) -> Vec<Value> {
    let mut files: Vec<(String, Vec<String>)> = Vec::new();
    for word in words {
        let (path, keys) = match word.rsplit_once(':') {
            Some((path, keys)) if !path.is_empty() => (path, keys),
            Some((_, keys)) => (PARAMS_FILE, keys),
            None => (PARAMS_FILE, word.as_str()),
        };
        let keys = keys.split(',').filter(|key| !key.is_empty());
        let keys = keys.map(str::to_owned);
        match files.iter_mut().find(|(known, _)| known == path) {
            Some((_, known)) => known.extend(keys),
            None => files.push((path.to_owned(), keys.collect())),
        }
    }
    files.sort();
    let mut entries = Vec::new();
    for (path, mut keys) in files {
        keys.sort();
        keys.dedup();
        let values: Vec<Value> = keys.into_iter().map(Value::from).collect();
        if path == PARAMS_FILE && !values.is_empty() {
            entries.splice(0..0, values);
            continue;
        }
        let keys = if values.is_empty() {
            Value::Null
        } else {
            Value::List(values)
        };
        let entry = Map::from_iter([(Key::from(path.as_str()), keys)]);
        entries.push(Value::Map(entry));
    }
    entries
}

/// A list, unless it is empty.
fn list(values: impl Iterator<Item = Value>) -> Option<Value> {
    let values: Vec<Value> = values.collect();
    (!values.is_empty()).then_some(Value::List(values))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::json;

    #[test]
    fn parameters_are_grouped_by_file_and_sorted() {
        let words = ["lr,b", "z.yaml:q,a", "w.json:", ":c", "z.yaml:b"].map(str::to_owned);
        assert_eq!(
            Value::List(params_entries(&words)),
            json(r#"["b", "c", "lr", {"w.json": null}, {"z.yaml": ["a", "b", "q"]}]"#)
        );
    }

    #[test]
    fn a_replaced_stage_leaves_what_no_flag_can_say() {
        let new = NewStage {
            command: "x".to_owned(),
            outs: vec![NewOutput {
                path: "o".to_owned(),
                kind: OutKind::Out,
                is_cached: false,
                is_persistent: false,
            }],
            ..NewStage::default()
        };
        let present = json(
            r#"{"desc": "d", "cmd": "y", "deps": ["e"], "outs": [{"./o": {"persist": true, "remote": "r", "desc": "p"}}], "meta": 1}"#,
        );
        assert_eq!(
            Value::Map(new.to_entry(".", Some(&present))),
            json(
                r#"{"desc": "d", "cmd": "x", "outs": [{"o": {"desc": "p", "cache": false, "remote": "r"}}], "meta": 1}"#
            )
        );
    }
}
