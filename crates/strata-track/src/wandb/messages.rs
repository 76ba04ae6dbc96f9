//! The protobuf messages of a `.wandb` file that are written here, with the field numbers of wandb 0.31.0.
//!
//! A [`Record`] is one entry of the [transaction log](super::transaction_log). Fields that strata has
//! nothing to put into are left out; proto3 reads them as empty.

#![expect(clippy::struct_field_names, reason = "the names are wandb's own")]

use prost::{Message, Oneof};

#[derive(Clone, PartialEq, Message)]
pub(super) struct Record {
    /// 1, 2, 3, … within a file.
    #[prost(int64, tag = "1")]
    pub(super) num: i64,
    #[prost(
        oneof = "Content",
        tags = "2, 3, 5, 6, 7, 8, 10, 11, 12, 13, 17, 18, 21, 26"
    )]
    pub(super) content: Option<Content>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Content {
    #[prost(message, tag = "2")]
    History(History),
    #[prost(message, tag = "3")]
    Summary(Update),
    #[prost(message, tag = "5")]
    Config(Update),
    #[prost(message, tag = "6")]
    Files(Files),
    #[prost(message, tag = "7")]
    Stats(Stats),
    #[prost(message, tag = "8")]
    Artifact(Artifact),
    #[prost(message, tag = "10")]
    Alert(Alert),
    #[prost(message, tag = "11")]
    Telemetry(Telemetry),
    #[prost(message, tag = "12")]
    Metric(Metric),
    #[prost(message, tag = "13")]
    Output(Output),
    #[prost(message, tag = "17")]
    Run(Run),
    #[prost(message, tag = "18")]
    Exit(Exit),
    #[prost(message, tag = "21")]
    Header(Header),
    #[prost(message, tag = "26")]
    Environment(Environment),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct History {
    #[prost(message, repeated, tag = "1")]
    pub(super) item: Vec<Item>,
    #[prost(message, optional, tag = "2")]
    pub(super) step: Option<HistoryStep>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct HistoryStep {
    #[prost(int64, tag = "1")]
    pub(super) num: i64,
}

/// `HistoryItem`, `SummaryItem` and `ConfigItem`, which are alike.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Item {
    /// Empty where `nested_key` is not.
    #[prost(string, tag = "1")]
    pub(super) key: String,
    #[prost(string, repeated, tag = "2")]
    pub(super) nested_key: Vec<String>,
    #[prost(string, tag = "16")]
    pub(super) value_json: String,
}

/// `SummaryRecord` and `ConfigRecord`, which are alike.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Update {
    #[prost(message, repeated, tag = "1")]
    pub(super) update: Vec<Item>,
    /// Items without values.
    #[prost(message, repeated, tag = "2")]
    pub(super) remove: Vec<Item>,
}

impl Update {
    pub(super) fn of(update: Vec<Item>) -> Self {
        Self {
            update,
            remove: Vec::new(),
        }
    }
}

/// What the machine is doing.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Stats {
    #[prost(message, optional, tag = "2")]
    pub(super) timestamp: Option<Timestamp>,
    #[prost(message, repeated, tag = "3")]
    pub(super) item: Vec<StatsItem>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct StatsItem {
    #[prost(string, tag = "1")]
    pub(super) key: String,
    #[prost(string, tag = "16")]
    pub(super) value_json: String,
}

/// Files that are kept under a name and a version.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Artifact {
    #[prost(string, tag = "1")]
    pub(super) run_id: String,
    #[prost(string, tag = "2")]
    pub(super) project: String,
    #[prost(string, tag = "3")]
    pub(super) entity: String,
    #[prost(string, tag = "4")]
    pub(super) r#type: String,
    #[prost(string, tag = "5")]
    pub(super) name: String,
    /// Hexadecimal MD5 of the manifest.
    #[prost(string, tag = "6")]
    pub(super) digest: String,
    #[prost(string, tag = "7")]
    pub(super) description: String,
    /// JSON.
    #[prost(string, tag = "8")]
    pub(super) metadata: String,
    #[prost(bool, tag = "9")]
    pub(super) user_created: bool,
    #[prost(bool, tag = "10")]
    pub(super) use_after_commit: bool,
    #[prost(string, repeated, tag = "11")]
    pub(super) aliases: Vec<String>,
    #[prost(message, optional, tag = "12")]
    pub(super) manifest: Option<Manifest>,
    #[prost(bool, tag = "14")]
    pub(super) finalize: bool,
    #[prost(string, tag = "15")]
    pub(super) client_id: String,
    #[prost(string, tag = "16")]
    pub(super) sequence_client_id: String,
    #[prost(string, tag = "20")]
    pub(super) digest_algorithm: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Manifest {
    #[prost(int32, tag = "1")]
    pub(super) version: i32,
    #[prost(string, tag = "2")]
    pub(super) storage_policy: String,
    #[prost(message, repeated, tag = "3")]
    pub(super) storage_policy_config: Vec<StoragePolicyConfig>,
    #[prost(message, repeated, tag = "4")]
    pub(super) contents: Vec<ManifestEntry>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct StoragePolicyConfig {
    #[prost(string, tag = "1")]
    pub(super) key: String,
    #[prost(string, tag = "2")]
    pub(super) value_json: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ManifestEntry {
    /// The name within the artifact.
    #[prost(string, tag = "1")]
    pub(super) path: String,
    /// Base64 MD5.
    #[prost(string, tag = "2")]
    pub(super) digest: String,
    /// The address of a file that stays where it is.
    #[prost(string, tag = "3")]
    pub(super) r#ref: String,
    #[prost(int64, tag = "4")]
    pub(super) size: i64,
    /// Where the file is until it is sent.
    #[prost(string, tag = "6")]
    pub(super) local_path: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Files {
    #[prost(message, repeated, tag = "1")]
    pub(super) files: Vec<File>,
}

/// Its policy and type stay 0, as wandb leaves them for media: upload now, of no special type.
#[derive(Clone, PartialEq, Message)]
pub(super) struct File {
    /// Relative to `files/`.
    #[prost(string, tag = "1")]
    pub(super) path: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Alert {
    #[prost(string, tag = "1")]
    pub(super) title: String,
    #[prost(string, tag = "2")]
    pub(super) text: String,
    #[prost(string, tag = "3")]
    pub(super) level: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Telemetry {
    /// A message of truth values, of which only the numbers of the true ones are wanted.
    #[prost(bytes = "vec", tag = "3")]
    pub(super) feature: Vec<u8>,
    #[prost(string, tag = "4")]
    pub(super) python_version: String,
    #[prost(string, tag = "5")]
    pub(super) cli_version: String,
    #[prost(string, tag = "13")]
    pub(super) platform: String,
    #[prost(string, tag = "12")]
    pub(super) core_version: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Metric {
    /// Empty where `glob_name` is not.
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) glob_name: String,
    #[prost(string, tag = "4")]
    pub(super) step_metric: String,
    #[prost(message, optional, tag = "6")]
    pub(super) options: Option<MetricOptions>,
    #[prost(message, optional, tag = "7")]
    pub(super) summary: Option<MetricSummary>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct MetricOptions {
    #[prost(bool, tag = "1")]
    pub(super) step_sync: bool,
    #[prost(bool, tag = "2")]
    pub(super) hidden: bool,
    #[prost(bool, tag = "3")]
    pub(super) defined: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct MetricSummary {
    #[prost(bool, tag = "1")]
    pub(super) min: bool,
    #[prost(bool, tag = "2")]
    pub(super) max: bool,
    #[prost(bool, tag = "3")]
    pub(super) mean: bool,
    #[prost(bool, tag = "4")]
    pub(super) best: bool,
    #[prost(bool, tag = "5")]
    pub(super) last: bool,
    #[prost(bool, tag = "6")]
    pub(super) none: bool,
    #[prost(bool, tag = "7")]
    pub(super) copy: bool,
    #[prost(bool, tag = "8")]
    pub(super) first: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Output {
    /// 0 standard error, 1 standard output.
    #[prost(int32, tag = "1")]
    pub(super) output_type: i32,
    #[prost(message, optional, tag = "2")]
    pub(super) timestamp: Option<Timestamp>,
    #[prost(string, tag = "3")]
    pub(super) line: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Run {
    #[prost(string, tag = "1")]
    pub(super) run_id: String,
    #[prost(string, tag = "2")]
    pub(super) entity: String,
    #[prost(string, tag = "3")]
    pub(super) project: String,
    #[prost(message, optional, tag = "4")]
    pub(super) config: Option<Update>,
    #[prost(string, tag = "6")]
    pub(super) run_group: String,
    #[prost(string, tag = "7")]
    pub(super) job_type: String,
    #[prost(string, tag = "8")]
    pub(super) display_name: String,
    #[prost(string, tag = "9")]
    pub(super) notes: String,
    #[prost(string, repeated, tag = "10")]
    pub(super) tags: Vec<String>,
    #[prost(string, tag = "12")]
    pub(super) sweep_id: String,
    #[prost(string, tag = "13")]
    pub(super) host: String,
    #[prost(int64, tag = "14")]
    pub(super) starting_step: i64,
    #[prost(message, optional, tag = "17")]
    pub(super) start_time: Option<Timestamp>,
    #[prost(message, optional, tag = "21")]
    pub(super) git: Option<Git>,
    /// Offline resume, which 0.31 brought.
    #[prost(bool, tag = "24")]
    pub(super) resume: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Git {
    #[prost(string, tag = "1")]
    pub(super) remote_url: String,
    #[prost(string, tag = "2")]
    pub(super) commit: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Exit {
    #[prost(int32, tag = "1")]
    pub(super) exit_code: i32,
    /// Whole seconds.
    #[prost(int32, tag = "2")]
    pub(super) runtime: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Header {
    #[prost(message, optional, tag = "1")]
    pub(super) version_info: Option<Version>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Version {
    #[prost(string, tag = "1")]
    pub(super) producer: String,
    #[prost(string, tag = "2")]
    pub(super) min_consumer: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Environment {
    #[prost(string, tag = "1")]
    pub(super) os: String,
    #[prost(string, tag = "2")]
    pub(super) python: String,
    #[prost(message, optional, tag = "3")]
    pub(super) started_at: Option<Timestamp>,
    #[prost(string, repeated, tag = "5")]
    pub(super) args: Vec<String>,
    #[prost(string, tag = "6")]
    pub(super) program: String,
    #[prost(message, optional, tag = "9")]
    pub(super) git: Option<Git>,
    #[prost(string, tag = "11")]
    pub(super) root: String,
    #[prost(string, tag = "12")]
    pub(super) host: String,
    #[prost(string, tag = "14")]
    pub(super) executable: String,
    #[prost(uint32, tag = "17")]
    pub(super) cpu_count_logical: u32,
    /// Tells apart the processes that write to one run.
    #[prost(string, tag = "199")]
    pub(super) writer_id: String,
}

/// `google.protobuf.Timestamp`.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(super) struct Timestamp {
    #[prost(int64, tag = "1")]
    pub(super) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(super) nanos: i32,
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(time: jiff::Timestamp) -> Self {
        Self {
            seconds: time.as_second(),
            nanos: time.subsec_nanosecond(),
        }
    }
}
