//! Where the objects of a cache are kept for others.
//!
//! * [`Remote`] is the contract; [`LocalRemote`] a folder, on this machine or a shared disk; [`S3Remote`] a bucket.
//! * [`RemoteOptions`] are the settings of a remote, [`open_remote`] makes a remote of them.
//! * [`Cloud`] finds what the one side has and the other has not, and moves it.
//! * A [`Watch`] sees an object move, and may end that.

mod error;
mod garbage;
mod local;
mod open;
mod options;
mod plan;
mod s3;
mod transfer;
mod watch;

pub use error::{RemoteError, code_of};
pub use garbage::RemoteGarbage;
pub use local::LocalRemote;
pub use open::open_remote;
pub use options::RemoteOptions;
pub use s3::{Environment, S3Remote, S3Settings};
pub use transfer::{Cloud, Transferred};
pub use watch::Watch;

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use crate::parallel::in_parallel;
use crate::progress::Stop;

/// A store of objects by their keys, such as `files/md5/ab/cdef…`; threads may share it.
///
/// An object appears under its key whole or not at all; one that is there is never changed. What a broken connection or
/// a server that is busy for a while lets fail is tried again, and an error is final.
pub trait Remote: Send + Sync {
    /// Where an object or, for a key that ends with `/`, a folder of objects is, as messages say it; no secrets.
    fn address(&self, key: &str) -> String;

    /// The size of an object in bytes, none where there is no such object.
    ///
    /// # Errors
    /// The store cannot be reached, or refuses.
    fn size(&self, key: &str, stop: &dyn Stop) -> Result<Option<u64>, RemoteError>;

    /// Stores a file; with `md5` only if that is the MD5 of its contents, and nothing else is ever found under the key.
    ///
    /// # Errors
    /// The store cannot be reached or written, the file cannot be read, or its contents are others.
    fn upload(
        &self,
        file: &Path,
        key: &str,
        md5: Option<&str>,
        watch: Watch<'_>,
    ) -> Result<(), RemoteError>;

    /// Writes the contents of an object in order, each byte once. What was written is to be thrown away after an error,
    /// and to be compared with the expected MD5 before it is used: a store is not trusted.
    ///
    /// # Errors
    /// There is no such object; the store cannot be reached, or sends too little; `into` cannot be written.
    fn download(
        &self,
        key: &str,
        into: &mut dyn Write,
        watch: Watch<'_>,
    ) -> Result<(), RemoteError>;

    /// All keys in a folder of objects and the folders in it, sorted.
    ///
    /// # Errors
    /// The store cannot be reached, or refuses.
    fn keys(&self, folder: &str, stop: &dyn Stop) -> Result<Vec<String>, RemoteError>;

    /// Removes an object, if it is there.
    ///
    /// # Errors
    /// The store cannot be reached, or refuses.
    fn remove(&self, key: &str, stop: &dyn Stop) -> Result<(), RemoteError>;

    /// Those of some keys that have objects, with the sizes in bytes.
    ///
    /// # Errors
    /// The store cannot be reached, or refuses.
    fn existing(
        &self,
        keys: &[String],
        jobs: usize,
        stop: &dyn Stop,
    ) -> Result<HashMap<String, u64>, RemoteError> {
        sizes_one_by_one(self, keys, jobs, stop)
    }
}

/// Asks for each key.
fn sizes_one_by_one<R: Remote + ?Sized>(
    remote: &R,
    keys: &[String],
    jobs: usize,
    stop: &dyn Stop,
) -> Result<HashMap<String, u64>, RemoteError> {
    let sizes = in_parallel(keys, jobs, |key| remote.size(key, stop));
    let mut existing = HashMap::new();
    for (key, size) in keys.iter().zip(sizes) {
        if let Some(size) = size? {
            existing.insert(key.clone(), size);
        }
    }
    Ok(existing)
}

/// The MD5 in the key of an object of the cache, with `.dir` for a folder's list.
fn md5_of_key(key: &str) -> Option<String> {
    let (first, rest) = key.strip_prefix("files/md5/")?.split_once('/')?;
    Some(format!("{first}{rest}"))
}

/// Whether a key is that of a kept run: `runs/kk/<key>/<value>`. Keys that a remote sends are names of files here.
fn is_key_of_run(key: &str) -> bool {
    let is_hex = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    match key.split('/').collect::<Vec<_>>()[..] {
        ["runs", first, key, value] => is_hex(first) && is_hex(key) && is_hex(value),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Cache;

    #[test]
    fn keys_and_md5s_are_told_from_each_other() {
        let md5 = "d751713988987e9331980363e24189ce.dir";
        let cache = Cache::new("cache".into());
        assert_eq!(md5_of_key(&cache.key(md5)).as_deref(), Some(md5));
        assert_eq!(md5_of_key(&cache.legacy().key(md5)), None);
        assert!(is_key_of_run("runs/ab/abcd/0123"));
        for key in [
            "runs/ab/../0123",
            "runs/ab/abcd",
            "files/md5/ab/cd",
            "runs/ab/abcd/x.tmp",
        ] {
            assert!(!is_key_of_run(key), "{key}");
        }
    }
}
