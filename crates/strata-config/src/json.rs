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
        Some(OverrideValue::Sweep(Sweep::Simple(choices))) => {
            let list: Vec<Json> = choices.iter().map(element_json).collect();
            let texts: Vec<String> = choices.iter().map(text_of).collect();
            let value = json!({"sweep": "choice", "simple": true, "shuffle": false, "tags": [], "list": list});
            (json!("simple_choice"), value, Json::Null, json!(texts))
        }
        Some(OverrideValue::Sweep(Sweep::Function { name, arguments })) => {
            return Err(ConfigError::message(format!(
                "`{name}({arguments})`: sweeps by functions are not built yet"
            )));
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

fn element_json(element: &Element) -> Json {
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
