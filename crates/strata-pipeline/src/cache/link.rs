//! From objects of the cache to files of the workspace.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use strata_fs::temporary_file_of_mode;

use super::scratch::Scratch;
use crate::hash::{Look, State, metadata_of};
use crate::parallel::side_by_side;
use crate::progress::{Activity, Begun, DataProgress};

/// How an object becomes a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkType {
    /// A copy that shares its blocks with the object, where the file system has such.
    Reflink,
    /// Another name of the object.
    Hardlink,
    /// A symbolic link to the object.
    Symlink,
    /// A copy.
    Copy,
}

impl LinkType {
    /// The types of `cache.type`, in order; unknown ones are left out.
    pub fn parse_list(text: &str) -> Vec<Self> {
        let kinds = text.split(',').filter_map(|kind| match kind.trim() {
            "reflink" => Some(Self::Reflink),
            "hardlink" => Some(Self::Hardlink),
            "symlink" => Some(Self::Symlink),
            "copy" => Some(Self::Copy),
            _ => None,
        });
        kinds.collect()
    }

    /// Whether the file is one of its own, that may be written.
    fn is_copy(self) -> bool {
        matches!(self, Self::Reflink | Self::Copy)
    }
}

/// A file to be made.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// Its contents.
    pub(crate) object: PathBuf,
    /// Their MD5 for the state; nothing if they are known by another hash, or by none.
    pub(crate) md5: Option<String>,
    /// Its place; what stands there is replaced.
    pub(crate) at: PathBuf,
    /// Whether it may be executed.
    pub(crate) is_executable: bool,
}

/// Files made in a row before any of them gets its place.
const BATCH: usize = 1 << 14;

/// Batches of less bytes are hashed again by the next command rather than waited for.
const WORTH_WAITING_BYTES: u64 = 8 << 20;
/// The same for the number of files.
const WORTH_WAITING_FILES: usize = 500;

/// The clock that files' times are taken from ticks at least this often.
const TICK: Duration = Duration::from_millis(20);

/// Makes files from objects, by the first type that works.
#[derive(Debug)]
pub(crate) struct Placing<'a> {
    pub(crate) types: &'a [LinkType],
    pub(crate) scratch: &'a Scratch,
    pub(crate) state: &'a State,
    pub(crate) threads: usize,
    pub(crate) progress: &'a dyn DataProgress,
}

/// A file that has been made and waits for its place.
struct Made {
    path: PathBuf,
    kind: LinkType,
    size: u64,
}

impl Placing<'_> {
    /// Makes all of them, several at a time. Folders above them are made; whoever interrupts the work finds whole files
    /// and missing ones, never parts.
    ///
    /// # Errors
    /// Those of the file system, of the first file in order; files before and after it may have their places.
    pub(crate) fn place(&self, wanted: &[Wanted]) -> io::Result<()> {
        let begun = Begun::new(
            self.progress,
            Activity::CheckingOut,
            wanted.len() as u64,
            None,
        );
        let mut last_folder = None;
        for folder in wanted.iter().filter_map(|wanted| wanted.at.parent()) {
            if last_folder != Some(folder) {
                fs_err::create_dir_all(folder)?;
                last_folder = Some(folder);
            }
        }
        let first_type = AtomicUsize::new(0);
        for batch in wanted.chunks(BATCH) {
            let made = side_by_side(batch, self.threads, |wanted| {
                let made = self.make(wanted, &first_type)?;
                begun.advance(1, made.size);
                Ok::<_, io::Error>(made)
            })?;
            let finished = Instant::now();
            let bytes: u64 = made.iter().map(|made| made.size).sum();
            let is_remembered = bytes >= WORTH_WAITING_BYTES || made.len() >= WORTH_WAITING_FILES;
            if is_remembered && made.iter().any(|made| made.kind.is_copy()) {
                // Then whoever writes to a file in its place gives it another modification time.
                thread::sleep(TICK.saturating_sub(finished.elapsed()));
            }
            let pairs: Vec<(&Wanted, &Made)> = batch.iter().zip(&made).collect();
            side_by_side(&pairs, self.threads, |(wanted, made)| {
                let is_remembered = is_remembered && made.kind.is_copy();
                let Some(md5) = wanted.md5.as_ref().filter(|_| is_remembered) else {
                    return put(made, wanted);
                };
                let before = Look::of(&fs_err::metadata(&made.path)?);
                put(made, wanted)?;
                self.remember(wanted, before, md5)
            })?;
        }
        Ok(())
    }

    /// Remembers a file that looks as it did before it was put in its place, in all but the time of the renaming.
    fn remember(&self, wanted: &Wanted, before: Look, md5: &str) -> io::Result<()> {
        if let Some(metadata) = metadata_of(&wanted.at)?
            && Look::of(&metadata).is_unmodified_since(before)
        {
            self.state.remember_placed(&wanted.at, &metadata, md5);
        }
        Ok(())
    }

    fn make(&self, wanted: &Wanted, first_type: &AtomicUsize) -> io::Result<Made> {
        let mut last = io::Error::other("`cache.type` names no type of link");
        let first = first_type.load(Ordering::Relaxed);
        for (index, kind) in self.types.iter().enumerate().skip(first) {
            match self.make_by(*kind, wanted) {
                Ok(made) => return Ok(made),
                // Where the type does not work for one, it does not for the others.
                Err(error) if index + 1 < self.types.len() => {
                    first_type.fetch_max(index + 1, Ordering::Relaxed);
                    last = error;
                }
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    fn make_by(&self, kind: LinkType, wanted: &Wanted) -> io::Result<Made> {
        let object = &wanted.object;
        let mode = if wanted.is_executable { 0o777 } else { 0o666 };
        let copied = || {
            let (path, mut file) = self.scratch.file(mode)?;
            let mut source = fs_err::File::open(object)?.into_parts().0;
            let size = io::copy(&mut source, &mut file)?;
            Ok(Made {
                path,
                kind: LinkType::Copy,
                size,
            })
        };
        match kind {
            LinkType::Copy => copied(),
            // Every empty file is the same object: as a link, one that is written to would change them all.
            LinkType::Hardlink if fs_err::metadata(object)?.len() == 0 => copied(),
            LinkType::Reflink => {
                // The permissions are those of a new file, which the umask has a say in.
                let (path, model) = self.scratch.file(mode)?;
                let permissions = model.metadata()?.permissions();
                fs_err::remove_file(&path)?;
                reflink_copy::reflink(object, &path)?;
                fs_err::set_permissions(&path, permissions)?;
                let size = fs_err::metadata(&path)?.len();
                Ok(Made { path, kind, size })
            }
            LinkType::Hardlink | LinkType::Symlink => {
                let path = self.scratch.path();
                if kind == LinkType::Hardlink {
                    fs_err::hard_link(object, &path)?;
                } else {
                    fs_err::os::unix::fs::symlink(object, &path)?;
                }
                if wanted.is_executable {
                    make_executable(&path)?;
                }
                Ok(Made {
                    path,
                    kind,
                    size: 0,
                })
            }
        }
    }
}

/// Gives a file its place.
fn put(made: &Made, wanted: &Wanted) -> io::Result<()> {
    let at = &wanted.at;
    let renamed = match std::fs::rename(&made.path, at) {
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
            fs_err::remove_dir_all(at)?;
            std::fs::rename(&made.path, at)
        }
        renamed => renamed,
    };
    match renamed {
        Ok(()) => Ok(()),
        // An output on another disk than the project: its file is completed beside its place.
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => move_across(&made.path, at),
        Err(_) => fs_err::rename(&made.path, at),
    }
}

fn move_across(from: &Path, to: &Path) -> io::Result<()> {
    let metadata = fs_err::symlink_metadata(from)?;
    if metadata.is_symlink() {
        if fs_err::symlink_metadata(to).is_ok() {
            fs_err::remove_file(to)?;
        }
        return fs_err::os::unix::fs::symlink(fs_err::read_link(from)?, to);
    }
    copy_to(from, to, metadata.permissions().mode())
}

/// Another file of the same contents and permissions where nothing stands, cloned where the file system can.
///
/// # Errors
/// Those of the file system.
pub(crate) fn duplicate(from: &Path, to: &Path) -> io::Result<()> {
    let permissions = fs_err::metadata(from)?.permissions();
    if reflink_copy::reflink(from, to).is_ok() {
        return fs_err::set_permissions(to, permissions);
    }
    copy_to(from, to, permissions.mode())
}

/// Copies a file so that it appears whole, its permissions `mode` without those of the umask.
fn copy_to(from: &Path, to: &Path, mode: u32) -> io::Result<()> {
    let file = temporary_file_of_mode(to.parent().unwrap_or(Path::new(".")), mode)?;
    let mut source = fs_err::File::open(from)?.into_parts().0;
    io::copy(&mut source, &mut file.as_file())?;
    file.persist(to).map_err(|error| error.error)?;
    Ok(())
}

fn make_executable(path: &Path) -> io::Result<()> {
    let mut permissions = fs_err::metadata(path)?.permissions();
    let mode = permissions.mode();
    // Who may read may execute, as `chmod +x` has it.
    permissions.set_mode(mode | (mode & 0o444) >> 2);
    fs_err::set_permissions(path, permissions)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::MetadataExt as _;

    use super::*;
    use crate::progress::Silent;

    #[test]
    fn each_type_gives_the_contents_and_replaces_what_stands_there() {
        let folder = tempfile::tempdir().unwrap();
        let object = folder.path().join("object");
        fs_err::write(&object, "x").unwrap();
        fs_err::set_permissions(&object, Permissions::from_mode(0o444)).unwrap();
        let scratch = Scratch::open_in(&folder.path().join("tmp")).unwrap();
        let state = State::open(folder.path().join("state"));
        let types = [LinkType::Hardlink, LinkType::Symlink, LinkType::Copy];
        for (index, kind) in types.iter().enumerate() {
            let at = folder.path().join("out").join(index.to_string());
            fs_err::create_dir_all(at.join("in the way")).unwrap();
            let wanted = Wanted {
                object: object.clone(),
                md5: None,
                at: at.clone(),
                is_executable: false,
            };
            let placing = Placing {
                types: &[LinkType::Reflink, *kind],
                scratch: &scratch,
                state: &state,
                threads: 2,
                progress: &Silent,
            };
            placing.place(&[wanted]).unwrap();
            assert_eq!(fs_err::read_to_string(&at).unwrap(), "x");
        }
        let copied = fs_err::metadata(folder.path().join("out/2")).unwrap();
        assert_eq!(copied.mode() & 0o200, 0o200);
        assert_eq!(fs_err::metadata(&object).unwrap().nlink(), 2);
    }

    #[test]
    fn a_file_that_was_written_to_in_its_place_is_not_remembered() {
        const MD5: &str = "0123456789abcdef0123456789abcdef";
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join("file");
        fs_err::write(&at, "placed").unwrap();
        let before = Look::of(&fs_err::metadata(&at).unwrap());
        let scratch = Scratch::open_in(&folder.path().join("tmp")).unwrap();
        let state = State::open(folder.path().join("state"));
        let placing = Placing {
            types: &[LinkType::Copy],
            scratch: &scratch,
            state: &state,
            threads: 1,
            progress: &Silent,
        };
        let wanted = Wanted {
            object: at.clone(),
            md5: None,
            at: at.clone(),
            is_executable: false,
        };
        placing.remember(&wanted, before, MD5).unwrap();
        let metadata = fs_err::metadata(&at).unwrap();
        assert_eq!(state.get(&at, &metadata).as_deref(), Some(MD5));

        let state = State::open(folder.path().join("another state"));
        let placing = Placing {
            state: &state,
            ..placing
        };
        fs_err::write(&at, "written meanwhile").unwrap();
        placing.remember(&wanted, before, MD5).unwrap();
        let metadata = fs_err::metadata(&at).unwrap();
        assert_eq!(state.get(&at, &metadata), None);
    }
}
