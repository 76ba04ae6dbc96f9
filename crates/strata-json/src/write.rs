//! Writing.

use std::fmt::Write as _;

use crate::Json;

/// How `json.dumps` is asked to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `{"a": [1, 2]}`, everything beyond ASCII escaped: the defaults of `json.dumps`.
    Default,
    /// `{"a":[1,2]}`, the same without spaces: `separators=(",", ":")`.
    Compact,
}

impl Json {
    /// Its text on one line.
    pub fn written(&self, style: Style) -> String {
        let mut text = String::new();
        self.push(&mut text, style);
        text
    }

    fn push(&self, text: &mut String, style: Style) {
        let (comma, colon) = match style {
            Style::Default => (", ", ": "),
            Style::Compact => (",", ":"),
        };
        match self {
            Self::Null => text.push_str("null"),
            Self::Bool(truth) => text.push_str(if *truth { "true" } else { "false" }),
            Self::Int(number) => write!(text, "{number}").expect("a string takes any text"),
            Self::Float(number) => text.push_str(&float_text(*number)),
            Self::Str(string) => push_string(text, string),
            Self::List(items) => {
                text.push('[');
                for (i, item) in items.iter().enumerate() {
                    text.push_str(if i > 0 { comma } else { "" });
                    item.push(text, style);
                }
                text.push(']');
            }
            Self::Map(fields) => {
                text.push('{');
                for (i, (name, value)) in fields.iter().enumerate() {
                    text.push_str(if i > 0 { comma } else { "" });
                    push_string(text, name);
                    text.push_str(colon);
                    value.push(text, style);
                }
                text.push('}');
            }
        }
    }
}

/// A string as `json.dumps` with `ensure_ascii`: all beyond ASCII as UTF-16 escapes.
fn push_string(text: &mut String, string: &str) {
    text.push('"');
    for c in string.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            ' '..='~' => text.push(c),
            other => {
                let mut units = [0; 2];
                for unit in other.encode_utf16(&mut units) {
                    write!(text, "\\u{unit:04x}").expect("a string takes any text");
                }
            }
        }
    }
    text.push('"');
}

/// A float as Python's `repr`, with JSON's words for what is not finite: the shortest digits that read back
/// the same, an exponent of two digits or more below 1e-4 and from 1e16 on.
pub fn float_text(value: f64) -> String {
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
    use proptest::strategy::Strategy as _;

    use super::*;
    use crate::parse;

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
            assert_eq!(float_text(value), text);
        }
    }

    #[test]
    fn the_text_is_that_of_json_dumps() {
        let text = r#"{"a": [1, 2.5, null, true, NaN], "b\"": "\u00fc\ud83d\ude00\n\u007f"}"#;
        let value = parse(text).expect("JSON");
        assert_eq!(value.written(Style::Default), text);
        assert_eq!(
            value.written(Style::Compact),
            r#"{"a":[1,2.5,null,true,NaN],"b\"":"\u00fc\ud83d\ude00\n\u007f"}"#
        );
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_reads_back(text: String, number in proptest::num::f64::ANY.prop_filter("NaN is no number", |x| !x.is_nan()), whole: i64) {
            let value = Json::List(vec![Json::Str(text), Json::Float(number), Json::Int(whole)]);
            for style in [Style::Default, Style::Compact] {
                let read = parse(&value.written(style)).expect("JSON");
                proptest::prop_assert_eq!(&read, &value);
            }
        }
    }
}
