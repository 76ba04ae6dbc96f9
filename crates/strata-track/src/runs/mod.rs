//! Runs as they lie in their directories: found, read, compared.
//!
//! [`find_run_directories`] looks for them, [`RunFacts`] is what one of them says of itself, a [`Filter`] chooses among
//! them. What a run says is a [`Fact`] under a key: of the run itself (`state`, `started`, `epoch`, …), of its
//! configuration (`model.dropout`), or a metric (`validation/accuracy` for its last value, `best/validation/accuracy`
//! for its best).

mod fact;
mod filter;

use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use jiff::Timestamp;
use serde_json::Value;

pub use fact::Fact;
pub use filter::{Filter, FilterError};

use crate::{RunDirectory, RunDirectoryError, RunRecord, RunState, Summary};

/// What a run directory says of its run.
#[derive(Debug, Clone)]
pub struct RunFacts {
    /// The directory.
    pub path: PathBuf,
    /// `run.json`.
    pub record: RunRecord,
    /// Whether a process writes the run now.
    pub is_alive: bool,
    /// The configuration, by dotted keys.
    pub config: IndexMap<String, Fact>,
    /// Last and best values.
    pub summary: Summary,
}

impl RunFacts {
    /// Reads a run's directory; a run without figures has an empty summary.
    ///
    /// # Errors
    /// If there is no run, or its record or summary cannot be read.
    pub fn read(path: &Path) -> Result<Self, RunDirectoryError> {
        let directory = RunDirectory::open(path)?;
        let record = directory.record()?;
        let summary = directory.summary()?.unwrap_or_default();
        let whole = record.other.get("tracking").and_then(|it| it.get("config"));
        let config = whole.or_else(|| record.other.get("config"));
        let mut flat = IndexMap::new();
        if let Some(config) = config {
            flatten("", config, &mut flat);
        }
        Ok(Self {
            path: path.to_owned(),
            is_alive: record.state == RunState::Running && directory.is_alive(),
            record,
            config: flat,
            summary,
        })
    }

    /// `running`, `finished`, `failed` or `interrupted`; `crashed` if it was killed without a chance to say so.
    pub fn state(&self) -> &'static str {
        match self.record.state {
            RunState::Running if self.is_alive => "running",
            RunState::Running => "crashed",
            RunState::Finished => "finished",
            RunState::Failed => "failed",
            RunState::Interrupted => "interrupted",
        }
    }

    /// Seconds from its beginning to its end, or to now; none for one that crashed.
    pub fn seconds(&self) -> Option<f64> {
        let end = match self.record.finished {
            Some(finished) => finished,
            None if self.is_alive => Timestamp::now(),
            None => return None,
        };
        Some(end.duration_since(self.record.started).as_secs_f64())
    }

    /// The last epoch that a best value was logged in.
    pub fn epoch(&self) -> Option<u64> {
        self.summary
            .best
            .values()
            .filter_map(|best| best.epoch)
            .max()
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
            "started" => Fact::Text(self.record.started.to_string()),
            "seconds" => Fact::Number(self.seconds()?),
            "epoch" => Fact::Number(self.epoch()? as f64),
            "step" => Fact::Number(self.summary.step as f64),
            _ => return self.config.get(key).cloned().or_else(|| self.metric(key)),
        })
    }

    fn metric(&self, key: &str) -> Option<Fact> {
        let best = key.strip_prefix("best/");
        let best = best.and_then(|name| self.summary.best.get(name));
        let value = best.map(|best| best.value);
        value
            .or_else(|| self.summary.last.get(key).copied())
            .map(Fact::Number)
    }

    /// All keys that have a fact.
    pub fn keys(&self) -> impl Iterator<Item = String> + '_ {
        let own = ["run", "state", "started", "seconds", "epoch", "step"];
        let own = own.into_iter().map(str::to_owned);
        let best = self.summary.best.keys().map(|name| format!("best/{name}"));
        own.chain(self.config.keys().cloned())
            .chain(self.summary.last.keys().cloned())
            .chain(best)
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

/// Folders of results lie in each other, but not without end.
const DEEPEST: usize = 8;

/// The run directories below some paths, themselves included, sorted by path. What cannot be read is passed over; links
/// are not followed.
pub fn find_run_directories(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in paths {
        gather(path, 0, &mut found);
    }
    found.sort();
    found.dedup();
    found
}

fn gather(path: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    if path.join("run.json").is_file() {
        found.push(path.to_owned());
        return;
    }
    let Ok(entries) = fs_err::read_dir(path) else {
        return;
    };
    for entry in entries.flatten() {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && depth < DEEPEST {
            gather(&entry.path(), depth + 1, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_says_what_it_was_and_how_it_went() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deep/down");
        let mut record = RunRecord::begin("1.0");
        let config = serde_json::json!({"model": {"dropout": 0.5, "hidden_dims": [3, 2]}});
        record.other.insert("config".to_owned(), config);
        let directory = RunDirectory::create(&path, &record).expect("made");
        let text = r#"{"step": 9, "last": {"validation/loss": 0.4}, "best": {"validation/loss": {"value": 0.25, "mode": "min", "step": 7, "epoch": 2}}}"#;
        fs_err::write(directory.summary_path(), text).expect("written");

        let found = find_run_directories(&[folder.path().to_owned()]);
        assert_eq!(found, std::slice::from_ref(&path));
        let run = RunFacts::read(&path).expect("it can be read");
        let number = |key: &str| run.get(key);
        assert_eq!(number("model.dropout"), Some(Fact::Number(0.5)));
        assert_eq!(
            number("model.hidden_dims"),
            Some(Fact::Text("[3,2]".to_owned()))
        );
        assert_eq!(number("validation/loss"), Some(Fact::Number(0.4)));
        assert_eq!(number("best/validation/loss"), Some(Fact::Number(0.25)));
        assert_eq!(number("epoch"), Some(Fact::Number(2.0)));
        assert_eq!(number("state"), Some(Fact::Text("crashed".to_owned())));
        assert_eq!(number("nothing"), None);
    }
}
