//! `sweep.json`: all that is needed to go on with a sweep.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Serialize};
use strata_config::{ComposeRequest, ConfigSource};

use crate::error::SweepError;
use crate::sweep::is_held;

/// The file in a sweep's directory.
pub const SWEEP_FILE: &str = "sweep.json";

/// Where a sweep stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SweepState {
    /// Its process runs, or was killed.
    Running,
    /// All jobs ended.
    Finished,
    /// The user stopped it.
    Interrupted,
    /// A job failed, and the others did not go on.
    Failed,
}

/// What `sweep.json` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SweepRecord {
    /// What its trials are marked with in a storage that it shares with others.
    pub id: String,
    /// What its study is called unless `hydra.sweeper.study_name` says another name: the last two parts of its directory,
    /// `2026-01-31/14-05-09`, also where that was moved.
    pub name: String,
    /// Where it stands.
    pub state: SweepState,
    /// When it began; what `${now:…}` gives.
    pub started: Timestamp,
    /// Seconds by which the clocks were ahead of UTC then.
    pub utc_offset_s: i32,
    /// When it ended, or was interrupted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// The folder in which it was typed.
    pub cwd: PathBuf,
    /// The folder of the configuration tree; none for the one in the binary.
    pub config_path: Option<PathBuf>,
    /// Its primary configuration.
    pub config_name: String,
    /// Further folders of configurations.
    pub config_dirs: Vec<PathBuf>,
    /// The overrides as typed, those of the hydra node included.
    pub overrides: Vec<String>,
    /// The name of the job.
    pub job_name: String,
    /// The version of strata.
    pub version: String,
}

impl SweepRecord {
    /// The record of a sweep that begins with this request in a directory.
    pub(crate) fn begin(request: &ComposeRequest, directory: &Path) -> Self {
        let whole = |path: &PathBuf| request.cwd.join(path);
        Self {
            id: random_id(),
            name: name_of(directory),
            state: SweepState::Running,
            started: request.now.timestamp(),
            utc_offset_s: request.now.offset().seconds(),
            ended: None,
            cwd: request.cwd.clone(),
            config_path: match &request.source {
                ConfigSource::Directory(folder) => Some(whole(folder)),
                ConfigSource::Embedded { .. } => None,
            },
            config_name: request.config_name.clone(),
            config_dirs: request.config_dirs.iter().map(whole).collect(),
            overrides: request.overrides.clone(),
            job_name: request.job_name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// What to compose to go on; `embedded` is the tree in the binary.
    pub fn request(&self, embedded: ConfigSource) -> ComposeRequest {
        let source = self.config_path.clone();
        ComposeRequest {
            config_dirs: self.config_dirs.clone(),
            overrides: self.overrides.clone(),
            job_name: self.job_name.clone(),
            multirun: true,
            now: self.started.to_zoned_datetime(self.time_zone()),
            cwd: self.cwd.clone(),
            ..ComposeRequest::new(
                source.map_or(embedded, ConfigSource::Directory),
                &self.config_name,
            )
        }
    }

    fn time_zone(&self) -> TimeZone {
        let offset = Offset::from_seconds(self.utc_offset_s);
        offset.map_or(TimeZone::UTC, TimeZone::fixed)
    }

    /// Reads the record of the sweep in a directory; none if there is no sweep.
    ///
    /// # Errors
    /// The file cannot be read or understood.
    pub fn read(directory: &Path) -> Result<Option<Self>, SweepError> {
        let path = directory.join(SWEEP_FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(SweepError::Io { path, source }),
        };
        let record = serde_json::from_str(&text).map_err(|error| SweepError::Record {
            path,
            problem: error.to_string(),
        })?;
        Ok(Some(record))
    }

    pub(crate) fn write(&self, directory: &Path) -> Result<(), SweepError> {
        let path = directory.join(SWEEP_FILE);
        let text = serde_json::to_string_pretty(self).expect("plain data") + "\n";
        strata_fs::write_atomically(&path, text.as_bytes())
            .map_err(|source| SweepError::Io { path, source })
    }
}

/// Folders below this one are not searched.
const DEEPEST: usize = 5;

/// The newest sweep below a folder that was interrupted or killed, and when it began.
pub fn newest_interrupted_sweep(below: &Path) -> Option<(Timestamp, PathBuf)> {
    let mut found = Vec::new();
    collect(below, DEEPEST, &mut found);
    found.into_iter().max()
}

fn collect(folder: &Path, depth: usize, found: &mut Vec<(Timestamp, PathBuf)>) {
    match SweepRecord::read(folder) {
        Ok(None) => {}
        // What cannot be read cannot go on either.
        Err(_) => return,
        Ok(Some(record)) => {
            let is_open = matches!(record.state, SweepState::Interrupted | SweepState::Running);
            if is_open && !is_held(folder) {
                found.push((record.started, folder.to_owned()));
            }
            return;
        }
    }
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && depth > 0 {
            collect(&entry.path(), depth - 1, found);
        }
    }
}

/// The last two parts of a path.
fn name_of(directory: &Path) -> String {
    let parts: Vec<String> = directory
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    parts[parts.len().saturating_sub(2)..].join("/")
}

/// 64 random bits in hexadecimal digits.
fn random_id() -> String {
    // Without the system's randomness the time tells sweeps apart.
    let bits = getrandom::u64().unwrap_or_else(|_| Timestamp::now().as_nanosecond() as u64);
    format!("{bits:016x}")
}
