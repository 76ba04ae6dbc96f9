//! What one directory says of its run.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use jiff::Timestamp;
use serde_json::Value;

use super::liveness::is_alive;
use super::metrics_end::MetricsEnd;
use super::{Fact, find_run_directories};
use crate::{Mode, RunDirectory, RunDirectoryError, RunRecord, RunState, Summary};

/// What a run can be; `crashed` is one that was killed without a chance to say so, `damaged` one whose record cannot be read.
pub const STATES: [&str; 6] = [
    "running",
    "finished",
    "failed",
    "interrupted",
    "crashed",
    "damaged",
];

/// Keys that every run has, whatever it was told.
const OWN_KEYS: [&str; 6] = ["run", "state", "started", "seconds", "epoch", "step"];

/// What a run directory says of its run.
#[derive(Debug, Clone)]
pub struct RunFacts {
    /// The directory.
    pub path: PathBuf,
    /// `run.json`; none if it cannot be read.
    pub record: Option<RunRecord>,
    /// Whether a process writes the run now, or is about to.
    pub is_alive: bool,
    /// The configuration, by dotted keys.
    pub config: IndexMap<String, Fact>,
    /// Last and best values.
    pub summary: Summary,
    /// What could not be read.
    pub problems: Vec<String>,
    end: MetricsEnd,
}

impl RunFacts {
    /// Reads a run's directory. What is damaged is told in [`RunFacts::problems`], and the rest is there.
    ///
    /// # Errors
    /// [`RunDirectoryError::NotARun`] if there is no run.
    pub fn read(path: &Path) -> Result<Self, RunDirectoryError> {
        let directory = RunDirectory::at(path);
        let mut problems = Vec::new();
        let record = match directory.record() {
            Err(RunDirectoryError::Io { source, .. })
                if matches!(
                    source.kind(),
                    std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
                ) =>
            {
                return Err(RunDirectoryError::NotARun {
                    path: path.to_owned(),
                });
            }
            Err(error) => {
                problems.push(error.to_string());
                None
            }
            Ok(record) => Some(record),
        };
        let mut run = Self::new(path, record);
        run.problems = problems;
        run.is_alive = match &run.record {
            Some(record) if record.state == RunState::Running => is_alive(&directory, record),
            Some(_) => false,
            None => directory.is_alive(),
        };
        run.take_config();
        run.take_metrics(&directory);
        Ok(run)
    }

    fn new(path: &Path, record: Option<RunRecord>) -> Self {
        Self {
            path: path.to_owned(),
            record,
            is_alive: false,
            config: IndexMap::new(),
            summary: Summary::default(),
            problems: Vec::new(),
            end: MetricsEnd::default(),
        }
    }

    #[cfg(test)]
    pub(super) fn of_record(path: &str, record: RunRecord) -> Self {
        Self::new(Path::new(path), Some(record))
    }

    /// The configuration that the record holds: resolved, and whole where the run told a tracker of it.
    fn take_config(&mut self) {
        let Some(record) = &self.record else {
            return;
        };
        let whole = record.other.get("tracking").and_then(|it| it.get("config"));
        if let Some(config) = whole.or_else(|| record.other.get("config")).cloned() {
            self.set_config(&config);
        }
    }

    /// Takes a configuration from elsewhere, of a run whose record has none.
    pub fn set_config(&mut self, config: &Value) {
        self.config.clear();
        flatten("", config, &mut self.config);
    }

    fn take_metrics(&mut self, directory: &RunDirectory) {
        match MetricsEnd::read(&directory.metrics_path()) {
            Ok(end) => self.end = end,
            Err(error) => self.problems.push(error.to_string()),
        }
        // A row that is just being written is no damage.
        if self.end.is_torn && !self.is_alive {
            let path = directory.metrics_path();
            self.problems.push(format!(
                "{}: the last line has no end, it is left out",
                path.display()
            ));
        }
        match directory.summary() {
            Ok(Some(summary)) => {
                self.summary = summary;
                return;
            }
            Ok(None) => {}
            Err(error) => self.problems.push(error.to_string()),
        }
        if directory.metrics_path().exists() {
            self.summarise(directory);
        }
    }

    /// Makes the summary from all rows, where there is none.
    fn summarise(&mut self, directory: &RunDirectory) {
        let rows = match directory.rows() {
            Ok(rows) => rows,
            Err(error) => {
                self.problems.push(error.to_string());
                return;
            }
        };
        let swept = match (self.chosen_by(), self.config.get("training.sweep.mode")) {
            (Some(metric), Some(Fact::Text(mode))) if mode == "min" => Some((metric, Mode::Min)),
            (Some(metric), Some(Fact::Text(mode))) if mode == "max" => Some((metric, Mode::Max)),
            _ => None,
        };
        let swept = swept.map(|(metric, mode)| (metric.to_owned(), mode));
        for row in rows {
            match row {
                Ok(row) => self.summary.add(&row, |name| match &swept {
                    Some((metric, mode)) if metric == name => *mode,
                    _ => Mode::of_name(name),
                }),
                Err(error) => self.problems.push(error.to_string()),
            }
        }
    }

    /// One of [`STATES`].
    pub fn state(&self) -> &'static str {
        match self.record.as_ref().map(|record| record.state) {
            None => "damaged",
            Some(RunState::Running) if self.is_alive => "running",
            Some(RunState::Running) => "crashed",
            Some(RunState::Finished) => "finished",
            Some(RunState::Failed) => "failed",
            Some(RunState::Interrupted) => "interrupted",
        }
    }

    /// When it began.
    pub fn started(&self) -> Option<Timestamp> {
        self.record.as_ref().map(|record| record.started)
    }

    /// Seconds from its beginning to its end, or to now; of one that crashed to its last row.
    pub fn seconds(&self) -> Option<f64> {
        let record = self.record.as_ref()?;
        let until = |end: Timestamp| end.duration_since(record.started).as_secs_f64();
        match record.finished {
            Some(finished) => Some(until(finished)),
            None if self.is_alive => Some(until(Timestamp::now())),
            None => {
                let last_s = self.end.time_s?;
                let started_s = record.started.as_microsecond() as f64 / 1e6;
                Some(last_s - started_s).filter(|seconds| *seconds >= 0.0)
            }
        }
    }

    /// The epoch that the last rows belong to.
    pub fn epoch(&self) -> Option<u64> {
        let best = || self.summary.best.values().filter_map(|best| best.epoch);
        self.end.epoch.or_else(|| best().max())
    }

    /// The metric that the run's model was chosen by.
    pub fn chosen_by(&self) -> Option<&str> {
        match self.config.get("training.sweep.metric")? {
            Fact::Text(metric) => Some(metric),
            _ => None,
        }
    }

    /// What the run says under a key.
    pub fn get(&self, key: &str) -> Option<Fact> {
        Some(match key {
            "run" => Fact::Text(self.path.display().to_string()),
            "state" => Fact::Text(self.state().to_owned()),
            // Always as many digits, so that the order of the texts is that of the times.
            "started" => Fact::Text(format!("{:.6}", self.started()?)),
            "seconds" => Fact::Number(self.seconds()?),
            "epoch" => Fact::Number(self.epoch()? as f64),
            "step" => Fact::Number(self.summary.step as f64),
            _ => return self.config.get(key).cloned().or_else(|| self.metric(key)),
        })
    }

    /// Whether a key is one of the run's figures, which may be rounded.
    pub fn is_metric(&self, key: &str) -> bool {
        !OWN_KEYS.contains(&key) && !self.config.contains_key(key)
    }

    fn metric(&self, key: &str) -> Option<Fact> {
        let best = key.strip_prefix("best/");
        let best = best.and_then(|name| self.summary.best.get(name));
        let value = best.map(|best| best.value);
        value
            .or_else(|| self.summary.last.get(key).copied())
            .map(Fact::Number)
    }

    /// All keys that may have a fact.
    pub fn keys(&self) -> impl Iterator<Item = String> + '_ {
        let own = OWN_KEYS.into_iter().map(str::to_owned);
        let best = self.summary.best.keys().map(|name| format!("best/{name}"));
        own.chain(self.config.keys().cloned())
            .chain(self.summary.last.keys().cloned())
            .chain(best)
    }

    /// Whether it goes on at this moment, whatever it was when it was read and whatever its record says.
    pub fn goes_on_now(&self) -> bool {
        let directory = RunDirectory::at(&self.path);
        match directory.record() {
            Ok(record) if record.state == RunState::Running => is_alive(&directory, &record),
            _ => directory.is_alive(),
        }
    }

    /// Runs whose directories lie within this one's.
    pub fn runs_within(&self) -> Vec<PathBuf> {
        let mut within = find_run_directories(std::slice::from_ref(&self.path)).runs;
        within.retain(|path| *path != self.path);
        within
    }
}

fn flatten(key: &str, value: &Value, flat: &mut IndexMap<String, Fact>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (name, value) in map {
                let key = if key.is_empty() {
                    name.clone()
                } else {
                    format!("{key}.{name}")
                };
                flatten(&key, value, flat);
            }
        }
        value => {
            flat.insert(key.to_owned(), Fact::of(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_in(folder: &Path) -> RunDirectory {
        let mut record = RunRecord::begin("1.0");
        record.pid = None;
        let config = serde_json::json!({"model": {"dropout": 0.5, "hidden_dims": [3, 2]},
            "training": {"sweep": {"metric": "score", "mode": "min"}}});
        record.other.insert("config".to_owned(), config);
        RunDirectory::create(folder, &record).expect("made")
    }

    #[test]
    fn a_run_says_what_it_was_and_how_it_went() {
        let folder = tempfile::tempdir().expect("a folder");
        let directory = run_in(folder.path());
        let text = r#"{"step": 9, "last": {"validation/loss": 0.4}, "best": {"validation/loss": {"value": 0.25, "mode": "min", "step": 7, "epoch": 2}}}"#;
        fs_err::write(directory.summary_path(), text).expect("written");

        let run = RunFacts::read(folder.path()).expect("it can be read");
        let list = Fact::Text("[3,2]".to_owned());
        assert_eq!(run.get("model.dropout"), Some(Fact::Number(0.5)));
        assert_eq!(run.get("model.hidden_dims"), Some(list));
        assert_eq!(run.get("validation/loss"), Some(Fact::Number(0.4)));
        assert_eq!(run.get("best/validation/loss"), Some(Fact::Number(0.25)));
        assert_eq!(run.get("epoch"), Some(Fact::Number(2.0)));
        assert_eq!(run.get("state"), Some(Fact::Text("crashed".to_owned())));
        assert_eq!(run.get("nothing"), None);
        assert!(run.problems.is_empty());
    }

    #[test]
    fn rows_stand_in_for_a_summary_that_is_missing() {
        let folder = tempfile::tempdir().expect("a folder");
        let directory = run_in(folder.path());
        let rows = "{\"step\":1,\"epoch\":1,\"time\":1.0,\"score\":2.0}\n{\"step\":2,\"epoch\":2,\"time\":1.0,\"score\":3.0}\n{\"st";
        fs_err::write(directory.metrics_path(), rows).expect("written");

        let run = RunFacts::read(folder.path()).expect("it can be read");
        assert_eq!(run.get("score"), Some(Fact::Number(3.0)));
        assert_eq!(
            run.get("best/score"),
            Some(Fact::Number(2.0)),
            "small is good"
        );
        assert_eq!(run.epoch(), Some(2));
        assert_eq!(run.problems.len(), 1, "{:?}", run.problems);
    }

    #[test]
    fn a_damaged_record_leaves_the_rest_to_be_read() {
        let folder = tempfile::tempdir().expect("a folder");
        fs_err::write(folder.path().join("run.json"), "{").expect("written");
        let rows = "{\"step\":1,\"time\":1.0,\"loss\":2.0}\n";
        fs_err::write(folder.path().join("metrics.jsonl"), rows).expect("written");
        let run = RunFacts::read(folder.path()).expect("it can be read");
        assert_eq!(run.state(), "damaged");
        assert_eq!(run.get("loss"), Some(Fact::Number(2.0)));
        assert_eq!(run.get("started"), None);
        assert!(RunFacts::read(&folder.path().join("nowhere")).is_err());
    }
}
