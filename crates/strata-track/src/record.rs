//! `run.json`: what a run is and how it went.

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::GitState;

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// Going on, or killed without a chance to say so.
    Running,
    /// Done.
    Finished,
    /// Ended by an error.
    Failed,
    /// Stopped by the user.
    Interrupted,
}

/// The content of `run.json`. Keys that this version does not know are kept in `other` and written back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// How the run stands.
    pub state: RunState,
    /// When it began, written as RFC 3339 in UTC.
    pub started: Timestamp,
    /// When it ended, in whatever way.
    #[serde(default)]
    pub finished: Option<Timestamp>,
    /// The message of the error that ended it.
    #[serde(default)]
    pub error: Option<String>,
    /// The seed of all random streams.
    #[serde(default)]
    pub seed: Option<u64>,
    /// The commit of the working directory; absent outside a repository or without `git`.
    #[serde(default)]
    pub git: Option<GitState>,
    /// The version of the program.
    #[serde(default)]
    pub program_version: String,
    /// The checksum of the data.
    #[serde(default)]
    pub data_fingerprint: Option<String>,
    /// The machine's name.
    #[serde(default)]
    pub host: Option<String>,
    /// The command line, one argument each.
    #[serde(default)]
    pub command_line: Vec<String>,
    /// Where the configuration came from: a directory, or the tree in the program.
    #[serde(default)]
    pub config_source: Option<String>,
    /// Compute threads.
    #[serde(default)]
    pub threads: Option<u64>,
    /// The process.
    #[serde(default)]
    pub pid: Option<u32>,
    /// Tracker → the run's id there.
    #[serde(default)]
    pub tracker_ids: IndexMap<String, String>,
    /// Keys of later versions.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl RunRecord {
    /// A run of this process that begins now in the current directory; seed, data, configuration and threads are the caller's to fill in.
    pub fn begin(program_version: &str) -> Self {
        Self {
            state: RunState::Running,
            started: Timestamp::now(),
            finished: None,
            error: None,
            seed: None,
            git: std::env::current_dir()
                .ok()
                .and_then(|directory| GitState::of(&directory)),
            program_version: program_version.to_owned(),
            data_fingerprint: None,
            host: crate::host_name(),
            command_line: std::env::args_os()
                .map(|argument| argument.to_string_lossy().into_owned())
                .collect(),
            config_source: None,
            threads: None,
            pid: Some(std::process::id()),
            tracker_ids: IndexMap::new(),
            other: Map::new(),
        }
    }
}
