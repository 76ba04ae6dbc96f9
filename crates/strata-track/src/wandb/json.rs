//! JSON as wandb writes it: with the numbers of Go, and NaN and the infinities as bare words.

use std::fmt::Write as _;

use crate::Value;

/// A value without pictures, tables and histograms, which are files or maps by now.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Integer(i64),
    Number(f64),
    String(String),
    List(Vec<Json>),
    Map(Vec<(String, Json)>),
}

/// How NaN is written: history keeps it, configuration and explicit summaries have null in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotANumber {
    Bare,
    Null,
}

impl Json {
    /// `value` where only plain values have a meaning, as in a configuration; anything else becomes null.
    pub(super) fn plain(value: &Value) -> Self {
        match value {
            Value::Bool(bool) => Self::Bool(*bool),
            Value::Integer(integer) => Self::Integer(*integer),
            Value::Number(number) => Self::Number(*number),
            Value::String(text) | Value::Text(text) => Self::String(text.clone()),
            Value::List(values) => Self::List(values.iter().map(Self::plain).collect()),
            Value::Map(fields) => Self::Map(
                fields
                    .iter()
                    .map(|(name, value)| (name.clone(), Self::plain(value)))
                    .collect(),
            ),
            Value::Null
            | Value::Image(_)
            | Value::Images(_)
            | Value::Histogram(_)
            | Value::Table { .. } => Self::Null,
        }
    }

    /// The value that a JSON text is, as wandb or we have written it; null for anything else.
    pub(super) fn parsed(text: &str) -> Self {
        crate::lines::parse_json(text).map_or(Self::Null, |value| Self::plain(&value))
    }

    /// A string.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::String(text.into())
    }

    /// Its text without spaces.
    pub(super) fn written(&self, not_a_number: NotANumber) -> String {
        let mut text = String::new();
        self.push(&mut text, not_a_number);
        text
    }

    fn push(&self, text: &mut String, not_a_number: NotANumber) {
        match self {
            Self::Null => text.push_str("null"),
            Self::Bool(bool) => text.push_str(if *bool { "true" } else { "false" }),
            Self::Integer(integer) => push_display(text, integer),
            Self::Number(number) if number.is_nan() && not_a_number == NotANumber::Null => {
                text.push_str("null");
            }
            Self::Number(number) => push_number(text, *number),
            Self::String(string) => push_string(text, string),
            Self::List(values) => {
                text.push('[');
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        text.push(',');
                    }
                    value.push(text, not_a_number);
                }
                text.push(']');
            }
            Self::Map(fields) => {
                text.push('{');
                for (index, (name, value)) in fields.iter().enumerate() {
                    if index > 0 {
                        text.push(',');
                    }
                    push_string(text, name);
                    text.push(':');
                    value.push(text, not_a_number);
                }
                text.push('}');
            }
        }
    }
}

/// A string of JSON; as in Go's encoder of wandb nothing beyond what JSON demands is escaped.
pub(super) fn push_string(text: &mut String, string: &str) {
    text.push_str(&serde_json::Value::from(string).to_string());
}

/// Go's `strconv.FormatFloat(number, 'g', -1, 64)`: an exponent of two digits below 1e-4 and from 1e6 on;
/// whole numbers without a point.
fn push_number(text: &mut String, number: f64) {
    if number.is_nan() {
        return text.push_str("NaN");
    }
    if number.is_infinite() {
        return text.push_str(if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        });
    }
    let size = number.abs();
    if size == 0.0 || (1e-4..1e6).contains(&size) {
        return push_display(text, number);
    }
    let scientific = format!("{number:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    push_display(text, format_args!("{mantissa}e{sign}{digits:0>2}"));
}

fn push_display(text: &mut String, value: impl std::fmt::Display) {
    write!(text, "{value}").expect("a string takes any text");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The right column is what wandb 0.31.0 left in a `.wandb` file for the left one.
    #[test]
    fn numbers_are_written_as_go_writes_them() {
        for (number, expected) in [
            (2.0, "2"),
            (-0.0, "-0"),
            (0.152_099_364, "0.152099364"),
            (123_456_789.0, "1.23456789e+08"),
            (1_795_743_397.810_254, "1.795743397810254e+09"),
            (1e21, "1e+21"),
            (1e-7, "1e-07"),
            (1.5e300, "1.5e+300"),
            (-1e-9, "-1e-09"),
            (0.1 + 0.2, "0.30000000000000004"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(Json::Number(number).written(NotANumber::Bare), expected);
        }
    }

    #[test]
    fn nan_becomes_null_where_it_must_deep_within() {
        let value = Json::Map(vec![(
            "a \"name\"".to_owned(),
            Json::List(vec![Json::Number(f64::NAN), Json::Integer(i64::MAX)]),
        )]);
        assert_eq!(
            value.written(NotANumber::Null),
            r#"{"a \"name\"":[null,9223372036854775807]}"#
        );
    }
}
