//! Files of the project with their contents, wherever these are: in the workspace, in the commit, or in the cache.

use std::path::Path;

use super::index::Project;
use crate::error::PipelineError;
use crate::hash::{HashInfo, relative_text};

impl Project {
    /// A file's bytes, from the workspace or the commit, else from the cache; nothing if neither has them.
    ///
    /// # Errors
    /// Those of reading.
    pub fn read_data(&self, path: &Path) -> Result<Option<Vec<u8>>, PipelineError> {
        if let Some(bytes) = self.source.read_bytes(path)? {
            return Ok(Some(bytes));
        }
        let cache = &self.repository.cache;
        for (at, locked) in self.locked_around(path) {
            let mut md5 = (at == path).then(|| locked.md5.clone());
            if locked.is_folder() && cache.has(&locked.md5)? {
                let tree = cache.tree(&locked.md5)?;
                let inside = relative_text(path, at);
                md5 = inside.and_then(|inside| tree.get(&inside).map(str::to_owned));
            }
            if let Some(md5) = md5
                && !locked_folder(&md5)
                && cache.has(&md5)?
            {
                return Ok(Some(fs_err::read(cache.path(&md5))?));
            }
        }
        Ok(None)
    }

    /// The files below a folder by their paths from it, sorted; nothing if the path is no folder.
    ///
    /// # Errors
    /// Those of reading.
    pub fn files_of_folder(&self, path: &Path) -> Result<Option<Vec<String>>, PipelineError> {
        let present = match self.source.files() {
            None if path.is_dir() => Some(self.repository.ignore.files_below(path)?),
            None => None,
            Some(files) => {
                let below = files.iter().filter_map(|file| relative_text(file, path));
                let mut below: Vec<String> = below.filter(|below| !below.is_empty()).collect();
                below.sort();
                Some(below).filter(|below| !below.is_empty())
            }
        };
        if present.is_some() {
            return Ok(present);
        }
        let cache = &self.repository.cache;
        for (at, locked) in self.locked_around(path) {
            if at == path && locked.is_folder() && cache.has(&locked.md5)? {
                let tree = cache.tree(&locked.md5)?;
                let files = tree.entries().iter().map(|(file, _)| file.clone());
                return Ok(Some(files.collect()));
            }
        }
        Ok(None)
    }

    /// The outputs that a path is or lies in, with what lock files say of them.
    fn locked_around<'a>(
        &'a self,
        path: &'a Path,
    ) -> impl Iterator<Item = (&'a Path, &'a HashInfo)> {
        let outs = self.stages.iter().flat_map(|stage| &stage.outs);
        let around = outs.filter(move |out| path.starts_with(&out.at));
        around.filter_map(|out| Some((out.at.as_path(), out.locked.as_ref()?)))
    }
}

/// A folder's list is not what its path holds.
fn locked_folder(md5: &str) -> bool {
    md5.strip_suffix(".dir").is_some()
}
