//! Overrides as JSON, in the form of the conformance corpus.

use serde_json::{Value as Json, json};

use crate::error::ConfigError;
use crate::overrides::ast::{Element, OverrideKind, OverrideValue, Quote, Sweep};
use crate::overrides::element::text_of;
use crate::overrides::parser::parse_override;

/// How an override is understood; see `conformance/hydra/README.md` for the fields.
///
/// # Errors
/// What the grammar refuses.
pub fn override_to_json(text: &str) -> Result<Json, ConfigError> {
    let parsed = parse_override(text)?;
    let kind = match parsed.kind {
        OverrideKind::Change => "change",
        OverrideKind::Add => "add",
        OverrideKind::ForceAdd => "force_add",
        OverrideKind::Delete => "del",
    };
    let (value_type, value, text, sweep_texts) = match &parsed.value {
        None => (Json::Null, Json::Null, Json::Null, Json::Null),
        Some(OverrideValue::Element(element)) => (
            json!("element"),
            element_json(element),
            json!(text_of(element)),
            Json::Null,
        ),
        Some(OverrideValue::Sweep(sweep)) => {
            let value_type = match sweep {
                Sweep::Choice(choice) if choice.simple => "simple_choice",
                Sweep::Choice(choice) if choice.zipped => "zip",
                Sweep::Choice(_) => "choice",
                Sweep::Range(_) => "range",
                Sweep::Interval(_) => "interval",
                Sweep::Glob(_) => "glob",
            };
            let texts = (!sweep.is_shuffled()).then(|| sweep.texts().ok()).flatten();
            (
                json!(value_type),
                sweep_json(sweep),
                Json::Null,
                json!(texts),
            )
        }
    };
    Ok(json!({
        "type": kind,
        "key": parsed.key,
        "package": parsed.package,
        "value_type": value_type,
        "value": value,
        "text": text,
        "sweep_texts": sweep_texts,
    }))
}

fn value_json(value: &OverrideValue) -> Json {
    match value {
        OverrideValue::Element(element) => element_json(element),
        OverrideValue::Sweep(sweep) => sweep_json(sweep),
    }
}

fn sweep_json(sweep: &Sweep) -> Json {
    match sweep {
        Sweep::Choice(choice) if choice.zipped => json!({
            "sweep": "zip",
            "list": choice.list.iter().map(value_json).collect::<Vec<_>>(),
        }),
        Sweep::Choice(choice) => json!({
            "sweep": "choice",
            "simple": choice.simple,
            "shuffle": choice.shuffle,
            "tags": choice.tags,
            "list": choice.list.iter().map(value_json).collect::<Vec<_>>(),
        }),
        Sweep::Range(range) => json!({
            "sweep": "range",
            "start": element_json(&range.start),
            "stop": element_json(&range.stop),
            "step": element_json(&range.step),
            "shuffle": range.shuffle,
            "tags": range.tags,
        }),
        Sweep::Interval(interval) => json!({
            "sweep": "interval",
            "start": element_json(&interval.start),
            "end": element_json(&interval.end),
            "tags": interval.tags,
        }),
        Sweep::Glob(glob) => json!({
            "sweep": "glob",
            "include": glob.include,
            "exclude": glob.exclude,
        }),
    }
}

pub(crate) fn element_json(element: &Element) -> Json {
    match element {
        Element::Null => Json::Null,
        Element::Bool(truth) => json!(truth),
        Element::Int(number) => json!(number),
        Element::BigInt(digits) => json!({"int": digits}),
        Element::Float(number) if number.is_nan() => json!({"float": "nan"}),
        Element::Float(number) if number.is_infinite() => {
            json!({"float": if *number > 0.0 { "inf" } else { "-inf" }})
        }
        Element::Float(number) => json!(number),
        Element::Str(text) => json!(text),
        Element::Quoted(text, quote) => {
            json!({"quoted": text, "quote": if *quote == Quote::Single { "single" } else { "double" }})
        }
        Element::List(items) => items.iter().map(element_json).collect(),
        Element::Dict(entries) => {
            let pairs: Vec<Json> = entries
                .iter()
                .map(|(key, value)| json!([element_json(key), element_json(value)]))
                .collect();
            json!({"dict": pairs})
        }
    }
}
