//! A study as JSON, as `conformance/sweep/read_study.py` prints what real Optuna reads.

use std::sync::Arc;

use indexmap::IndexMap;
use jiff::Timestamp;
use strata_json::{Json, parse};
use strata_study::storage::StudyRecord;
use strata_study::{Direction, Storage, StorageError, Trial, TrialState};

/// The study with everything that is kept of it.
pub(crate) fn dump(storage: &dyn Storage, study: &StudyRecord) -> Result<Json, StorageError> {
    let trials = storage.trials(study.id)?;
    let mut states: IndexMap<String, Json> = IndexMap::new();
    for trial in &trials {
        let count = states.get(trial.state.name()).and_then(Json::as_i64);
        let count = count.unwrap_or(0) + 1;
        states.insert(trial.state.name().to_owned(), count.into());
    }
    let directions = study.directions.iter();
    let directions = directions.map(|direction| direction.name().to_ascii_uppercase());
    let metric_names = study.system_attrs.get("study:metric_names");
    let mut fields = vec![
        ("study_name", study.name.as_str().into()),
        ("directions", directions.collect::<Vec<String>>().into()),
        ("metric_names", metric_names.cloned().into()),
        ("user_attrs", plain(&Json::Map(study.user_attrs.clone()))),
        (
            "system_attrs",
            plain(&Json::Map(study.system_attrs.clone())),
        ),
        ("n_trials", (trials.len() as i64).into()),
        ("states", Json::Map(states)),
        (
            "trials",
            Json::List(trials.iter().map(|trial| dump_trial(trial)).collect()),
        ),
    ];
    fields.extend(best(&trials, &study.directions));
    Ok(Json::object(fields))
}

fn dump_trial(trial: &Trial) -> Json {
    let params = || trial.params.iter();
    let values: Vec<Json> = trial.values.iter().map(|value| float(*value)).collect();
    let reported = trial.intermediate_values.iter();
    let reported = reported.map(|(step, value)| Json::List(vec![(*step).into(), float(*value)]));
    let types = params().map(|(name, param)| (name.clone(), python_type(&param.value()).into()));
    let distributions = params().map(|(name, param)| {
        let json = parse(&param.distribution.to_json()).expect("it was written as JSON");
        (name.clone(), plain(&json))
    });
    Json::object([
        ("number", (trial.number as i64).into()),
        ("state", trial.state.name().into()),
        ("values", (!values.is_empty()).then_some(values).into()),
        (
            "params",
            Json::Map(
                params()
                    .map(|(name, param)| (name.clone(), plain(&param.value())))
                    .collect(),
            ),
        ),
        ("param_types", Json::Map(types.collect())),
        ("distributions", Json::Map(distributions.collect())),
        ("intermediate_values", Json::List(reported.collect())),
        ("user_attrs", plain(&Json::Map(trial.user_attrs.clone()))),
        (
            "system_attrs",
            plain(&Json::Map(trial.system_attrs.clone())),
        ),
        ("datetime_start", trial.started.map(isoformat).into()),
        ("datetime_complete", trial.completed.map(isoformat).into()),
    ])
}

/// The best trial, or those that no other is better than in everything.
fn best(trials: &[Arc<Trial>], directions: &[Direction]) -> Vec<(&'static str, Json)> {
    let trials = trials.iter().filter(|trial| {
        let violated = trial.system_attrs.iter().any(|(key, value)| {
            key.starts_with("constraints:") && value.as_f64().is_some_and(|value| value > 0.0)
        });
        trial.state == TrialState::Complete && !violated
    });
    let losses = |trial: &Trial| -> Vec<f64> {
        let values = directions.iter().zip(&trial.values);
        values
            .map(|(direction, value)| direction.loss(*value))
            .collect()
    };
    let trials: Vec<(i64, f64, Vec<f64>)> = trials
        .map(|trial| (trial.number as i64, trial.values[0], losses(trial)))
        .collect();
    if directions.len() == 1 {
        let best = trials.iter().min_by(|a, b| a.2[0].total_cmp(&b.2[0]));
        return match best {
            Some((number, value, _)) => {
                vec![
                    ("best_trial", (*number).into()),
                    ("best_value", float(*value)),
                ]
            }
            None => vec![("best_trial", Json::Null)],
        };
    }
    let dominates = |a: &[f64], b: &[f64]| a != b && a.iter().zip(b).all(|(a, b)| a <= b);
    let front = trials.iter().filter(|(_, _, losses)| {
        !trials
            .iter()
            .any(|(_, _, others)| dominates(others, losses))
    });
    let front: Vec<i64> = front.map(|(number, ..)| *number).collect();
    vec![("best_trials", front.into())]
}

fn python_type(value: &Json) -> &'static str {
    match value {
        Json::Null => "NoneType",
        Json::Bool(_) => "bool",
        Json::Int(_) => "int",
        Json::Float(_) => "float",
        Json::Str(_) => "str",
        Json::List(_) => "list",
        Json::Map(_) => "dict",
    }
}

/// Numbers that JSON has no words for are texts.
fn float(value: f64) -> Json {
    if value.is_nan() {
        "nan".into()
    } else if value == f64::INFINITY {
        "inf".into()
    } else if value == f64::NEG_INFINITY {
        "-inf".into()
    } else {
        value.into()
    }
}

fn plain(value: &Json) -> Json {
    match value {
        Json::Float(value) => float(*value),
        Json::List(items) => Json::List(items.iter().map(plain).collect()),
        Json::Map(fields) => {
            let fields = fields.iter();
            Json::Map(
                fields
                    .map(|(name, value)| (name.clone(), plain(value)))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}

/// Python's, in UTC: no fraction where it is zero.
fn isoformat(time: Timestamp) -> String {
    let micros = time.subsec_nanosecond() / 1000;
    let format = if micros == 0 {
        "%Y-%m-%dT%H:%M:%S"
    } else {
        "%Y-%m-%dT%H:%M:%S%.6f"
    };
    time.strftime(format).to_string()
}
