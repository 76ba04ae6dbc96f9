//! Objects of the cache that nothing needs.

use std::collections::HashSet;

use super::index::Project;
use crate::cache::CacheError;
use crate::error::PipelineError;
use crate::hash::is_missing;

impl Project {
    /// The objects that [`Project::collect_garbage`] would remove, sorted.
    ///
    /// # Errors
    /// Those of reading.
    pub fn garbage(&self, others: &[Self]) -> Result<Vec<String>, PipelineError> {
        let mut used = self.used_objects()?;
        for other in others {
            used.extend(other.used_objects()?);
        }
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

    /// Removes all objects that neither this project's lock files and `.dvc` files nor those of `others`, the same
    /// project at commits, name; gives how many.
    ///
    /// Kept runs stay: they are small, and useless without their objects rather than wrong.
    ///
    /// # Errors
    /// Those of reading and removing.
    pub fn collect_garbage(&self, others: &[Self]) -> Result<usize, PipelineError> {
        let garbage = self.garbage(others)?;
        for md5 in &garbage {
            fs_err::remove_file(self.repository.cache.path(md5))?;
        }
        Ok(garbage.len())
    }

    fn used_objects(&self) -> Result<HashSet<String>, PipelineError> {
        let mut used = HashSet::new();
        let outs = self.stages.iter().flat_map(|stage| &stage.outs);
        let cached = outs.filter(|out| out.is_cached);
        for locked in cached.filter_map(|out| out.locked.as_ref()) {
            used.insert(locked.md5.clone());
            let cache = self.repository.cache_of(locked);
            if locked.is_folder() && cache.has(&locked.md5)? {
                match cache.tree(&locked.md5) {
                    Ok(tree) => used.extend(tree.entries().iter().map(|(_, md5)| md5.clone())),
                    // As in DVC: what only this list has named is garbage.
                    Err(error @ CacheError::Damaged { .. }) => self.warn(&error.to_string()),
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(used)
    }
}
