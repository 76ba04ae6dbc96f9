//! What a program tells its run, besides rows of numbers.

use std::path::PathBuf;

use indexmap::IndexMap;

/// Names and values, in the order told. Names may hold `/`, which groups them.
pub type Fields = IndexMap<String, Value>;

/// One thing told to a run. What a sink has no place for it leaves out: TensorBoard knows no alerts.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Who the run is; the first event, if it comes at all.
    Init(Init),
    /// Values at a step.
    Log(Logged),
    /// How a metric is to be shown and summed up (W&B's `define_metric`).
    DefineMetric(MetricDefinition),
    /// Configuration that was not known at the start; replaces values of the same name.
    Config(Fields),
    /// The run's last word on some values; replaces what follows from the rows.
    Summary(Fields),
    /// Hyperparameters and the metrics that they led to (TensorBoard's HParams tab).
    HyperParameters {
        /// Name → number, string or bool.
        hparams: Fields,
        /// Name → last value; names are those of the run's scalars.
        metrics: Fields,
    },
    /// What is changed of who the run is.
    Update(Update),
    /// A text that went to standard output; line ends are the writer's.
    Print(String),
    /// A text that went to standard error.
    PrintError(String),
    /// A message for the person in charge.
    Alert(Alert),
    /// Files that are kept under a name and a version (W&B's artifacts).
    Artifact(Artifact),
    /// What was logged at this step and later no longer counts: the run goes on from here.
    PurgeStep(u64),
    /// The run is over.
    Finish {
        /// As of a process: 0 is success.
        exit_code: i32,
    },
}

/// Who a run is; what is absent is the sink's to choose.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Init {
    /// Unique within the project; W&B's are 8 characters of `[a-z0-9]`.
    pub id: Option<String>,
    /// What people read.
    pub name: Option<String>,
    /// The project it belongs to.
    pub project: Option<String>,
    /// The person or team that owns the project.
    pub entity: Option<String>,
    /// Runs that belong together, such as the jobs of a sweep.
    pub group: Option<String>,
    /// What it is within its group: `train`, `eval`.
    pub job_type: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// A longer text.
    pub notes: Option<String>,
    /// The resolved configuration.
    pub config: Fields,
    /// Whether a run of this id is gone on with: W&B's `allow`, `must`, `never`, `auto`.
    pub resume: Option<String>,
}

/// Values logged together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Logged {
    /// Name → value.
    pub values: Fields,
    /// The step they belong to; absent for the one after the last.
    pub step: Option<u64>,
    /// Whether the step is complete; `false` keeps it open for further values. Absent: complete, unless a step is given.
    pub commit: Option<bool>,
}

/// W&B's `define_metric`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricDefinition {
    /// A metric, or metrics by a pattern: `validation/*`.
    pub name: String,
    /// The metric that is its x axis.
    pub step_metric: Option<String>,
    /// Whether charts leave it out.
    pub hidden: bool,
    /// What the summary keeps: `min`, `max`, `mean`, `best`, `last`, `first`, `copy`, `none`.
    pub summary: Vec<String>,
}

/// What is changed of who a run is; absent is unchanged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Update {
    /// As in [`Init`].
    pub name: Option<String>,
    /// As in [`Init`].
    pub tags: Option<Vec<String>>,
    /// As in [`Init`].
    pub notes: Option<String>,
}

/// A message for the person in charge.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// In a few words.
    pub title: String,
    /// The whole of it.
    pub text: String,
    /// `INFO`, `WARN` or `ERROR`.
    pub level: String,
}

/// Files that are kept under a name and a version.
#[derive(Debug, Clone, PartialEq)]
pub struct Artifact {
    /// The name that versions share: letters, digits, `_`, `-` and `.`.
    pub name: String,
    /// What it is: `model`, `dataset`.
    pub kind: String,
    /// Names of this version beside its number: `latest`, `best`.
    pub aliases: Vec<String>,
    /// What is to be known of it.
    pub metadata: Fields,
    /// Name within the artifact, and the file, which stays where it is until it is sent.
    pub files: Vec<(String, PathBuf)>,
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number that was written as one.
    Integer(i64),
    /// Any other number, also not a number and the infinities.
    Number(f64),
    /// A text that is a value: a name, a state.
    String(String),
    /// Values in order.
    List(Vec<Value>),
    /// Values by name.
    Map(Fields),
    /// A picture.
    Image(Image),
    /// Pictures that are shown together.
    Images(Vec<Image>),
    /// How often values fall between edges.
    Histogram(Histogram),
    /// Rows of values under names.
    Table {
        /// Names of the columns.
        columns: Vec<String>,
        /// Rows, each as long as `columns`.
        data: Vec<Vec<Value>>,
    },
    /// A text to be read: TensorBoard's text tab.
    Text(String),
}

/// A picture in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// A PNG, JPEG, GIF or BMP, copied when it is logged.
    pub file: PathBuf,
    /// What stands beneath it.
    pub caption: Option<String>,
}

/// How often values fall between edges.
#[derive(Debug, Clone, PartialEq)]
pub enum Histogram {
    /// Values, to be counted between so many equal bins from the least to the greatest.
    Values {
        /// In any order.
        values: Vec<f64>,
        /// 1 to 512.
        bins: usize,
    },
    /// Counts, one fewer than edges.
    Counts {
        /// Values from each edge on up to the next.
        counts: Vec<f64>,
        /// Ascending.
        edges: Vec<f64>,
    },
}

macro_rules! value_from {
    ($($from:ty => $to:ident),* $(,)?) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$to(value.into())
            }
        }
    )*};
}

value_from! {
    bool => Bool, f32 => Number, f64 => Number, i32 => Integer, i64 => Integer, u32 => Integer, &str => String,
    String => String, Image => Image, Histogram => Histogram, Fields => Map,
}
