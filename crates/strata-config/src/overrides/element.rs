//! What a single value becomes in the tree, and its canonical text.

use strata_diag::Span;

use super::ast::{Element, Quote};
use crate::node::{Key, Map, Node, Value};
use crate::python;

impl Element {
    /// Python's `==`, in which `1`, `1.0` and `True` are one key.
    pub(crate) fn equals_in_python(&self, other: &Self) -> bool {
        value_of(self, None).equals_in_python(&value_of(other, None))
    }

    /// The number, booleans included, as Python compares them.
    pub(crate) fn as_number(&self) -> Option<f64> {
        match self {
            Self::Bool(truth) => Some(f64::from(u8::from(*truth))),
            Self::Int(number) => Some(*number as f64),
            Self::BigInt(digits) => digits.parse().ok(),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }
}

/// The value as a node whose place is the override.
pub(crate) fn node_of(element: &Element, origin: &Span) -> Node {
    Node::at(value_of(element, Some(origin)), Some(origin.clone()))
}

/// The value; what is in it stands at `origin`.
pub(crate) fn value_of(element: &Element, origin: Option<&Span>) -> Value {
    let node = |element: &Element| Node::at(value_of(element, origin), origin.cloned());
    match element {
        Element::Null => Value::Null,
        Element::Bool(truth) => Value::Bool(*truth),
        Element::Int(number) => Value::Int(*number),
        Element::BigInt(digits) => Value::BigInt(digits.clone()),
        Element::Float(number) => Value::Float(*number),
        Element::Str(text) | Element::Quoted(text, _) => Value::Str(text.clone()),
        Element::List(items) => Value::List(items.iter().map(node).collect()),
        Element::Dict(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| (key_of(key), node(value)));
            Value::Map(entries.collect::<Map>())
        }
    }
}

/// The key of a dictionary's entry.
pub(crate) fn key_of(element: &Element) -> Key {
    match element {
        Element::Bool(truth) => Key::Bool(*truth),
        Element::Int(number) => Key::Int(*number),
        Element::BigInt(digits) => Key::BigInt(digits.clone()),
        Element::Float(number) => Key::Float(number.to_bits()),
        Element::Str(text) => Key::Str(text.clone()),
        other => Key::Str(text_of(other)),
    }
}

/// The canonical text: what a job's override carries.
pub(crate) fn text_of(element: &Element) -> String {
    match element {
        Element::Null => "null".to_owned(),
        Element::Bool(truth) => python::bool_repr(*truth).to_owned(),
        Element::Int(number) => number.to_string(),
        Element::BigInt(digits) => digits.clone(),
        Element::Float(number) => python::float_repr(*number),
        Element::Str(text) => escaped(text),
        Element::Quoted(text, quote) => quoted(text, *quote),
        Element::List(items) => {
            let items: Vec<String> = items.iter().map(text_of).collect();
            format!("[{}]", items.join(","))
        }
        Element::Dict(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("{}:{}", text_of(key), text_of(value)))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\()[]{}:=, \t".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The text in its quotes again; backslashes before a quote are doubled.
fn quoted(text: &str, quote: Quote) -> String {
    let mark = if quote == Quote::Single { '\'' } else { '"' };
    let mut out = String::from(mark);
    let mut backslashes = 0;
    for c in text.chars() {
        if c == mark {
            out.extend(std::iter::repeat_n('\\', backslashes + 1));
        }
        backslashes = if c == '\\' { backslashes + 1 } else { 0 };
        out.push(c);
    }
    out.extend(std::iter::repeat_n('\\', backslashes));
    out.push(mark);
    out
}
