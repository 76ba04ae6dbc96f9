//! The messages of event files, as far as they are written: names and numbers are those of TensorBoard 2.21
//! (`tensorboard/compat/proto/{event,summary,tensor}.proto`, `plugins/hparams/{api,plugin_data}.proto`,
//! `plugins/custom_scalar/layout.proto`).
//!
//! Written by hand: they are few, and nobody needs a compiler of protocol buffers.

use std::collections::BTreeMap;

use prost::{Enumeration, Message, Oneof};

/// One record of a file.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Event {
    /// Seconds since 1970-01-01 UTC.
    #[prost(double, tag = "1")]
    pub(super) wall_time: f64,
    #[prost(int64, tag = "2")]
    pub(super) step: i64,
    #[prost(oneof = "What", tags = "3, 5, 7")]
    pub(super) what: Option<What>,
    #[prost(message, optional, tag = "10")]
    pub(super) source_metadata: Option<SourceMetadata>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum What {
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
    #[prost(message, tag = "7")]
    SessionLog(SessionLog),
}

/// The program that wrote the file.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SourceMetadata {
    #[prost(string, tag = "1")]
    pub(super) writer: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SessionLog {
    #[prost(enumeration = "SessionStatus", tag = "1")]
    pub(super) status: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Enumeration)]
#[repr(i32)]
pub(super) enum SessionStatus {
    Unspecified = 0,
    /// Readers drop what they have of this step and later ones.
    Start = 1,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Summary {
    #[prost(message, repeated, tag = "1")]
    pub(super) value: Vec<SummaryValue>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SummaryValue {
    #[prost(string, tag = "1")]
    pub(super) tag: String,
    #[prost(oneof = "SummaryData", tags = "2, 4, 5, 8")]
    pub(super) data: Option<SummaryData>,
    #[prost(message, optional, tag = "9")]
    pub(super) metadata: Option<SummaryMetadata>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum SummaryData {
    #[prost(float, tag = "2")]
    SimpleValue(f32),
    #[prost(message, tag = "4")]
    Image(EncodedImage),
    #[prost(message, tag = "5")]
    Histogram(HistogramProto),
    #[prost(message, tag = "8")]
    Tensor(TensorProto),
}

/// Which part of the page shows a tag.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SummaryMetadata {
    #[prost(message, optional, tag = "1")]
    pub(super) plugin_data: Option<PluginData>,
    #[prost(enumeration = "DataClass", tag = "4")]
    pub(super) data_class: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct PluginData {
    #[prost(string, tag = "1")]
    pub(super) plugin_name: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) content: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Enumeration)]
#[repr(i32)]
pub(super) enum DataClass {
    Unknown = 0,
    BlobSequence = 3,
}

/// A picture as a browser reads it.
#[derive(Clone, PartialEq, Message)]
pub(super) struct EncodedImage {
    #[prost(int32, tag = "1")]
    pub(super) height: i32,
    #[prost(int32, tag = "2")]
    pub(super) width: i32,
    /// Channels: 1 grey, 3 RGB, 4 RGBA.
    #[prost(int32, tag = "3")]
    pub(super) colorspace: i32,
    /// `encoded_image_string`: the file.
    #[prost(bytes = "vec", tag = "4")]
    pub(super) encoded: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct HistogramProto {
    #[prost(double, tag = "1")]
    pub(super) min: f64,
    #[prost(double, tag = "2")]
    pub(super) max: f64,
    #[prost(double, tag = "3")]
    pub(super) num: f64,
    #[prost(double, tag = "4")]
    pub(super) sum: f64,
    #[prost(double, tag = "5")]
    pub(super) sum_squares: f64,
    /// Right edges.
    #[prost(double, repeated, tag = "6")]
    pub(super) bucket_limit: Vec<f64>,
    #[prost(double, repeated, tag = "7")]
    pub(super) bucket: Vec<f64>,
}

/// A tensor of strings of one dimension.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TensorProto {
    #[prost(enumeration = "DataType", tag = "1")]
    pub(super) dtype: i32,
    #[prost(message, optional, tag = "2")]
    pub(super) tensor_shape: Option<TensorShape>,
    #[prost(bytes = "vec", repeated, tag = "8")]
    pub(super) string_val: Vec<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Enumeration)]
#[repr(i32)]
pub(super) enum DataType {
    Invalid = 0,
    String = 7,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct TensorShape {
    #[prost(message, repeated, tag = "2")]
    pub(super) dim: Vec<Dimension>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Dimension {
    #[prost(int64, tag = "1")]
    pub(super) size: i64,
}

/// The content of the metadata of the tags `_hparams_/…`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct HParamsPluginData {
    #[prost(oneof = "HParamsData", tags = "2, 3, 4")]
    pub(super) data: Option<HParamsData>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum HParamsData {
    #[prost(message, tag = "2")]
    Experiment(Experiment),
    #[prost(message, tag = "3")]
    SessionStartInfo(SessionStartInfo),
    #[prost(message, tag = "4")]
    SessionEndInfo(SessionEndInfo),
}

/// The columns of the `HParams` tab.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Experiment {
    #[prost(double, tag = "3")]
    pub(super) time_created_secs: f64,
    #[prost(message, repeated, tag = "4")]
    pub(super) hparam_infos: Vec<HParamInfo>,
    #[prost(message, repeated, tag = "5")]
    pub(super) metric_infos: Vec<MetricInfo>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct HParamInfo {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(enumeration = "HParamType", tag = "4")]
    pub(super) r#type: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Enumeration)]
#[repr(i32)]
pub(super) enum HParamType {
    Unset = 0,
    String = 1,
    Bool = 2,
    Float64 = 3,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct MetricInfo {
    #[prost(message, optional, tag = "1")]
    pub(super) name: Option<MetricName>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct MetricName {
    #[prost(string, tag = "2")]
    pub(super) tag: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SessionStartInfo {
    #[prost(btree_map = "string, message", tag = "1")]
    pub(super) hparams: BTreeMap<String, HParamValue>,
    #[prost(double, tag = "5")]
    pub(super) start_time_secs: f64,
}

/// `google.protobuf.Value`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct HParamValue {
    #[prost(oneof = "HParamKind", tags = "2, 3, 4")]
    pub(super) kind: Option<HParamKind>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum HParamKind {
    #[prost(double, tag = "2")]
    Number(f64),
    #[prost(string, tag = "3")]
    String(String),
    #[prost(bool, tag = "4")]
    Bool(bool),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SessionEndInfo {
    #[prost(enumeration = "RunStatus", tag = "1")]
    pub(super) status: i32,
    #[prost(double, tag = "2")]
    pub(super) end_time_secs: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Enumeration)]
#[repr(i32)]
pub(super) enum RunStatus {
    Unknown = 0,
    Success = 1,
    Failure = 2,
    Running = 3,
}

/// What the custom scalars tab shows.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Layout {
    #[prost(message, repeated, tag = "2")]
    pub(super) category: Vec<Category>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Category {
    #[prost(string, tag = "1")]
    pub(super) title: String,
    #[prost(message, repeated, tag = "2")]
    pub(super) chart: Vec<Chart>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Chart {
    #[prost(string, tag = "1")]
    pub(super) title: String,
    #[prost(message, optional, tag = "2")]
    pub(super) multiline: Option<MultilineChart>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct MultilineChart {
    /// Regular expressions that tags match from their beginning.
    #[prost(string, repeated, tag = "1")]
    pub(super) tag: Vec<String>,
}
