//! One thing that a run says of itself.

use std::cmp::Ordering;
use std::fmt;

use serde_json::{Value, json};

/// A value of a run's configuration, a metric, or what the run is.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// A number; also not a number.
    Number(f64),
    /// Anything else, as text; lists as JSON.
    Text(String),
    /// Truth or untruth.
    Bool(bool),
    /// Nothing.
    Null,
}

impl Fact {
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(bool) => Self::Bool(*bool),
            Value::Number(number) => match number.as_f64() {
                Some(float) if is_exact(number, float) => Self::Number(float),
                _ => Self::Text(number.to_string()),
            },
            Value::String(text) => Self::Text(text.clone()),
            list_or_map => Self::Text(list_or_map.to_string()),
        }
    }

    /// What somebody has typed: a number if it is one; a list as the facts of runs have it, without blanks.
    pub(super) fn typed(text: &str) -> Self {
        match text {
            "null" => Self::Null,
            "true" => Self::Bool(true),
            "false" => Self::Bool(false),
            _ => match text.parse() {
                Ok(number) => Self::Number(number),
                Err(_) if text.starts_with('[') => {
                    let list = serde_json::from_str::<Value>(text);
                    Self::Text(list.map_or_else(|_| text.to_owned(), |list| list.to_string()))
                }
                Err(_) => Self::Text(text.to_owned()),
            },
        }
    }

    /// For the eye: four digits after the point, or as many as tell a small number from nothing. Never for
    /// configurations, in which 0.0012 and 0.00123 are two learning rates.
    #[must_use]
    pub fn rounded(self) -> Self {
        let Self::Number(number) = self else {
            return self;
        };
        let text = if number == 0.0 || (1e-3..1e6).contains(&number.abs()) {
            format!("{number:.4}")
        } else {
            format!("{number:.3e}")
        };
        Self::Number(text.parse().unwrap_or(number))
    }

    /// For JSON, which has no NaN: those become null. Whole numbers have no point.
    pub fn json(&self) -> Value {
        match self {
            Self::Number(number) if number.fract() == 0.0 && number.abs() < EXACT_INTEGERS => {
                json!(*number as i64)
            }
            Self::Number(number) => json!(number),
            Self::Text(text) => json!(text),
            Self::Bool(bool) => json!(bool),
            Self::Null => Value::Null,
        }
    }

    /// Numbers by size, texts by letters; NaN after all numbers, other kinds by kind.
    pub fn compare(&self, other: &Self) -> Ordering {
        let kind = |fact: &Self| match fact {
            Self::Number(number) => u8::from(number.is_nan()),
            Self::Bool(_) => 2,
            Self::Text(_) => 3,
            Self::Null => 4,
        };
        match (self, other) {
            (Self::Number(a), Self::Number(b)) if !a.is_nan() && !b.is_nan() => {
                a.partial_cmp(b).unwrap_or(Ordering::Equal)
            }
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            _ => kind(self).cmp(&kind(other)),
        }
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) if is_plain(*number) => write!(formatter, "{number}"),
            Self::Number(number) => write!(formatter, "{number:e}"),
            Self::Text(text) => formatter.write_str(text),
            Self::Bool(bool) => write!(formatter, "{bool}"),
            Self::Null => formatter.write_str("null"),
        }
    }
}

/// Up to here a float holds every integer.
const EXACT_INTEGERS: f64 = 9_007_199_254_740_992.0;

/// Whether nothing of a number is lost in a float, as the last digits of a seed of 64 bits are.
fn is_exact(number: &serde_json::Number, float: f64) -> bool {
    number.is_f64() || float.abs() < EXACT_INTEGERS
}

/// Whether a number is read more easily without a power of ten; where Python, too, writes it so.
fn is_plain(number: f64) -> bool {
    number == 0.0 || !number.is_finite() || (1e-4..1e16).contains(&number.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_until_they_are_rounded() {
        for (number, exact, rounded) in [
            (0.857_21, "0.85721", "0.8572"),
            (3.0, "3", "3"),
            (0.001_23, "0.00123", "0.0012"),
            (1.234_56e-5, "1.23456e-5", "1.235e-5"),
            (0.0, "0", "0"),
            (f64::NAN, "NaN", "NaN"),
            (f64::NEG_INFINITY, "-inf", "-inf"),
            (123_456.75, "123456.75", "123456.75"),
        ] {
            let fact = Fact::Number(number);
            assert_eq!(fact.to_string(), exact);
            assert_eq!(fact.rounded().to_string(), rounded);
        }
    }

    #[test]
    fn integers_stay_what_they_are() {
        let seed = json!(u64::MAX);
        assert_eq!(Fact::of(&seed), Fact::Text(u64::MAX.to_string()));
        assert_eq!(Fact::of(&json!(3)).json(), json!(3));
        assert_eq!(Fact::of(&json!(0.5)).json(), json!(0.5));
        assert_eq!(Fact::Number(f64::NAN).json(), Value::Null);
    }

    #[test]
    fn what_is_no_number_comes_last() {
        let mut facts = [
            Fact::Null,
            Fact::Text("b".to_owned()),
            Fact::Number(f64::NAN),
            Fact::Number(2.0),
            Fact::Text("a".to_owned()),
            Fact::Number(-1.0),
        ];
        facts.sort_by(Fact::compare);
        let shown = facts.map(|fact| fact.to_string());
        assert_eq!(shown, ["-1", "2", "NaN", "a", "b", "null"]);
    }
}
