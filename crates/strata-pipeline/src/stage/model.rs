//! What is known of a stage.

use std::path::{Path, PathBuf};

use crate::definition::{Command, DataFile, OutKind, ParamsRequest, StageDefinition, TrackedPath};
use crate::hash::{HashInfo, normalized};
use crate::value::{Key, Map, Value};

/// Where a stage is defined.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// The file, absolute.
    pub file: PathBuf,
    /// The name within a `dvc.yaml`; none for a `.dvc` file.
    pub name: Option<String>,
}

/// A stage with its entry of the lock file.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Where it is defined.
    pub address: Address,
    /// What is run; none for a `.dvc` file.
    pub command: Option<Command>,
    /// The absolute folder in which it runs, and which its paths are relative to.
    pub folder: PathBuf,
    /// What is read.
    pub deps: Vec<Dependency>,
    /// Parameters that are read.
    pub params: Vec<ParamsDependency>,
    /// What is written.
    pub outs: Vec<Output>,
    /// Not run again, whatever changes.
    pub is_frozen: bool,
    /// Run again each time.
    pub is_always_changed: bool,
    /// A description.
    pub description: Option<String>,
    /// The command of its last run, none without an entry in the lock file.
    pub locked_command: Option<Value>,
}

/// A path that a stage reads.
#[derive(Debug, Clone)]
pub struct Dependency {
    /// As it is written, normalised.
    pub path: String,
    /// Absolute.
    pub at: PathBuf,
    /// What it was when the stage ran.
    pub locked: Option<HashInfo>,
}

/// Parameters of one file.
#[derive(Debug, Clone)]
pub struct ParamsDependency {
    /// File and keys.
    pub request: ParamsRequest,
    /// Absolute path of the file.
    pub at: PathBuf,
    /// What they were when the stage ran.
    pub locked: Option<Map>,
}

/// A path that a stage writes.
#[derive(Debug, Clone)]
pub struct Output {
    /// As it is written, normalised.
    pub path: String,
    /// Absolute.
    pub at: PathBuf,
    /// An output proper, metrics or a plot.
    pub kind: OutKind,
    /// Whether the cache keeps it.
    pub is_cached: bool,
    /// Whether it is left where it is before the stage runs.
    pub is_persistent: bool,
    /// Whether it goes to remotes.
    pub is_pushed: bool,
    /// The only remote it goes to.
    pub remote: Option<String>,
    /// Of a plot: `template`, `x`, `y`, `x_label`, `y_label`, `title`, `header`.
    pub plot: Map,
    /// What it was when the stage ran.
    pub locked: Option<HashInfo>,
}

impl Output {
    fn new(folder: &Path, kind: OutKind, tracked: TrackedPath, locked: Option<HashInfo>) -> Self {
        Self {
            at: normalized(&folder.join(&tracked.path)),
            kind,
            is_cached: tracked.cache,
            is_persistent: tracked.persist,
            is_pushed: tracked.push,
            remote: tracked.remote,
            path: tracked.path,
            plot: Map::new(),
            locked,
        }
    }
}

impl Stage {
    /// A stage of a `dvc.yaml` and its entry of the `dvc.lock` beside it.
    pub fn of_pipeline(file: PathBuf, definition: StageDefinition, entry: Option<&Value>) -> Self {
        let own = file.parent().map(PathBuf::from).unwrap_or_default();
        let folder = match &definition.wdir {
            Some(wdir) => normalized(&own.join(wdir)),
            None => own,
        };
        let locked = |section: &str, path: &str| {
            let items = entry?.get(section)?.as_list()?;
            let item = items
                .iter()
                .find(|item| item.get("path").and_then(Value::as_str) == Some(path))?;
            HashInfo::from_entry(item)
        };
        let deps = definition.deps.into_iter().map(|path| Dependency {
            at: normalized(&folder.join(&path)),
            locked: locked("deps", &path),
            path,
        });
        let params = definition.params.into_iter().map(|request| {
            let section = entry.and_then(|entry| entry.get("params"));
            let of_file = section.and_then(|section| section.get(&request.path));
            ParamsDependency {
                at: normalized(&folder.join(&request.path)),
                locked: of_file.and_then(Value::as_map).cloned(),
                request,
            }
        });
        let outs = definition.outs.into_iter().map(|out| {
            let locked = locked("outs", &out.tracked.path);
            let output = Output::new(&folder, out.kind, out.tracked, locked);
            Output {
                plot: out.plot,
                ..output
            }
        });
        Self {
            command: Some(definition.cmd),
            deps: deps.collect(),
            params: params.collect(),
            outs: outs.collect(),
            is_frozen: definition.frozen,
            is_always_changed: definition.always_changed,
            description: definition.desc,
            locked_command: entry.and_then(|entry| entry.get("cmd")).cloned(),
            address: Address {
                file,
                name: Some(definition.name),
            },
            folder,
        }
    }

    /// A `.dvc` file.
    pub fn of_data(file: PathBuf, data: DataFile) -> Self {
        let own = file.parent().map(PathBuf::from).unwrap_or_default();
        let folder = match &data.wdir {
            Some(wdir) => normalized(&own.join(wdir)),
            None => own,
        };
        let outs = data.outs.into_iter().map(|entry| {
            let locked = entry.md5.map(|md5| HashInfo {
                md5,
                size: entry.size,
                nfiles: entry.nfiles,
                is_executable: entry.isexec,
                is_legacy: entry.hash.as_deref() != Some("md5"),
            });
            Output::new(&folder, OutKind::Out, entry.tracked, locked)
        });
        Self {
            address: Address { file, name: None },
            command: None,
            outs: outs.collect(),
            folder,
            deps: Vec::new(),
            params: Vec::new(),
            is_frozen: data.frozen,
            is_always_changed: data.always_changed,
            description: data.desc,
            locked_command: None,
        }
    }

    /// Whether it is a `.dvc` file.
    pub fn is_data(&self) -> bool {
        self.address.name.is_none()
    }

    /// Whether it has nothing that could tell that it need not run.
    pub fn is_callback(&self) -> bool {
        self.command.is_some()
            && self.deps.is_empty()
            && self.params.is_empty()
            && self.outs.is_empty()
    }

    /// Its entry of the lock file.
    pub fn to_lock_entry(&self) -> Value {
        let mut entry = Map::new();
        if let Some(command) = &self.command {
            entry.insert(Key::from("cmd"), command.to_value());
        }
        let mut deps: Vec<(&str, &HashInfo)> = self
            .deps
            .iter()
            .filter_map(|dep| Some((dep.path.as_str(), dep.locked.as_ref()?)))
            .collect();
        let mut outs: Vec<(&str, &HashInfo)> = self
            .outs
            .iter()
            .filter_map(|out| Some((out.path.as_str(), out.locked.as_ref()?)))
            .collect();
        let list = |entries: &mut Vec<(&str, &HashInfo)>| {
            entries.sort_by_key(|(path, _)| *path);
            let items = entries.iter().map(|(path, info)| info.to_lock_entry(path));
            Value::List(items.collect())
        };
        if !deps.is_empty() {
            entry.insert(Key::from("deps"), list(&mut deps));
        }
        let params = self.params.iter().filter_map(|params| {
            let locked = params.locked.clone()?;
            (!locked.is_empty()).then(|| (params.request.path.clone(), locked))
        });
        let params = crate::params::lock_section(params);
        if !params.is_empty() {
            entry.insert(Key::from("params"), Value::Map(params));
        }
        if !outs.is_empty() {
            entry.insert(Key::from("outs"), list(&mut outs));
        }
        Value::Map(entry)
    }
}
