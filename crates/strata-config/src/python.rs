//! How Python prints values: what Hydra shows, and what a string interpolation is made of.

use std::fmt::Write as _;

use crate::node::{Key, Node, Value};

/// `repr(float)`: the shortest digits that read back the same, an exponent outside 1e-4..1e16.
pub fn float_repr(x: f64) -> String {
    if x.is_nan() {
        return "nan".to_owned();
    }
    if x.is_infinite() {
        return if x > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = shortest(x);
    let (digits, exponent) = scientific.split_once('e').expect("`{:e}` has an exponent");
    let exponent: i32 = exponent.parse().expect("`{:e}` has a whole exponent");
    if x != 0.0 && !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    // As many decimals as the digits need, and at least one.
    let significant = digits.bytes().filter(u8::is_ascii_digit).count() as i32;
    let decimals = (significant - 1 - exponent).max(1);
    format!("{x:.*}", decimals as usize)
}

/// The shortest digits that read back the same, in scientific form. Where two such texts are equally near,
/// Rust takes the greater and Python the one with the even last digit.
fn shortest(x: f64) -> String {
    let shortest = format!("{x:e}");
    let mantissa = shortest.split('e').next().unwrap_or_default();
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    let nearest = format!("{x:.*e}", digits - 1);
    if nearest.parse() == Ok(x) {
        nearest
    } else {
        shortest
    }
}

/// `repr(bool)`.
pub fn bool_repr(truth: bool) -> &'static str {
    if truth { "True" } else { "False" }
}

/// `str(value)`.
pub fn str_of(node: &Node) -> String {
    match &node.value {
        Value::Str(text) => text.clone(),
        _ => repr_of(node),
    }
}

/// `repr(value)`.
fn repr_of(node: &Node) -> String {
    match &node.value {
        Value::Null => "None".to_owned(),
        Value::Bool(truth) => bool_repr(*truth).to_owned(),
        Value::Int(number) => number.to_string(),
        Value::BigInt(digits) => digits.clone(),
        Value::Float(number) => float_repr(*number),
        Value::Str(text) => str_repr(text),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(repr_of).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(map) => {
            let items: Vec<String> = map
                .iter()
                .map(|(key, node)| {
                    let key = if let Key::Str(text) = key {
                        str_repr(text)
                    } else {
                        key.to_string()
                    };
                    format!("{key}: {}", repr_of(node))
                })
                .collect();
            format!("{{{}}}", items.join(", "))
        }
    }
}

/// `repr(str)`: single quotes, unless the text has those and no double ones.
fn str_repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut repr = String::from(quote);
    for c in text.chars() {
        match c {
            '\\' => repr.push_str("\\\\"),
            '\n' => repr.push_str("\\n"),
            '\r' => repr.push_str("\\r"),
            '\t' => repr.push_str("\\t"),
            c if c == quote => {
                repr.push('\\');
                repr.push(c);
            }
            c if (c as u32) < 0x20 || c as u32 == 0x7f => {
                write!(repr, "\\x{:02x}", c as u32).expect("a string takes everything");
            }
            c => repr.push(c),
        }
    }
    repr.push(quote);
    repr
}

/// Python's `float(text)`, which takes all that `int(text)` does: blanks around, digits of any script,
/// single underscores between them.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    // Rust knows no names of numbers that Python does not.
    without_underscores(text)?.parse().ok()
}

/// The ASCII digits of Python's `int(text)`, sign included.
pub(crate) fn parse_int(text: &str) -> Option<String> {
    let clean = without_underscores(text)?;
    let digits = clean.strip_prefix(['+', '-']).unwrap_or(&clean);
    let is_integer = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_integer.then_some(clean)
}

/// A number's text in ASCII digits; none if an underscore does not stand between two.
fn without_underscores(text: &str) -> Option<String> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c));
    let ascii: String = text
        .chars()
        .map(|c| decimal_digit(c).unwrap_or(c))
        .collect();
    let bytes = ascii.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let fits = ascii
        .match_indices('_')
        .all(|(at, _)| at > 0 && digit(at - 1) && digit(at + 1));
    fits.then(|| ascii.replace('_', ""))
}

/// The ASCII digit of a decimal digit of any script.
fn decimal_digit(c: char) -> Option<char> {
    let code = c as u32;
    let zero = ZEROS.iter().rev().find(|zero| **zero <= code)?;
    char::from_digit(code - zero, 10)
}

/// The zeros of all scripts (Unicode 14, general category Nd); the other nine digits follow each.
const ZEROS: [u32; 66] = [
    0x0030, 0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6,
    0x0d66, 0x0de6, 0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80,
    0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0,
    0xff10, 0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0,
    0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50, 0x11da0, 0x16a60, 0x16ac0,
    0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Python 3.11: `for x in [...]: print(repr(x))`.
    #[test]
    fn floats_print_as_python_prints_them() {
        for (x, repr) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.1, "0.1"),
            (1e-4, "0.0001"),
            (1e-5, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.234e22, "1.234e+22"),
            (5e-324, "5e-324"),
            // Halfway between two texts of 16 digits.
            (3_977_207_234_020_529.0 / 4.0, "994301808505132.2"),
            (123_456_789_012_345_680.0, "1.2345678901234568e+17"),
            (100.0, "100.0"),
            (1.797_693_134_862_315_7e308, "1.7976931348623157e+308"),
        ] {
            assert_eq!(float_repr(x), repr);
        }
    }

    #[test]
    fn numbers_are_those_that_python_takes() {
        for text in [
            "1",
            " 12 ",
            "+1_0",
            "1e5",
            ".5",
            "5.",
            "inf",
            "-Infinity",
            "nan",
            "\u{ff11}\u{662}",
        ] {
            assert!(parse_float(text).is_some(), "{text}");
        }
        for text in ["", "_1", "1__0", "0x1", "1e", ".", "infin", "1 2", "\u{b2}"] {
            assert!(parse_float(text).is_none(), "{text}");
        }
    }

    #[test]
    fn strings_are_quoted_as_python_quotes_them() {
        assert_eq!(str_repr("a"), "'a'");
        assert_eq!(str_repr("it's"), "\"it's\"");
        assert_eq!(str_repr("it's \"x\""), "'it\\'s \"x\"'");
        assert_eq!(str_repr("a\nb\u{1}"), "'a\\nb\\x01'");
    }
}
