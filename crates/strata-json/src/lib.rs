//! JSON as Python's `json` module writes and reads it: with bare `NaN`, `Infinity` and `-Infinity`, whole
//! numbers apart from floats, and floats as `repr` has them.
//!
//! * [`parse`] reads a text to a [`Json`].
//! * [`Json::written`] writes one as `json.dumps` does, in a [`Style`].
//! * [`float_text`] is a float by itself.

mod parse;
mod write;

use indexmap::IndexMap;

pub use parse::{JsonError, parse};
pub use write::{Style, float_text};

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number without point and exponent that fits in 64 bits.
    Int(i64),
    /// Any other number; also infinite, or not a number.
    Float(f64),
    /// A text.
    Str(String),
    /// A list.
    List(Vec<Json>),
    /// An object, in the order of its text; of equal names the last value.
    Map(IndexMap<String, Json>),
}

impl Json {
    /// The number that it is; a boolean is none.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// The whole number that it is.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The text that it is.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The items of the list that it is.
    pub fn as_list(&self) -> Option<&[Json]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The fields of the object that it is.
    pub fn as_map(&self) -> Option<&IndexMap<String, Json>> {
        match self {
            Self::Map(fields) => Some(fields),
            _ => None,
        }
    }

    /// The value of a field, if it is an object that has it.
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.as_map()?.get(name)
    }

    /// An object of these fields.
    pub fn object<'a>(fields: impl IntoIterator<Item = (&'a str, Json)>) -> Self {
        let fields = fields.into_iter();
        Self::Map(
            fields
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        )
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Json {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Json {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Json {
    fn from(value: &str) -> Self {
        Self::Str(value.to_owned())
    }
}

impl From<String> for Json {
    fn from(value: String) -> Self {
        Self::Str(value)
    }
}

impl<T: Into<Json>> From<Vec<T>> for Json {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
