//! What differs from the lock file.

use serde_json::{Map as Json, Value as JsonValue, json};

use super::model::{Output, ParamsDependency, Stage};
use crate::error::PipelineError;
use crate::hash::HashInfo;
use crate::params::{FileStatus, status};
use crate::project::Project;

/// What has happened to a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is not there.
    Deleted,
    /// It is something else.
    Modified,
    /// The lock file does not know it.
    New,
    /// The cache does not have what the lock file says.
    NotInCache,
    /// Keys of a file of parameters, and what has happened to them.
    Params(Vec<(String, &'static str)>),
}

impl Change {
    /// The words that `status` prints.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Modified | Self::Params(_) => "modified",
            Self::New => "new",
            Self::NotInCache => "not in cache",
        }
    }
}

/// All that has changed of a stage.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// Paths and parameters that are read.
    pub deps: Vec<(String, Change)>,
    /// Paths that are written.
    pub outs: Vec<(String, Change)>,
    /// Whether the command is another one.
    pub command: bool,
    /// Whether the stage always counts as changed.
    pub always: bool,
}

impl Changes {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.deps.is_empty() && self.outs.is_empty() && !self.command && !self.always
    }

    /// As `status --json` lists them.
    pub fn to_json(&self) -> JsonValue {
        let paths = |changes: &[(String, Change)]| {
            let entries = changes.iter().map(|(path, change)| {
                let value = match change {
                    Change::Params(keys) => {
                        let keys = keys.iter().map(|(key, word)| (key.clone(), json!(word)));
                        JsonValue::Object(keys.collect::<Json<_, _>>())
                    }
                    other => json!(other.word()),
                };
                (path.clone(), value)
            });
            JsonValue::Object(entries.collect())
        };
        let mut list = Vec::new();
        if !self.deps.is_empty() {
            list.push(json!({"changed deps": paths(&self.deps)}));
        }
        if !self.outs.is_empty() {
            list.push(json!({"changed outs": paths(&self.outs)}));
        }
        if self.always {
            list.push(json!("always changed"));
        }
        if self.command {
            list.push(json!("changed command"));
        }
        JsonValue::Array(list)
    }
}

impl Stage {
    /// Everything that has changed, as `status` shows it.
    ///
    /// # Errors
    /// Those of reading.
    pub fn changes(&self, project: &Project) -> Result<Changes, PipelineError> {
        let mut changes = Changes::default();
        if !self.is_frozen {
            changes.deps = self.changed_deps(project)?;
        }
        for out in &self.outs {
            if let Some(change) = out.change(project)? {
                changes.outs.push((project.display(&out.at), change));
            }
        }
        changes.always = !self.is_frozen && (self.is_always_changed || self.is_callback());
        changes.command = self.has_changed_command();
        Ok(changes)
    }

    /// Whether it must be run again; what costs least is looked at first.
    ///
    /// # Errors
    /// Those of reading.
    pub fn has_changed(&self, project: &Project, missing: Missing) -> Result<bool, PipelineError> {
        Ok(self.has_changed_command()
            || self.has_changed_deps(project, missing)?
            || self.has_changed_outs(project, missing)?)
    }

    pub(crate) fn has_changed_command(&self) -> bool {
        match (&self.command, &self.locked_command) {
            (Some(command), Some(locked)) => command.to_value() != *locked,
            _ => false,
        }
    }

    pub(crate) fn has_changed_deps(
        &self,
        project: &Project,
        missing: Missing,
    ) -> Result<bool, PipelineError> {
        if self.is_frozen {
            return Ok(false);
        }
        if self.is_callback() || self.is_always_changed {
            return Ok(true);
        }
        let changes = self.changed_deps(project)?;
        let counts = |change: &Change| missing == Missing::Counts || *change != Change::Deleted;
        Ok(changes.iter().any(|(_, change)| counts(change)))
    }

    fn has_changed_outs(&self, project: &Project, missing: Missing) -> Result<bool, PipelineError> {
        for out in &self.outs {
            let Some(change) = out.change(project)? else {
                continue;
            };
            let gone = matches!(change, Change::Deleted | Change::NotInCache);
            if missing == Missing::Counts || !gone || out.locked.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn changed_deps(&self, project: &Project) -> Result<Vec<(String, Change)>, PipelineError> {
        let mut changed = Vec::new();
        for dep in &self.deps {
            let found = project.hash_like(&dep.at, dep.locked.as_ref())?;
            let found = found.map(|hashed| hashed.info);
            if let Some(change) = compare(found.as_ref(), dep.locked.as_ref()) {
                changed.push((project.display(&dep.at), change));
            }
        }
        for params in &self.params {
            if let Some(change) = params.change(project)? {
                changed.push((project.display(&params.at), change));
            }
        }
        Ok(changed)
    }
}

/// Whether what is missing makes a stage a changed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// It does.
    Counts,
    /// It does not, where the lock file says what it was.
    IsAllowed,
}

impl ParamsDependency {
    fn change(&self, project: &Project) -> Result<Option<Change>, PipelineError> {
        let content = project.read_params(&self.at, &self.request.path)?;
        let change = match status(&self.request, content.as_ref(), self.locked.as_ref())? {
            FileStatus::Unchanged => None,
            FileStatus::Deleted => Some(Change::Deleted),
            FileStatus::New => Some(Change::New),
            FileStatus::Keys(keys) => {
                let keys = keys.into_iter().map(|(key, change)| (key, change.word()));
                Some(Change::Params(keys.collect()))
            }
        };
        Ok(change)
    }
}

impl Output {
    /// What has happened to it.
    ///
    /// # Errors
    /// Those of reading.
    pub fn change(&self, project: &Project) -> Result<Option<Change>, PipelineError> {
        if let Some(locked) = self.locked.as_ref().filter(|_| self.is_cached)
            && !project.repository.cache_of(locked).has_all(&locked.md5)?
        {
            return Ok(Some(Change::NotInCache));
        }
        let found = project.hash_like(&self.at, self.locked.as_ref())?;
        let found = found.map(|hashed| hashed.info);
        Ok(compare(found.as_ref(), self.locked.as_ref()))
    }
}

fn compare(found: Option<&HashInfo>, locked: Option<&HashInfo>) -> Option<Change> {
    match (found, locked) {
        (None, _) => Some(Change::Deleted),
        (Some(found), Some(locked)) if found.same_contents(locked) => None,
        _ => Some(Change::Modified),
    }
}
