//! Typed reading of an object's members, each asked for once, with errors that name the place.

use super::LineError;
use crate::{Fields, Value};

/// An object whose members are taken out one by one.
pub(super) struct Object {
    place: &'static str,
    fields: Fields,
}

impl Object {
    /// `place` is what messages call the object: `init`.
    pub(super) fn new(place: &'static str, value: Value) -> Result<Self, LineError> {
        match value {
            Value::Map(fields) => Ok(Self { place, fields }),
            other => Err(LineError::wrong_type(place, "an object", &other)),
        }
    }

    fn place_of(&self, name: &str) -> String {
        format!("{}.{name}", self.place)
    }

    /// A member that is there and not null.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.fields
            .shift_remove(name)
            .filter(|value| *value != Value::Null)
    }

    /// The names of what is left.
    pub(super) fn names(&self) -> Vec<String> {
        self.fields.keys().cloned().collect()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    pub(super) fn required(&mut self, name: &str) -> Result<Value, LineError> {
        self.take(name).ok_or_else(|| LineError::Missing {
            place: self.place.to_owned(),
            name: name.to_owned(),
        })
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, LineError> {
        let place = self.place_of(name);
        let value = self.take(name);
        value.map(|value| text(&place, value)).transpose()
    }

    pub(super) fn required_text(&mut self, name: &str) -> Result<String, LineError> {
        text(&self.place_of(name), self.required(name)?)
    }

    pub(super) fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, LineError> {
        let place = self.place_of(name);
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let items = list(&place, value)?;
        let items = items.into_iter().map(|item| text(&place, item));
        items.collect::<Result<_, _>>().map(Some)
    }

    pub(super) fn list(&mut self, name: &str) -> Result<Vec<Value>, LineError> {
        list(&self.place_of(name), self.required(name)?)
    }

    /// Numbers; whole ones are numbers too.
    pub(super) fn numbers(&mut self, name: &str) -> Result<Vec<f64>, LineError> {
        let place = self.place_of(name);
        let number = |value| match value {
            Value::Number(value) => Ok(value),
            Value::Integer(value) => Ok(value as f64),
            other => Err(LineError::wrong_type(&place, "a list of numbers", &other)),
        };
        self.list(name)?.into_iter().map(number).collect()
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, LineError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(value)),
            Some(other) => Err(LineError::wrong_type(
                &self.place_of(name),
                "true or false",
                &other,
            )),
        }
    }

    pub(super) fn step(&mut self, name: &str) -> Result<Option<u64>, LineError> {
        let place = self.place_of(name);
        self.take(name)
            .map(|value| whole(&place, &value))
            .transpose()
    }

    /// An object without the meanings of `_type`; empty if absent.
    pub(super) fn fields(&mut self, name: &str) -> Result<Fields, LineError> {
        match self.take(name) {
            None => Ok(Fields::new()),
            Some(Value::Map(fields)) => Ok(fields),
            Some(other) => Err(LineError::wrong_type(
                &self.place_of(name),
                "an object",
                &other,
            )),
        }
    }

    /// Refuses members that nobody asked for.
    pub(super) fn end(self, known: &'static [&'static str]) -> Result<(), LineError> {
        match self
            .fields
            .into_keys()
            .find(|name| !known.contains(&name.as_str()))
        {
            None => Ok(()),
            Some(name) => Err(LineError::Unknown {
                place: self.place.to_owned(),
                name,
                known,
            }),
        }
    }
}

/// A string, or an error that names `place`.
pub(super) fn text(place: &str, value: Value) -> Result<String, LineError> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(LineError::wrong_type(place, "a string", &other)),
    }
}

/// A whole number from 0 on; `3.0` is one, for languages that know only floats.
pub(super) fn whole(place: &str, value: &Value) -> Result<u64, LineError> {
    let number = match value {
        Value::Integer(number) => u64::try_from(*number).ok(),
        Value::Number(number) if number.fract() == 0.0 && (0.0..9e15).contains(number) => {
            Some(*number as u64)
        }
        _ => None,
    };
    number.ok_or_else(|| LineError::wrong_type(place, "a whole number from 0 on", value))
}

fn list(place: &str, value: Value) -> Result<Vec<Value>, LineError> {
    match value {
        Value::List(items) => Ok(items),
        other => Err(LineError::wrong_type(place, "a list", &other)),
    }
}
