//! What a search leaves for those who come after it.

use std::path::Path;
use std::sync::Arc;

use strata_config::{Key, Map, Node, Value, to_yaml};
use strata_json::Json;
use strata_study::{Direction, Trial, best_of};

use crate::error::SweepError;

/// The file that Hydra's Optuna sweeper writes.
const RESULTS: &str = "optimization_results.yaml";

/// Writes `optimization_results.yaml` as Hydra's Optuna sweeper does; nothing while no trial is complete.
pub(crate) fn write(
    directory: &Path,
    trials: &[Arc<Trial>],
    direction: Direction,
) -> Result<(), SweepError> {
    let Some(best) = best_of(trials, direction) else {
        return Ok(());
    };
    let params = best.params.iter();
    let params = params.map(|(name, param)| (name.as_str(), node(&param.value())));
    let results = map([
        ("name", Node::new(Value::Str("optuna".to_owned()))),
        ("best_params", map(params)),
        ("best_value", Node::new(Value::Float(best.values[0]))),
    ]);
    let path = directory.join(RESULTS);
    strata_fs::write_atomically(&path, to_yaml(&results).as_bytes())
        .map_err(|source| SweepError::Io { path, source })
}

fn map<'a>(entries: impl IntoIterator<Item = (&'a str, Node)>) -> Node {
    let entries = entries.into_iter();
    let entries = entries.map(|(key, node)| (Key::Str(key.to_owned()), node));
    Node::new(Value::Map(entries.collect::<Map>()))
}

fn node(value: &Json) -> Node {
    Node::new(match value {
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Int(number) => Value::Int(*number),
        Json::Float(number) => Value::Float(*number),
        Json::Str(text) => Value::Str(text.clone()),
        _ => Value::Null,
    })
}

/// `model.dropout=0.2 data.batch_size=64`.
pub(crate) fn params_in_words(trial: &Trial) -> String {
    let params = trial.params.iter().map(|(name, param)| {
        let value = param.value();
        let text = match &value {
            Json::Str(text) => text.clone(),
            other => other.written(strata_json::Style::Default),
        };
        format!("{name}={text}")
    });
    params.collect::<Vec<_>>().join(" ")
}
