//! JSON as Python's `json.dumps` writes it, for texts that are compared with those of Python's programs.

use crate::Value;

/// `[256, 0.1, "a"]`: a space after commas and colons, floats as `repr` has them, text as it is.
///
/// Pictures, histograms and tables have no JSON and are null.
pub(crate) fn python_json(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Number(value) => number(*value),
        Value::String(text) | Value::Text(text) => quoted(text),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(python_json).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{}: {}", quoted(name), python_json(value)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
        _ => "null".to_owned(),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A float as Python's `repr`: shortest digits, an exponent of two digits or more below 1e-4 and from 1e16 on.
fn number(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let magnitude = value.abs();
    if magnitude == 0.0 || (1e-4..1e16).contains(&magnitude) {
        return format!("{value:?}");
    }
    let written = format!("{value:e}");
    let (digits, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    match exponent.strip_prefix('-') {
        Some(exponent) => format!("{digits}e-{exponent:0>2}"),
        None => format!("{digits}e+{exponent:0>2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_written_as_python_writes_them() {
        let list = Value::List(vec![
            Value::Integer(256),
            Value::Number(0.9),
            Value::Number(2.0),
            Value::Null,
            Value::Bool(true),
            Value::String("a \"b\"".to_owned()),
        ]);
        // python3.11 -c 'import json; print(json.dumps([256, .9, 2., None, True, "a \"b\""]))'
        assert_eq!(
            python_json(&list),
            r#"[256, 0.9, 2.0, null, true, "a \"b\""]"#
        );
    }

    #[test]
    fn floats_are_written_as_repr() {
        let table = [
            (1e-5, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (0.0001, "0.0001"),
            (1e16, "1e+16"),
            (1e15, "1000000000000000.0"),
            (-1e300, "-1e+300"),
            (-0.0, "-0.0"),
            (f64::NEG_INFINITY, "-Infinity"),
        ];
        for (value, text) in table {
            assert_eq!(number(value), text);
        }
    }
}
