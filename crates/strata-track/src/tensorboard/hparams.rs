//! The three messages of the `HParams` tab: what a sweep's runs are compared by.

use super::messages::{
    Experiment, HParamInfo, HParamKind, HParamType, HParamValue, HParamsData, HParamsPluginData,
    MetricInfo, MetricName, PluginData, RunStatus, SessionEndInfo, SessionStartInfo,
    SummaryMetadata, SummaryValue,
};
use crate::flat::flattened;
use crate::python_json::python_json;
use crate::{Fields, RunState, Value};

/// What a run tells at its start: the columns of the tab, and its own hyperparameters.
///
/// Nested names are joined by `/`; lists and null are JSON texts as Python writes them. A number that is not
/// finite is a text too, because the page's answers are JSON, which has none.
pub(super) fn start(hparams: &Fields, metrics: &Fields, now_s: f64) -> Vec<SummaryValue> {
    let named: Vec<(String, HParamType, HParamKind)> = flattened(hparams)
        .into_iter()
        .map(|(name, value)| {
            let (kind, value) = typed(value);
            (name.into_owned(), kind, value)
        })
        .collect();
    let experiment = Experiment {
        time_created_secs: now_s,
        hparam_infos: named
            .iter()
            .map(|(name, kind, _)| HParamInfo {
                name: name.clone(),
                r#type: (*kind).into(),
            })
            .collect(),
        metric_infos: flattened(metrics)
            .into_iter()
            .map(|(name, _)| MetricInfo {
                name: Some(MetricName {
                    tag: name.into_owned(),
                }),
            })
            .collect(),
    };
    let session = SessionStartInfo {
        hparams: named
            .into_iter()
            .map(|(name, _, value)| (name, HParamValue { kind: Some(value) }))
            .collect(),
        start_time_secs: now_s,
    };
    vec![
        summary("experiment", HParamsData::Experiment(experiment)),
        summary("session_start_info", HParamsData::SessionStartInfo(session)),
    ]
}

/// What a run tells at its end.
pub(super) fn end(state: RunState, now_s: f64) -> Option<SummaryValue> {
    let status = match state {
        RunState::Finished => RunStatus::Success,
        RunState::Failed => RunStatus::Failure,
        // It may go on, and of two ends TensorBoard keeps the first.
        RunState::Interrupted | RunState::Running => return None,
    };
    let info = SessionEndInfo {
        status: status.into(),
        end_time_secs: now_s,
    };
    Some(summary(
        "session_end_info",
        HParamsData::SessionEndInfo(info),
    ))
}

fn summary(name: &str, data: HParamsData) -> SummaryValue {
    let content = HParamsPluginData { data: Some(data) };
    SummaryValue {
        tag: format!("_hparams_/{name}"),
        data: None,
        metadata: Some(SummaryMetadata {
            plugin_data: Some(PluginData {
                plugin_name: "hparams".to_owned(),
                content: prost::Message::encode_to_vec(&content),
            }),
            data_class: 0,
        }),
    }
}

fn typed(value: &Value) -> (HParamType, HParamKind) {
    match value {
        Value::Bool(value) => (HParamType::Bool, HParamKind::Bool(*value)),
        Value::Integer(value) => (HParamType::Float64, HParamKind::Number(*value as f64)),
        Value::Number(value) if value.is_finite() => {
            (HParamType::Float64, HParamKind::Number(*value))
        }
        Value::String(text) | Value::Text(text) => {
            (HParamType::String, HParamKind::String(text.clone()))
        }
        other => (HParamType::String, HParamKind::String(python_json(other))),
    }
}
