//! Whether a job was done before, so that no work is done twice.

use std::path::Path;

use serde_json::{Value, json};
use strata_data::Events;
use strata_track::{RunDirectory, RunDirectoryError, RunState};

use crate::config::ExperimentConfig;
use crate::engine;
use crate::error::ExperimentError;
use crate::load::load_splits;
use crate::run::{CONFIG_KEY, ENGINE_KEY, PRUNED_KEY};

/// What there is of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    New,
    /// All of it: configuration, data and engine agree.
    Done,
    /// It was ended before its time, as not worth going on with.
    Pruned,
    /// A part of it, from which it can go on.
    Unfinished,
    /// It ended with an error.
    Failed {
        /// What `run.json` says of it.
        error: String,
    },
    /// Another process is at it.
    Alive,
    /// The directory holds something else.
    Other {
        /// In what it differs: a key of the configuration, the data, the engine.
        difference: String,
    },
}

/// Keys that cannot change the results of a run: where things come from and go to, and how fast. The data themselves
/// are compared by their fingerprint.
const WITHOUT_EFFECT: [&str; 8] = [
    "logging",
    "data.root",
    "data.download",
    "data.url",
    "data.md5",
    "data.num_workers",
    "training.threads",
    "training.checkpoint",
];

/// What there is of a job with this configuration in a directory. A job is done if a run finished there whose
/// resolved configuration, data and version of the engine are the same, but for keys that cannot change results.
///
/// # Errors
/// The directory cannot be read, or the data cannot be loaded to be compared.
pub fn standing(directory: &Path, config: &ExperimentConfig) -> Result<Standing, ExperimentError> {
    let directory = match RunDirectory::open(directory) {
        Ok(directory) => directory,
        Err(RunDirectoryError::NotARun { .. }) => return Ok(Standing::New),
        Err(error) => return Err(error.into()),
    };
    let record = directory.record()?;
    if directory.is_alive() {
        return Ok(Standing::Alive);
    }
    let known = record.other.get(CONFIG_KEY).cloned().unwrap_or_default();
    if let Some(key) = difference(&decisive(known), &decisive(json!(config)), "") {
        return Ok(Standing::Other { difference: key });
    }
    let engine = record.other.get(ENGINE_KEY).and_then(Value::as_u64);
    if engine != Some(u64::from(strata_nn::ENGINE_VERSION)) {
        let difference = "the version of the engine".to_owned();
        return Ok(Standing::Other { difference });
    }
    Ok(match record.state {
        RunState::Failed => Standing::Failed {
            error: record.error.unwrap_or_default(),
        },
        RunState::Finished if record.other.get(PRUNED_KEY) == Some(&json!(true)) => {
            Standing::Pruned
        }
        RunState::Finished => {
            let threads = engine::threads(config.training.threads);
            let mut data = config.data.clone();
            data.download = false;
            let splits = load_splits(&data, config.training.seed, threads, &mut NoEvents)?;
            if record.data_fingerprint.as_ref() == Some(&splits.fingerprint) {
                Standing::Done
            } else {
                let difference = "the data".to_owned();
                Standing::Other { difference }
            }
        }
        _ => Standing::Unfinished,
    })
}

/// The values of a metric that a run has logged at the ends of its epochs: the epoch, from 1, and the value.
///
/// # Errors
/// The rows cannot be read.
pub fn evaluations(
    directory: &RunDirectory,
    metric: &str,
) -> Result<Vec<(u64, f64)>, ExperimentError> {
    let mut found = Vec::new();
    for row in directory.rows()? {
        let row = row?;
        if let (Some(epoch), Some(value)) = (row.epoch, row.values.get(metric)) {
            found.push((epoch, *value));
        }
    }
    Ok(found)
}

/// Nobody is told, and nothing is downloaded.
struct NoEvents;

impl Events for NoEvents {
    fn notice(&mut self, _: &str) {}

    fn progress(&mut self, _: u64, _: Option<u64>) {}

    fn interrupted(&self) -> bool {
        false
    }
}

/// The configuration without the keys that cannot change results.
fn decisive(mut config: Value) -> Value {
    for path in WITHOUT_EFFECT {
        let (parent, key) = path.rsplit_once('.').unwrap_or(("", path));
        let parent = if parent.is_empty() {
            Some(&mut config)
        } else {
            config.get_mut(parent)
        };
        if let Some(Value::Object(parent)) = parent {
            parent.remove(key);
        }
    }
    config
}

/// The first key in which two configurations differ.
fn difference(a: &Value, b: &Value, path: &str) -> Option<String> {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            let mut keys = keys.map(|key| {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                let of = |map: &serde_json::Map<String, Value>| map.get(key).cloned();
                difference(
                    &of(a).unwrap_or_default(),
                    &of(b).unwrap_or_default(),
                    &path,
                )
            });
            keys.find_map(|found| found)
        }
        // What was kept as 1.0 may be composed as 1.
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() => None,
        _ if a == b => None,
        _ => Some(format!("`{path}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_with_an_effect_are_compared() {
        let config = |threads: u64, lr: f64| {
            json!({
                "training": {"threads": threads, "optimizer": {"params": {"lr": lr}}},
                "data": {"root": format!("/{threads}"), "batch_size": 8},
                "logging": {"wandb": threads},
            })
        };
        let compared = |a: Value, b: Value| difference(&decisive(a), &decisive(b), "");
        assert_eq!(compared(config(1, 0.1), config(2, 0.1)), None);
        assert_eq!(
            compared(config(1, 0.1), config(1, 0.2)).as_deref(),
            Some("`training.optimizer.params.lr`")
        );
        assert_eq!(compared(json!({"a": 1}), json!({"a": 1.0})), None);
        assert_eq!(compared(json!({"a": 1}), json!({})).as_deref(), Some("`a`"));
    }
}
