//! `wandb sync`: runs that lie in folders go to the server.

use std::path::{Path, PathBuf};

use super::run_upload::{Upload, UploadError};
use super::sync_state::{is_synced, unmark_synced};
use crate::wandb::server::{Client, Patience, RemoteRun};
use crate::wandb::transaction_log::{Damage, Records, TransactionLog, TransactionLogError};

/// What is to be done otherwise than the runs say.
#[derive(Clone, Debug, Default)]
pub struct SyncOptions {
    /// The team they go to.
    pub entity: Option<String>,
    /// The project they go to.
    pub project: Option<String>,
    /// The id that the run gets; for one run.
    pub id: Option<String>,
}

/// How a folder fared.
#[derive(Debug)]
pub struct SyncOutcome {
    /// Where the run is to be seen.
    pub address: String,
    /// What of it the server does not have; the rest it has.
    pub problems: Vec<String>,
    /// The run was killed while it wrote a record, which is lost; all before it is there.
    pub ends_within_a_record: bool,
}

/// Why a run is not on the server, or only in part; another try goes on where this one ended.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The log cannot be read at all.
    #[error(transparent)]
    Log(TransactionLogError),
    /// A process writes the log.
    #[error("`{}` is being written: it is sent by its own process, or once that has ended", .0.display())]
    Live(PathBuf),
    /// The server was away, refused, or a file could not be read.
    #[error("`{}`: {source}", log.display())]
    Upload {
        /// The run's log.
        log: PathBuf,
        /// What went wrong.
        source: UploadError,
    },
}

/// The transaction logs below some paths, in the order in which their runs began; runs that were sent already only on
/// request. A path is a log, a run's folder, a `wandb/` or a folder above.
pub fn find_runs(paths: &[PathBuf], include_synced: bool) -> Vec<PathBuf> {
    let mut logs = Vec::new();
    for path in paths {
        gather(path, 0, &mut logs);
    }
    logs.retain(|log| include_synced || !is_synced(log));
    // The folder's name holds the time: parts of one run are sent in their order.
    logs.sort_by_cached_key(|log| {
        let folder = log.parent().and_then(Path::file_name);
        let name = folder.map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        let time = name.find("run-").map(|at| name[at..].to_owned());
        (time.unwrap_or(name), log.clone())
    });
    logs.dedup();
    logs
}

/// Folders of runs lie not far below where one starts; results may be deep and many.
const DEEPEST: usize = 6;

fn gather(path: &Path, depth: usize, logs: &mut Vec<PathBuf>) {
    if path
        .extension()
        .is_some_and(|extension| extension == "wandb")
        && path.is_file()
    {
        logs.push(path.to_owned());
        return;
    }
    let Ok(entries) = fs_err::read_dir(path) else {
        return;
    };
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        // `latest-run` is a link to a folder that is found anyway.
        if is_folder && depth < DEEPEST && name != "files" {
            gather(&path, depth + 1, logs);
        } else if !is_folder && name.to_string_lossy().ends_with(".wandb") {
            logs.push(path);
        }
    }
}

/// Sends one run, from where an earlier try ended.
pub(in crate::wandb) fn send(
    client: &Client,
    patience: &Patience,
    log: &Path,
    options: &SyncOptions,
    app_url: &str,
) -> Result<SyncOutcome, SyncError> {
    if TransactionLog::is_held(log) {
        return Err(SyncError::Live(log.to_owned()));
    }
    let failed = |source: UploadError| SyncError::Upload {
        log: log.to_owned(),
        source,
    };
    let records = Records::open(log).map_err(SyncError::Log)?;
    let mut upload = Upload::new(client, patience, log, options.clone());
    let mut problems = Vec::new();
    let mut ends_within_a_record = false;
    for record in records {
        match record {
            Ok(record) => upload.take(&record).map_err(failed)?,
            Err(TransactionLogError::Damaged {
                damage: Damage::Truncated,
                ..
            }) => ends_within_a_record = true,
            // The records before are whole.
            Err(damage) => problems.push(damage.to_string()),
        }
    }
    upload.finish().map_err(failed)?;
    problems.extend(upload.take_problems().iter().map(ToString::to_string));
    if !problems.is_empty() {
        // A later try may find the file readable, the server in another mood.
        unmark_synced(log).map_err(|source| {
            failed(UploadError::Folder {
                path: log.to_owned(),
                source,
            })
        })?;
    }
    Ok(SyncOutcome {
        address: upload
            .remote()
            .map_or(String::new(), |remote| address(app_url, remote)),
        problems,
        ends_within_a_record,
    })
}

/// Where a run is to be seen.
pub(in crate::wandb) fn address(app_url: &str, run: &RemoteRun) -> String {
    format!("{app_url}/{}/{}/runs/{}", run.entity, run.project, run.id)
}
