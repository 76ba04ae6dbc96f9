//! Previous outputs, kept until the stage that makes them anew has succeeded.
//!
//! For each stage a folder in the reproduction's own holds what was moved out of the command's way, and a list that says
//! where it belongs. The list is written before anything is moved, so that a reproduction that is killed at any moment
//! leaves all that is needed to put things back, be it in a project that has been moved since. When the new outputs are
//! known to be there, the folder gets another name: from then on the old ones are not wanted any more.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use strata_fs::{md5_of_file, write_atomically};

use crate::cache::duplicate;
use crate::error::PipelineError;
use crate::stage::Output;
use crate::stage::workspace::remove;

/// The list within a stage's folder.
const LIST: &str = "outputs.json";
/// The end of the name of a folder whose contents are not wanted any more.
const OUTDATED: &str = "outdated";
/// The end of the name of a copy that is not complete: its original is in its place.
const PARTIAL: &str = ".partial";

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
    place: Place,
}

/// Where an output is kept.
#[derive(Debug)]
enum Place {
    /// In the stage's folder, under this number.
    Within(u64),
    /// Under this name beside where it belongs, because a file cannot be moved to another file system.
    Beside(String),
}

impl SetAside {
    /// Moves what stands where `outs` are to be made into `folder`, which is made; of persistent outputs, which the
    /// command finds in their place, copies. `root` is that of the project.
    ///
    /// # Errors
    /// Those of moving and copying, and names that are not UTF-8; what has been moved is back then.
    pub(super) fn take(folder: PathBuf, root: &Path, outs: &[Output]) -> io::Result<Self> {
        fs_err::create_dir_all(&folder)?;
        let present = outs.iter().filter(|out| out.at.symlink_metadata().is_ok());
        let present: Vec<&Output> = present.collect();
        let outputs = (0..).zip(&present).map(|(number, out)| {
            Ok(Kept {
                at: out.at.clone(),
                place: Place::of(&out.at, &folder, number)?,
            })
        });
        let aside = Self {
            outputs: outputs.collect::<io::Result<_>>()?,
            folder,
        };
        let list = aside.outputs.iter().map(|output| output.to_json(root));
        let list = Value::Array(list.collect::<io::Result<_>>()?).to_string();
        write_atomically(&aside.folder.join(LIST), list.as_bytes())?;
        for (out, output) in present.iter().zip(&aside.outputs) {
            let kept = output.path(&aside.folder);
            let taken = if out.is_persistent {
                let partial = partial(&kept);
                copy(&output.at, &partial).and_then(|()| fs_err::rename(&partial, &kept))
            } else {
                fs_err::rename(&output.at, &kept)
            };
            if let Err(error) = taken {
                aside.put_back(&mut Vec::new())?;
                return Err(error);
            }
        }
        Ok(aside)
    }

    /// What a reproduction that was killed has left in a stage's folder.
    ///
    /// # Errors
    /// Those of reading; a list that is none.
    pub(super) fn left_in(folder: PathBuf, root: &Path) -> io::Result<Self> {
        let list = folder.join(LIST);
        let outputs = match fs_err::read_to_string(&list) {
            Ok(text) => Kept::listed(&text, root).ok_or_else(|| {
                let text = format!(
                    "'{}' should say where the outputs beside it belong, and cannot be read: \
                     move them to their places, and remove the folder",
                    list.display()
                );
                io::Error::new(io::ErrorKind::InvalidData, text)
            })?,
            // Without the list nothing was moved yet.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        Ok(Self { folder, outputs })
    }

    /// Whether the new outputs were known to be there.
    pub(super) fn is_outdated(&self) -> bool {
        self.folder.extension().is_some_and(|end| end == OUTDATED)
    }

    /// The new outputs are there: these are not wanted any more, whatever happens from now on.
    ///
    /// # Errors
    /// That of renaming.
    pub(super) fn outdate(&mut self) -> io::Result<()> {
        if self.is_outdated() {
            return Ok(());
        }
        let outdated = self.folder.with_extension(OUTDATED);
        fs_err::rename(&self.folder, &outdated)?;
        self.folder = outdated;
        Ok(())
    }

    /// Moves outputs to the folder `apart` in whose places stands what `is_newer` says is newer work. Gives the places,
    /// and where the old outputs are now. Equal ones are removed.
    ///
    /// # Errors
    /// Those of `is_newer`, of reading and moving.
    pub(super) fn set_apart(
        &self,
        apart: &Path,
        is_newer: impl Fn(&Path) -> Result<bool, PipelineError>,
    ) -> Result<Vec<(PathBuf, PathBuf)>, PipelineError> {
        let mut replaced = Vec::new();
        for output in &self.outputs {
            let kept = output.path(&self.folder);
            if !stands(&kept) || !stands(&output.at) || !is_newer(&output.at)? {
                continue;
            }
            if are_equal(&kept, &output.at)? {
                remove(&kept)?;
                continue;
            }
            fs_err::create_dir_all(apart)?;
            let name = output.at.file_name().unwrap_or_default();
            let place = (1..=u32::MAX)
                .map(|number| apart.join(with_end(name, &format!(".{number}"))))
                .find(|place| !stands(place))
                .expect("not all numbers are taken");
            match &output.place {
                Place::Within(_) => fs_err::rename(&kept, &place)?,
                Place::Beside(_) => {
                    copy(&kept, &place)?;
                    remove(&kept)?;
                }
            }
            replaced.push((output.at.clone(), place));
        }
        Ok(replaced)
    }

    /// Puts everything back, in the place of whatever the command has left there. `back` gets the paths that are.
    ///
    /// # Errors
    /// Those of removing and moving; the folder holds something that the list does not know.
    pub(super) fn put_back(&self, back: &mut Vec<PathBuf>) -> io::Result<()> {
        for output in &self.outputs {
            let kept = output.path(&self.folder);
            remove(&partial(&kept))?;
            // What is not there was not moved yet, or is back already.
            if !stands(&kept) {
                continue;
            }
            remove(&output.at)?;
            if let Some(folder) = output.at.parent() {
                fs_err::create_dir_all(folder)?;
            }
            fs_err::rename(&kept, &output.at)?;
            back.push(output.at.clone());
        }
        self.remove_folder()
    }

    /// Removes what is not wanted any more.
    ///
    /// # Errors
    /// Those of removing; the folder holds something that the list does not know.
    pub(super) fn discard(self) -> io::Result<()> {
        for output in &self.outputs {
            remove(&output.path(&self.folder))?;
        }
        self.remove_folder()
    }

    /// Outputs may be all that is left of someone's work: what is not known is not removed.
    fn remove_folder(&self) -> io::Result<()> {
        for entry in fs_err::read_dir(&self.folder)? {
            let name = entry?.file_name();
            let text = name.to_string_lossy();
            let is_half_written = text.starts_with(".strata-") && text.ends_with(".tmp");
            if name != LIST && !is_half_written {
                return Err(io::Error::other(format!(
                    "'{}' holds '{text}', of which its list does not say where it belongs: \
                     move it to its place, and remove the folder",
                    self.folder.display()
                )));
            }
        }
        fs_err::remove_dir_all(&self.folder)
    }
}

impl Kept {
    /// Where it is.
    fn path(&self, folder: &Path) -> PathBuf {
        match &self.place {
            Place::Within(number) => folder.join(number.to_string()),
            Place::Beside(name) => self.at.with_file_name(name),
        }
    }

    /// Paths in the project from its root, which may be somewhere else the next time.
    fn to_json(&self, root: &Path) -> io::Result<Value> {
        let at = utf8(self.at.strip_prefix(root).unwrap_or(&self.at).as_os_str())?;
        Ok(match &self.place {
            Place::Within(number) => json!({"at": at, "within": number}),
            Place::Beside(name) => json!({"at": at, "beside": name}),
        })
    }

    fn listed(text: &str, root: &Path) -> Option<Vec<Self>> {
        let list: Value = serde_json::from_str(text).ok()?;
        let outputs = list.as_array()?.iter().map(|entry| {
            let place = match (&entry["within"], &entry["beside"]) {
                (Value::Number(number), Value::Null) => Place::Within(number.as_u64()?),
                (Value::Null, Value::String(name)) => Place::Beside(name.clone()),
                _ => return None,
            };
            Some(Self {
                at: root.join(entry["at"].as_str()?),
                place,
            })
        });
        outputs.collect()
    }
}

impl Place {
    fn of(at: &Path, folder: &Path, number: u64) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let device = |path: &Path| path.symlink_metadata().map(|metadata| metadata.dev()).ok();
        if device(at) == device(folder) {
            return Ok(Self::Within(number));
        }
        let name = utf8(at.file_name().unwrap_or_default())?;
        let pid = std::process::id();
        Ok(Self::Beside(format!(".{name}.strata-{pid}-{number}")))
    }
}

fn utf8(text: &OsStr) -> io::Result<&str> {
    text.to_str().ok_or_else(|| {
        let text = format!("'{}' is not UTF-8: it cannot be set aside", text.display());
        io::Error::new(io::ErrorKind::InvalidInput, text)
    })
}

fn stands(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn partial(kept: &Path) -> PathBuf {
    kept.with_file_name(with_end(kept.file_name().unwrap_or_default(), PARTIAL))
}

fn with_end(name: &OsStr, end: &str) -> OsString {
    let mut name = name.to_owned();
    name.push(end);
    name
}

/// Whether two files, links or folders hold the same.
fn are_equal(a: &Path, b: &Path) -> io::Result<bool> {
    let (found, other) = (fs_err::symlink_metadata(a)?, fs_err::symlink_metadata(b)?);
    if found.file_type() != other.file_type() {
        return Ok(false);
    }
    if found.is_symlink() {
        return Ok(fs_err::read_link(a)? == fs_err::read_link(b)?);
    }
    if found.is_file() {
        return Ok(found.len() == other.len() && md5_of_file(a)? == md5_of_file(b)?);
    }
    let names = |folder: &Path| -> io::Result<Vec<OsString>> {
        let entries = fs_err::read_dir(folder)?;
        let mut names: Vec<_> = entries
            .map(|entry| Ok(entry?.file_name()))
            .collect::<io::Result<_>>()?;
        names.sort_unstable();
        Ok(names)
    };
    let inside = names(a)?;
    if inside != names(b)? {
        return Ok(false);
    }
    for name in inside {
        if !are_equal(&a.join(&name), &b.join(&name))? {
            return Ok(false);
        }
    }
    Ok(true)
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn left(list: &str) -> (tempfile::TempDir, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("kept");
        fs_err::create_dir(&folder).unwrap();
        fs_err::write(folder.join(LIST), list).unwrap();
        fs_err::write(folder.join("0"), "old").unwrap();
        (root, folder)
    }

    #[test]
    fn what_a_list_does_not_account_for_is_never_removed() {
        for list in [
            "",
            "[{\"at\": \"x\"}]",
            "[{\"at\": \"x\", \"kept\": \"/gone/0\"}]",
        ] {
            let (root, folder) = left(list);
            let error = SetAside::left_in(folder.clone(), root.path()).unwrap_err();
            assert!(error.to_string().contains(LIST), "{error}");
            assert!(folder.join("0").exists());
        }
        for list in ["[]", "[{\"at\": \"x\", \"within\": 1}]"] {
            let (root, folder) = left(list);
            let aside = SetAside::left_in(folder.clone(), root.path()).unwrap();
            let mut back = Vec::new();
            let error = aside.put_back(&mut back).unwrap_err();
            assert!(error.to_string().contains("holds '0'"), "{error}");
            assert!(aside.discard().is_err());
            assert_eq!(back, [] as [PathBuf; 0]);
            assert!(folder.join("0").exists());
        }
    }

    #[test]
    fn an_incomplete_copy_is_not_put_back() {
        let (root, folder) = left("[{\"at\": \"x\", \"within\": 0}]");
        fs_err::rename(folder.join("0"), folder.join("0.partial")).unwrap();
        fs_err::write(root.path().join("x"), "whole").unwrap();
        let aside = SetAside::left_in(folder.clone(), root.path()).unwrap();
        aside.put_back(&mut Vec::new()).unwrap();
        assert_eq!(fs_err::read(root.path().join("x")).unwrap(), b"whole");
        assert!(!folder.exists());
    }
}
