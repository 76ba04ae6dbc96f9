//! Conditions that choose among runs.

use std::cmp::Ordering;

use super::{Fact, RunFacts};

/// A condition such as `model.dropout>0.2`, `state=finished` or `model.activation~elu`.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    key: String,
    operator: Operator,
    value: Fact,
    typed: String,
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
            typed: value.trim().to_owned(),
        })
    }

    /// What the condition is about.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether it asks for the value itself, with `=` or `!=`.
    pub fn is_equality(&self) -> bool {
        matches!(self.operator, Operator::Equal | Operator::NotEqual)
    }

    /// The value as it was typed.
    pub fn value(&self) -> &str {
        &self.typed
    }

    /// Whether a run meets the condition; a run that says nothing about the key is only unequal.
    pub fn admits(&self, run: &RunFacts) -> bool {
        let Some(fact) = run.get(&self.key) else {
            return self.operator == Operator::NotEqual;
        };
        let order = self.order(&fact);
        match self.operator {
            Operator::Equal => self.is_equal(&fact),
            Operator::NotEqual => !self.is_equal(&fact),
            Operator::Less => order == Some(Ordering::Less),
            Operator::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Operator::Greater => order == Some(Ordering::Greater),
            Operator::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            Operator::Contains => fact.to_string().contains(&self.typed),
        }
    }

    fn is_equal(&self, fact: &Fact) -> bool {
        match (fact, &self.value) {
            (Fact::Number(a), Fact::Number(b)) => a == b || (a.is_nan() && b.is_nan()),
            // A text may look like a number, as a tag `007` does.
            (Fact::Text(text), value) => *text == self.typed || fact == value,
            (fact, value) => fact == value,
        }
    }

    /// None where neither comes first: of a number and a text, and of anything that is not a number.
    fn order(&self, fact: &Fact) -> Option<Ordering> {
        match (fact, &self.value) {
            (Fact::Number(a), Fact::Number(b)) => a.partial_cmp(b),
            (Fact::Text(text), _) => Some(text.as_str().cmp(&self.typed)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::RunRecord;

    fn run() -> RunFacts {
        let config = serde_json::json!({
            "model": {"dropout": 0.3, "activation": "leaky_relu", "hidden_dims": [64, 32]},
            "training": {"lr": 0.00123},
            "data": {"download": true},
            "tag": "007",
        });
        let mut run = RunFacts::of_record("runs/a", RunRecord::begin("1.0"));
        run.set_config(&config);
        run
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
            ("model.activation>leaky", true),
            ("model.dropout>leaky", false),
            ("model.hidden_dims=[64, 32]", true),
            ("training.lr=0.0012", false),
            ("training.lr=1.23e-3", true),
            ("tag=007", true),
            ("tag=7", false),
            ("started>2020", true),
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
        fn any_text_is_a_condition_or_an_error(
            text in prop_oneof![".{0,40}", "(model.dropout|state|tag)[=!<>~]{1,3}.{0,10}"],
        ) {
            // A new record asks git for the commit, which takes longer than the rest.
            static RUN: LazyLock<RunFacts> = LazyLock::new(run);
            if let Ok(filter) = Filter::parse(&text) {
                filter.admits(&RUN);
            }
        }
    }
}
