//! Outputs in the workspace: removed before a run, saved after it, restored from the cache.

use std::io;
use std::path::Path;

use super::model::{Output, Stage};
use crate::cache::{CacheError, place};
use crate::error::PipelineError;
use crate::gitignore;
use crate::hash::{Hashed, Tree, is_missing};
use crate::params;
use crate::project::Project;

impl Stage {
    /// Takes the outputs away that the command is to make; persistent ones become files of their own.
    ///
    /// # Errors
    /// Those of removing.
    pub fn remove_outs(&self, project: &Project) -> Result<(), PipelineError> {
        for out in &self.outs {
            if out.is_persistent {
                unprotect(project, &out.at)?;
            } else {
                remove(&out.at)?;
            }
        }
        Ok(())
    }

    /// Takes down what the dependencies are now.
    ///
    /// # Errors
    /// One is not there, unless that is allowed; parameters are missing.
    pub fn save_deps(
        &mut self,
        project: &Project,
        allow_missing: bool,
    ) -> Result<(), PipelineError> {
        for dep in &mut self.deps {
            match project.hash(&dep.at)? {
                Some(hashed) => dep.locked = Some(hashed.info),
                None if allow_missing => {}
                None => {
                    return Err(PipelineError::MissingDependency {
                        path: dep.at.display().to_string(),
                    });
                }
            }
        }
        for dependency in &mut self.params {
            let content = project.read_params(&dependency.at, &dependency.request.path)?;
            let Some(content) = content else {
                return Err(PipelineError::MissingDependency {
                    path: dependency.at.display().to_string(),
                });
            };
            dependency.locked = Some(params::select(&content, &dependency.request)?);
        }
        Ok(())
    }

    /// Takes down what the outputs are now, and lets Git ignore those that the cache keeps. Gives what was hashed.
    ///
    /// # Errors
    /// One is not there, unless that is allowed; one is tracked by Git.
    pub fn save_outs(
        &mut self,
        project: &Project,
        allow_missing: bool,
    ) -> Result<Vec<Option<Hashed>>, PipelineError> {
        let mut saved = Vec::new();
        for out in &mut self.outs {
            let Some(hashed) = project.hash(&out.at)? else {
                if allow_missing {
                    saved.push(None);
                    continue;
                }
                return Err(PipelineError::MissingOutput {
                    path: project.display(&out.at),
                });
            };
            let is_empty = match &hashed.tree {
                Some(tree) => tree.entries().is_empty(),
                None => hashed.info.size == Some(0),
            };
            if is_empty {
                project.warn(&format!("'{}' is empty.", project.display(&out.at)));
            }
            out.locked = Some(hashed.info.clone());
            saved.push(Some(hashed));
        }
        // Only when all are there: a stage that failed leaves `.gitignore` as it was.
        for out in self.outs.iter().filter(|out| out.is_cached) {
            if !out.at.starts_with(&project.repository.root) {
                return Err(PipelineError::OutsideOutput {
                    path: out.path.clone(),
                });
            }
            out.ignore(project)?;
        }
        Ok(saved)
    }

    /// Puts the outputs that the cache keeps into it.
    ///
    /// # Errors
    /// Those of copying.
    pub fn commit(&self, project: &Project, saved: &[Option<Hashed>]) -> Result<(), PipelineError> {
        for (out, hashed) in self.outs.iter().zip(saved) {
            if let Some(hashed) = hashed.as_ref().filter(|_| out.is_cached) {
                add_to_cache(project, &out.at, hashed)?;
                out.relink(project)?;
            }
        }
        Ok(())
    }
}

impl Output {
    fn ignore(&self, project: &Project) -> Result<(), PipelineError> {
        let Some(git) = &project.repository.git else {
            return Ok(());
        };
        if git.is_tracked(&self.at)? {
            return Err(PipelineError::TrackedByGit {
                path: project.display(&self.at),
            });
        }
        Ok(gitignore::ignore(git, &self.at)?)
    }

    /// Where outputs are links, what was committed becomes one.
    fn relink(&self, project: &Project) -> Result<(), PipelineError> {
        use crate::cache::LinkType::{Hardlink, Symlink};
        let first = project.repository.link_types.first();
        if !matches!(first, Some(Hardlink | Symlink)) {
            return Ok(());
        }
        remove(&self.at)?;
        self.checkout(project).map(drop)
    }

    /// Makes the workspace hold what the lock file says; gives whether anything changed.
    ///
    /// # Errors
    /// The cache does not have it; those of writing.
    pub fn checkout(&self, project: &Project) -> Result<bool, PipelineError> {
        let Some(locked) = &self.locked else {
            return Ok(false);
        };
        let present = project.hash(&self.at)?;
        if present
            .as_ref()
            .is_some_and(|hashed| hashed.info.same_contents(locked))
        {
            return Ok(false);
        }
        let cache = &project.repository.cache;
        if !cache.has(&locked.md5)? {
            return Err(CacheError::Missing {
                md5: locked.md5.clone(),
                folder: cache.folder().display().to_string(),
            }
            .into());
        }
        if !locked.is_folder() {
            remove(&self.at)?;
            place_file(project, &locked.md5, &self.at, locked.is_executable)?;
            return Ok(true);
        }
        let wanted = cache.tree(&locked.md5)?;
        let had = if let Some(tree) = present.and_then(|hashed| hashed.tree) {
            tree
        } else {
            remove(&self.at)?;
            Tree::default()
        };
        fs_err::create_dir_all(&self.at)?;
        for (path, _) in had
            .entries()
            .iter()
            .filter(|(path, _)| wanted.get(path).is_none())
        {
            fs_err::remove_file(self.at.join(path))?;
        }
        for (path, md5) in wanted.entries() {
            if had.get(path) == Some(md5.as_str()) {
                continue;
            }
            let at = self.at.join(path);
            remove(&at)?;
            place_file(project, md5, &at, false)?;
        }
        remove_empty_folders(&self.at, true)?;
        Ok(true)
    }
}

impl Output {
    /// Makes the workspace hold some files of a folder; gives whether anything changed.
    ///
    /// # Errors
    /// The folder has no such files, or the cache does not have them.
    pub fn checkout_inside(&self, project: &Project, path: &str) -> Result<bool, PipelineError> {
        let Some(locked) = self.locked.as_ref().filter(|locked| locked.is_folder()) else {
            return Ok(false);
        };
        let tree = project.repository.cache.tree(&locked.md5)?;
        let mut changed = false;
        let mut found = false;
        for (path, md5) in tree.below(path) {
            found = true;
            let at = self.at.join(path);
            if project
                .hash(&at)?
                .is_some_and(|hashed| hashed.info.md5 == *md5)
            {
                continue;
            }
            remove(&at)?;
            place_file(project, md5, &at, false)?;
            changed = true;
        }
        if found {
            Ok(changed)
        } else {
            Err(PipelineError::NoSuchTarget {
                target: format!("{}/{path}", self.path),
                closest: None,
            })
        }
    }
}

/// Puts a file, or the files of a folder and their list, into the cache.
///
/// # Errors
/// Those of copying.
pub fn add_to_cache(project: &Project, at: &Path, hashed: &Hashed) -> Result<(), PipelineError> {
    let cache = &project.repository.cache;
    let Some(tree) = &hashed.tree else {
        return Ok(cache.add_file(at, &hashed.info.md5)?);
    };
    for (path, md5) in tree.entries() {
        cache.add_file(&at.join(path), md5)?;
    }
    Ok(cache.add_tree(tree)?)
}

fn place_file(
    project: &Project,
    md5: &str,
    at: &Path,
    is_executable: bool,
) -> Result<(), PipelineError> {
    let cache = &project.repository.cache;
    if !cache.has(md5)? {
        return Err(CacheError::Missing {
            md5: md5.to_owned(),
            folder: cache.folder().display().to_string(),
        }
        .into());
    }
    if let Some(folder) = at.parent() {
        fs_err::create_dir_all(folder)?;
    }
    place(&cache.path(md5), at, &project.repository.link_types)?;
    if is_executable {
        make_executable(at)?;
    }
    Ok(())
}

fn make_executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut permissions = fs_err::metadata(path)?.permissions();
    let mode = permissions.mode();
    // Who may read may execute, as `chmod +x` has it.
    permissions.set_mode(mode | (mode & 0o444) >> 2);
    fs_err::set_permissions(path, permissions)
}

/// Removes whatever stands at a path, if anything does.
///
/// # Errors
/// Those of removing.
pub fn remove(path: &Path) -> io::Result<()> {
    let metadata = match fs_err::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if is_missing(&error) => return Ok(()),
        Err(error) => return Err(error),
    };
    if metadata.is_dir() {
        fs_err::remove_dir_all(path)
    } else {
        fs_err::remove_file(path)
    }
}

/// Replaces links into the cache, and read-only files, by copies that may be written.
///
/// # Errors
/// Those of copying.
pub fn unprotect(project: &Project, path: &Path) -> Result<(), PipelineError> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let metadata = match fs_err::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if is_missing(&error) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    if metadata.is_dir() {
        for file in project.repository.ignore.files_below(path)? {
            unprotect(project, &path.join(file))?;
        }
        return Ok(());
    }
    let is_link = metadata.is_symlink() || metadata.nlink() > 1;
    if !is_link && metadata.permissions().mode() & 0o200 != 0 {
        return Ok(());
    }
    let contents = fs_err::canonicalize(path)?;
    let copy = path.with_extension("strata-unprotected");
    place(&contents, &copy, &[crate::cache::LinkType::Copy])?;
    fs_err::rename(&copy, path)?;
    Ok(())
}

/// Folders that hold no file any more are no part of a tracked folder.
fn remove_empty_folders(folder: &Path, is_top: bool) -> io::Result<()> {
    let mut is_empty = true;
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_empty_folders(&entry.path(), false)?;
            is_empty &= !entry.path().exists();
        } else {
            is_empty = false;
        }
    }
    if is_empty && !is_top {
        fs_err::remove_dir(folder)?;
    }
    Ok(())
}
