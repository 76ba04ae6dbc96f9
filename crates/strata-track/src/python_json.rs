//! JSON as Python's `json.dumps` writes it, for texts that are compared with those of Python's programs.

use crate::Value;

/// `[256, 0.1, "a"]`: a space after commas and colons, floats as `repr` has them, text as it is.
///
/// Pictures, histograms and tables have no JSON and are null.
pub(crate) fn python_json(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Number(value) => strata_json::float_text(*value),
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
}
