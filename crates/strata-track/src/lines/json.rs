//! A line of JSON as a value.

use strata_json::Json;

use super::LineError;
use crate::Value;

/// The value that `text` is, with nothing behind it.
pub(crate) fn parse(text: &str) -> Result<Value, LineError> {
    let value = strata_json::parse(text).map_err(|error| LineError::NotJson {
        column: error.column,
        problem: error.problem,
    })?;
    Ok(value.into())
}

impl From<Json> for Value {
    fn from(json: Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(truth) => Self::Bool(truth),
            Json::Int(number) => Self::Integer(number),
            Json::Float(number) => Self::Number(number),
            Json::Str(text) => Self::String(text),
            Json::List(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Json::Map(fields) => {
                let fields = fields.into_iter();
                Self::Map(fields.map(|(name, value)| (name, value.into())).collect())
            }
        }
    }
}
