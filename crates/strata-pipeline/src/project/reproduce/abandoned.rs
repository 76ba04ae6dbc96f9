//! The folder in which a reproduction keeps what is its own while it runs, and what those that were killed have left.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use strata_fs::remove_temporary_files;

use super::interruption::{Interruption, marked};
use super::set_aside::SetAside;
use crate::error::PipelineError;
use crate::hash::is_missing;
use crate::lock::PathLocks;
use crate::project::Project;
use crate::stage::workspace::remove;

/// The file within that is locked as long as the reproduction lives: unlike the number of a process, a lock is nobody
/// else's, be it in another container.
const LIFE: &str = "alive";

/// A folder below `.dvc/tmp/repro`, removed in the end.
#[derive(Debug)]
pub(super) struct Workplace {
    folder: PathBuf,
    life: File,
}

impl Workplace {
    /// Makes the folder, and clears up behind reproductions that were killed. The project's lock must be held.
    ///
    /// # Errors
    /// Commands of a reproduction that was killed are still running; those of the file system.
    pub(super) fn open(
        project: &Project,
        marks: &PathLocks,
        interruption: &Interruption,
    ) -> Result<Self, PipelineError> {
        // Also behind one that was killed when its own folder was gone already.
        project.repository.cache.clear_up();
        let all = project.repository.temporary().join("repro");
        fs_err::create_dir_all(&all)?;
        for entry in fs_err::read_dir(&all)? {
            let folder = entry?.path();
            if !is_alive(&folder)? {
                clear_up(project, &folder)?;
                marks.forget_the_dead()?;
            }
        }
        let folder = all.join(interruption.mark());
        fs_err::create_dir_all(&folder)?;
        let life = fs_err::File::create(folder.join(LIFE))?.into_parts().0;
        life.lock()?;
        Ok(Self { folder, life })
    }

    /// A folder for a stage.
    pub(super) fn folder_for(&self, stage: usize) -> PathBuf {
        self.folder.join(stage.to_string())
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        // Outputs that could not be put back are still within: then the folder stays, and the next reproduction tries.
        let is_life = |entry: io::Result<fs_err::DirEntry>| {
            entry.is_ok_and(|entry| entry.file_name() == LIFE)
        };
        if fs_err::read_dir(&self.folder).is_ok_and(|mut entries| entries.all(is_life)) {
            let _ = fs_err::remove_dir_all(&self.folder);
        }
        let _ = self.life.unlock();
    }
}

fn is_alive(folder: &Path) -> io::Result<bool> {
    let life = match fs_err::File::open(folder.join(LIFE)) {
        Ok(life) => life.into_parts().0,
        Err(error) if is_missing(&error) => return Ok(false),
        Err(error) => return Err(error),
    };
    match life.try_lock() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Puts previous outputs back, and removes half-written files.
fn clear_up(project: &Project, folder: &Path) -> Result<(), PipelineError> {
    let mark = folder.file_name().unwrap_or_default().to_string_lossy();
    let running: Vec<String> = marked(&mark).iter().map(ToString::to_string).collect();
    if !running.is_empty() {
        return Err(PipelineError::StillRunning {
            processes: running.join(" "),
        });
    }
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            continue;
        }
        let root = &project.repository.root;
        let aside = SetAside::left_in(entry.path(), root)?;
        if aside.is_outdated() {
            aside.discard()?;
            continue;
        }
        let apart = project.repository.temporary().join("replaced");
        for (at, old) in aside.set_apart(&apart, |at| is_locked(project, at))? {
            project.warn(&format!(
                "a reproduction was killed, and '{}' is newer than that: it stays. What was there before is '{}' now.",
                project.display(&at),
                project.display(&old)
            ));
        }
        let mut back = Vec::new();
        let put_back = aside.put_back(&mut back);
        let paths = back
            .iter()
            .map(|path| format!("'{}'", project.display(path)));
        let paths: Vec<String> = paths.collect();
        if !paths.is_empty() {
            let text = format!(
                "a reproduction was killed: the previous {} are back.",
                paths.join(", ")
            );
            project.warn(&text);
        }
        put_back?;
    }
    if let Some(pid) = mark.split('-').next().and_then(|pid| pid.parse().ok()) {
        remove_half_written(project, pid)?;
    }
    remove(&folder.join(LIFE))?;
    // One with something unknown in it stays.
    let _ = fs_err::remove_dir(folder);
    Ok(())
}

/// Whether what stands at a path is what a lock file says: then a command that was killed has not made it, but the user
/// has since taken it from the cache, committed it, or made it with DVC.
fn is_locked(project: &Project, at: &Path) -> Result<bool, PipelineError> {
    let outs = project.stages.iter().flat_map(|stage| &stage.outs);
    for out in outs.filter(|out| out.at == at) {
        let Some(locked) = &out.locked else {
            continue;
        };
        let found = project.hash_like(at, Some(locked))?;
        if found.is_some_and(|found| found.info.same_contents(locked)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Files that were to be renamed, wherever a reproduction writes.
fn remove_half_written(project: &Project, pid: u32) -> io::Result<()> {
    let repository = &project.repository;
    remove_temporary_files(&repository.temporary(), pid)?;
    remove_below(&repository.cache.folder().join("runs"), pid)?;
    for stage in &project.stages {
        for path in stage
            .outs
            .iter()
            .map(|out| &out.at)
            .chain([&stage.address.file])
        {
            if let Some(folder) = path.parent() {
                remove_temporary_files(folder, pid)?;
            }
        }
        for out in &stage.outs {
            remove_below(&out.at, pid)?;
        }
    }
    Ok(())
}

fn remove_below(folder: &Path, pid: u32) -> io::Result<()> {
    if !folder.symlink_metadata().is_ok_and(|found| found.is_dir()) {
        return Ok(());
    }
    remove_temporary_files(folder, pid)?;
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_below(&entry.path(), pid)?;
        }
    }
    Ok(())
}
