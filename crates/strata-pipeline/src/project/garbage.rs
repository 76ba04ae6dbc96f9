//! Objects of the cache that nothing needs.

use std::collections::HashSet;

use super::index::Project;
use crate::cache::CacheError;
use crate::error::PipelineError;
use crate::hash::is_missing;

/// Objects that lock files and `.dvc` files name.
#[derive(Debug, Default)]
pub struct Used {
    /// Their names.
    pub objects: HashSet<String>,
    /// Folders whose lists are not in the cache, so that nobody knows their files.
    pub unknown: Vec<String>,
}

impl Project {
    /// The objects that this project needs, and `others`: the same project at commits, and those that share the cache.
    ///
    /// # Errors
    /// Those of reading.
    pub fn used(&self, others: &[Self]) -> Result<Used, PipelineError> {
        let mut used = Used::default();
        for project in others.iter().chain([self]) {
            project.add_used(&mut used)?;
        }
        Ok(used)
    }

    /// The objects of the cache that are none of those, sorted.
    ///
    /// # Errors
    /// Those of reading.
    pub fn garbage(&self, used: &HashSet<String>) -> Result<Vec<String>, PipelineError> {
        let objects = self.repository.cache.folder().join("files/md5");
        let folders = match fs_err::read_dir(&objects) {
            Ok(folders) => folders,
            Err(error) if is_missing(&error) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut garbage = Vec::new();
        for folder in folders {
            let folder = folder?;
            let first = folder.file_name().to_string_lossy().into_owned();
            for object in fs_err::read_dir(folder.path())? {
                let md5 = first.clone() + &object?.file_name().to_string_lossy();
                if !used.contains(&md5) {
                    garbage.push(md5);
                }
            }
        }
        garbage.sort();
        Ok(garbage)
    }

    /// Removes objects from the cache.
    ///
    /// Kept runs stay: they are small, and useless without their objects rather than wrong.
    ///
    /// # Errors
    /// Those of removing.
    pub fn remove_objects(&self, objects: &[String]) -> Result<(), PipelineError> {
        for md5 in objects {
            fs_err::remove_file(self.repository.cache.path(md5))?;
        }
        Ok(())
    }

    fn add_used(&self, used: &mut Used) -> Result<(), PipelineError> {
        let outs = self.stages.iter().flat_map(|stage| &stage.outs);
        for out in outs.filter(|out| out.is_cached) {
            let Some(locked) = &out.locked else { continue };
            used.objects.insert(locked.md5.clone());
            if !locked.is_folder() {
                continue;
            }
            let cache = self.repository.cache_of(locked);
            let tree = if cache.has(&locked.md5)? {
                cache.tree(&locked.md5).map(Some)
            } else {
                Ok(None)
            };
            match tree {
                Ok(Some(tree)) => {
                    let files = tree.entries().iter().map(|(_, md5)| md5.clone());
                    used.objects.extend(files);
                }
                Ok(None) => used.unknown.push(self.display(&out.at)),
                Err(error @ CacheError::Damaged { .. }) => {
                    self.warn(&error.to_string());
                    used.unknown.push(self.display(&out.at));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
