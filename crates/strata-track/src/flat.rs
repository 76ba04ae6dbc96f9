//! Nested values under one name each, for those who know only names.

use std::borrow::Cow;

use crate::{Fields, Value};

/// The values that are no maps, in order; names of maps go before theirs, joined by `/`.
pub(crate) fn flattened(fields: &Fields) -> Vec<(Cow<'_, str>, &Value)> {
    let mut leaves = Vec::with_capacity(fields.len());
    for (name, value) in fields {
        descend(Cow::Borrowed(name), value, &mut leaves);
    }
    leaves
}

fn descend<'a>(name: Cow<'a, str>, value: &'a Value, leaves: &mut Vec<(Cow<'a, str>, &'a Value)>) {
    let Value::Map(fields) = value else {
        leaves.push((name, value));
        return;
    };
    for (key, value) in fields {
        descend(Cow::Owned(format!("{name}/{key}")), value, leaves);
    }
}

/// The value as a number to draw: truth is 1, untruth 0; `None` for what is no number.
pub(crate) fn scalar(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        Value::Integer(value) => Some(*value as f64),
        Value::Number(value) => Some(*value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_go_and_their_names_stay() {
        let inner = Fields::from([("lr".to_owned(), Value::Number(0.1))]);
        let fields = Fields::from([
            ("optimizer".to_owned(), Value::Map(inner)),
            ("seed".to_owned(), Value::Integer(3)),
        ]);
        let flat = flattened(&fields);
        assert_eq!(flat[0], ("optimizer/lr".into(), &Value::Number(0.1)));
        assert_eq!(flat[1], ("seed".into(), &Value::Integer(3)));
    }
}
