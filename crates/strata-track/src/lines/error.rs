//! What can be wrong with a line.

use crate::Value;

/// Why a line told no event.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// It cannot be read.
    #[error("not JSON, column {column}: {problem}")]
    NotJson {
        /// The character, counted from 1.
        column: usize,
        /// What is wrong there.
        problem: String,
    },
    /// It is another JSON value.
    #[error("not an object; a line is one, such as `{{\"log\": {{\"loss\": 0.5}}}}`")]
    NotAnObject,
    /// No key says what it is about.
    #[error(
        "{}says nothing known; a line has one of the keys {}",
        subject(found),
        listed(known)
    )]
    NoEvent {
        /// The keys that are there.
        found: Vec<String>,
        /// The keys.
        known: &'static [&'static str],
    },
    /// A key that means nothing here, or a second event in the line.
    #[error("`{name}` has no meaning in `{place}`{}", choices(known))]
    Unknown {
        /// The object.
        place: String,
        /// The key.
        name: String,
        /// The keys that it may have.
        known: &'static [&'static str],
    },
    /// `_type` is none of those known.
    #[error("`_type` is `{name}`; it must be one of {}", listed(known))]
    UnknownType {
        /// What it is.
        name: String,
        /// What it may be.
        known: &'static [&'static str],
    },
    /// A key that must be there is not.
    #[error("`{place}` needs `{name}`")]
    Missing {
        /// The object.
        place: String,
        /// The key.
        name: String,
    },
    /// A value of another type.
    #[error("`{place}` must be {expected}, not {found}")]
    WrongType {
        /// The key, after those of the objects around it.
        place: String,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// A value that is not allowed.
    #[error("`{place}`: {problem}")]
    Invalid {
        /// The key, after those of the objects around it.
        place: String,
        /// What would be right.
        problem: &'static str,
    },
}

impl LineError {
    pub(super) fn wrong_type(place: &str, expected: &'static str, found: &Value) -> Self {
        let found = match found {
            Value::Null => "null",
            Value::Bool(_) => "true or false",
            Value::Integer(value) if *value < 0 => "a negative number",
            Value::Integer(_) | Value::Number(_) => "another number",
            Value::String(_) | Value::Text(_) => "a string",
            Value::List(_) | Value::Images(_) => "a list",
            _ => "an object",
        };
        Self::WrongType {
            place: place.to_owned(),
            expected,
            found,
        }
    }
}

fn listed(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// What a sentence about the keys of a line begins with.
fn subject(found: &[String]) -> String {
    let names: Vec<&str> = found.iter().map(String::as_str).collect();
    if names.is_empty() {
        String::new()
    } else {
        format!("{} ", listed(&names))
    }
}

fn choices(known: &[&str]) -> String {
    if known.is_empty() {
        return "; a line tells one thing".to_owned();
    }
    format!("; known are {}", listed(known))
}
