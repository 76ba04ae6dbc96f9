//! What a folder remembers of its upload: `run-ID.wandb.syncstate` and `run-ID.wandb.synced`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::UploadError;

/// Where the rows of a folder begin on the server. `starting_step` is wandb's own, the counts of lines are ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SyncState {
    /// What is added to every step.
    #[serde(default)]
    pub(super) starting_step: u64,
    /// Lines of `wandb-history.jsonl` before the first row of the folder.
    #[serde(default)]
    pub(super) history_lines: Option<u64>,
    #[serde(default)]
    pub(super) events_lines: Option<u64>,
    #[serde(default)]
    pub(super) log_lines: Option<u64>,
}

impl SyncState {
    /// What was remembered; a file that cannot be read as one counts as none.
    pub(super) fn read(log: &Path) -> Option<Self> {
        let text = fs_err::read_to_string(beside(log, ".syncstate")).ok()?;
        serde_json::from_str(&text).ok()
    }

    pub(super) fn write(&self, log: &Path) -> Result<(), UploadError> {
        let text = serde_json::to_string(self).expect("numbers are JSON");
        write(&beside(log, ".syncstate"), text.as_bytes())
    }
}

/// Whether the whole run was sent.
pub(super) fn is_synced(log: &Path) -> bool {
    beside(log, ".synced").exists()
}

/// The whole run was sent.
pub(super) fn mark_synced(log: &Path) -> Result<(), UploadError> {
    write(&beside(log, ".synced"), b"")
}

/// More has come, or is to come.
pub(in crate::wandb) fn unmark_synced(log: &Path) -> std::io::Result<()> {
    match fs_err::remove_file(beside(log, ".synced")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn beside(log: &Path, ending: &str) -> PathBuf {
    let mut path = log.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), UploadError> {
    strata_fs::write_atomically(path, bytes).map_err(|source| UploadError::Folder {
        path: path.to_owned(),
        source,
    })
}
