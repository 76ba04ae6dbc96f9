//! Values from JSON, TOML, Python and YAML.

use super::python::{PythonProblem, read_python};
use crate::template::FileError;
use crate::value::{Key, Value};

/// Parameters that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ParamsError {
    /// Keys that a stage asks for and the file does not have.
    #[error("Parameters '{}' are missing from '{file}'.", .keys.join(", "))]
    Missing {
        /// The keys, in the order of the stage.
        keys: Vec<String>,
        /// The file, as the stage names it.
        file: String,
    },
    /// A file without names, where a stage asks for all of it.
    #[error("expected a dictionary, got '{found}' in file '{file}'")]
    NotAMapping {
        /// The file, as the stage names it.
        file: String,
        /// Its type, by its name in Python.
        found: &'static str,
    },
    /// Wrong JSON.
    #[error("Unable to read parameters from '{file}'")]
    Json {
        /// The file.
        file: String,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// Wrong TOML.
    #[error("Unable to read parameters from '{file}'")]
    Toml {
        /// The file.
        file: String,
        /// What the parser says.
        source: Box<toml::de::Error>,
    },
    /// Python that cannot be read.
    #[error("Unable to read parameters from '{file}'")]
    Python {
        /// The file.
        file: String,
        /// What cannot be read.
        source: PythonProblem,
    },
    /// Wrong YAML.
    #[error("Unable to read parameters from '{file}': {reason}")]
    Yaml {
        /// The file.
        file: String,
        /// What the parser says.
        reason: FileError,
    },
}

/// The value of a file's text, by the suffix of its name: `.json`, `.toml`, `.py`, and YAML for any other.
///
/// # Errors
/// The text is not what the suffix says.
pub fn read(
    file: &str,
    text: &str,
    yaml: impl FnOnce(&str, &str) -> Result<Value, FileError>,
) -> Result<Value, ParamsError> {
    let name = file.rsplit('/').next().unwrap_or_default();
    let owned = || file.to_owned();
    match name
        .rsplit_once('.')
        .map(|(stem, suffix)| (stem.is_empty(), suffix))
    {
        Some((false, "json")) => serde_json::from_str(text)
            .map(|json| from_json(&json))
            .map_err(|source| ParamsError::Json {
                file: owned(),
                source,
            }),
        Some((false, "toml")) => read_toml(text).map_err(|source| ParamsError::Toml {
            file: owned(),
            source: Box::new(source),
        }),
        Some((false, "py")) => read_python(text).map_err(|source| ParamsError::Python {
            file: owned(),
            source,
        }),
        _ => yaml(file, text).map_err(|reason| ParamsError::Yaml {
            file: owned(),
            reason,
        }),
    }
}

/// A value of JSON.
pub fn from_json(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(truth) => Value::Bool(*truth),
        serde_json::Value::Number(number) => match (number.as_i128(), number.as_f64()) {
            (Some(number), _) => Value::Int(number),
            (None, number) => Value::Float(number.unwrap_or(f64::NAN)),
        },
        serde_json::Value::String(text) => Value::Str(text.clone()),
        serde_json::Value::Array(items) => Value::List(items.iter().map(from_json).collect()),
        serde_json::Value::Object(map) => Value::Map(
            map.iter()
                .map(|(key, value)| (Key::Str(key.clone()), from_json(value)))
                .collect(),
        ),
    }
}

/// The value of a TOML text. Dates and times are kept as their texts.
///
/// # Errors
/// The text is not TOML.
pub fn read_toml(text: &str) -> Result<Value, toml::de::Error> {
    let table: toml::Table = toml::from_str(text)?;
    Ok(from_toml(&toml::Value::Table(table)))
}

fn from_toml(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::Str(text.clone()),
        toml::Value::Integer(number) => Value::Int((*number).into()),
        toml::Value::Float(number) => Value::Float(*number),
        toml::Value::Boolean(truth) => Value::Bool(*truth),
        toml::Value::Datetime(date) => Value::Str(date.to_string()),
        toml::Value::Array(items) => Value::List(items.iter().map(from_toml).collect()),
        toml::Value::Table(table) => Value::Map(
            table
                .iter()
                .map(|(key, value)| (Key::Str(key.clone()), from_toml(value)))
                .collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::json;

    fn no_yaml(_: &str, _: &str) -> Result<Value, FileError> {
        Err(std::sync::Arc::new(std::io::Error::other("no YAML here")))
    }

    #[test]
    fn the_suffix_names_the_reader() {
        let toml =
            "title = 'T'\nzz = 1\naa = [1, 2.5, true]\n[tool]\nx = 10\ny = 1979-05-27T07:32:00Z\n";
        let value = read("conf/zz.toml", toml, no_yaml).expect("it is TOML");
        let expected = r#"{"title": "T", "zz": 1, "aa": [1, 2.5, true], "tool": {"x": 10, "y": "1979-05-27T07:32:00Z"}}"#;
        assert_eq!(value, json(expected));
        let keys: Vec<String> = value
            .as_map()
            .into_iter()
            .flatten()
            .map(|(key, _)| key.python_str())
            .collect();
        assert_eq!(
            keys,
            ["title", "zz", "aa", "tool"],
            "the order of the file is kept"
        );
        assert_eq!(
            read("b.json", "{\"a\": 1.50}", no_yaml).expect("it is JSON"),
            json(r#"{"a": 1.5}"#)
        );
        assert_eq!(
            read("c.py", "a = 1", no_yaml).expect("it is Python"),
            json(r#"{"a": 1}"#)
        );
        for name in ["d.yaml", "e", ".json", "f.JSON"] {
            assert!(read(name, "a", no_yaml).is_err(), "{name} is YAML");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        for (file, text) in [("a.json", "{"), ("a.toml", "="), ("a.py", "a = [")] {
            let error = read(file, text, no_yaml).expect_err("it is wrong");
            assert_eq!(
                error.to_string(),
                format!("Unable to read parameters from '{file}'")
            );
        }
    }
}
