//! `summary.json`: last and best values.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::row::{number, numbers};
use crate::{Row, RunState, Sink, SinkError};

/// While the run goes on the file is at most this old; each writing costs a sync of the disk.
const MAX_AGE: Duration = Duration::from_secs(5);

/// Whether small or large is good; a sweep's `mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Smaller is better.
    Min,
    /// Larger is better.
    Max,
}

impl Mode {
    /// `Min` for names that contain `loss` or `error`, else `Max`.
    pub fn of_name(metric: &str) -> Self {
        if metric.contains("loss") || metric.contains("error") {
            Self::Min
        } else {
            Self::Max
        }
    }

    /// Whether `value` is strictly better than `than`; NaN never is.
    pub fn is_better(self, value: f64, than: f64) -> bool {
        match self {
            Self::Min => value < than,
            Self::Max => value > than,
        }
    }
}

/// The best value of a metric; of equal ones the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// The value, never NaN.
    #[serde(with = "number")]
    pub value: f64,
    /// What best means here.
    pub mode: Mode,
    /// The step it was logged at.
    pub step: u64,
    /// The epoch it was logged in, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
}

/// Last and best values of every metric, in the order in which they first appeared.
///
/// Non-finite values are written as in [`Row`]. Holds no times: two equal runs have equal summaries.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The largest step seen.
    pub step: u64,
    /// The last value of every metric.
    #[serde(with = "numbers")]
    pub last: IndexMap<String, f64>,
    /// The best value of every metric that had one that is not NaN.
    pub best: IndexMap<String, Best>,
}

impl Summary {
    /// Takes in a row; `mode` says what is best for a metric.
    pub fn add(&mut self, row: &Row, mode: impl Fn(&str) -> Mode) {
        self.step = self.step.max(row.step);
        for (name, &value) in row
            .values
            .iter()
            .filter(|(name, _)| !name.starts_with("time/"))
        {
            self.last.insert(name.clone(), value);
            let mode = mode(name);
            let better = match self.best.get(name) {
                Some(best) => mode.is_better(value, best.value),
                None => !value.is_nan(),
            };
            if better {
                let best = Best {
                    value,
                    mode,
                    step: row.step,
                    epoch: row.epoch,
                };
                self.best.insert(name.clone(), best);
            }
        }
    }
}

/// Keeps `summary.json`: written whole with the first row, then when it is some seconds old, and at the end.
#[derive(Debug)]
pub struct SummarySink {
    path: PathBuf,
    summary: Summary,
    swept: Option<(String, Mode)>,
    written: Option<Instant>,
}

impl SummarySink {
    /// `swept` is the sweep's metric with its mode, which then goes before [`Mode::of_name`].
    pub fn new(path: &Path, swept: Option<(String, Mode)>) -> Self {
        Self {
            path: path.to_owned(),
            summary: Summary::default(),
            swept,
            written: None,
        }
    }

    /// Takes in a row that was logged before the run was interrupted, without writing.
    pub fn replay(&mut self, row: &Row) {
        let swept = &self.swept;
        self.summary.add(row, |name| match swept {
            Some((metric, mode)) if metric == name => *mode,
            _ => Mode::of_name(name),
        });
    }

    fn write(&mut self) -> Result<(), SinkError> {
        let failed = |source| SinkError::Write {
            path: self.path.clone(),
            source,
        };
        let mut bytes =
            serde_json::to_vec_pretty(&self.summary).map_err(|error| failed(error.into()))?;
        bytes.push(b'\n');
        self.written = Some(Instant::now());
        strata_fs::write_atomically(&self.path, &bytes)
            .map_err(|error| failed(io::Error::other(error)))
    }
}

impl Sink for SummarySink {
    fn name(&self) -> &'static str {
        "summary.json"
    }

    fn log(&mut self, row: &Row) -> Result<(), SinkError> {
        self.replay(row);
        if self.written.is_none_or(|at| at.elapsed() >= MAX_AGE) {
            self.write()?;
        }
        Ok(())
    }

    fn finish(&mut self, _state: RunState) -> Result<(), SinkError> {
        self.write()
    }
}
