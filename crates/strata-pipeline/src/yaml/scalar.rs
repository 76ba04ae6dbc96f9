//! The types of plain scalars by YAML 1.2 as ruamel has it, and how numbers are written.

use strata_config::python::float_repr;

use crate::value::Value;

/// The value of a plain scalar. A date stays a text, and so does what looks like a number but is none.
pub(super) fn resolve(text: &str) -> Value {
    if is_null(text) {
        return Value::Null;
    }
    if let Some(truth) = boolean(text) {
        return Value::Bool(truth);
    }
    if is_float(text)
        && let Some(number) = float(text)
    {
        return Value::Float(number);
    }
    if is_integer(text)
        && let Some(value) = integer(text)
    {
        return value;
    }
    Value::Str(text.to_owned())
}

/// Whether ruamel would read the text, were it not quoted, as something other than a string.
pub(super) fn needs_quotes(text: &str) -> bool {
    is_null(text)
        || boolean(text).is_some()
        || is_float(text)
        || is_integer(text)
        || is_timestamp(text)
        || matches!(text, "=" | "<<" | "!" | "&" | "*")
}

/// A number in the form of Python's `repr`, with YAML's names of what is no number.
pub(super) fn float_text(number: f64) -> String {
    if number.is_nan() {
        return ".nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    float_repr(number)
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

fn without_sign(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

fn all(text: &str, allowed: fn(u8) -> bool) -> bool {
    text.bytes().all(|byte| byte == b'_' || allowed(byte))
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

/// `12`, `1_000`, `0b11`, `0o17`, `0x1F`; no pattern of ruamel's forbids a digit behind a leading zero.
fn is_integer(text: &str) -> bool {
    let digits = without_sign(text);
    let starts_as_a_number =
        text.starts_with(|c: char| matches!(c, '-' | '+') || c.is_ascii_digit());
    let with_prefix = |prefix: &str, allowed: fn(u8) -> bool| {
        let rest = digits.strip_prefix(prefix);
        rest.is_some_and(|rest| !rest.is_empty() && all(rest, allowed))
    };
    starts_as_a_number
        && !digits.is_empty()
        && (all(digits, is_digit)
            || with_prefix("0b", |byte| matches!(byte, b'0' | b'1'))
            || with_prefix("0o", |byte| matches!(byte, b'0'..=b'7'))
            || with_prefix("0x", |byte| byte.is_ascii_hexdigit()))
}

/// An integer that needs more than 128 bits becomes the nearest float.
fn integer(text: &str) -> Option<Value> {
    let negative = text.starts_with('-');
    let digits = without_sign(text).replace('_', "");
    let (radix, digits) = match digits.get(..2) {
        Some("0b") => (2, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0x") => (16, &digits[2..]),
        _ => (10, digits.as_str()),
    };
    if digits.is_empty() {
        return None;
    }
    if let Ok(number) = i128::from_str_radix(digits, radix) {
        return Some(Value::Int(if negative { -number } else { number }));
    }
    let magnitude = digits.chars().try_fold(0.0, |sum: f64, digit| {
        digit
            .to_digit(radix)
            .map(|digit| sum.mul_add(f64::from(radix), f64::from(digit)))
    })?;
    Some(Value::Float(if negative { -magnitude } else { magnitude }))
}

/// `1.5`, `1.`, `1e-3`, `.5`, `.inf`, `.nan`; behind `.5` an exponent needs its sign.
fn is_float(text: &str) -> bool {
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let number = without_sign(text);
    if matches!(number, ".inf" | ".Inf" | ".INF") {
        return true;
    }
    let (mantissa, exponent) = match number.find(['e', 'E']) {
        Some(at) => (&number[..at], Some(&number[at + 1..])),
        None => (number, None),
    };
    let exponent_fits = exponent.is_none_or(|exponent| {
        let digits = without_sign(exponent);
        !digits.is_empty() && digits.bytes().all(is_digit)
    });
    if !exponent_fits {
        return false;
    }
    match mantissa.split_once('.') {
        Some(("", fraction)) => {
            let signed = exponent.is_none_or(|exponent| exponent.starts_with(['-', '+']));
            signed && !fraction.is_empty() && all(fraction, is_digit)
        }
        Some((whole, fraction)) => starts_with_digit(whole) && all(fraction, is_digit),
        None => exponent.is_some() && starts_with_digit(mantissa),
    }
}

fn starts_with_digit(digits: &str) -> bool {
    digits.starts_with(|c: char| c.is_ascii_digit()) && all(digits, is_digit)
}

fn float(text: &str) -> Option<f64> {
    let negative = text.starts_with('-');
    let digits = without_sign(text).replace('_', "").to_lowercase();
    let magnitude = match digits.as_str() {
        ".inf" => f64::INFINITY,
        ".nan" => f64::NAN,
        digits => digits.parse().ok()?,
    };
    Some(if negative { -magnitude } else { magnitude })
}

/// `2024-01-31`, or that with a time behind it.
fn is_timestamp(text: &str) -> bool {
    let date_end = text.find(['T', 't', ' ', '\t']).unwrap_or(text.len());
    let (date, rest) = text.split_at(date_end);
    let mut parts = date.split('-');
    let (Some(year), Some(month), Some(day), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let digits = |text: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&text.len()) && text.bytes().all(is_digit)
    };
    if rest.is_empty() {
        return digits(year, 4..=4) && digits(month, 2..=2) && digits(day, 2..=2);
    }
    let time = match rest.strip_prefix(['T', 't']) {
        Some(time) => time,
        None => rest.trim_start_matches([' ', '\t']),
    };
    digits(year, 4..=4) && digits(month, 1..=2) && digits(day, 1..=2) && is_time(time)
}

/// `1:02:03.5 +01:00`, of which the fraction and the zone may be missing.
fn is_time(text: &str) -> bool {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || c == ':'))
        .unwrap_or(text.len());
    let (clock, rest) = text.split_at(end);
    let mut parts = clock.split(':');
    let length = |part: Option<&str>| part.map(str::len);
    let fits = matches!(length(parts.next()), Some(1 | 2))
        && length(parts.next()) == Some(2)
        && length(parts.next()) == Some(2)
        && parts.next().is_none();
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    fits && is_zone(rest)
}

fn is_zone(text: &str) -> bool {
    let zone = text.trim_start_matches([' ', '\t']);
    if text.is_empty() || zone == "Z" {
        return true;
    }
    let Some(offset) = zone.strip_prefix(['-', '+']) else {
        return false;
    };
    let (hours, minutes) = match offset.split_once(':') {
        Some((hours, minutes)) => (hours, Some(minutes)),
        None => (offset, None),
    };
    (1..=2).contains(&hours.len())
        && hours.bytes().all(is_digit)
        && minutes.is_none_or(|minutes| minutes.len() == 2 && minutes.bytes().all(is_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_have_the_types_of_yaml_1_2() {
        for (text, value) in [
            ("yes", Value::from("yes")),
            ("True", Value::Bool(true)),
            ("~", Value::Null),
            ("0o17", Value::Int(15)),
            ("017", Value::Int(17)),
            ("1_000", Value::Int(1000)),
            ("-0x1F", Value::Int(-31)),
            ("1e-3", Value::Float(0.001)),
            ("1.", Value::Float(1.0)),
            (".5e3", Value::from(".5e3")),
            ("-.inf", Value::Float(f64::NEG_INFINITY)),
            ("12:30:45", Value::from("12:30:45")),
            ("2024-01-01", Value::from("2024-01-01")),
            ("-_", Value::from("-_")),
            ("0x_", Value::from("0x_")),
            ("é", Value::from("é")),
        ] {
            assert_eq!(resolve(text), value, "{text}");
        }
    }

    #[test]
    fn timestamps_need_quotes() {
        for text in [
            "2024-01-01",
            "2024-1-1 1:02:03",
            "2024-01-01T01:02:03.25Z",
            "2024-01-01 01:02:03 +1:30",
        ] {
            assert!(needs_quotes(text), "{text}");
        }
        for text in [
            "2024-1-1",
            "2024-01-01 ",
            "2024-01-01T",
            "12:30:45",
            "2024-01-01T01:02:03 x",
        ] {
            assert!(!needs_quotes(text), "{text}");
        }
    }
}
