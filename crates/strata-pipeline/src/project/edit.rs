//! Changes to the files with stages.

use std::path::Path;

use strata_fs::write_atomically;

use super::index::Project;
use super::lock_file;
use crate::error::PipelineError;
use crate::gitignore;
use crate::stage::Stage;
use crate::stage::changes::Missing;
use crate::stage::workspace::{remove, unprotect};
use crate::value::Value;
use crate::yaml::Document;

impl Project {
    /// Freezes stages, or lets them run again.
    ///
    /// # Errors
    /// A target that is none; a stage that a `foreach` or `matrix` generates.
    pub fn set_frozen(&self, target: &str, is_frozen: bool) -> Result<(), PipelineError> {
        for index in self.stages_of_target(target)? {
            let address = &self.stages[index].address;
            let generated = address
                .name
                .as_deref()
                .is_some_and(|name| name.contains('@'));
            if generated {
                let verb = if is_frozen { "freeze" } else { "unfreeze" };
                return Err(PipelineError::CannotEdit {
                    why: format!(
                        "cannot {verb} generated stage '{}'",
                        self.display_address(address)
                    ),
                });
            }
            self.edit(&address.file, |document| {
                let path: Vec<&str> = match &address.name {
                    Some(name) => vec!["stages", name, "frozen"],
                    None => vec!["frozen"],
                };
                if is_frozen {
                    document.set(&path, Value::Bool(true));
                } else {
                    document.remove(&path);
                }
            })?;
        }
        Ok(())
    }

    /// Removes stages from their files, and their outputs from `.gitignore`; the cache stays, and outputs do unless
    /// `with_outs` is set.
    ///
    /// # Errors
    /// A target that is none.
    pub fn remove_stages(&self, target: &str, with_outs: bool) -> Result<(), PipelineError> {
        for index in self.stages_of_target(target)? {
            let stage = &self.stages[index];
            if self.repository.git.is_some() {
                for out in stage.outs.iter().filter(|out| out.is_cached) {
                    gitignore::unignore(&out.at)?;
                }
            }
            for out in stage.outs.iter().filter(|_| with_outs) {
                remove(&out.at)?;
            }
            match &stage.address.name {
                None => fs_err::remove_file(&stage.address.file)?,
                Some(name) => {
                    let lock = stage.address.file.with_file_name(lock_file::NAME);
                    self.remove_entry(&stage.address.file, name)?;
                    if lock.exists() {
                        self.remove_entry(&lock, name)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Makes files of their own of outputs that are links into the cache.
    ///
    /// # Errors
    /// A path that is not there; those of copying.
    pub fn unprotect(&self, target: &str) -> Result<(), PipelineError> {
        let path = self.path(target);
        if !path.exists() {
            return Err(PipelineError::CannotEdit {
                why: format!("can't unprotect non-existing data '{target}'"),
            });
        }
        unprotect(self, &path)
    }

    /// A file that has no stage left is removed.
    fn remove_entry(&self, file: &Path, name: &str) -> Result<(), PipelineError> {
        let mut is_empty = false;
        self.edit(file, |document| {
            document.remove(&["stages", name]);
            let stages = document.get(&["stages"]).and_then(Value::as_map);
            is_empty = stages.is_none_or(indexmap::IndexMap::is_empty);
        })?;
        if is_empty {
            fs_err::remove_file(file)?;
        }
        Ok(())
    }

    /// Moves tracked data, with the `.dvc` file and the entry of `.gitignore`; into a folder where `to` is one.
    ///
    /// # Errors
    /// `from` is not tracked by a `.dvc` file of its own; there is something at `to` already.
    pub fn move_data(&mut self, from: &Path, to: &Path) -> Result<(), PipelineError> {
        let tracked =
            |stage: &Stage| stage.is_data() && stage.outs.iter().any(|out| out.at == from);
        let Some(index) = self.stages.iter().position(tracked) else {
            return Err(PipelineError::CannotEdit {
                why: format!(
                    "'{}' is not tracked by a .dvc file; only such data can be moved",
                    self.display(from)
                ),
            });
        };
        let to = match from.file_name() {
            Some(name) if to.is_dir() => to.join(name),
            _ => to.to_owned(),
        };
        if to.exists() {
            return Err(PipelineError::CannotEdit {
                why: format!("'{}' exists already", self.display(&to)),
            });
        }
        if let Some(folder) = to.parent() {
            fs_err::create_dir_all(folder)?;
        }
        let old = self.stages.remove(index);
        fs_err::rename(from, &to)?;
        if self.repository.git.is_some() {
            gitignore::unignore(from)?;
        }
        self.forget();
        self.add(&to)?;
        Ok(fs_err::remove_file(&old.address.file)?)
    }

    fn edit(&self, file: &Path, change: impl FnOnce(&mut Document)) -> Result<(), PipelineError> {
        let shown = self.display(file);
        let text = fs_err::read_to_string(file)?;
        let mut document =
            Document::parse(&shown, &text).map_err(|source| PipelineError::Syntax {
                file: shown,
                source,
            })?;
        change(&mut document);
        write_atomically(file, document.to_text().as_bytes())?;
        Ok(())
    }

    /// Takes down what is there as what a stage made: dependencies, outputs, and the cache.
    ///
    /// # Errors
    /// The command or the dependencies have changed and `force` is not set; something is missing.
    pub fn commit(&self, index: usize, force: bool) -> Result<(), PipelineError> {
        let mut stage: Stage = self.stages[index].clone();
        let name = self.display_address(&stage.address);
        if !force
            && stage.has_changed(self, Missing::Counts)?
            && is_changed_beyond_cache(self, &stage)?
        {
            return Err(PipelineError::NotCommitted { stage: name });
        }
        stage.save_deps(self, false)?;
        stage.take_in_outs(self)?;
        let saved = stage.save_outs(self, false)?;
        stage.commit(self, &saved)?;
        stage.locked_command = stage
            .command
            .as_ref()
            .map(crate::definition::Command::to_value);
        stage.keep_run(self)?;
        lock_file::write(self, &stage, &[], &mut |_| ()).map(drop)
    }
}

/// Whether more differs than that the cache lacks what is there.
fn is_changed_beyond_cache(project: &Project, stage: &Stage) -> Result<bool, PipelineError> {
    let changes = stage.changes(project)?;
    if changes.command || !changes.deps.is_empty() {
        return Ok(true);
    }
    for out in &stage.outs {
        let found = project.hash_like(&out.at, out.locked.as_ref())?;
        let found = found.map(|hashed| hashed.info);
        let same = match (&found, &out.locked) {
            (Some(found), Some(locked)) => found.same_contents(locked),
            _ => false,
        };
        if !same {
            return Ok(true);
        }
    }
    Ok(false)
}
