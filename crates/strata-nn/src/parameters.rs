//! Parameters by torch's names, checked: what activations, initialisations, optimisers and schedulers read
//! theirs with.

use std::collections::BTreeMap;

use serde_json::Value;
use thiserror::Error;

/// A name or a parameter that an activation, initialisation, optimiser or scheduler does not have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SettingError {
    /// Nothing of that kind has the name.
    #[error("there is no {kind} `{name}`; there are {}", .known.join(", "))]
    UnknownName {
        /// `optimizer`, …
        kind: &'static str,
        /// What was asked for.
        name: String,
        /// The names there are.
        known: &'static [&'static str],
    },
    /// It has no such parameter.
    #[error("{kind} `{name}` has no parameter `{parameter}`; {}", listed(.known))]
    UnknownParameter {
        /// `optimizer`, …
        kind: &'static str,
        /// Which one.
        name: String,
        /// What was given.
        parameter: String,
        /// The parameters it has.
        known: Vec<&'static str>,
    },
    /// The parameter is absent, has another type, or lies out of range.
    #[error("parameter `{parameter}` of {kind} `{name}` must be {expected}")]
    Invalid {
        /// `optimizer`, …
        kind: &'static str,
        /// Which one.
        name: String,
        /// The parameter.
        parameter: String,
        /// What it must be.
        expected: &'static str,
    },
}

impl SettingError {
    /// The parameter at fault, if it is not the name.
    pub fn parameter(&self) -> Option<&str> {
        match self {
            Self::UnknownName { .. } => None,
            Self::UnknownParameter { parameter, .. } | Self::Invalid { parameter, .. } => {
                Some(parameter)
            }
        }
    }
}

/// Why a parameter is refused, before it is known whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ParameterError {
    Unknown {
        parameter: String,
        known: Vec<&'static str>,
    },
    Invalid {
        parameter: String,
        expected: &'static str,
    },
}

impl ParameterError {
    /// The same, of the thing `name`.
    pub(crate) fn of(self, kind: &'static str, name: &str) -> SettingError {
        let name = name.to_owned();
        match self {
            Self::Unknown { parameter, known } => SettingError::UnknownParameter {
                kind,
                name,
                parameter,
                known,
            },
            Self::Invalid {
                parameter,
                expected,
            } => SettingError::Invalid {
                kind,
                name,
                parameter,
                expected,
            },
        }
    }
}

/// `it has a, b`, or that there is none.
fn listed(known: &[&str]) -> String {
    if known.is_empty() {
        "it has none".to_owned()
    } else {
        format!("it has {}", known.join(", "))
    }
}

/// The parameters that were given.
pub(crate) struct Parameters<'a>(pub(crate) &'a BTreeMap<String, Value>);

type Checked<T> = Result<T, ParameterError>;

impl Parameters<'_> {
    /// Refuses parameters other than `known` and `ignored`, which are accepted and mean nothing here.
    pub(crate) fn allow(&self, known: &[&'static str], ignored: &[&str]) -> Checked<()> {
        let unknown = self
            .0
            .keys()
            .find(|key| !known.contains(&key.as_str()) && !ignored.contains(&key.as_str()));
        match unknown {
            None => Ok(()),
            Some(parameter) => Err(ParameterError::Unknown {
                parameter: parameter.clone(),
                known: known.to_vec(),
            }),
        }
    }

    /// The value, unless it is absent or null.
    pub(crate) fn get(&self, parameter: &str) -> Option<&Value> {
        self.0.get(parameter).filter(|value| !value.is_null())
    }

    pub(crate) fn number(&self, parameter: &str, default: impl Into<Option<f64>>) -> Checked<f64> {
        match self.get(parameter) {
            None => default
                .into()
                .ok_or_else(|| invalid(parameter, "given, a number")),
            Some(value) => value
                .as_f64()
                .filter(|number| number.is_finite())
                .ok_or_else(|| invalid(parameter, "a finite number")),
        }
    }

    pub(crate) fn number_in(
        &self,
        parameter: &str,
        default: impl Into<Option<f64>>,
        holds: impl Fn(f64) -> bool,
        expected: &'static str,
    ) -> Checked<f64> {
        let number = self.number(parameter, default)?;
        if holds(number) {
            Ok(number)
        } else {
            Err(invalid(parameter, expected))
        }
    }

    pub(crate) fn not_negative(&self, parameter: &str, default: f64) -> Checked<f64> {
        self.number_in(parameter, default, |x| x >= 0.0, "at least 0")
    }

    /// An integer, at least `least`; a float without fraction counts as one.
    pub(crate) fn integer(
        &self,
        parameter: &str,
        default: impl Into<Option<u64>>,
        least: u64,
    ) -> Checked<u64> {
        let expected = if least == 0 {
            "an integer, at least 0"
        } else {
            "an integer, at least 1"
        };
        let number = match self.get(parameter) {
            None => default.into(),
            Some(value) => integer_of(value),
        };
        number
            .filter(|&number| number >= least)
            .ok_or_else(|| invalid(parameter, expected))
    }

    pub(crate) fn switch(&self, parameter: &str, default: bool) -> Checked<bool> {
        match self.get(parameter) {
            None => Ok(default),
            Some(value) => value
                .as_bool()
                .ok_or_else(|| invalid(parameter, "true or false")),
        }
    }

    /// One of `choices`, the first by default; its index.
    pub(crate) fn choice(
        &self,
        parameter: &str,
        choices: &[&str],
        expected: &'static str,
    ) -> Checked<usize> {
        match self.get(parameter) {
            None => Ok(0),
            Some(value) => value
                .as_str()
                .and_then(|name| choices.iter().position(|&choice| choice == name))
                .ok_or_else(|| invalid(parameter, expected)),
        }
    }
}

pub(crate) fn integer_of(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        value
            .as_f64()
            .filter(|x| x.fract() == 0.0 && (0.0..9e15).contains(x))
            .map(|x| x as u64)
    })
}

pub(crate) fn invalid(parameter: &str, expected: &'static str) -> ParameterError {
    ParameterError::Invalid {
        parameter: parameter.to_owned(),
        expected,
    }
}
