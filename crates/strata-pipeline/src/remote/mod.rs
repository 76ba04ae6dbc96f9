//! Where the objects of a cache are kept for others.
//!
//! * [`Remote`] is the contract; [`LocalRemote`] a folder, on this machine or a shared disk.
//! * [`transfer`] finds what the one side has and the other has not, and moves it.

mod local;
mod transfer;

pub use local::LocalRemote;
pub use transfer::{Cloud, Transferred};

use std::io;
use std::path::Path;

/// A store of objects by their keys, such as `files/md5/ab/cdef…`.
///
/// An object appears under its key whole or not at all; one that is there is never changed.
pub trait Remote {
    /// Whether there is such an object.
    ///
    /// # Errors
    /// The store cannot be reached.
    fn has(&self, key: &str) -> io::Result<bool>;

    /// Stores a file.
    ///
    /// # Errors
    /// The store cannot be reached or written, or the file cannot be read.
    fn upload(&self, file: &Path, key: &str) -> io::Result<()>;

    /// Writes an object to a file beside its final place, and gives it that name when it is complete.
    ///
    /// # Errors
    /// There is no such object; the store cannot be reached; the file cannot be written.
    fn download(&self, key: &str, to: &Path) -> io::Result<()>;

    /// All keys that begin with a prefix which is a folder.
    ///
    /// # Errors
    /// The store cannot be reached.
    fn keys(&self, prefix: &str) -> io::Result<Vec<String>>;
}
