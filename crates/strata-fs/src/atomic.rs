//! Files that appear whole or not at all.

use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

/// Writes `bytes` to `path` so that a reader sees the old file or the new one, never a part.
///
/// Parent folders are created. The bytes go to a temporary file beside `path`, are synced, and the
/// file is renamed over `path`; when any of that fails, what stood at `path` still stands. A file that is replaced
/// hands on its permissions.
///
/// # Errors
/// Those of the file system, with the path in the message.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_atomically_with(path, |file| file.write_all(bytes))
}

/// As [`write_atomically`], for contents made piece by piece: `fill` writes them.
///
/// # Errors
/// Those of the file system, with the path in the message, and whatever `fill` returns.
pub fn write_atomically_with(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs_err::create_dir_all(folder)?;
    let with_path = |error: io::Error| {
        io::Error::new(
            error.kind(),
            format!("cannot write `{}`: {error}", path.display()),
        )
    };
    let mut file = temporary_file_in(folder).map_err(with_path)?;
    if let Ok(replaced) = fs_err::metadata(path) {
        let kept = fs_err::set_permissions(file.path(), replaced.permissions());
        kept.map_err(with_path)?;
    }
    fill(file.as_file_mut()).map_err(with_path)?;
    file.as_file().sync_all().map_err(with_path)?;
    file.persist(path).map_err(|error| with_path(error.error))?;
    Ok(())
}

/// As [`write_atomically`], for secrets: only the owner may read the file, whatever stood there before. A link is
/// followed, so that the file it leads to is replaced.
///
/// # Errors
/// Those of the file system, with the path in the message.
pub fn write_privately(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = &fs_err::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs_err::create_dir_all(folder)?;
    let mut file = temporary_file_of_mode(folder, 0o600)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// A temporary file in a folder, to be renamed to its place when it is complete.
///
/// It has the permissions of an ordinary new file: `tempfile` makes them private by default, which a results folder shared
/// by a group must not be. Its name says which process made it, for [`remove_temporary_files`].
///
/// # Errors
/// Those of the file system.
pub fn temporary_file_in(folder: &Path) -> io::Result<NamedTempFile> {
    temporary_file_of_mode(folder, 0o666)
}

/// The same with other permissions, those of the umask taken off.
///
/// # Errors
/// Those of the file system.
pub fn temporary_file_of_mode(folder: &Path, mode: u32) -> io::Result<NamedTempFile> {
    let prefix = temporary_prefix(std::process::id());
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(TEMPORARY_SUFFIX);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = mode;
    builder.tempfile_in(folder)
}

/// Removes what a process that was killed has left half-written in a folder.
///
/// # Errors
/// Those of the file system, but not that there is no such folder.
pub fn remove_temporary_files(folder: &Path, pid: u32) -> io::Result<()> {
    let entries = match fs_err::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let prefix = temporary_prefix(pid);
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(&prefix) && name.ends_with(TEMPORARY_SUFFIX) {
            fs_err::remove_file(entry.path())?;
        }
    }
    Ok(())
}

const TEMPORARY_SUFFIX: &str = ".tmp";

fn temporary_prefix(pid: u32) -> String {
    format!(".strata-{pid}-")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn parents_are_created_and_the_old_file_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/c.txt");
        write_atomically(&path, b"one").unwrap();
        write_atomically(&path, b"two").unwrap();
        assert_eq!(fs_err::read(&path).unwrap(), b"two");
        assert_eq!(fs_err::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_litter() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept.txt");
        write_atomically(&path, b"old").unwrap();
        let error = write_atomically_with(&path, |file| {
            file.write_all(b"half")?;
            Err(io::Error::other("the disk is full"))
        })
        .unwrap_err();
        assert!(error.to_string().contains("kept.txt"), "{error}");
        assert_eq!(fs_err::read(&path).unwrap(), b"old");
        assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_private_file_stays_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        fs_err::write(&path, b"old").unwrap();
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        write_atomically(&path, b"new").unwrap();
        let mode = fs_err::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_a_killed_process_has_left_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let own = temporary_file_in(folder.path()).unwrap();
        let left = folder.path().join(".strata-4194399-abc.tmp");
        fs_err::write(&left, b"half").unwrap();
        remove_temporary_files(folder.path(), 4_194_399).unwrap();
        assert!(!left.exists());
        assert!(own.path().exists());
        remove_temporary_files(&folder.path().join("none"), 1).unwrap();
    }

    #[test]
    fn an_impossible_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        write_atomically(&file, b"").unwrap();
        let error = write_atomically(&file.join("below"), b"").unwrap_err();
        assert!(error.to_string().contains("file"), "{error}");
    }
}
