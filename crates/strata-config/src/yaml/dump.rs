//! Nodes as `PyYAML` writes them for Hydra: block style, indent 2, sequences not indented, width 80.

use std::fmt::Write as _;

use super::scalar;
use crate::node::{Key, Map, Node, Value};
use crate::python;

const WIDTH: usize = 80;

/// The text that `OmegaConf.to_yaml` gives.
pub fn to_yaml(node: &Node) -> String {
    let mut out = String::new();
    match &node.value {
        Value::Map(map) if !map.is_empty() => mapping(&mut out, map, 0),
        Value::List(items) if !items.is_empty() => sequence(&mut out, items, 0),
        _ => {
            let column = 0;
            scalar_or_empty(&mut out, node, 0, column);
            out.push('\n');
            if !matches!(node.value, Value::Map(_) | Value::List(_))
                && !out.starts_with(['\'', '"'])
            {
                out.push_str("...\n");
            }
        }
    }
    out
}

fn mapping(out: &mut String, map: &Map, indent: usize) {
    for (index, (key, node)) in map.iter().enumerate() {
        if index > 0 || !out.ends_with("- ") {
            pad(out, indent);
        }
        let text = key_text(key, indent);
        let simple = text.chars().count() <= 128 && !text.contains('\n');
        if simple {
            out.push_str(&text);
        } else {
            write!(out, "? {text}\n{:indent$}", "").expect("a string takes everything");
        }
        out.push(':');
        value(out, node, indent, false);
    }
}

fn sequence(out: &mut String, items: &[Node], indent: usize) {
    for (index, node) in items.iter().enumerate() {
        if index > 0 || !out.ends_with("- ") {
            pad(out, indent);
        }
        out.push('-');
        value(out, node, indent, true);
    }
}

/// A value after `key:` or `-`, and the end of its line.
fn value(out: &mut String, node: &Node, indent: usize, in_sequence: bool) {
    match &node.value {
        Value::Map(map) if !map.is_empty() => {
            out.push(if in_sequence { ' ' } else { '\n' });
            mapping(out, map, indent + 2);
        }
        Value::List(items) if !items.is_empty() => {
            out.push(if in_sequence { ' ' } else { '\n' });
            sequence(out, items, if in_sequence { indent + 2 } else { indent });
        }
        _ => {
            out.push(' ');
            let column = out.len() - out.rfind('\n').map_or(0, |at| at + 1);
            let column = out[out.len() - column..].chars().count();
            scalar_or_empty(out, node, indent + 2, column);
            out.push('\n');
        }
    }
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

fn scalar_or_empty(out: &mut String, node: &Node, indent: usize, column: usize) {
    match &node.value {
        Value::Null => out.push_str("null"),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Int(number) => out.push_str(&number.to_string()),
        Value::BigInt(digits) => out.push_str(digits),
        Value::Float(number) => out.push_str(&float(*number)),
        Value::Str(text) => out.push_str(&string(text, indent, column, false)),
        Value::Map(_) => out.push_str("{}"),
        Value::List(_) => out.push_str("[]"),
    }
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

fn key_text(key: &Key, indent: usize) -> String {
    match key {
        Key::Str(text) => string(text, indent, indent, true),
        Key::Int(number) => number.to_string(),
        Key::Float(bits) => float(f64::from_bits(*bits)),
        Key::Bool(truth) => if *truth { "true" } else { "false" }.to_owned(),
    }
}

/// A string in the first style that can hold it: plain, single quotes, double quotes.
fn string(text: &str, indent: usize, column: usize, is_key: bool) -> String {
    let analysis = Analysis::of(text);
    let plain = analysis.plain
        && !analysis.multiline
        && scalar::is_plain_string(text)
        && !looks_typed(text);
    let width = if is_key { usize::MAX } else { WIDTH };
    if plain {
        fold(text, indent, column, width, "")
    } else if analysis.single && !(analysis.multiline && is_key) {
        single_quoted(text, indent, column, width)
    } else {
        double_quoted(text, indent, column, width)
    }
}

/// What `OmegaConf` quotes although YAML 1.1 would leave it a string: booleans of other readers, and all
/// that Python's `int()` or `float()` takes.
fn looks_typed(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    if matches!(
        lower.as_str(),
        "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false"
    ) {
        return true;
    }
    let number = lower.trim();
    let unsigned = number.strip_prefix(['+', '-']).unwrap_or(number);
    if matches!(unsigned, "inf" | "infinity" | "nan") {
        return true;
    }
    let underscores_between_digits = !unsigned.starts_with('_')
        && !unsigned.ends_with('_')
        && unsigned
            .as_bytes()
            .windows(3)
            .all(|w| w[1] != b'_' || (w[0].is_ascii_digit() && w[2].is_ascii_digit()));
    let starts_like_a_number = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    starts_like_a_number
        && underscores_between_digits
        && unsigned.replace('_', "").parse::<f64>().is_ok()
}

struct Analysis {
    plain: bool,
    single: bool,
    multiline: bool,
}

impl Analysis {
    /// `PyYAML`'s `analyze_scalar`, for block context.
    fn of(text: &str) -> Self {
        if text.is_empty() {
            return Self {
                plain: false,
                single: true,
                multiline: false,
            };
        }
        let chars: Vec<char> = text.chars().collect();
        let mut indicators = text.starts_with("---") || text.starts_with("...");
        let (mut line_breaks, mut special) = (false, false);
        let (mut leading_space, mut leading_break, mut trailing_space, mut trailing_break) =
            (false, false, false, false);
        let (mut break_space, mut space_break) = (false, false);
        let (mut previous_space, mut previous_break) = (false, false);
        let mut preceded_by_whitespace = true;
        for (index, &c) in chars.iter().enumerate() {
            let followed_by_whitespace = chars
                .get(index + 1)
                .is_none_or(|next| is_blank(*next) || is_break(*next));
            if index == 0 {
                indicators |= "#,[]{}&*!|>'\"%@`".contains(c);
                indicators |= "?:".contains(c) && followed_by_whitespace;
                indicators |= c == '-' && followed_by_whitespace;
            } else {
                indicators |= c == ':' && followed_by_whitespace;
                indicators |= c == '#' && preceded_by_whitespace;
            }
            line_breaks |= is_break(c);
            special |= !is_printable(c);
            if c == ' ' {
                leading_space |= index == 0;
                trailing_space |= index + 1 == chars.len();
                break_space |= previous_break;
                (previous_space, previous_break) = (true, false);
            } else if is_break(c) {
                leading_break |= index == 0;
                trailing_break |= index + 1 == chars.len();
                space_break |= previous_space;
                (previous_space, previous_break) = (false, true);
            } else {
                (previous_space, previous_break) = (false, false);
            }
            preceded_by_whitespace = is_blank(c) || is_break(c);
        }
        let edges = leading_space || leading_break || trailing_space || trailing_break;
        Self {
            plain: !indicators
                && !edges
                && !line_breaks
                && !break_space
                && !space_break
                && !special,
            single: !space_break && !special && !break_space,
            multiline: line_breaks,
        }
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\0')
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// `PyYAML` writes these as they are with `allow_unicode`.
fn is_printable(c: char) -> bool {
    matches!(c, '\n' | '\u{20}'..='\u{7e}' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
        && c != '\u{feff}'
}

/// Breaks at single spaces once the line is longer than the width.
fn fold(text: &str, indent: usize, mut column: usize, width: usize, quote: &str) -> String {
    let mut out = String::from(quote);
    column += quote.len();
    let words: Vec<&str> = text.split(' ').collect();
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            let single_space = !words[index - 1].is_empty() && !word.is_empty();
            if single_space && column > width {
                write!(out, "\n{:indent$}", "").expect("a string takes everything");
                column = indent;
            } else {
                out.push(' ');
                column += 1;
            }
        }
        out.push_str(word);
        column += word.chars().count();
    }
    out.push_str(quote);
    out
}

fn single_quoted(text: &str, indent: usize, column: usize, width: usize) -> String {
    if !text.contains(is_break) {
        return fold(&text.replace('\'', "''"), indent, column, width, "'");
    }
    let mut out = String::from("'");
    let mut previous_was_break = true;
    for line in text.split_inclusive(is_break) {
        let content = line.trim_end_matches(is_break);
        if !content.is_empty() && previous_was_break && out.len() > 1 {
            pad(&mut out, indent);
        }
        out.push_str(&content.replace('\'', "''"));
        if line.len() > content.len() {
            // One more than there are in the text: a single break would read as a space.
            if !content.is_empty() || out.len() == 1 {
                out.push('\n');
            }
            out.push('\n');
            previous_was_break = true;
        }
    }
    if text.ends_with(is_break) {
        pad(&mut out, indent);
    }
    out.push('\'');
    out
}

fn double_quoted(text: &str, indent: usize, column: usize, width: usize) -> String {
    let mut out = String::from("\"");
    let mut column = column + 1;
    let chars: Vec<char> = text.chars().collect();
    for (index, &c) in chars.iter().enumerate() {
        if c == ' ' && column > width && index > 0 && index + 1 < chars.len() {
            write!(out, "\\\n{:indent$}", "").expect("a string takes everything");
            column = indent;
            if chars[index + 1] == ' ' || chars[index - 1] == ' ' {
                out.push('\\');
                column += 1;
            }
            out.push(' ');
            column += 1;
            continue;
        }
        let before = out.len();
        escape(&mut out, c);
        column += out[before..].chars().count();
    }
    out.push('"');
    out
}

fn escape(out: &mut String, c: char) {
    let name = match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        c if is_printable(c) => return out.push(c),
        c => {
            let code = c as u32;
            let written = match code {
                0..=0xff => write!(out, "\\x{code:02X}"),
                0x100..=0xffff => write!(out, "\\u{code:04X}"),
                _ => write!(out, "\\U{code:08X}"),
            };
            return written.expect("a string takes everything");
        }
    };
    out.push('\\');
    out.push(name);
}
