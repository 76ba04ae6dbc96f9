//! The form of raw data, checked by tables of keys.

use super::error::{SchemaError, SchemaProblem};
use crate::value::{Key, Map, Value};

/// Looks at a value and notes what is wrong with it.
pub(super) type Check = fn(&mut Checker, &Value);

/// Where the check is, and what it found.
#[derive(Debug, Default)]
pub(super) struct Checker {
    path: Vec<String>,
    problems: Vec<SchemaProblem>,
}

impl Checker {
    /// The result of `check`.
    pub(super) fn run(file: &str, value: &Value, check: Check) -> Result<(), SchemaError> {
        let mut checker = Self::default();
        check(&mut checker, value);
        if checker.problems.is_empty() {
            return Ok(());
        }
        Err(SchemaError {
            file: file.to_owned(),
            problems: checker.problems,
        })
    }

    /// Notes that something else should stand here.
    pub(super) fn expected(&mut self, what: &str) {
        self.problem(format!("expected {what}"), None);
    }

    fn problem(&mut self, message: String, closest: Option<String>) {
        self.problems.push(SchemaProblem {
            path: self.path.clone(),
            message,
            closest,
        });
    }

    fn below(&mut self, key: String, check: impl FnOnce(&mut Self)) {
        self.path.push(key);
        check(self);
        self.path.pop();
    }

    /// A mapping with these keys and no others.
    pub(super) fn keys(&mut self, value: &Value, allowed: &[(&str, Check)], required: &[&str]) {
        let Value::Map(map) = value else {
            self.expected("a dictionary");
            return;
        };
        for (key, value) in map {
            let name = key.python_str();
            let known = allowed
                .iter()
                .find(|(allowed, _)| key.as_str() == Some(*allowed));
            self.below(name.clone(), |checker| {
                if let Some((_, check)) = known {
                    check(checker, value);
                } else {
                    let names = allowed.iter().map(|(name, _)| *name);
                    let closest = strata_diag::closest(&name, names).map(str::to_owned);
                    checker.problem("extra keys not allowed".to_owned(), closest);
                }
            });
        }
        for key in required {
            if !map.contains_key(&Key::from(*key)) {
                self.below((*key).to_owned(), |checker| {
                    checker.problem("required key not provided".to_owned(), None);
                });
            }
        }
    }

    /// A mapping from any text.
    pub(super) fn named(&mut self, value: &Value, check: Check) {
        match value {
            Value::Map(map) => self.entries(map, check),
            _ => self.expected("a dictionary"),
        }
    }

    fn entries(&mut self, map: &Map, check: Check) {
        for (key, value) in map {
            self.below(key.python_str(), |checker| {
                if key.as_str().is_some() {
                    check(checker, value);
                } else {
                    checker.problem("extra keys not allowed, names are texts".to_owned(), None);
                }
            });
        }
    }

    /// A sequence.
    pub(super) fn items(&mut self, value: &Value, check: Check) {
        let Value::List(items) = value else {
            self.expected("a list");
            return;
        };
        for (index, item) in items.iter().enumerate() {
            self.below(index.to_string(), |checker| check(checker, item));
        }
    }
}

pub(super) fn anything(_: &mut Checker, _: &Value) {}

pub(super) fn text(checker: &mut Checker, value: &Value) {
    if !matches!(value, Value::Str(_)) {
        checker.expected("str");
    }
}

pub(super) fn truth(checker: &mut Checker, value: &Value) {
    if !matches!(value, Value::Bool(_)) {
        checker.expected("bool");
    }
}

pub(super) fn whole_number(checker: &mut Checker, value: &Value) {
    if !matches!(value, Value::Int(_)) {
        checker.expected("int");
    }
}

pub(super) fn texts(checker: &mut Checker, value: &Value) {
    checker.items(value, text);
}
