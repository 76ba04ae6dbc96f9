//! The folder of a run: its name, its parts, the link to the latest.

use std::path::{Path, PathBuf};

use super::WandbError;

/// `wandb/offline-run-YYYYMMDD_HHMMSS-ID/`, or `wandb/run-…/` for a run that is sent, with `files/`, `logs/` and `tmp/`.
#[derive(Debug)]
pub(super) struct RunFolder {
    path: PathBuf,
    id: String,
}

impl RunFolder {
    /// Makes the folder in `directory`, whose `.wandb/` is taken if it is there, and links `latest-run` to it.
    ///
    /// The name has local time, as the folders of the real client.
    pub(super) fn create(
        directory: &Path,
        is_online: bool,
        id: &str,
        started: jiff::Timestamp,
    ) -> Result<Self, WandbError> {
        let hidden = directory.join(".wandb");
        let parent = if hidden.is_dir() {
            hidden
        } else {
            directory.join("wandb")
        };
        let time = started.to_zoned_datetime(jiff::tz::TimeZone::system());
        let kind = if is_online { "run" } else { "offline-run" };
        let name = format!("{kind}-{}-{id}", time.strftime("%Y%m%d_%H%M%S"));
        let path = parent.join(&name);
        let failed = |source| WandbError::Write {
            path: path.clone(),
            source,
        };
        fs_err::create_dir_all(&parent).map_err(failed)?;
        fs_err::create_dir(&path).map_err(failed)?;
        for part in ["files", "logs", "tmp"] {
            fs_err::create_dir(path.join(part)).map_err(failed)?;
        }
        link_latest(&parent, &name).map_err(failed)?;
        Ok(Self {
            path,
            id: id.to_owned(),
        })
    }

    /// The newest folder of a run in `directory`.
    pub(super) fn find(directory: &Path, id: &str) -> Option<Self> {
        let ending = format!("-{id}");
        let parents = [".wandb", "wandb"].map(|name| directory.join(name));
        let entries = parents
            .iter()
            .filter_map(|parent| fs_err::read_dir(parent).ok());
        let folders = entries.flatten().flatten().filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let time = name.strip_prefix("offline-").unwrap_or(&name);
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let is_run = time.starts_with("run-") && name.ends_with(&ending);
            (is_folder && is_run).then(|| (time.to_owned(), entry.path()))
        });
        let (_, path) = folders.max()?;
        let found = Self {
            path,
            id: id.to_owned(),
        };
        found.log().is_file().then_some(found)
    }

    /// Whether the run is sent while it goes on.
    pub(super) fn is_online(&self) -> bool {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().starts_with("run-")
    }

    /// The transaction log.
    pub(super) fn log(&self) -> PathBuf {
        self.path.join(format!("run-{}.wandb", self.id))
    }

    /// What is uploaded.
    pub(super) fn files(&self) -> PathBuf {
        self.path.join("files")
    }

    /// Writes a file that is kept until it is sent with an artifact; its path.
    pub(super) fn store_apart(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, WandbError> {
        let path = self.path.join("tmp").join(name);
        strata_fs::write_atomically(&path, bytes).map_err(|source| WandbError::Write {
            path: path.clone(),
            source,
        })?;
        Ok(path)
    }

    /// Writes a file of `files/` whole.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<(), WandbError> {
        let path = self.files().join(name);
        strata_fs::write_atomically(&path, text.as_bytes())
            .map_err(|source| WandbError::Write { path, source })
    }
}

/// The link is made beside and renamed, so that another run of the same moment does not find it missing.
#[cfg(unix)]
fn link_latest(parent: &Path, name: &str) -> std::io::Result<()> {
    let beside = parent.join(format!(".latest-run-{name}"));
    fs_err::os::unix::fs::symlink(name, &beside)?;
    fs_err::rename(&beside, parent.join("latest-run"))
}

/// Links need a privilege on Windows; the real client makes none there either.
#[cfg(not(unix))]
fn link_latest(_parent: &Path, _name: &str) -> std::io::Result<()> {
    Ok(())
}

/// The id of a run: eight characters of `[a-z0-9]` from the system's generator; runs started at once must not meet.
///
/// # Errors
/// If the system gives no random numbers.
pub fn random_id() -> Result<String, WandbError> {
    random_characters(8)
}

/// What an artifact is called before the server names it.
pub(super) fn random_client_id() -> Result<String, WandbError> {
    random_characters(128)
}

fn random_characters(count: usize) -> Result<String, WandbError> {
    const CHARACTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut id = String::new();
    while id.len() < count {
        let bytes: [u8; 16] = random_bytes()?;
        // 252 is the largest multiple of 36 in a byte: beyond it some characters would come more often.
        let drawn = bytes.iter().filter(|&&byte| byte < 252);
        id.extend(drawn.map(|&byte| char::from(CHARACTERS[usize::from(byte) % 36])));
    }
    id.truncate(count);
    Ok(id)
}

/// A random UUID (RFC 9562, version 4).
pub(super) fn random_uuid() -> Result<String, WandbError> {
    let mut bytes: [u8; 16] = random_bytes()?;
    bytes[6] = bytes[6] & 0x0F | 0x40;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    let hex = strata_fs::hex(&bytes);
    let (a, b, c, d, e) = (
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    );
    Ok(format!("{a}-{b}-{c}-{d}-{e}"))
}

fn random_bytes<const N: usize>() -> Result<[u8; N], WandbError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(WandbError::Random)?;
    Ok(bytes)
}

/// Whether `id` can be part of file names and addresses; the characters are those that wandb refuses.
pub(super) fn check_id(id: &str) -> Result<(), WandbError> {
    let is_bad = |c: char| c.is_whitespace() || c.is_control() || "/\\#?%:".contains(c);
    if id.is_empty() || id.len() > 128 || id.contains(is_bad) {
        return Err(WandbError::RunId(id.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_form_of_wandb() {
        let id = random_id().unwrap();
        assert!(
            id.len() == 8
                && id
                    .bytes()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        );
        let uuid = random_uuid().unwrap();
        assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"));
    }

    #[test]
    fn an_id_that_leaves_the_folder_is_refused() {
        assert!(check_id("..%2f").is_err() && check_id("../x").is_err() && check_id("").is_err());
        assert!(check_id("goldenb1").is_ok());
    }
}
