//! Which files have been hashed before: one flat file for each project.
//!
//! A file that looks as it did when it was hashed (size, modification and change times, inode) is taken to have the same
//! contents. DVC keeps its own state in another form; neither tool reads the other's.
//!
//! ```text
//! header       8 bytes   "strata2\n"
//! n            u64       number of records
//! records      n × 56    sorted by path: modified and changed (i64, ns), size, inode, MD5 (16 bytes),
//!                        end of the path within the paths (u64)
//! paths                  one after the other
//! sum          u64       of all bytes before it
//! ```
//!
//! Numbers are little-endian. The file is written beside its place and renamed, and not synced: one that a crash damaged
//! has another sum, and one that cannot be trusted is as good as none.

use std::collections::HashMap;
use std::fs::Metadata;
use std::hash::{DefaultHasher, Hasher as _};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use std::time::{SystemTime, UNIX_EPOCH};
use strata_fs::temporary_file_of_mode;

use strata_fs::hex;

const HEADER: &[u8; 8] = b"strata2\n";
const RECORD: usize = 56;

/// A file changed so recently that a later change might leave its times as they are. The clock of local file systems
/// ticks at least every 10 ms.
const TOO_RECENT_NS: i64 = 100_000_000;
/// The same where times are whole seconds, or every other one.
const TOO_RECENT_COARSE_NS: i64 = 2_100_000_000;

/// What a file looks like without being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    modified_ns: i64,
    changed_ns: i64,
    pub(crate) size: u64,
    inode: u64,
}

impl Look {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let ns = |seconds: i64, ns: i64| seconds.saturating_mul(1_000_000_000).saturating_add(ns);
        Self {
            modified_ns: ns(metadata.mtime(), metadata.mtime_nsec()),
            changed_ns: ns(metadata.ctime(), metadata.ctime_nsec()),
            size: metadata.size(),
            inode: metadata.ino(),
        }
    }

    /// Whether it is the same file with the same contents, though it may have another name or other permissions.
    pub(crate) fn is_unmodified_since(self, before: Self) -> bool {
        let changed_ns = before.changed_ns;
        Self { changed_ns, ..self } == before
    }

    /// Whether any change after `now` would show. The time of the last change, unlike that of the last modification, is
    /// the system's alone to set.
    fn is_settled(&self, now_ns: i64) -> bool {
        let is_coarse = self.changed_ns % 1_000_000_000 == 0;
        let needed = if is_coarse {
            TOO_RECENT_COARSE_NS
        } else {
            TOO_RECENT_NS
        };
        now_ns.saturating_sub(self.changed_ns) >= needed
    }
}

type Md5Bytes = [u8; 16];

/// The MD5s of files hashed before.
#[derive(Debug)]
pub struct State {
    path: PathBuf,
    /// Read when it is first asked for: not every command hashes.
    kept: OnceLock<Kept>,
    new: Mutex<HashMap<PathBuf, (Look, Md5Bytes)>>,
}

impl State {
    /// The state kept at `path`, or none yet.
    pub fn open(path: PathBuf) -> Self {
        Self {
            path,
            kept: OnceLock::new(),
            new: Mutex::default(),
        }
    }

    /// The MD5 of a file that looks as it did when it was hashed.
    pub fn get(&self, path: &Path, metadata: &Metadata) -> Option<String> {
        let look = Look::of(metadata);
        let new = self.new.lock().unwrap_or_else(PoisonError::into_inner);
        let new = (!new.is_empty()).then(|| new.get(path).copied()).flatten();
        let (known, md5) = new.or_else(|| self.kept().get(path))?;
        (known == look).then(|| hex(&md5))
    }

    /// Remembers the MD5 of a file that looked like this before and after it was read, unless it is too recent.
    pub(crate) fn remember(&self, path: &Path, look: Look, md5: &str) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |now| i64::try_from(now.as_nanos()).unwrap_or(i64::MAX));
        if look.is_settled(now) {
            self.insert(path, look, md5);
        }
    }

    /// Remembers the MD5 of a file that has just been put in its place, its contents written well before that: whoever
    /// has changed it since has given it another modification time.
    pub(crate) fn remember_placed(&self, path: &Path, metadata: &Metadata, md5: &str) {
        self.insert(path, Look::of(metadata), md5);
    }

    fn insert(&self, path: &Path, look: Look, md5: &str) {
        let Some(md5) = from_hex(md5) else { return };
        let mut new = self.new.lock().unwrap_or_else(PoisonError::into_inner);
        new.insert(path.to_owned(), (look, md5));
    }

    fn kept(&self) -> &Kept {
        self.kept.get_or_init(|| {
            let bytes = fs_err::read(&self.path).unwrap_or_default();
            Kept::of(bytes).unwrap_or_default()
        })
    }

    /// Writes the state, if there is anything new in it.
    ///
    /// # Errors
    /// Those of writing.
    pub fn save(&self) -> io::Result<()> {
        let mut new = self.new.lock().unwrap_or_else(PoisonError::into_inner);
        if new.is_empty() {
            return Ok(());
        }
        // What another process has written meanwhile is not lost.
        let kept = Kept::of(fs_err::read(&self.path).unwrap_or_default()).unwrap_or_default();
        let mut entries: Vec<(&[u8], Look, Md5Bytes)> = Vec::with_capacity(kept.n + new.len());
        let known = (0..kept.n).map(|index| kept.record(index));
        entries.extend(known.filter(|(path, ..)| !new.contains_key(as_path(path))));
        entries.extend(
            new.iter()
                .map(|(path, (look, md5))| (path.as_os_str().as_bytes(), *look, *md5)),
        );
        entries.sort_unstable_by_key(|(path, ..)| *path);
        let bytes = to_bytes(&entries);
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs_err::create_dir_all(folder)?;
        // The folder may be open to all, the names of a project's files are not.
        let mut file = temporary_file_of_mode(folder, 0o600)?;
        file.write_all(&bytes)?;
        file.persist(&self.path).map_err(|error| error.error)?;
        new.clear();
        Ok(())
    }
}

fn to_bytes(entries: &[(&[u8], Look, Md5Bytes)]) -> Vec<u8> {
    let paths: usize = entries.iter().map(|(path, ..)| path.len()).sum();
    let mut bytes = Vec::with_capacity(24 + entries.len() * RECORD + paths);
    bytes.extend_from_slice(HEADER);
    bytes.extend((entries.len() as u64).to_le_bytes());
    let mut end = 0_u64;
    for (path, look, md5) in entries {
        end += path.len() as u64;
        bytes.extend(look.modified_ns.to_le_bytes());
        bytes.extend(look.changed_ns.to_le_bytes());
        bytes.extend(look.size.to_le_bytes());
        bytes.extend(look.inode.to_le_bytes());
        bytes.extend(md5);
        bytes.extend(end.to_le_bytes());
    }
    for (path, ..) in entries {
        bytes.extend_from_slice(path);
    }
    bytes.extend(sum(&bytes).to_le_bytes());
    bytes
}

/// Notices damage. Another release of Rust may have another sum, and the state is made anew then.
fn sum(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

/// The file's bytes, checked.
#[derive(Debug, Default)]
struct Kept {
    bytes: Vec<u8>,
    n: usize,
}

impl Kept {
    /// None if the bytes are damaged or of another format.
    fn of(bytes: Vec<u8>) -> Option<Self> {
        let (checked, expected) = bytes.split_last_chunk::<8>()?;
        if !checked.starts_with(HEADER) || sum(checked) != u64::from_le_bytes(*expected) {
            return None;
        }
        let n = usize::try_from(number(&bytes, 8)?).ok()?;
        let kept = Self { bytes, n };
        let paths = kept.bytes.len().checked_sub(24 + n.checked_mul(RECORD)?)?;
        // The ends of the paths ascend and stay within the file: no record leads out of it.
        let mut before = 0;
        for index in 0..n {
            let end = kept.end(index);
            if end < before || end > paths {
                return None;
            }
            before = end;
        }
        Some(kept)
    }

    fn get(&self, path: &Path) -> Option<(Look, Md5Bytes)> {
        let path = path.as_os_str().as_bytes();
        let (mut low, mut high) = (0, self.n);
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.path(middle).cmp(path) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => {
                    let (_, look, md5) = self.record(middle);
                    return Some((look, md5));
                }
            }
        }
        None
    }

    fn record(&self, index: usize) -> (&[u8], Look, Md5Bytes) {
        let at = 16 + index * RECORD;
        let number = |offset: usize| number(&self.bytes, at + offset).unwrap_or_default();
        let look = Look {
            modified_ns: number(0).cast_signed(),
            changed_ns: number(8).cast_signed(),
            size: number(16),
            inode: number(24),
        };
        let mut md5 = Md5Bytes::default();
        md5.copy_from_slice(&self.bytes[at + 32..at + 48]);
        (self.path(index), look, md5)
    }

    fn end(&self, index: usize) -> usize {
        let end = number(&self.bytes, 16 + index * RECORD + 48).unwrap_or(u64::MAX);
        usize::try_from(end).unwrap_or(usize::MAX)
    }

    fn path(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.end(before));
        let paths = &self.bytes[16 + self.n * RECORD..];
        &paths[start..self.end(index)]
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..at + 8)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

fn as_path(bytes: &[u8]) -> &Path {
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}

fn from_hex(text: &str) -> Option<Md5Bytes> {
    let mut md5 = Md5Bytes::default();
    if text.len() != 32 {
        return None;
    }
    for (byte, digits) in md5.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digits = std::str::from_utf8(digits).ok()?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(md5)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MD5: &str = "0123456789abcdef0123456789abcdef";

    fn look(changed_ns: i64) -> Look {
        Look {
            modified_ns: 1,
            changed_ns,
            size: 2,
            inode: 3,
        }
    }

    #[test]
    fn a_file_is_known_until_it_looks_different() {
        let folder = tempfile::tempdir().unwrap();
        let (file, kept) = (folder.path().join("a\nb"), folder.path().join("state"));
        fs_err::write(&file, "x").unwrap();
        let metadata = fs_err::metadata(&file).unwrap();
        let state = State::open(kept.clone());
        state.remember(&file, Look::of(&metadata), MD5);
        assert_eq!(
            state.get(&file, &metadata),
            None,
            "too recent to be trusted"
        );
        state.remember_placed(&file, &metadata, MD5);
        state.save().unwrap();

        let state = State::open(kept);
        assert_eq!(state.get(&file, &metadata).as_deref(), Some(MD5));
        assert_eq!(state.get(&folder.path().join("a"), &metadata), None);
        fs_err::write(&file, "longer").unwrap();
        let changed = fs_err::metadata(&file).unwrap();
        assert_eq!(state.get(&file, &changed), None);
    }

    #[test]
    fn what_is_recent_for_its_clock_is_not_settled() {
        let (ms, s) = (1_000_000, 1_000_000_000);
        assert!(!look(5 * s + 1).is_settled(5 * s + 50 * ms));
        assert!(look(5 * s + 1).is_settled(5 * s + 200 * ms));
        assert!(!look(5 * s).is_settled(6 * s), "a clock of whole seconds");
        assert!(look(5 * s).is_settled(8 * s));
        assert!(!look(9 * s + 1).is_settled(5 * s), "in the future");
    }

    #[test]
    fn two_processes_do_not_lose_each_others_entries() {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("state");
        let (one, two) = (State::open(kept.clone()), State::open(kept.clone()));
        one.insert(Path::new("/one"), look(1), MD5);
        two.insert(Path::new("/two"), look(2), MD5);
        one.save().unwrap();
        two.save().unwrap();
        let state = State::open(kept);
        assert_eq!(state.kept().get(Path::new("/one")).unwrap().0, look(1));
        assert_eq!(state.kept().get(Path::new("/two")).unwrap().0, look(2));
    }

    proptest! {
        #[test]
        fn a_damaged_state_is_as_good_as_none(
            names in prop::collection::btree_set("[a-c/]{0,5}", 1..8),
            at in any::<prop::sample::Index>(),
            by in 1_u8..,
        ) {
            let md5 = from_hex(MD5).unwrap();
            let entries: Vec<_> = names.iter().map(|name| (name.as_bytes(), look(7), md5)).collect();
            let whole = to_bytes(&entries);
            let kept = Kept::of(whole.clone()).unwrap();
            for name in &names {
                prop_assert_eq!(kept.get(Path::new(name)), Some((look(7), md5)));
            }
            let mut damaged = whole.clone();
            damaged[at.index(whole.len())] ^= by;
            prop_assert!(Kept::of(damaged).is_none());
            prop_assert!(Kept::of(whole[..at.index(whole.len())].to_vec()).is_none());
        }
    }
}
