//! Files: atomic writes, locks, bounded archives, downloads that resume.

use std::io;
use std::path::{Path, PathBuf};

/// Stand-in: writes beside, then renames.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut beside = PathBuf::from(path);
    beside.as_mut_os_string().push(".partial");
    fs_err::write(&beside, bytes)?;
    fs_err::rename(beside, path)
}
