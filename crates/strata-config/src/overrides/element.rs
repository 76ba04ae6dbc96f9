//! What a single value becomes in the tree, and its canonical text.

use strata_diag::Span;

use super::ast::{Element, Quote};
use crate::node::{Key, Map, Node, Value};
use crate::python;

/// The type of a run of characters that is one token.
pub(crate) fn typed(text: &str) -> Element {
    match text.to_ascii_lowercase().as_str() {
        "null" => return Element::Null,
        "true" => return Element::Bool(true),
        "false" => return Element::Bool(false),
        _ => {}
    }
    if let Some(integer) = integer(text) {
        return integer;
    }
    if is_float(text) {
        return Element::Float(text.replace('_', "").parse().unwrap_or(f64::NAN));
    }
    Element::Str(text.to_owned())
}

/// `[+-]?(0|[1-9](_?\d)*)`
fn integer(text: &str) -> Option<Element> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !is_digits(digits) || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    let clean = text.replace('_', "");
    Some(match clean.parse() {
        Ok(number) => Element::Int(number),
        Err(_) => Element::BigInt(clean.trim_start_matches('+').to_owned()),
    })
}

/// `\d(_?\d)*`
fn is_digits(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_digit)
        && bytes.last().is_some_and(u8::is_ascii_digit)
        && bytes.iter().all(|b| b.is_ascii_digit() || *b == b'_')
        && !text.contains("__")
}

/// A point or an exponent; `inf`, `nan` in any casing.
fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned.to_ascii_lowercase().as_str(), "inf" | "nan") {
        return true;
    }
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let whole = |part: &str| part == "0" || (is_digits(part) && !part.starts_with('0'));
    let mantissa_fits = match mantissa.split_once('.') {
        Some((before, after)) => {
            (before.is_empty() || whole(before))
                && (after.is_empty() || is_digits(after))
                && !(before.is_empty() && after.is_empty())
        }
        None => exponent.is_some() && whole(mantissa),
    };
    mantissa_fits
        && exponent
            .is_none_or(|exponent| is_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

/// `int(…)`, `float(…)`, `str(…)`, `bool(…)`, through lists and the values of dictionaries.
pub(crate) fn cast(to: &str, element: &Element) -> Result<Element, String> {
    match element {
        Element::List(items) => items
            .iter()
            .map(|item| cast(to, item))
            .collect::<Result<_, _>>()
            .map(Element::List),
        Element::Dict(entries) => entries
            .iter()
            .map(|(key, value)| Ok((key.clone(), cast(to, value)?)))
            .collect::<Result<_, String>>()
            .map(Element::Dict),
        _ => cast_primitive(to, element),
    }
}

fn cast_primitive(to: &str, element: &Element) -> Result<Element, String> {
    let refused = || Err(format!("`{}` cannot be made {to}", text_of(element)));
    match (to, element) {
        ("str", Element::Quoted(text, _) | Element::Str(text)) => Ok(Element::Str(text.clone())),
        ("str", Element::Bool(truth)) => Ok(Element::Str(truth.to_string())),
        ("str", other) => Ok(Element::Str(text_of(other))),
        ("int", Element::Int(_) | Element::BigInt(_)) => Ok(element.clone()),
        ("int", Element::Bool(truth)) => Ok(Element::Int(i64::from(*truth))),
        ("int", Element::Float(number)) if number.is_finite() => {
            Ok(Element::Int(number.trunc() as i64))
        }
        ("int", Element::Str(text) | Element::Quoted(text, _)) => match typed(text.trim()) {
            number @ (Element::Int(_) | Element::BigInt(_)) => Ok(number),
            _ => refused(),
        },
        ("float", Element::Float(_)) => Ok(element.clone()),
        ("float", Element::Int(number)) => Ok(Element::Float(*number as f64)),
        ("float", Element::Bool(truth)) => Ok(Element::Float(f64::from(u8::from(*truth)))),
        ("float", Element::BigInt(text) | Element::Str(text) | Element::Quoted(text, _)) => text
            .trim()
            .replace('_', "")
            .parse()
            .map(Element::Float)
            .or_else(|_| refused()),
        ("bool", Element::Bool(_)) => Ok(element.clone()),
        ("bool", Element::Int(number)) => Ok(Element::Bool(*number != 0)),
        ("bool", Element::Float(number)) => Ok(Element::Bool(*number != 0.0)),
        ("bool", Element::Str(text) | Element::Quoted(text, _)) => {
            match text.to_ascii_lowercase().as_str() {
                "true" => Ok(Element::Bool(true)),
                "false" => Ok(Element::Bool(false)),
                _ => refused(),
            }
        }
        _ => refused(),
    }
}

/// The value as a node whose place is the override.
pub(crate) fn node_of(element: &Element, origin: &Span) -> Node {
    let value = match element {
        Element::Null => Value::Null,
        Element::Bool(truth) => Value::Bool(*truth),
        Element::Int(number) => Value::Int(*number),
        Element::BigInt(digits) => Value::BigInt(digits.clone()),
        Element::Float(number) => Value::Float(*number),
        Element::Str(text) | Element::Quoted(text, _) => Value::Str(text.clone()),
        Element::List(items) => {
            Value::List(items.iter().map(|item| node_of(item, origin)).collect())
        }
        Element::Dict(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| (key_of(key), node_of(value, origin)));
            Value::Map(entries.collect::<Map>())
        }
    };
    Node::at(value, Some(origin.clone()))
}

fn key_of(element: &Element) -> Key {
    match element {
        Element::Bool(truth) => Key::Bool(*truth),
        Element::Int(number) => Key::Int(*number),
        Element::Float(number) => Key::Float(number.to_bits()),
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
