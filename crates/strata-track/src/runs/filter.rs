//! Conditions that choose among runs.

use std::cmp::Ordering;

use super::{Fact, RunFacts};

/// A condition such as `model.dropout>0.2`, `state=finished` or `model.activation~elu`.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    key: String,
    operator: Operator,
    value: Fact,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Contains,
}

/// A text that is no condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no condition: KEY=VALUE, with one of = != < <= > >= and ~ for a part of a text")]
pub struct FilterError(String);

/// The longer of two that begin alike comes first.
const OPERATORS: [(&str, Operator); 8] = [
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("==", Operator::Equal),
    ("=", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::Greater),
    ("~", Operator::Contains),
];

impl Filter {
    /// Reads a condition.
    ///
    /// # Errors
    /// [`FilterError`] where there is no operator, or no key before it.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let error = || FilterError(text.to_owned());
        let at = text.find(['=', '!', '<', '>', '~']).ok_or_else(error)?;
        let (key, rest) = text.split_at(at);
        let found = OPERATORS
            .iter()
            .find_map(|(sign, operator)| Some((operator, rest.strip_prefix(sign)?)));
        let (operator, value) = found.ok_or_else(error)?;
        if key.trim().is_empty() {
            return Err(error());
        }
        Ok(Self {
            key: key.trim().to_owned(),
            operator: *operator,
            value: Fact::typed(value.trim()),
        })
    }

    /// What the condition is about.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether a run meets the condition; a run that says nothing about the key is only unequal.
    pub fn admits(&self, run: &RunFacts) -> bool {
        let Some(fact) = run.get(&self.key) else {
            return self.operator == Operator::NotEqual;
        };
        let comparable = matches!(
            (&fact, &self.value),
            (Fact::Number(_), Fact::Number(_)) | (Fact::Text(_), Fact::Text(_))
        );
        let order = fact.compare(&self.value);
        match self.operator {
            Operator::Equal => {
                fact.to_string() == self.value.to_string() || (comparable && order.is_eq())
            }
            Operator::NotEqual => {
                fact.to_string() != self.value.to_string() && !(comparable && order.is_eq())
            }
            Operator::Less => comparable && order == Ordering::Less,
            Operator::LessOrEqual => comparable && order != Ordering::Greater,
            Operator::Greater => comparable && order == Ordering::Greater,
            Operator::GreaterOrEqual => comparable && order != Ordering::Less,
            Operator::Contains => fact.to_string().contains(&self.value.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{RunRecord, Summary};

    fn run() -> RunFacts {
        let config = [
            ("model.dropout", Fact::Number(0.3)),
            ("model.activation", Fact::Text("leaky_relu".to_owned())),
            ("data.download", Fact::Bool(true)),
        ];
        RunFacts {
            path: "runs/a".into(),
            record: RunRecord::begin("1.0"),
            is_alive: false,
            config: config
                .into_iter()
                .map(|(key, fact)| (key.to_owned(), fact))
                .collect(),
            summary: Summary::default(),
        }
    }

    #[test]
    fn conditions_choose() {
        for (text, expected) in [
            ("model.dropout=0.30", true),
            ("model.dropout != 0.3", false),
            ("model.dropout>0.2", true),
            ("model.dropout>=0.3", true),
            ("model.dropout<0.3", false),
            ("model.dropout<=0.3", true),
            ("model.activation~relu", true),
            ("model.activation>3", false),
            ("data.download=true", true),
            ("nothing=3", false),
            ("nothing!=3", true),
            ("state=crashed", true),
        ] {
            let filter = Filter::parse(text).expect("a condition");
            assert_eq!(filter.admits(&run()), expected, "{text}");
        }
        for text in ["", "=3", "model.dropout", "a!b"] {
            assert!(Filter::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_condition_or_an_error(text in ".{0,40}") {
            if let Ok(filter) = Filter::parse(&text) {
                filter.admits(&run());
            }
        }
    }
}
