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
            Value::Number(number) => Self::Number(number.as_f64().unwrap_or(f64::NAN)),
            Value::String(text) => Self::Text(text.clone()),
            list_or_map => Self::Text(list_or_map.to_string()),
        }
    }

    /// What somebody has typed: a number if it is one.
    pub(super) fn typed(text: &str) -> Self {
        match text {
            "null" => Self::Null,
            "true" => Self::Bool(true),
            "false" => Self::Bool(false),
            _ => match text.parse() {
                Ok(number) => Self::Number(number),
                Err(_) => Self::Text(text.to_owned()),
            },
        }
    }

    /// For JSON, which has no NaN: those become null.
    pub fn json(&self) -> Value {
        match self {
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
            Self::Number(number) => write!(formatter, "{}", shortened(*number)),
            Self::Text(text) => formatter.write_str(text),
            Self::Bool(bool) => write!(formatter, "{bool}"),
            Self::Null => formatter.write_str("null"),
        }
    }
}

/// Four digits after the point, or as many as tell a small number from nothing.
fn shortened(number: f64) -> String {
    let size = number.abs();
    if number.fract() == 0.0 && size < 1e15 {
        format!("{number}")
    } else if (1e-3..1e6).contains(&size) {
        let text = format!("{number:.4}");
        text.trim_end_matches('0').to_owned()
    } else if number.is_finite() {
        format!("{number:.3e}")
    } else {
        number.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let shown = |number: f64| Fact::Number(number).to_string();
        let numbers = [0.85721, 3.0, 1e-5, 0.5, f64::NAN, 123_456.75].map(shown);
        assert_eq!(
            numbers,
            ["0.8572", "3", "1.000e-5", "0.5", "NaN", "123456.75"]
        );
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
