//! A value of YAML, JSON, TOML or Python, as DVC compares and prints it.

use std::fmt::Write as _;

use indexmap::IndexMap;
use strata_config::python::{bool_repr, float_repr};

/// A mapping in the order of its file.
pub type Map = IndexMap<Key, Value>;

/// A value without its place.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`, or nothing.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A whole number.
    Int(i128),
    /// A number with a fraction or an exponent, also infinite or not a number.
    Float(f64),
    /// A text.
    Str(String),
    /// A sequence.
    List(Vec<Value>),
    /// A mapping.
    Map(Map),
}

/// A key of a mapping.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// A text; what nearly all keys are.
    Str(String),
    /// A whole number.
    Int(i128),
    /// `true`, `false`.
    Bool(bool),
    /// A number with a fraction, by its bits.
    Float(u64),
    /// `null`.
    Null,
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self::Str(text.to_owned())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(text)
    }
}

impl Key {
    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The same as a value.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Str(text) => Value::Str(text.clone()),
            Self::Int(number) => Value::Int(*number),
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Float(bits) => Value::Float(f64::from_bits(*bits)),
            Self::Null => Value::Null,
        }
    }

    /// `str(key)` in Python.
    pub fn python_str(&self) -> String {
        self.to_value().python_str()
    }
}

impl Value {
    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The items, if it is a sequence.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The entries, if it is a mapping.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The entry of a mapping with a text for a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?.get(&Key::from(key))
    }

    /// Python's `==`: `1 == 1.0 == True`, and the order of a mapping is of no importance.
    pub fn python_eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Str(a), Self::Str(b)) => a == b,
            (Self::List(a), Self::List(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.python_eq(b))
            }
            (Self::Map(a), Self::Map(b)) => {
                a.len() == b.len()
                    && a.iter().all(|(key, value)| {
                        let same = |other: &Key| key.to_value().python_eq(&other.to_value());
                        let found = b.get(key).or_else(|| {
                            let found = b.iter().find(|(other, _)| same(other));
                            found.map(|(_, value)| value)
                        });
                        found.is_some_and(|other| value.python_eq(other))
                    })
            }
            _ => match (self.number(), other.number()) {
                (Some(a), Some(b)) => a == b,
                _ => false,
            },
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Self::Bool(truth) => Some(f64::from(u8::from(*truth))),
            Self::Int(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// `str(value)` in Python.
    pub fn python_str(&self) -> String {
        match self {
            Self::Null => "None".to_owned(),
            Self::Bool(truth) => bool_repr(*truth).to_owned(),
            Self::Int(number) => number.to_string(),
            Self::Float(number) => float_repr(*number),
            Self::Str(text) => text.clone(),
            Self::List(_) | Self::Map(_) => self.to_json(Order::Kept),
        }
    }

    /// `json.dumps(value)` in Python: `", "` and `": "` between, everything but ASCII escaped.
    pub fn to_json(&self, order: Order) -> String {
        let mut text = String::new();
        self.write_json(order, &mut text);
        text
    }

    fn write_json(&self, order: Order, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
            Self::Int(number) => {
                let _ = write!(out, "{number}");
            }
            Self::Float(number) if number.is_nan() => out.push_str("NaN"),
            Self::Float(number) if number.is_infinite() => {
                out.push_str(if *number > 0.0 {
                    "Infinity"
                } else {
                    "-Infinity"
                });
            }
            Self::Float(number) => out.push_str(&float_repr(*number)),
            Self::Str(text) => write_json_string(text, out),
            Self::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push_str(", ");
                    }
                    item.write_json(order, out);
                }
                out.push(']');
            }
            Self::Map(map) => {
                let mut entries: Vec<(String, &Value)> = map
                    .iter()
                    .map(|(key, value)| (json_key(key), value))
                    .collect();
                if order == Order::Sorted {
                    entries.sort_by(|a, b| a.0.cmp(&b.0));
                }
                out.push('{');
                for (index, (key, value)) in entries.into_iter().enumerate() {
                    if index > 0 {
                        out.push_str(", ");
                    }
                    write_json_string(&key, out);
                    out.push_str(": ");
                    value.write_json(order, out);
                }
                out.push('}');
            }
        }
    }
}

/// The order of a mapping's entries in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By key, as `sort_keys=True` has them.
    Sorted,
    /// As they are.
    Kept,
}

fn json_key(key: &Key) -> String {
    match key {
        Key::Str(text) => text.clone(),
        Key::Bool(truth) => truth.to_string(),
        Key::Null => "null".to_owned(),
        Key::Int(number) => number.to_string(),
        Key::Float(bits) => float_repr(f64::from_bits(*bits)),
    }
}

/// A string with Python's `ensure_ascii`.
pub(crate) fn write_json_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(character),
            _ => {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_what_python_writes() {
        let map = Map::from_iter([
            (Key::from("b"), Value::from("é\"\n😀")),
            (
                Key::from("a"),
                Value::List(vec![Value::Float(1e-5), Value::Int(3), Value::Null]),
            ),
        ]);
        let value = Value::Map(map);
        assert_eq!(
            value.to_json(Order::Sorted),
            r#"{"a": [1e-05, 3, null], "b": "\u00e9\"\n\ud83d\ude00"}"#
        );
    }

    #[test]
    fn numbers_and_truths_are_equal_as_in_python() {
        assert!(Value::Int(1).python_eq(&Value::Float(1.0)));
        assert!(Value::Bool(true).python_eq(&Value::Int(1)));
        assert!(!Value::from("1").python_eq(&Value::Int(1)));
        assert!(!Value::Float(f64::NAN).python_eq(&Value::Float(f64::NAN)));
    }
}
