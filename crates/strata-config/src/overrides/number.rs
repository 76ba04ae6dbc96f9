//! Numbers as Hydra's grammar reads them.

use super::ast::Element;

/// Length of `[+-]?(0|[1-9](_?\d)*)` at the start of a text; 0 for none.
pub(crate) fn integer_len(text: &str) -> usize {
    let sign = sign_len(text);
    match unsigned_len(&text[sign..]) {
        0 => 0,
        len => sign + len,
    }
}

/// Length of a number with a point or an exponent, or of `inf` or `nan`; 0 for none.
pub(crate) fn float_len(text: &str) -> usize {
    let sign = sign_len(text);
    let rest = &text[sign..];
    let special = rest
        .get(..3)
        .is_some_and(|word| word.eq_ignore_ascii_case("inf") || word.eq_ignore_ascii_case("nan"));
    if special {
        return sign + 3;
    }
    let whole = unsigned_len(rest);
    let after_whole = &rest[whole..];
    let with_point = if let Some(after_point) = after_whole.strip_prefix('.') {
        let fraction = digits_len(after_point);
        if whole == 0 && fraction == 0 {
            0
        } else {
            whole + 1 + fraction
        }
    } else {
        0
    };
    let mantissa = with_point.max(whole);
    let exponent = if mantissa == 0 {
        0
    } else {
        exponent_len(&rest[mantissa..])
    };
    match (with_point, exponent) {
        (0, 0) => 0,
        _ => sign + mantissa + exponent,
    }
}

fn sign_len(text: &str) -> usize {
    usize::from(text.starts_with(['+', '-']))
}

/// `0|[1-9](_?\d)*`
fn unsigned_len(text: &str) -> usize {
    if text.starts_with('0') {
        1
    } else {
        digits_len(text)
    }
}

/// `\d(_?\d)*`
fn digits_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut len = usize::from(digit(0));
    if len == 0 {
        return 0;
    }
    loop {
        if digit(len) {
            len += 1;
        } else if bytes.get(len) == Some(&b'_') && digit(len + 1) {
            len += 2;
        } else {
            return len;
        }
    }
}

fn exponent_len(text: &str) -> usize {
    let Some(rest) = text.strip_prefix(['e', 'E']) else {
        return 0;
    };
    let sign = sign_len(rest);
    match digits_len(&rest[sign..]) {
        0 => 0,
        digits => 1 + sign + digits,
    }
}

/// The value of an integer's text; one beyond 64 bits keeps its digits.
pub(crate) fn integer(text: &str) -> Element {
    let clean = text.replace('_', "");
    if let Ok(number) = clean.parse() {
        return Element::Int(number);
    }
    let (sign, digits) = match clean.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", clean.trim_start_matches('+')),
    };
    Element::BigInt(format!("{sign}{}", digits.trim_start_matches('0')))
}

/// The value of a float's text.
pub(crate) fn float(text: &str) -> f64 {
    text.replace('_', "").parse().unwrap_or(f64::NAN)
}

/// Python's `int(number)` of a float; none for infinities and NaN.
pub(crate) fn truncated(number: f64) -> Option<Element> {
    number
        .is_finite()
        .then(|| integer(&format!("{:.0}", number.trunc())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_those_of_the_grammar() {
        for (text, integer, float) in [
            ("12", 2, 0),
            ("012", 1, 0),
            ("1_000x", 5, 0),
            ("1__0", 1, 0),
            ("1.", 1, 2),
            (".5", 0, 2),
            ("+.5e-3", 0, 6),
            ("1e5", 1, 3),
            ("1e", 1, 0),
            ("-INFx", 0, 4),
            (".", 0, 0),
            ("-", 0, 0),
        ] {
            assert_eq!(
                (integer_len(text), float_len(text)),
                (integer, float),
                "{text}"
            );
        }
    }

    #[test]
    fn floats_are_cut_as_python_cuts_them() {
        assert_eq!(truncated(-3.7), Some(Element::Int(-3)));
        assert_eq!(
            truncated(1e20),
            Some(Element::BigInt("100000000000000000000".to_owned()))
        );
    }
}
