//! The workspace made to hold what lock files and `.dvc` files say.

use std::path::{Path, PathBuf};

use super::index::Project;
use super::targets::Extent;
use crate::cache::CacheError;
use crate::error::PipelineError;
use crate::hash::{HashInfo, Hashed};
use crate::stage::Output;
use crate::stage::workspace::remove;

/// What was done to outputs; paths as the user would write them.
#[derive(Debug, Clone, Default)]
pub struct CheckedOut {
    /// Were not there.
    pub added: Vec<String>,
    /// Were something else.
    pub modified: Vec<String>,
    /// Are not in the cache.
    pub failed: Vec<String>,
}

/// How much is checked out, and at what price.
#[derive(Debug, Clone, Copy, Default)]
pub struct CheckoutOptions {
    /// Files whose contents are nowhere else may be replaced.
    pub force: bool,
    /// Outputs that are right become links or copies of the cache's objects again.
    pub relink: bool,
    /// What is meant beside the targets.
    pub extent: Extent,
}

/// An output, or a file within it.
struct Wanted {
    out: Output,
    inside: Option<String>,
}

impl Project {
    /// Checks out targets (stages, `.dvc` files, outputs, files in outputs), or all outputs without any.
    ///
    /// # Errors
    /// A target that is none; files that would be lost, unless the options allow that.
    pub fn checkout(
        &self,
        targets: &[String],
        options: CheckoutOptions,
    ) -> Result<CheckedOut, PipelineError> {
        let mut done = CheckedOut::default();
        for wanted in self.wanted(targets, options.extent)? {
            let out = &wanted.out;
            let shown = match &wanted.inside {
                Some(inside) => format!("{}/{inside}", self.display(&out.at)),
                None => self.display(&out.at),
            };
            if !out.is_cached || out.locked.is_none() {
                continue;
            }
            let was_there = out.at.exists();
            let checked_out = self.checkout_one(&wanted, options);
            match checked_out {
                Ok(false) => {}
                Ok(true) if was_there => done.modified.push(shown),
                Ok(true) => done.added.push(shown),
                Err(PipelineError::Cache(CacheError::Missing { .. })) => done.failed.push(shown),
                Err(PipelineError::Cache(error @ CacheError::Damaged { .. })) => {
                    self.warn(&error.to_string());
                    done.failed.push(shown);
                }
                Err(error) => return Err(error),
            }
        }
        self.forget();
        self.repository.save_state();
        Ok(done)
    }

    fn checkout_one(
        &self,
        Wanted { out, inside }: &Wanted,
        options: CheckoutOptions,
    ) -> Result<bool, PipelineError> {
        if let Some(inside) = inside {
            return out.checkout_inside(self, inside, options.force);
        }
        if !options.force {
            self.check_unsaved(out)?;
        }
        if options.relink {
            self.relink(out)?;
        }
        out.checkout(self)
    }

    /// Links an output anew that is what the lock file says, if the cache has all of it.
    fn relink(&self, out: &Output) -> Result<(), PipelineError> {
        let (Some(locked), Some(present)) = (&out.locked, self.hash(&out.at)?) else {
            return Ok(());
        };
        if present.info.same_contents(locked) && self.repository.cache.has_all(&locked.md5)? {
            remove(&out.at)?;
            self.forget();
            out.checkout(self)?;
            self.forget();
        }
        Ok(())
    }

    fn wanted(&self, targets: &[String], extent: Extent) -> Result<Vec<Wanted>, PipelineError> {
        let whole = |out: &Output| Wanted {
            out: out.clone(),
            inside: None,
        };
        if targets.is_empty() {
            let outs = self.stages.iter().flat_map(|stage| &stage.outs);
            return Ok(outs.map(whole).collect());
        }
        let mut wanted = Vec::new();
        for target in targets {
            let path = self.path(target);
            if extent.with_deps || (extent.recursive && path.is_dir()) {
                for stage in self.select(std::slice::from_ref(target), extent)? {
                    wanted.extend(self.stages[stage].outs.iter().map(whole));
                }
                continue;
            }
            let outs = self.stages.iter().flat_map(|stage| &stage.outs);
            if let Some(out) = outs.clone().find(|out| path.starts_with(&out.at)) {
                let inside = path.strip_prefix(&out.at).ok().and_then(Path::to_str);
                wanted.push(Wanted {
                    out: out.clone(),
                    inside: inside
                        .filter(|inside| !inside.is_empty())
                        .map(str::to_owned),
                });
                continue;
            }
            for stage in self.stages_of_stage_or_output(target)? {
                wanted.extend(self.stages[stage].outs.iter().map(whole));
            }
        }
        Ok(wanted)
    }

    /// Files whose contents are nowhere else must not be lost.
    fn check_unsaved(&self, out: &Output) -> Result<(), PipelineError> {
        let Some(present) = self.hash_like(&out.at, out.locked.as_ref())? else {
            return Ok(());
        };
        if out
            .locked
            .as_ref()
            .is_some_and(|locked| locked.same_contents(&present.info))
        {
            return Ok(());
        }
        let files: Vec<(PathBuf, String)> = match &present.tree {
            None => vec![(out.at.clone(), present.info.md5.clone())],
            Some(tree) => {
                let entries = tree.entries().iter();
                entries
                    .map(|(path, md5)| (out.at.join(path), md5.clone()))
                    .collect()
            }
        };
        let cache = self.repository.cache_of(&present.info);
        let mut unsaved = Vec::new();
        for (path, md5) in files {
            if !cache.has(&md5)? {
                unsaved.push(path);
            }
        }
        for folder in self.folders_in_the_way(out, &present)? {
            unsaved.extend(self.unsaved_at(&folder, out.locked.as_ref())?);
        }
        self.refuse_unsaved(unsaved)
    }

    /// Folders that stand where an output has a file. They are removed with all that is in them, ignored or not.
    fn folders_in_the_way(
        &self,
        out: &Output,
        present: &Hashed,
    ) -> Result<Vec<PathBuf>, PipelineError> {
        let is_folder = |path: &Path| path.is_dir() && !path.is_symlink();
        let mut folders = match (&out.locked, &present.tree) {
            (Some(locked), Some(present)) if locked.is_folder() => {
                let tree = match self.repository.cache_of(locked).tree(&locked.md5) {
                    Ok(tree) => tree,
                    // Then nothing is replaced.
                    Err(CacheError::Missing { .. }) => return Ok(Vec::new()),
                    Err(error) => return Err(error.into()),
                };
                let new = tree.entries().iter().map(|(path, _)| path);
                let new = new.filter(|path| present.get(path).is_none());
                new.map(|path| out.at.join(path)).collect()
            }
            _ => vec![out.at.clone()],
        };
        folders.retain(|path| is_folder(path));
        Ok(folders)
    }

    /// The files at a path, or anywhere below it, whose contents the cache lacks.
    fn unsaved_at(
        &self,
        path: &Path,
        locked: Option<&HashInfo>,
    ) -> Result<Vec<PathBuf>, PipelineError> {
        let mut unsaved = Vec::new();
        let mut left = vec![path.to_owned()];
        while let Some(path) = left.pop() {
            if path.is_dir() && !path.is_symlink() {
                for entry in fs_err::read_dir(&path)? {
                    left.push(entry?.path());
                }
            } else if let Some(present) = self.hash_like(&path, locked)? {
                let cache = self.repository.cache_of(&present.info);
                if !cache.has_all(&present.info.md5)? {
                    unsaved.push(path);
                }
            }
        }
        Ok(unsaved)
    }

    /// The same for places that files are to have; what stands above them is in the way too.
    ///
    /// # Errors
    /// Some contents would be lost.
    pub(crate) fn check_unsaved_at<'p>(
        &self,
        places: impl Iterator<Item = &'p Path>,
        folder: &Path,
        locked: &HashInfo,
    ) -> Result<(), PipelineError> {
        let mut unsaved = Vec::new();
        for place in places {
            let above = place
                .ancestors()
                .take_while(|path| path.starts_with(folder));
            let in_the_way = above.skip(1).filter(|path| path.exists() && !path.is_dir());
            for path in in_the_way.chain([place]) {
                unsaved.extend(self.unsaved_at(path, Some(locked))?);
            }
        }
        self.refuse_unsaved(unsaved)
    }

    fn refuse_unsaved(&self, mut paths: Vec<PathBuf>) -> Result<(), PipelineError> {
        paths.sort();
        paths.dedup();
        if paths.is_empty() {
            return Ok(());
        }
        let shown: Vec<String> = paths.iter().map(|path| self.display(path)).collect();
        Err(PipelineError::Unsaved {
            paths: shown.join("\n"),
        })
    }
}
