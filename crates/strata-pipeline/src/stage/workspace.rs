//! Outputs in the workspace: removed before a run, saved after it, restored from the cache.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::model::{Output, Stage};
use crate::cache::{Before, Cache, Wanted};
use crate::error::PipelineError;
use crate::gitignore;
use crate::hash::{Hashed, is_missing, metadata_of};
use crate::parallel::{self, side_by_side};
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
            match project.hash_for_entry(&dep.at, dep.locked.as_ref())? {
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

    /// Puts the outputs that the cache keeps into it, each read once: hashed on the way. [`Stage::save_outs`] and
    /// [`Stage::commit`] find them known. If one is not there, all is left to them.
    ///
    /// # Errors
    /// Those of reading and writing; an output that Git tracks is not taken.
    pub fn take_in_outs(&self, project: &Project) -> Result<(), PipelineError> {
        // A stage that failed to make one leaves the cache as it was.
        if self.outs.iter().any(|out| !out.at.exists()) {
            return Ok(());
        }
        let outs = self.outs.iter().filter(|out| out.is_cached);
        let outs: Vec<&Output> = outs
            .filter(|out| out.at.starts_with(&project.repository.root))
            .collect();
        refuse_tracked(project, &outs)?;
        for out in outs {
            let cache = &project.repository.cache;
            let before = match &out.locked {
                // What DVC 2 has hashed stays so if it has not changed.
                Some(locked) if locked.is_legacy => continue,
                Some(locked) if locked.is_folder() => Before {
                    tree: cache.tree(&locked.md5).ok(),
                    md5: None,
                },
                Some(locked) => Before {
                    md5: Some(locked.md5.clone()),
                    tree: None,
                },
                None => Before::default(),
            };
            project.take_in(&out.at, &before)?;
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
            let Some(hashed) = project.hash_for_entry(&out.at, out.locked.as_ref())? else {
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
        self.ignore_outs(project)?;
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
                out.relink(project, hashed)?;
            }
        }
        Ok(())
    }

    fn ignore_outs(&self, project: &Project) -> Result<(), PipelineError> {
        let outs: Vec<&Output> = self.outs.iter().filter(|out| out.is_cached).collect();
        let root = &project.repository.root;
        if let Some(out) = outs.iter().find(|out| !out.at.starts_with(root)) {
            return Err(PipelineError::OutsideOutput {
                path: out.path.clone(),
            });
        }
        refuse_tracked(project, &outs)?;
        if let Some(git) = &project.repository.git {
            let paths: Vec<&Path> = outs.iter().map(|out| out.at.as_path()).collect();
            let changed = gitignore::ignore(git, &paths)?;
            project.repository.stage_in_git(&changed)?;
        }
        Ok(())
    }
}

/// An output that Git tracks cannot be kept by the cache too.
fn refuse_tracked(project: &Project, outs: &[&Output]) -> Result<(), PipelineError> {
    let Some(git) = &project.repository.git else {
        return Ok(());
    };
    let paths: Vec<&Path> = outs.iter().map(|out| out.at.as_path()).collect();
    match git.first_tracked(&paths)? {
        None => Ok(()),
        Some(path) => Err(PipelineError::TrackedByGit {
            path: project.display(path),
        }),
    }
}

impl Output {
    /// Where outputs are links, what was committed becomes one.
    fn relink(&self, project: &Project, hashed: &Hashed) -> Result<(), PipelineError> {
        use crate::cache::LinkType::{Hardlink, Symlink};
        let first = project.repository.link_types.first();
        if !matches!(first, Some(Hardlink | Symlink)) {
            return Ok(());
        }
        let cache = project.repository.cache_of(&hashed.info);
        if let Some(tree) = &hashed.tree {
            // Folders may be links that lead out of the project: what lies there stays as it is.
            let mut known: HashMap<PathBuf, bool> = HashMap::new();
            let entries = tree.entries().iter().filter(|(path, _)| {
                let place = self.at.join(path);
                let folder = place.parent().unwrap_or(&self.at);
                *known
                    .entry(folder.to_owned())
                    .or_insert_with(|| project.repository.holds(folder))
            });
            return place_inside(project, cache, &self.at, &entries.collect::<Vec<_>>());
        }
        let info = &hashed.info;
        let wanted = cache.wanted(&info.md5, self.at.clone(), info.is_executable);
        Ok(project.repository.place(&[wanted])?)
    }

    /// Makes the workspace hold what the lock file says; gives whether anything changed.
    ///
    /// # Errors
    /// The cache does not have it; those of writing.
    pub fn checkout(&self, project: &Project) -> Result<bool, PipelineError> {
        let Some(locked) = &self.locked else {
            return Ok(false);
        };
        let present = project.hash_like(&self.at, Some(locked))?;
        if present
            .as_ref()
            .is_some_and(|hashed| hashed.info.same_contents(locked))
        {
            return Ok(false);
        }
        let cache = project.repository.cache_of(locked);
        if !locked.is_folder() {
            if !cache.has(&locked.md5)? {
                return Err(cache.missing(&locked.md5).into());
            }
            let wanted = cache.wanted(&locked.md5, self.at.clone(), locked.is_executable);
            project.repository.place(&[wanted])?;
            return Ok(true);
        }
        let wanted = cache.tree(&locked.md5)?;
        let had = if let Some(tree) = present.and_then(|hashed| hashed.tree) {
            tree
        } else {
            remove(&self.at)?;
            Arc::default()
        };
        fs_err::create_dir_all(&self.at)?;
        for (path, _) in had
            .entries()
            .iter()
            .filter(|(path, _)| wanted.get(path).is_none())
        {
            fs_err::remove_file(self.at.join(path))?;
        }
        let changed = wanted.entries().iter();
        let changed = changed.filter(|(path, md5)| had.get(path) != Some(md5.as_str()));
        place_inside(project, cache, &self.at, &changed.collect::<Vec<_>>())?;
        remove_empty_folders(&self.at, true)?;
        Ok(true)
    }
}

impl Output {
    /// Makes the workspace hold some files of a folder; gives whether anything changed.
    ///
    /// # Errors
    /// The folder has no such files, or the cache does not have them; without `force` contents that are nowhere else
    /// would be lost.
    pub fn checkout_inside(
        &self,
        project: &Project,
        path: &str,
        force: bool,
    ) -> Result<bool, PipelineError> {
        let Some(locked) = self.locked.as_ref().filter(|locked| locked.is_folder()) else {
            return Ok(false);
        };
        let cache = project.repository.cache_of(locked);
        let tree = cache.tree(&locked.md5)?;
        let inside: Vec<_> = tree.below(path).collect();
        if inside.is_empty() {
            return Err(PipelineError::NoSuchTarget {
                target: format!("{}/{path}", self.path),
                closest: None,
            });
        }
        let mut changed = Vec::new();
        for entry in inside {
            let (path, md5) = entry;
            let found = project.hash_like(&self.at.join(path), Some(locked))?;
            if found.is_none_or(|found| found.info.md5 != *md5) {
                changed.push(entry);
            }
        }
        let places: Vec<PathBuf> = changed.iter().map(|(path, _)| self.at.join(path)).collect();
        if !force {
            project.check_unsaved_at(places.iter().map(PathBuf::as_path), &self.at, locked)?;
        }
        for place in &places {
            make_way(place, &self.at)?;
        }
        place_inside(project, cache, &self.at, &changed)?;
        Ok(!changed.is_empty())
    }
}

/// Makes files of a folder from their objects; those that the cache has, even if it lacks others.
fn place_inside(
    project: &Project,
    cache: &Cache,
    folder: &Path,
    entries: &[&(String, String)],
) -> Result<(), PipelineError> {
    let is_there = side_by_side(entries, parallel::available(), |(_, md5)| cache.has(md5))?;
    let there = entries.iter().zip(&is_there).filter(|(_, there)| **there);
    let wanted = there.map(|((path, md5), _)| cache.wanted(md5, folder.join(path), false));
    let wanted: Vec<Wanted> = wanted.collect();
    project.repository.place(&wanted)?;
    match is_there.iter().position(|there| !there) {
        None => Ok(()),
        Some(missing) => Err(cache.missing(&entries[missing].1).into()),
    }
}

/// Puts a file, or the files of a folder and their list, into the cache.
///
/// # Errors
/// Those of copying.
pub fn add_to_cache(project: &Project, at: &Path, hashed: &Hashed) -> Result<(), PipelineError> {
    let cache = project.repository.cache_of(&hashed.info);
    let Some(tree) = &hashed.tree else {
        return Ok(cache.add_file(at, &hashed.info.md5)?);
    };
    side_by_side(tree.entries(), parallel::available(), |(path, md5)| {
        cache.add_file(&at.join(path), md5)
    })?;
    Ok(cache.add_tree(tree)?)
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

/// Removes a file that stands where a folder above `place` is to be, up to the folder `top`.
fn make_way(place: &Path, top: &Path) -> io::Result<()> {
    let above = place.ancestors().skip(1);
    for path in above.take_while(|path| path.starts_with(top)) {
        if path.is_dir() {
            return Ok(());
        }
        remove(path)?;
    }
    Ok(())
}

/// Replaces links into the cache, and read-only files, by copies that may be written.
///
/// # Errors
/// Those of copying.
pub fn unprotect(project: &Project, path: &Path) -> Result<(), PipelineError> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let files = match metadata_of(path)? {
        None => return Ok(()),
        Some(metadata) if metadata.is_dir() => {
            let files = project.repository.ignore.files_below(path)?;
            files.iter().map(|file| path.join(file)).collect()
        }
        Some(_) => vec![path.to_owned()],
    };
    let mut wanted = Vec::new();
    for at in files {
        let metadata = fs_err::symlink_metadata(&at)?;
        let is_link = metadata.is_symlink() || metadata.nlink() > 1;
        if is_link || metadata.permissions().mode() & 0o200 == 0 {
            wanted.push(Wanted {
                object: fs_err::canonicalize(&at)?,
                md5: None,
                at,
                is_executable: false,
            });
        }
    }
    Ok(project.repository.place_copies(&wanted)?)
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
