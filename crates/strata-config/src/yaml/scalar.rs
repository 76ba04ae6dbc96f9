//! The types of plain scalars: YAML 1.1 with `OmegaConf`'s changes.

use bigdecimal::num_bigint::BigInt;

use crate::node::Value;
use crate::python;

/// The value of a plain scalar.
pub(crate) fn resolve(text: &str) -> Value {
    if is_null(text) {
        return Value::Null;
    }
    if let Some(truth) = boolean(text) {
        return Value::Bool(truth);
    }
    if let Some(value) = integer(text) {
        return value;
    }
    if is_float(text) {
        return Value::Float(float(text));
    }
    Value::Str(text.to_owned())
}

/// Whether `PyYAML`'s own resolver, which the dumper asks, leaves the text a string.
pub(crate) fn is_string_to_pyyaml(text: &str) -> bool {
    !is_null(text)
        && boolean(text).is_none()
        && integer(text).is_none()
        && !is_prefix_without_digits(text)
        && !is_pyyaml_float(text)
        && !is_timestamp(text)
        && !matches!(text, "=" | "<<")
}

/// `0x` or `0b` and nothing behind it but underscores: the pattern of an integer, but none.
pub(crate) fn is_prefix_without_digits(text: &str) -> bool {
    let digits = split_sign(text).1;
    let rest = digits
        .strip_prefix("0b")
        .or_else(|| digits.strip_prefix("0x"));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b == b'_'))
}

/// `!!bool`: `PyYAML`'s words in any casing.
pub(crate) fn tagged_bool(text: &str) -> Option<Value> {
    boolean(&text.to_lowercase()).map(Value::Bool)
}

/// `!!int`: blanks around the number do not count.
pub(crate) fn tagged_int(text: &str) -> Option<Value> {
    integer(text.trim())
}

/// `!!float`: also what Python's `float()` takes.
pub(crate) fn tagged_float(text: &str) -> Option<Value> {
    let text = text.trim();
    let number = if is_float(text) || text.contains(':') && integer(text).is_some() {
        float(text)
    } else {
        python::parse_float(&text.replace('_', ""))?
    };
    Some(Value::Float(number))
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

fn split_sign(text: &str) -> (bool, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    }
}

/// Decimal, `0x`, `0b`, octal with a leading zero, and base 60 (`1:30`).
fn integer(text: &str) -> Option<Value> {
    let (negative, digits) = split_sign(text);
    let clean = digits.replace('_', "");
    let all = |digits: &str, allowed: fn(&u8) -> bool| {
        !digits.is_empty() && digits.bytes().all(|b| allowed(&b) || b == b'_')
    };
    let radix = |digits: &str, radix: u32| from_radix(negative, digits, radix);
    if let Some(rest) = digits.strip_prefix("0b") {
        return all(rest, |b| matches!(b, b'0' | b'1')).then(|| radix(&clean[2..], 2))?;
    }
    if let Some(rest) = digits.strip_prefix("0x") {
        return all(rest, u8::is_ascii_hexdigit).then(|| radix(&clean[2..], 16))?;
    }
    if digits == "0" {
        return Some(Value::Int(0));
    }
    if let Some(octal) = digits.strip_prefix('0') {
        return all(octal, |b| (b'0'..=b'7').contains(b)).then(|| radix(&clean, 8))?;
    }
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if all(digits, u8::is_ascii_digit) {
        return radix(&clean, 10);
    }
    base_60(negative, digits)
}

fn from_radix(negative: bool, digits: &str, radix: u32) -> Option<Value> {
    let magnitude = BigInt::parse_bytes(digits.as_bytes(), radix)?;
    Some(integer_value(if negative { -magnitude } else { magnitude }))
}

fn integer_value(number: BigInt) -> Value {
    match i64::try_from(&number) {
        Ok(number) => Value::Int(number),
        Err(_) => Value::BigInt(number.to_string()),
    }
}

/// `[1-9][0-9_]*(:[0-5]?[0-9])+`
fn base_60(negative: bool, digits: &str) -> Option<Value> {
    let (first, rest) = digits.split_once(':')?;
    let begins = first.starts_with(|c: char| ('1'..='9').contains(&c));
    if !begins || !digits_and_underscores(first) {
        return None;
    }
    let mut total: BigInt = first.replace('_', "").parse().ok()?;
    for part in rest.split(':') {
        total = total * 60 + sexagesimal(part)?;
    }
    Some(integer_value(if negative { -total } else { total }))
}

fn sexagesimal(part: &str) -> Option<i64> {
    let number: i64 = part.parse().ok()?;
    (part.bytes().all(|b| b.is_ascii_digit()) && part.len() <= 2 && number < 60).then_some(number)
}

/// The float pattern of `PyYAML`, and the one that `OmegaConf` adds.
fn is_float(text: &str) -> bool {
    is_pyyaml_float(text) || is_omegaconf_float(text)
}

/// A point; an exponent only with a sign.
fn is_pyyaml_float(text: &str) -> bool {
    let rest = split_sign(text).1;
    if is_special_float(text) || base_60_float(rest) {
        return true;
    }
    let (mantissa, exponent) = split_exponent(text);
    if !exponent.is_none_or(|exponent| exponent.starts_with(['+', '-']) && is_exponent(exponent)) {
        return false;
    }
    match mantissa.split_once('.') {
        Some(("", fraction)) => starts_with_digit(fraction) && digits_and_underscores(fraction),
        Some((whole, fraction)) => {
            let whole = split_sign(whole).1;
            starts_with_digit(whole)
                && digits_and_underscores(whole)
                && digits_and_underscores(fraction)
        }
        None => false,
    }
}

/// A point or an exponent.
fn is_omegaconf_float(text: &str) -> bool {
    if is_special_float(text) || base_60_float(split_sign(text).1) {
        return true;
    }
    let (mantissa, exponent) = split_exponent(text);
    if !exponent.is_none_or(is_exponent) {
        return false;
    }
    match mantissa.split_once('.') {
        Some(("", fraction)) => {
            digits_in_groups(fraction)
                && exponent.is_none_or(|exponent| exponent.starts_with(['+', '-']))
        }
        Some((whole, fraction)) => {
            digits_in_groups(split_sign(whole).1) && digits_and_underscores(fraction)
        }
        None => exponent.is_some() && digits_in_groups(split_sign(mantissa).1),
    }
}

fn is_special_float(text: &str) -> bool {
    let rest = split_sign(text).1;
    matches!(rest, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

fn split_exponent(text: &str) -> (&str, Option<&str>) {
    match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

/// `[-+]?[0-9]+`
fn is_exponent(text: &str) -> bool {
    let digits = split_sign(text).1;
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// `[0-9_]*`
fn digits_and_underscores(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || b == b'_')
}

/// `[0-9]+(_[0-9]+)*`
fn digits_in_groups(text: &str) -> bool {
    text.split('_')
        .all(|group| !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit()))
}

/// `[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*`
fn base_60_float(text: &str) -> bool {
    let Some((whole, fraction)) = text.split_once('.') else {
        return false;
    };
    let mut parts = whole.split(':');
    let first = parts.next().unwrap_or_default();
    first.starts_with(|c: char| c.is_ascii_digit())
        && first.bytes().all(|b| b.is_ascii_digit() || b == b'_')
        && whole.contains(':')
        && parts.all(|part| sexagesimal(part).is_some())
        && fraction.bytes().all(|b| b.is_ascii_digit() || b == b'_')
}

fn float(text: &str) -> f64 {
    let (negative, rest) = split_sign(text);
    let clean = rest.replace('_', "").to_ascii_lowercase();
    let magnitude = match clean.as_str() {
        ".inf" => f64::INFINITY,
        ".nan" => return f64::NAN,
        text if text.contains(':') => text.split(':').fold(0.0, |sum, part| {
            sum * 60.0 + part.parse::<f64>().unwrap_or_default()
        }),
        text => text.parse().unwrap_or_default(),
    };
    if negative { -magnitude } else { magnitude }
}

/// `2001-12-14` and `2001-12-14t21:59:43.10-05:00`, which `PyYAML` would read as dates.
fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| {
        bytes
            .get(range)
            .is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    let dashed = bytes.get(4) == Some(&b'-') && digits(0..4);
    if !dashed {
        return false;
    }
    if bytes.len() == 10 {
        return digits(5..7) && bytes[7] == b'-' && digits(8..10);
    }
    let mut parts = text.splitn(3, '-');
    let (_, month, rest) = (
        parts.next(),
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let day: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let time = rest[day.len()..].trim_start_matches(['t', 'T', ' ', '\t']);
    (1..=2).contains(&month.len())
        && month.bytes().all(|b| b.is_ascii_digit())
        && (1..=2).contains(&day.len())
        && time.len() < rest.len() - day.len()
        && is_clock(time)
}

fn is_clock(time: &str) -> bool {
    let mut parts = time.splitn(3, ':');
    let (hour, minute, rest) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (1..=2).contains(&hour.len())
        && number(hour)
        && minute.len() == 2
        && number(minute)
        && rest.len() >= 2
        && rest.bytes().take(2).all(|b| b.is_ascii_digit())
        && rest[2..]
            .chars()
            .all(|c| c.is_ascii_digit() || ".:+-Z \t".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `OmegaConf.create("x: <text>").x` gives (`OmegaConf` 2.3.1).
    #[test]
    fn plain_scalars_have_omegaconfs_types() {
        use Value::{Bool, Float, Int, Null};
        let string = |text: &str| Value::Str(text.to_owned());
        for (text, value) in [
            ("", Null),
            ("~", Null),
            ("yes", Bool(true)),
            ("Off", Bool(false)),
            ("y", string("y")),
            ("017", Int(15)),
            ("089", string("089")),
            ("0o17", string("0o17")),
            ("0x1F", Int(31)),
            ("0b101", Int(5)),
            ("1_000", Int(1000)),
            ("1:30", Int(90)),
            ("190:20:30", Int(685_230)),
            ("+7", Int(7)),
            ("1e-4", Float(1e-4)),
            ("2E5", Float(2e5)),
            (".5", Float(0.5)),
            (".5e3", string(".5e3")),
            (".5e-3", Float(5e-4)),
            ("-.5", string("-.5")),
            ("1.", Float(1.0)),
            ("1:30.5", Float(90.5)),
            ("-.inf", Float(f64::NEG_INFINITY)),
            ("2001-12-14", string("2001-12-14")),
            (
                "12345678901234567890",
                Value::BigInt("12345678901234567890".to_owned()),
            ),
        ] {
            assert_eq!(resolve(text), value, "{text}");
        }
        assert!(!is_string_to_pyyaml("2001-12-14") && !is_string_to_pyyaml("="));
        assert!(!is_string_to_pyyaml("0b_") && !is_string_to_pyyaml("-0x__"));
        assert!(is_string_to_pyyaml("2001-12") && is_string_to_pyyaml("1e5"));
    }
}
