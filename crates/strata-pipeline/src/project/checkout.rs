//! The workspace made to hold what lock files and `.dvc` files say.

use std::path::{Path, PathBuf};

use super::index::Project;
use super::targets::Extent;
use crate::cache::CacheError;
use crate::error::PipelineError;
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
            let checked_out = if let Some(inside) = &wanted.inside {
                out.checkout_inside(self, inside)
            } else {
                if !options.force {
                    self.check_unsaved(out)?;
                }
                if options.relink {
                    self.relink(out)?;
                }
                out.checkout(self)
            };
            match checked_out {
                Ok(false) => {}
                Ok(true) if was_there => done.modified.push(shown),
                Ok(true) => done.added.push(shown),
                Err(PipelineError::Cache(CacheError::Missing { .. })) => done.failed.push(shown),
                Err(error) => return Err(error),
            }
        }
        self.forget();
        self.repository.save_state();
        Ok(done)
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
        let cache = self.repository.cache_of(&present.info);
        let files: Vec<(PathBuf, String)> = match &present.tree {
            None => vec![(out.at.clone(), present.info.md5.clone())],
            Some(tree) => {
                let entries = tree.entries().iter();
                entries
                    .map(|(path, md5)| (out.at.join(path), md5.clone()))
                    .collect()
            }
        };
        let mut unsaved = Vec::new();
        for (path, md5) in files {
            if !cache.has(&md5)? {
                unsaved.push(self.display(&path));
            }
        }
        if unsaved.is_empty() {
            return Ok(());
        }
        Err(PipelineError::Unsaved {
            paths: unsaved.join("\n"),
        })
    }
}
