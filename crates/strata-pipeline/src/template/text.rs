//! Values as texts in a template, and mappings as options of a command.

use super::interpolate::{BoolFlags, ListFlags, ParsingOptions};
use super::problem::TemplateProblem;
use crate::value::{Map, Value};

/// The name of the value's type in Python.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Float(_) => "float",
        Value::Str(_) => "str",
        Value::List(_) => "list",
        Value::Map(_) => "dict",
    }
}

/// A scalar as it stands in a text: as Python prints it, but truths in lower case.
pub(super) fn scalar_text(value: &Value) -> String {
    match value {
        Value::Bool(truth) => truth.to_string(),
        _ => value.python_str(),
    }
}

/// A mapping as options: `--a.b 1 --flag --list 1 2`.
pub(super) fn options_text(map: &Map, options: ParsingOptions) -> Result<String, TemplateProblem> {
    let mut words = Vec::new();
    push_options(map, "", options, &mut words)?;
    let text = words.join(" ");
    Ok(text.trim_end().to_owned())
}

fn push_options(
    map: &Map,
    prefix: &str,
    options: ParsingOptions,
    words: &mut Vec<String>,
) -> Result<(), TemplateProblem> {
    for (key, value) in map {
        let key = format!("{prefix}{}", key.python_str());
        match value {
            Value::Map(nested) => push_options(nested, &format!("{key}."), options, words)?,
            Value::Bool(true) => words.push(format!("--{key}")),
            Value::Bool(false) if options.bool_flags == BoolFlags::BooleanOptional => {
                words.push(format!("--no-{key}"));
            }
            Value::Bool(false) => {}
            Value::Str(text) => words.push(format!("--{key} {}", shell_quote(text))),
            Value::List(items) => push_list(&key, items, options.list_flags, words)?,
            _ => words.push(format!("--{key} {}", value.python_str())),
        }
    }
    Ok(())
}

fn push_list(
    key: &str,
    items: &[Value],
    flags: ListFlags,
    words: &mut Vec<String>,
) -> Result<(), TemplateProblem> {
    for (index, item) in items.iter().enumerate() {
        let word = match item {
            Value::Str(text) => shell_quote(text),
            Value::List(_) | Value::Map(_) => {
                return Err(TemplateProblem::NestedIterable {
                    key: key.to_owned(),
                });
            }
            _ => item.python_str(),
        };
        if index == 0 || flags == ListFlags::Append {
            words.push(format!("--{key} {word}"));
        } else {
            words.push(word);
        }
    }
    Ok(())
}

/// Python's `shlex.quote`.
fn shell_quote(text: &str) -> String {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(&byte);
    if !text.is_empty() && text.bytes().all(safe) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\"'\"'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::json;

    fn options(text: &str, options: ParsingOptions) -> String {
        let value = json(text);
        options_text(value.as_map().expect("a mapping"), options).expect("it has a text")
    }

    #[test]
    fn mappings_become_options() {
        let text = r#"{"a": {"b": 1, "c": "x y"}, "t": true, "f": false, "l": [1, "x y", true, 0.5], "n": null, "e": "", "z": [], "q": "it's", "lr": 1e-5}"#;
        assert_eq!(
            options(text, ParsingOptions::default()),
            r#"--a.b 1 --a.c 'x y' --t --l 1 'x y' True 0.5 --n None --e '' --q 'it'"'"'s' --lr 1e-05"#
        );
        let other = ParsingOptions {
            bool_flags: BoolFlags::BooleanOptional,
            list_flags: ListFlags::Append,
        };
        assert_eq!(
            options(r#"{"f": false, "l": [1, 2]}"#, other),
            "--no-f --l 1 --l 2"
        );
    }

    #[test]
    fn lists_of_lists_are_no_options() {
        let value = json(r#"{"l": [[1]]}"#);
        let error = options_text(
            value.as_map().expect("a mapping"),
            ParsingOptions::default(),
        );
        assert_eq!(
            error.expect_err("nested").to_string(),
            "Cannot interpolate nested iterable in 'l'"
        );
    }

    #[test]
    fn scalars_are_printed_as_dvc_prints_them() {
        for (value, text) in [
            (Value::Bool(true), "true"),
            (Value::Null, "None"),
            (Value::Float(1e-5), "1e-05"),
            (Value::Float(1.0), "1.0"),
            (Value::Int(3), "3"),
        ] {
            assert_eq!(scalar_text(&value), text);
        }
    }
}
