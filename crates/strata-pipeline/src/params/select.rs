//! The parameters that a stage asks for: found, listed for `dvc.lock`, compared with it.

use super::read::ParamsError;
use crate::definition::ParamsRequest;
use crate::template::type_name;
use crate::value::{Key, Map, Value};

/// The value at a path such as `a.b.0.c`: keys of mappings, and indices of lists.
///
/// As DVC has it by way of `dpath`: dots at the start do not count, `-1` is the last item of a list, a key of a
/// mapping that is a whole number is found too, and a key that has a dot itself cannot be reached. Patterns such as
/// `layer*`, which DVC takes where they fit one key alone, are not understood.
pub fn lookup<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    let segments = path.trim_start_matches('.').split('.');
    segments
        .into_iter()
        .try_fold(value, |value, segment| match value {
            Value::Map(map) => map.get(&Key::from(segment)).or_else(|| {
                let number: i128 = segment.trim().parse().ok()?;
                map.get(&Key::Int(number))
            }),
            Value::List(items) => {
                let index: i64 = segment.trim().parse().ok()?;
                let from_start = if index < 0 {
                    index.checked_add(i64::try_from(items.len()).ok()?)?
                } else {
                    index
                };
                items.get(usize::try_from(from_start).ok()?)
            }
            _ => None,
        })
}

/// What a stage keeps of a file in `dvc.lock`: the keys that it asks for, or all at the top, sorted.
///
/// # Errors
/// [`ParamsError::Missing`] with all keys that the file does not have.
pub fn select(content: &Value, request: &ParamsRequest) -> Result<Map, ParamsError> {
    let found = found(content, request)?;
    let missing = |key: &&String| !found.contains_key(&Key::Str((*key).clone()));
    let keys = request.keys.iter().flatten();
    let missing: Vec<String> = keys.filter(missing).cloned().collect();
    if !missing.is_empty() {
        return Err(ParamsError::Missing {
            keys: missing,
            file: request.path.clone(),
        });
    }
    let mut sorted = found;
    sorted.sort_by_cached_key(|key, _| key.python_str());
    Ok(sorted)
}

/// Those keys of a request that are there.
fn found(content: &Value, request: &ParamsRequest) -> Result<Map, ParamsError> {
    match (&request.keys, content) {
        (Some(keys), _) => {
            let entries = keys
                .iter()
                .filter_map(|key| Some((Key::Str(key.clone()), lookup(content, key)?.clone())));
            Ok(entries.collect())
        }
        (None, Value::Map(map)) => Ok(map.clone()),
        // An empty file has no parameters.
        (None, Value::Null) => Ok(Map::new()),
        (None, other) => Err(ParamsError::NotAMapping {
            file: request.path.clone(),
            found: type_name(other),
        }),
    }
}

/// The `params` of a stage in `dvc.lock`: `params.yaml` first, the other files sorted.
pub fn lock_section(files: impl IntoIterator<Item = (String, Map)>) -> Map {
    let mut files: Vec<(String, Map)> = files.into_iter().collect();
    files.sort_by(|a, b| {
        let other = |path: &str| path != "params.yaml";
        (other(&a.0), &a.0).cmp(&(other(&b.0), &b.0))
    });
    let entries = files.into_iter();
    entries
        .map(|(path, keys)| (Key::Str(path), Value::Map(keys)))
        .collect()
}

/// What has changed in a file of parameters since a stage ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileStatus {
    /// Nothing that the stage asks for.
    Unchanged,
    /// The file is gone.
    Deleted,
    /// `dvc.lock` does not have the file.
    New,
    /// These keys, in the order of the stage, or of the file if it is asked for whole.
    Keys(Vec<(String, ParamChange)>),
}

/// What has happened to a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamChange {
    /// It is not in `dvc.lock`.
    New,
    /// It has another value, by Python's `==`.
    Modified,
    /// It is not in the file.
    Deleted,
}

impl ParamChange {
    /// The word that `status` prints.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Modified => "modified",
            Self::Deleted => "deleted",
        }
    }
}

/// Compares a file with what `dvc.lock` has of it; `content` is nothing if there is no file.
///
/// # Errors
/// [`ParamsError::NotAMapping`].
pub fn status(
    request: &ParamsRequest,
    content: Option<&Value>,
    locked: Option<&Map>,
) -> Result<FileStatus, ParamsError> {
    let Some(content) = content else {
        return Ok(FileStatus::Deleted);
    };
    let Some(locked) = locked else {
        return Ok(FileStatus::New);
    };
    let actual = found(content, request)?;
    let keys: Vec<Key> = if let Some(keys) = &request.keys {
        keys.iter().map(|key| Key::Str(key.clone())).collect()
    } else {
        let gone = locked.keys().filter(|key| !actual.contains_key(*key));
        actual.keys().chain(gone).cloned().collect()
    };
    let changes = keys.iter().filter_map(|key| {
        let change = match (actual.get(key), locked.get(key)) {
            (None, _) => ParamChange::Deleted,
            (Some(_), None) => ParamChange::New,
            (Some(actual), Some(locked)) if !actual.python_eq(locked) => ParamChange::Modified,
            _ => return None,
        };
        Some((key.python_str(), change))
    });
    let changes: Vec<_> = changes.collect();
    Ok(if changes.is_empty() {
        FileStatus::Unchanged
    } else {
        FileStatus::Keys(changes)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::json;

    fn request(keys: Option<&[&str]>) -> ParamsRequest {
        ParamsRequest {
            path: "params.yaml".to_owned(),
            keys: keys.map(|keys| keys.iter().map(|key| (*key).to_owned()).collect()),
        }
    }

    #[test]
    fn dots_descend_into_mappings_and_lists() {
        let mut value = json(r#"{"a": {"b": [{"c": 5}], "d.e": 1}, "n": null}"#);
        if let Value::Map(map) = &mut value {
            map.insert(Key::Int(7), Value::Bool(true));
        }
        assert_eq!(lookup(&value, "a.b.0.c"), Some(&Value::Int(5)));
        assert_eq!(lookup(&value, "n"), Some(&Value::Null));
        assert_eq!(lookup(&value, "7"), Some(&Value::Bool(true)));
        assert_eq!(lookup(&value, ".a.b.-1.c"), Some(&Value::Int(5)));
        for path in ["a.b.1", "a.b.-2", "a.b.x", "a.b.0.c.d", "a.d.e", "", "x"] {
            assert_eq!(lookup(&value, path), None, "{path}");
        }
    }

    #[test]
    fn the_lock_has_sorted_keys() {
        let content = json(r#"{"z": {"y": 1, "x": 2}, "a": [1]}"#);
        let keys = select(&content, &request(Some(&["z", "a.0"]))).expect("all are there");
        assert_eq!(
            Value::Map(keys).to_json(crate::value::Order::Kept),
            r#"{"a.0": 1, "z": {"y": 1, "x": 2}}"#
        );
        let whole = select(&content, &request(None)).expect("a mapping");
        assert_eq!(
            Value::Map(whole).to_json(crate::value::Order::Kept),
            r#"{"a": [1], "z": {"y": 1, "x": 2}}"#
        );
    }

    #[test]
    fn missing_keys_are_named() {
        let error = select(&json(r#"{"a": 1}"#), &request(Some(&["x", "a", "y.z"])));
        assert_eq!(
            error.expect_err("two are missing").to_string(),
            "Parameters 'x, y.z' are missing from 'params.yaml'."
        );
    }

    #[test]
    fn the_default_file_is_first_in_the_lock() {
        let files = ["zz.toml", "params.yaml", "../p.yaml", "conf/b.json"];
        let section = lock_section(files.map(|path| (path.to_owned(), Map::new())));
        let order: Vec<String> = section.keys().map(Key::python_str).collect();
        assert_eq!(
            order,
            ["params.yaml", "../p.yaml", "conf/b.json", "zz.toml"]
        );
    }

    #[test]
    fn changes_are_those_that_python_sees() {
        let content = json(r#"{"same": 1.0, "new": 1, "modified": "1", "whole": 1}"#);
        let locked = json(r#"{"same": true, "modified": 1, "gone": 1}"#);
        let keys = request(Some(&["new", "same", "gone", "modified"]));
        let changes = status(&keys, Some(&content), locked.as_map()).expect("it can be compared");
        let named = |changes: &[(&str, ParamChange)]| {
            FileStatus::Keys(
                changes
                    .iter()
                    .map(|(key, change)| ((*key).to_owned(), *change))
                    .collect(),
            )
        };
        let (new, deleted) = (ParamChange::New, ParamChange::Deleted);
        assert_eq!(
            changes,
            named(&[
                ("new", new),
                ("gone", deleted),
                ("modified", ParamChange::Modified)
            ])
        );
        let whole =
            status(&request(None), Some(&content), locked.as_map()).expect("it can be compared");
        assert_eq!(
            whole,
            named(&[
                ("new", new),
                ("modified", ParamChange::Modified),
                ("whole", new),
                ("gone", deleted)
            ])
        );
        assert_eq!(
            status(&keys, None, locked.as_map()).expect("gone"),
            FileStatus::Deleted
        );
        assert_eq!(
            status(&keys, Some(&content), None).expect("new"),
            FileStatus::New
        );
        let same = status(&request(Some(&["same"])), Some(&content), locked.as_map());
        assert_eq!(same.expect("it can be compared"), FileStatus::Unchanged);
    }
}
