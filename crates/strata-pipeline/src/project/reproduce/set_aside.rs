//! Previous outputs, kept until the stage that makes them anew has succeeded.
//!
//! For each stage a folder in the reproduction's own holds what was moved out of the command's way, and a list that says
//! where it belongs. The list is written before anything is moved, so that a reproduction that is killed at any moment
//! leaves all that is needed to put things back. When the new outputs are known to be there, the folder gets another
//! name: from then on the old ones are not wanted any more.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use strata_fs::write_atomically;

use crate::cache::duplicate;
use crate::stage::Output;
use crate::stage::workspace::remove;

/// The list within a stage's folder.
const LIST: &str = "outputs.json";
/// The end of the name of a folder whose contents are not wanted any more.
const OUTDATED: &str = "outdated";

/// The outputs of one stage.
#[derive(Debug)]
pub(super) struct SetAside {
    folder: PathBuf,
    outputs: Vec<Kept>,
}

#[derive(Debug)]
struct Kept {
    /// Where it belongs.
    at: PathBuf,
    /// Where it is.
    kept: PathBuf,
}

impl SetAside {
    /// Moves what stands where `outs` are to be made into `folder`, which is made; of persistent outputs, which the
    /// command finds in their place, copies.
    ///
    /// # Errors
    /// Those of moving and copying; what has been moved is back then.
    pub(super) fn take(folder: PathBuf, outs: &[Output]) -> io::Result<Self> {
        fs_err::create_dir_all(&folder)?;
        let present = outs.iter().filter(|out| out.at.symlink_metadata().is_ok());
        let present: Vec<&Output> = present.collect();
        let outputs = present.iter().enumerate().map(|(index, out)| Kept {
            at: out.at.clone(),
            kept: place_for(&out.at, &folder, index),
        });
        let aside = Self {
            outputs: outputs.collect(),
            folder,
        };
        let list = aside.outputs.iter().map(|output| {
            json!({"at": output.at.to_string_lossy(), "kept": output.kept.to_string_lossy()})
        });
        let list = Value::Array(list.collect()).to_string();
        write_atomically(&aside.folder.join(LIST), list.as_bytes())?;
        for (out, output) in present.iter().zip(&aside.outputs) {
            let taken = if out.is_persistent {
                copy(&output.at, &output.kept)
            } else {
                fs_err::rename(&output.at, &output.kept)
            };
            if let Err(error) = taken {
                aside.put_back()?;
                return Err(error);
            }
        }
        Ok(aside)
    }

    /// What a reproduction that was killed has left in a stage's folder.
    ///
    /// # Errors
    /// Those of reading.
    pub(super) fn left_in(folder: PathBuf) -> io::Result<Self> {
        let text = match fs_err::read_to_string(folder.join(LIST)) {
            Ok(text) => text,
            // Without the list nothing was moved yet.
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let list: Value = serde_json::from_str(&text).unwrap_or_default();
        let outputs = list.as_array().into_iter().flatten().filter_map(|entry| {
            Some(Kept {
                at: entry["at"].as_str()?.into(),
                kept: entry["kept"].as_str()?.into(),
            })
        });
        Ok(Self {
            outputs: outputs.collect(),
            folder,
        })
    }

    /// Whether the new outputs were known to be there.
    pub(super) fn is_outdated(&self) -> bool {
        self.folder.extension().is_some_and(|end| end == OUTDATED)
    }

    /// Where outputs stood before.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.outputs.iter().map(|output| output.at.as_path())
    }

    /// The new outputs are there: these are not wanted any more, whatever happens from now on.
    ///
    /// # Errors
    /// That of renaming.
    pub(super) fn outdate(&mut self) -> io::Result<()> {
        let outdated = self.folder.with_extension(OUTDATED);
        fs_err::rename(&self.folder, &outdated)?;
        for output in &mut self.outputs {
            if let Ok(below) = output.kept.strip_prefix(&self.folder) {
                output.kept = outdated.join(below);
            }
        }
        self.folder = outdated;
        Ok(())
    }

    /// Puts everything back, in the place of whatever the command has left there.
    ///
    /// # Errors
    /// Those of removing and moving.
    pub(super) fn put_back(self) -> io::Result<()> {
        for output in &self.outputs {
            // What is not there was not moved yet, or is back already.
            if output.kept.symlink_metadata().is_err() {
                continue;
            }
            remove(&output.at)?;
            if let Some(folder) = output.at.parent() {
                fs_err::create_dir_all(folder)?;
            }
            fs_err::rename(&output.kept, &output.at)?;
        }
        fs_err::remove_dir_all(&self.folder)
    }

    /// Removes what is not wanted any more.
    ///
    /// # Errors
    /// Those of removing.
    pub(super) fn discard(self) -> io::Result<()> {
        for output in &self.outputs {
            remove(&output.kept)?;
        }
        fs_err::remove_dir_all(&self.folder)
    }
}

/// In the folder, or beside the output where a file cannot be moved there because it is on another file system.
fn place_for(at: &Path, folder: &Path, index: usize) -> PathBuf {
    use std::os::unix::fs::MetadataExt as _;
    let device = |path: &Path| path.symlink_metadata().map(|metadata| metadata.dev()).ok();
    if device(at) == device(folder) {
        return folder.join(index.to_string());
    }
    let name = at.file_name().unwrap_or_default().to_string_lossy();
    let pid = std::process::id();
    at.with_file_name(format!(".{name}.strata-{pid}-{index}"))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let kind = fs_err::symlink_metadata(from)?.file_type();
    if kind.is_symlink() {
        return fs_err::os::unix::fs::symlink(fs_err::read_link(from)?, to);
    }
    if !kind.is_dir() {
        return duplicate(from, to);
    }
    fs_err::create_dir(to)?;
    for entry in fs_err::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}
