//! Nodes as `PyYAML` writes them for `OmegaConf`: block style, indent 2, sequences not indented, width 80.

use strata_yaml::{Analysis, Dialect, Folding, Writer};

use super::scalar;
use crate::node::{Key, Map, Node, Value};
use crate::python;

/// The text that `OmegaConf.to_yaml` gives.
pub fn to_yaml(node: &Node) -> String {
    let mut writer = Writer::new(Dialect::PyYaml);
    match &node.value {
        Value::Map(map) if !map.is_empty() => mapping(&mut writer, map, 0),
        Value::List(items) if !items.is_empty() => sequence(&mut writer, items, 0),
        _ => {
            leaf(&mut writer, node, 0);
            writer.end_line();
            let is_plain = !writer.text().starts_with(['\'', '"', '{', '[']);
            if is_plain {
                writer.push("...");
                writer.end_line();
            }
        }
    }
    writer.into_text()
}

fn mapping(writer: &mut Writer, map: &Map, indent: usize) {
    for (index, (key, node)) in map.iter().enumerate() {
        // The first key stands behind a `- ` or `? ` where there is one.
        if index > 0 || writer.column() == 0 {
            writer.pad(indent);
        }
        if is_simple(key) {
            write_key(writer, key, indent, true);
        } else {
            writer.push("? ");
            write_key(writer, key, indent, false);
            writer.end_line();
            writer.pad(indent);
        }
        writer.push(":");
        value(writer, node, indent, is_simple(key), false);
    }
}

fn sequence(writer: &mut Writer, items: &[Node], indent: usize) {
    for (index, node) in items.iter().enumerate() {
        if index > 0 || writer.column() == 0 {
            writer.pad(indent);
        }
        writer.push("-");
        value(writer, node, indent, false, true);
    }
}

/// A value after `key:`, `:` or `-`, and the end of its line.
fn value(
    writer: &mut Writer,
    node: &Node,
    indent: usize,
    after_simple_key: bool,
    in_sequence: bool,
) {
    match &node.value {
        Value::Map(map) if !map.is_empty() => {
            begin_block(writer, after_simple_key);
            mapping(writer, map, indent + 2);
        }
        Value::List(items) if !items.is_empty() => {
            begin_block(writer, after_simple_key);
            let indentless = after_simple_key && !in_sequence;
            sequence(writer, items, if indentless { indent } else { indent + 2 });
        }
        _ => {
            writer.push(" ");
            leaf(writer, node, indent + 2);
            writer.end_line();
        }
    }
}

fn begin_block(writer: &mut Writer, after_simple_key: bool) {
    if after_simple_key {
        writer.end_line();
    } else {
        writer.push(" ");
    }
}

fn is_simple(key: &Key) -> bool {
    match key {
        Key::Str(text) => Analysis::of(text, Dialect::PyYaml).allows_simple_key,
        _ => true,
    }
}

fn write_key(writer: &mut Writer, key: &Key, indent: usize, simple: bool) {
    match key {
        Key::Str(text) => string(writer, text, indent + 2, simple),
        Key::BigInt(digits) => writer.push(digits),
        Key::Int(number) => writer.push(&number.to_string()),
        Key::Float(bits) => writer.push(&float(f64::from_bits(*bits))),
        Key::Bool(truth) => writer.push(if *truth { "true" } else { "false" }),
    }
}

fn leaf(writer: &mut Writer, node: &Node, indent: usize) {
    match &node.value {
        Value::Null => writer.push("null"),
        Value::Bool(truth) => writer.push(if *truth { "true" } else { "false" }),
        Value::Int(number) => writer.push(&number.to_string()),
        Value::BigInt(digits) => writer.push(digits),
        Value::Float(number) => writer.push(&float(*number)),
        Value::Str(text) => string(writer, text, indent, false),
        Value::Map(_) => writer.push("{}"),
        Value::List(_) => writer.push("[]"),
    }
}

/// The text in the first style that can hold it.
fn string(writer: &mut Writer, text: &str, indent: usize, is_simple_key: bool) {
    let analysis = Analysis::of(text, Dialect::PyYaml);
    let folding = if is_simple_key {
        Folding::Never
    } else {
        Folding::At(indent)
    };
    let too_much_for_a_key = is_simple_key && (analysis.empty || analysis.multiline);
    let quotes_wanted = python_takes_it_for_another_type(text);
    if !quotes_wanted
        && !too_much_for_a_key
        && analysis.allows_block_plain
        && scalar::is_string_to_pyyaml(text)
    {
        writer.plain(text, folding);
    } else if analysis.allows_single && !(is_simple_key && analysis.multiline) {
        writer.single_quoted(text, folding);
    } else {
        writer.double_quoted(text, folding);
    }
}

/// What `OmegaConf` quotes although YAML may leave it a string: YAML's booleans and what Python's `int()`
/// or `float()` takes.
fn python_takes_it_for_another_type(text: &str) -> bool {
    let is_bool = matches!(
        text,
        "y" | "Y"
            | "yes"
            | "Yes"
            | "YES"
            | "n"
            | "N"
            | "no"
            | "No"
            | "NO"
            | "true"
            | "True"
            | "TRUE"
            | "false"
            | "False"
            | "FALSE"
            | "on"
            | "On"
            | "ON"
            | "off"
            | "Off"
            | "OFF"
    );
    is_bool || python::parse_float(text).is_some()
}

/// Python's digits with a point before the exponent, as `PyYAML`'s representer adds it.
fn float(number: f64) -> String {
    if number.is_nan() {
        return ".nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let repr = python::float_repr(number);
    match repr.split_once('e') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0e{exponent}"),
        _ => repr,
    }
}
