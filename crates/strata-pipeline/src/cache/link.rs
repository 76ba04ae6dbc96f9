//! From an object of the cache to a file of the workspace.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use strata_fs::temporary_file_in;

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
}

/// Places an object at a path where nothing stands, by the first type that works.
///
/// # Errors
/// Those of the last type tried.
pub fn place(object: &Path, at: &Path, types: &[LinkType]) -> io::Result<()> {
    let mut last = io::Error::other("no link type is set");
    for kind in types {
        let placed = match kind {
            LinkType::Reflink => reflink(object, at),
            // Every empty file is the same object: as a link, one that is written to would change them all.
            LinkType::Hardlink if fs_err::metadata(object)?.len() == 0 => copy(object, at),
            LinkType::Hardlink => fs_err::hard_link(object, at),
            LinkType::Symlink => fs_err::os::unix::fs::symlink(object, at),
            LinkType::Copy => copy(object, at),
        };
        match placed {
            Ok(()) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn reflink(object: &Path, at: &Path) -> io::Result<()> {
    reflink_copy::reflink(object, at)?;
    make_writable(at)
}

/// A file appears whole: it is copied beside its place and renamed.
fn copy(object: &Path, at: &Path) -> io::Result<()> {
    let folder = at.parent().unwrap_or(Path::new("."));
    let file = temporary_file_in(folder)?;
    let mut source = fs_err::File::open(object)?;
    io::copy(&mut source, &mut file.as_file())?;
    file.persist(at).map_err(|error| error.error)?;
    Ok(())
}

/// A copy has the permissions of a new file, not those of the object.
fn make_writable(path: &Path) -> io::Result<()> {
    let umask = rustix::process::umask(rustix::fs::Mode::empty());
    rustix::process::umask(umask);
    let mode = 0o666 & !umask.bits();
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn each_type_gives_the_contents() {
        let folder = tempfile::tempdir().unwrap();
        let object = folder.path().join("object");
        fs_err::write(&object, "x").unwrap();
        fs_err::set_permissions(&object, std::fs::Permissions::from_mode(0o444)).unwrap();
        for (index, kind) in [LinkType::Hardlink, LinkType::Symlink, LinkType::Copy]
            .iter()
            .enumerate()
        {
            let at = folder.path().join(index.to_string());
            place(&object, &at, &[LinkType::Reflink, *kind]).unwrap();
            assert_eq!(fs_err::read_to_string(&at).unwrap(), "x");
        }
        let copied = fs_err::metadata(folder.path().join("2")).unwrap();
        assert_eq!(copied.mode() & 0o200, 0o200);
        assert_eq!(fs_err::metadata(&object).unwrap().nlink(), 2);
    }
}
