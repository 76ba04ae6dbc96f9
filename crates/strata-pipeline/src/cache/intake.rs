//! Files on their way into the cache: read once, hashed and copied at the same time.

use std::fs::Metadata;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

use super::objects::{Cache, OBJECT_MODE};
use crate::hash::{
    Algorithm, Digest, Hashed, Hasher, Look, PIECE, Tree, digest_pieces, fill, metadata_of,
    of_file, of_folder, steadily,
};
use crate::parallel::side_by_side;
use crate::progress::{Activity, Begun};

/// Files from this size on are hashed in one thread while another one writes what has been hashed.
const LARGE: u64 = 16 << 20;

/// Pieces that may wait to be written.
const WAITING: usize = 4;

/// What puts files into the cache that are not known yet.
#[derive(Debug)]
pub(crate) struct Intake<'a> {
    hasher: Hasher<'a>,
    cache: &'a Cache,
    /// Whether objects are to be further names of the files (`cache.type` begins with `hardlink`).
    links: bool,
    /// Whether the file system has copies that share their blocks, as far as is known.
    may_reflink: AtomicBool,
}

/// What an earlier version of the files was: what has not changed is not copied.
#[derive(Debug, Default)]
pub(crate) struct Before {
    pub(crate) md5: Option<String>,
    pub(crate) tree: Option<Tree>,
}

impl<'a> Intake<'a> {
    pub(crate) fn new(hasher: Hasher<'a>, cache: &'a Cache, links: bool) -> Self {
        Self {
            hasher,
            cache,
            links,
            may_reflink: AtomicBool::new(true),
        }
    }

    /// Puts what stands at a path into the cache, the list of a folder's files last. Nothing if nothing stands there.
    ///
    /// # Errors
    /// Those of reading and writing; a file that keeps changing.
    pub(crate) fn take(&self, path: &Path, before: &Before) -> io::Result<Option<Hashed>> {
        let Some(metadata) = metadata_of(path)? else {
            return Ok(None);
        };
        if metadata.is_dir() {
            return self.take_folder(path, before.tree.as_ref()).map(Some);
        }
        let begun = self.begin(1, Some(metadata.len()));
        let (md5, size) = self.take_file(path, &metadata, before.md5.as_deref(), &begun)?;
        Ok(Some(of_file(md5, size, &metadata, Algorithm::Md5)))
    }

    fn begin(&self, files: u64, bytes: Option<u64>) -> Begun<'a> {
        Begun::new(self.hasher.progress, Activity::Caching, files, bytes)
    }

    fn take_folder(&self, folder: &Path, before: Option<&Tree>) -> io::Result<Hashed> {
        let files = self.hasher.ignore.all_files_below(folder)?;
        let begun = self.begin(files.len() as u64, None);
        let taken = side_by_side(&files, self.hasher.threads, |file| {
            let path = folder.join(file);
            let metadata = fs_err::metadata(&path)?;
            let before = before.and_then(|tree| tree.get(file));
            self.take_file(&path, &metadata, before, &begun)
        })?;
        let hashed = of_folder(files, taken, Algorithm::Md5);
        if let Some(tree) = &hashed.tree {
            self.cache.add_tree(tree)?;
        }
        Ok(hashed)
    }

    /// Gives the hash and the size.
    fn take_file(
        &self,
        path: &Path,
        metadata: &Metadata,
        before: Option<&str>,
        begun: &Begun<'_>,
    ) -> io::Result<(String, u64)> {
        if let Some(md5) = self.hasher.state.get(path, metadata) {
            self.cache.add_file(path, &md5)?;
            begun.advance(1, metadata.len());
            return Ok((md5, metadata.len()));
        }
        let is_cached = match before {
            Some(md5) => self.cache.has(md5)?,
            None => false,
        };
        let (md5, look) = if metadata.len() <= PIECE as u64 {
            self.small(path)?
        } else if is_cached {
            // Most likely it is the same still.
            let tell = |bytes| begun.advance(0, bytes);
            let (md5, look) = crate::hash::digest_of(path, Algorithm::Md5, &tell)?;
            self.cache.add_file(path, &md5)?;
            (md5, look)
        } else {
            self.large(path, begun)?
        };
        let counted = if metadata.len() <= PIECE as u64 {
            look.size
        } else {
            0
        };
        begun.advance(1, counted);
        self.hasher.state.remember(path, look, &md5);
        Ok((md5, look.size))
    }

    /// A file that fits into the thread's buffer.
    fn small(&self, path: &Path) -> io::Result<(String, Look)> {
        if self.links
            && let Some(found) = self.linked(path, &|_| ())?
        {
            return Ok(found);
        }
        let read = steadily(path, |file, look| {
            let mut bytes = vec![0; usize::try_from(look.size).unwrap_or(usize::MAX)];
            let n = fill(file, &mut bytes, look.size)?;
            bytes.truncate(n);
            Ok(bytes)
        });
        let (bytes, look) = read?;
        let mut digest = Digest::new(Algorithm::Md5);
        digest.update(&bytes);
        let md5 = digest.hex();
        self.cache.add_bytes(&bytes, &md5)?;
        Ok((md5, look))
    }

    fn large(&self, path: &Path, begun: &Begun<'_>) -> io::Result<(String, Look)> {
        let tell = |bytes| begun.advance(0, bytes);
        if self.links
            && let Some(found) = self.linked(path, &tell)?
        {
            return Ok(found);
        }
        let ((copy, md5), look) = steadily(path, |file, look| {
            if let Some(copy) = self.reflinked(path)? {
                // The copy stays as it is, whatever happens to the file.
                let (md5, _) = crate::hash::digest_of(&copy, Algorithm::Md5, &tell)?;
                return Ok((copy, md5));
            }
            let (copy, mut target) = self.cache.scratch()?.file(OBJECT_MODE)?;
            let md5 = if look.size >= LARGE {
                copy_overlapped(file, target, look.size, &tell)?
            } else {
                digest_pieces(file, look.size, Algorithm::Md5, |piece| {
                    target.write_all(piece)?;
                    tell(piece.len() as u64);
                    Ok(())
                })?
            };
            Ok((copy, md5))
        })?;
        if self.cache.has(&md5)? {
            fs_err::remove_file(&copy)?;
        } else {
            self.cache.install(&copy, &md5)?;
        }
        Ok((md5, look))
    }

    /// A copy that shares the file's blocks, where there is such a thing.
    fn reflinked(&self, path: &Path) -> io::Result<Option<PathBuf>> {
        if !self.may_reflink.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let copy = self.cache.scratch()?.path();
        if reflink_copy::reflink(path, &copy).is_ok() {
            return Ok(Some(copy));
        }
        self.may_reflink.store(false, Ordering::Relaxed);
        Ok(None)
    }

    /// The file itself under another name, read-only from here on; nothing where the file system does not allow it.
    fn linked(&self, path: &Path, tell: &dyn Fn(u64)) -> io::Result<Option<(String, Look)>> {
        let metadata = fs_err::symlink_metadata(path)?;
        // Every empty file is the same object: as a link, one that is written to would change them all.
        if metadata.is_symlink() || metadata.len() == 0 {
            return Ok(None);
        }
        let link = self.cache.scratch()?.path();
        if std::fs::hard_link(path, &link).is_err() {
            return Ok(None);
        }
        let (md5, _) = crate::hash::digest_of(&link, Algorithm::Md5, tell)?;
        if self.cache.has(&md5)? {
            fs_err::remove_file(&link)?;
        } else {
            self.cache.install(&link, &md5)?;
        }
        Ok(Some((md5, Look::of(&fs_err::metadata(path)?))))
    }
}

/// Copies and hashes with a thread of its own that writes: hashing alone is what it takes then. Gives the hash.
fn copy_overlapped(
    source: &mut fs_err::File,
    mut target: std::fs::File,
    size: u64,
    tell: &dyn Fn(u64),
) -> io::Result<String> {
    let (to_writer, pieces) = mpsc::sync_channel::<(Vec<u8>, usize)>(WAITING);
    let (give_back, empty) = mpsc::channel::<Vec<u8>>();
    for _ in 0..WAITING {
        let _ = give_back.send(vec![0; PIECE]);
    }
    thread::scope(|scope| {
        let writer = scope.spawn(move || {
            for (piece, n) in pieces {
                target.write_all(&piece[..n])?;
                let _ = give_back.send(piece);
            }
            Ok(())
        });
        let mut digest = Digest::new(Algorithm::Md5);
        let mut left = size;
        let mut read = Ok(());
        // Without an empty piece the writer has failed, and says why below.
        while let (true, Ok(mut piece)) = (left > 0, empty.recv()) {
            match fill(source, &mut piece, left) {
                Ok(0) => break,
                Ok(n) => {
                    digest.update(&piece[..n]);
                    left -= n as u64;
                    tell(n as u64);
                    if to_writer.send((piece, n)).is_err() {
                        break;
                    }
                }
                Err(error) => {
                    read = Err(error);
                    break;
                }
            }
        }
        drop(to_writer);
        let written = writer
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("a thread failed")));
        read.and(written).map(|()| digest.hex())
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use strata_fs::md5_of_bytes;

    use super::*;
    use crate::hash::State;
    use crate::ignore::Ignore;
    use crate::progress::Silent;

    fn take(root: &Path, file: &str, links: bool, before: &Before) -> (Cache, Hashed) {
        let (state, ignore) = (State::open(root.join("state")), Ignore::open(root).unwrap());
        let cache = Cache::new(root.join("cache"));
        let hasher = Hasher {
            state: &state,
            ignore: &ignore,
            threads: 4,
            progress: &Silent,
        };
        let hashed = Intake::new(hasher, &cache, links)
            .take(&root.join(file), before)
            .unwrap()
            .unwrap();
        (cache, hashed)
    }

    #[test]
    fn files_of_any_size_arrive_whole() {
        for size in [
            0,
            1,
            PIECE - 1,
            PIECE,
            PIECE + 1,
            (LARGE as usize) + 3 * PIECE + 7,
        ] {
            let folder = tempfile::tempdir().unwrap();
            let bytes: Vec<u8> = (0..size).map(|index| (index % 251) as u8).collect();
            fs_err::write(folder.path().join("file"), &bytes).unwrap();
            let (cache, hashed) = take(folder.path(), "file", false, &Before::default());
            assert_eq!(hashed.info.md5, md5_of_bytes(&bytes), "{size}");
            assert_eq!(hashed.info.size, Some(size as u64));
            assert_eq!(fs_err::read(cache.path(&hashed.info.md5)).unwrap(), bytes);
            assert!(cache.has(&hashed.info.md5).unwrap());
        }
    }

    #[test]
    fn what_is_in_the_cache_already_is_not_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = vec![7; 2 * PIECE];
        fs_err::write(folder.path().join("file"), &bytes).unwrap();
        let (cache, first) = take(folder.path(), "file", false, &Before::default());
        let object = fs_err::metadata(cache.path(&first.info.md5)).unwrap().ino();
        for before in [Some(first.info.md5.clone()), None] {
            let before = Before {
                md5: before,
                tree: None,
            };
            let (cache, _) = take(folder.path(), "file", false, &before);
            let now = fs_err::metadata(cache.path(&first.info.md5)).unwrap().ino();
            assert_eq!(now, object);
        }
    }

    #[test]
    fn a_folder_with_links_inside_is_taken_with_what_they_point_to() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        fs_err::create_dir_all(data.join("deep")).unwrap();
        fs_err::write(folder.path().join("elsewhere"), "e").unwrap();
        fs_err::write(data.join("deep/a"), "a").unwrap();
        fs_err::os::unix::fs::symlink("../elsewhere", data.join("link")).unwrap();
        fs_err::os::unix::fs::symlink("..", data.join("deep/up")).unwrap();
        let (cache, hashed) = take(folder.path(), "data", false, &Before::default());
        let tree = hashed.tree.unwrap();
        let names: Vec<&str> = tree
            .entries()
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["deep/a", "link"]);
        assert_eq!(tree.get("link"), Some(md5_of_bytes(b"e").as_str()));
        assert!(cache.has_all(&hashed.info.md5).unwrap());
    }

    #[test]
    fn with_hard_links_the_object_is_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs_err::write(&file, "x").unwrap();
        let (cache, hashed) = take(folder.path(), "file", true, &Before::default());
        let object = fs_err::metadata(cache.path(&hashed.info.md5)).unwrap();
        assert_eq!(object.ino(), fs_err::metadata(&file).unwrap().ino());
    }
}
