//! `config.yaml` as wandb lays it out: `name:`, beneath it `value:` and the value.

use super::json::{Json, NotANumber, push_string};

/// The file of a configuration; names are sorted, levels indented by four spaces.
pub(super) fn config_yaml(config: &[(String, Json)]) -> String {
    let mut sorted: Vec<_> = config.iter().collect();
    sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut text = String::new();
    for (name, value) in sorted {
        push_string(&mut text, name);
        text.push_str(":\n    value:");
        push_value(&mut text, value, 8);
    }
    text
}

/// Appends what follows a colon or dash, with the line's end.
fn push_value(text: &mut String, value: &Json, indent: usize) {
    let start = format!("\n{:indent$}", "");
    match value {
        Json::Map(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                text.push_str(&start);
                push_string(text, name);
                text.push(':');
                push_value(text, value, indent + 4);
                text.pop();
            }
        }
        Json::List(values) if !values.is_empty() => {
            for value in values {
                text.push_str(&start);
                text.push('-');
                push_value(text, value, indent + 4);
                text.pop();
            }
        }
        _ => {
            text.push(' ');
            text.push_str(&scalar(value));
        }
    }
    text.push('\n');
}

/// YAML 1.1 takes `1e-05` for a string, as it has no point; it has its own words for the infinities.
fn scalar(value: &Json) -> String {
    match value {
        Json::Number(number) if number.is_infinite() && *number > 0.0 => ".inf".to_owned(),
        Json::Number(number) if number.is_infinite() => "-.inf".to_owned(),
        Json::Number(_) => {
            let text = value.written(NotANumber::Null);
            match text.split_once('e') {
                Some((mantissa, exponent)) if !mantissa.contains('.') => {
                    format!("{mantissa}.0e{exponent}")
                }
                _ => text,
            }
        }
        _ => value.written(NotANumber::Null),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nested_configuration_is_indented_beneath_value() {
        let model = Json::Map(vec![
            (
                "sizes".to_owned(),
                Json::List(vec![Json::Integer(256), Json::Integer(128)]),
            ),
            ("activation".to_owned(), Json::text("relu")),
        ]);
        let config = [
            ("model".to_owned(), model),
            ("lr".to_owned(), Json::Number(1e-5)),
        ];
        let expected = "\"lr\":\n    value: 1.0e-05\n\"model\":\n    value:\n        \"sizes\":\n            - 256\n            - 128\n        \"activation\": \"relu\"\n";
        assert_eq!(config_yaml(&config), expected);
    }
}
