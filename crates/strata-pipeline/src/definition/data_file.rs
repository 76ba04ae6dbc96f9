//! `.dvc` files: data that is tracked without a command.

use super::checker::{Check, Checker, anything, text, texts, truth, whole_number};
use super::error::SchemaError;
use super::path::normalise;
use super::tracked::TrackedPath;
use crate::value::{Key, Map, Value};

/// What a `.dvc` file says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DataFile {
    /// The folder that paths are relative to, from the folder of the file; nothing where they are the same.
    pub wdir: Option<String>,
    /// What the data was imported from.
    pub deps: Vec<DataEntry>,
    /// The data.
    pub outs: Vec<DataEntry>,
    /// Whether the data is not imported again.
    pub frozen: bool,
    /// Whether the data is imported each time.
    pub always_changed: bool,
    /// A description.
    pub desc: Option<String>,
    /// What the user wants to keep with the file.
    pub meta: Option<Value>,
    /// The hash that older versions of DVC kept of the file itself.
    pub md5: Option<String>,
}

/// A path of a `.dvc` file, with what is known of its content.
#[derive(Debug, Clone, PartialEq)]
pub struct DataEntry {
    /// The path and how it is kept.
    pub tracked: TrackedPath,
    /// The hash; with `.dir` at its end for a folder.
    pub md5: Option<String>,
    /// The name of the hash; nothing for hashes of DVC 2, which counted line ends of texts as one character.
    pub hash: Option<String>,
    /// Bytes of all files.
    pub size: Option<u64>,
    /// How many files a folder has.
    pub nfiles: Option<u64>,
    /// Whether the file may be executed.
    pub isexec: bool,
    /// Keys that belong to remotes and imports (`etag`, `repo`, `version_id`, …), as they are.
    pub other: Map,
}

impl DataFile {
    /// Checks the data of a `.dvc` file and takes it apart; `file` is its path from the current folder.
    ///
    /// # Errors
    /// The data is of the wrong form.
    pub fn from_value(value: &Value, file: &str) -> Result<Self, SchemaError> {
        if *value == Value::Null {
            return Ok(Self::default());
        }
        Checker::run(file, value, |checker, value| checker.keys(value, FILE, &[]))?;
        let entries = |key| {
            let items = value.get(key).and_then(Value::as_list);
            let items = items.unwrap_or_default().iter();
            items.filter_map(DataEntry::from_value).collect()
        };
        let truth = |key| matches!(value.get(key), Some(Value::Bool(true)));
        let wdir = value.get("wdir").and_then(Value::as_str).map(normalise);
        Ok(Self {
            wdir: wdir.filter(|wdir| wdir != "."),
            deps: entries("deps"),
            outs: entries("outs"),
            // `locked` is what DVC 0 called it.
            frozen: truth("frozen") || truth("locked"),
            always_changed: truth("always_changed"),
            desc: owned_text(value.get("desc")),
            meta: value.get("meta").cloned(),
            md5: checksum_text(value.get("md5")),
        })
    }
}

impl DataEntry {
    fn from_value(value: &Value) -> Option<Self> {
        let map = value.as_map()?;
        let path = value.get("path")?.as_str()?;
        let text = |_: &str, value: &Value| value.as_str().map(str::to_owned).ok_or(());
        let number = |key| match value.get(key) {
            Some(Value::Int(number)) => u64::try_from(*number).ok(),
            _ => None,
        };
        let other = map.iter().filter(|(key, _)| !is_field(key));
        Some(Self {
            tracked: TrackedPath::from_flags(path, map, text).ok()?,
            md5: checksum_text(value.get("md5")),
            hash: owned_text(value.get("hash")),
            size: number("size"),
            nfiles: number("nfiles"),
            isexec: value.get("isexec") == Some(&Value::Bool(true)),
            other: other
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        })
    }
}

fn owned_text(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).map(str::to_owned)
}

fn checksum_text(value: Option<&Value>) -> Option<String> {
    let known = value.filter(|value| **value != Value::Null);
    known.map(|value| value.python_str().to_lowercase())
}

fn is_field(key: &Key) -> bool {
    const OF_HASH: [&str; 5] = ["md5", "hash", "size", "nfiles", "isexec"];
    key.as_str()
        .is_some_and(|key| OF_HASH.contains(&key) || TrackedPath::KEYS.contains(&key))
}

const FILE: &[(&str, Check)] = &[
    ("md5", checksum),
    ("wdir", optional_text),
    ("deps", dependencies),
    ("outs", outputs),
    ("locked", truth),
    ("frozen", truth),
    ("meta", anything),
    ("always_changed", truth),
    ("desc", text),
];

/// What outputs and dependencies share.
const ENTRY: &[(&str, Check)] = &[
    ("path", text),
    ("md5", checksum),
    ("hash", text),
    ("size", whole_number),
    ("nfiles", whole_number),
    ("isexec", truth),
    ("persist", truth),
    ("etag", checksum),
    ("checksum", checksum),
    ("version_id", text),
    ("cloud", anything),
    ("files", anything),
    ("fs_config", anything),
];

const OUTPUT: &[(&str, Check)] = &[
    ("cache", truth),
    ("push", truth),
    ("remote", text),
    ("desc", text),
    ("type", text),
    ("labels", texts),
    ("meta", anything),
];

const DEPENDENCY: &[(&str, Check)] = &[("repo", anything), ("db", anything)];

/// A hash of digits alone is a number to YAML.
fn checksum(checker: &mut Checker, value: &Value) {
    if !matches!(value, Value::Null | Value::Str(_) | Value::Int(_)) {
        checker.expected("str");
    }
}

fn optional_text(checker: &mut Checker, value: &Value) {
    if *value != Value::Null {
        text(checker, value);
    }
}

fn outputs(checker: &mut Checker, value: &Value) {
    if *value != Value::Null {
        checker.items(value, |checker, entry| entry_keys(checker, entry, OUTPUT));
    }
}

fn dependencies(checker: &mut Checker, value: &Value) {
    if *value != Value::Null {
        checker.items(value, |checker, entry| {
            entry_keys(checker, entry, DEPENDENCY);
        });
    }
}

fn entry_keys(checker: &mut Checker, entry: &Value, more: &[(&str, Check)]) {
    let all: Vec<_> = ENTRY.iter().chain(more).copied().collect();
    checker.keys(entry, &all, &["path"]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::json;

    #[test]
    fn fields_of_data_are_kept() {
        let text = r#"{"wdir": ".", "desc": "d", "frozen": true, "meta": {"a": 1},
            "deps": [{"path": "s3://b/x", "etag": "e", "size": 3}],
            "outs": [{"md5": "d7.dir", "size": 12, "nfiles": 2, "hash": "md5", "path": "./data/", "push": false},
                     {"md5": 123, "path": "tool", "isexec": true}]}"#;
        let file = DataFile::from_value(&json(text), "data.dvc").expect("it is right");
        assert_eq!(
            (file.wdir, file.frozen, file.desc.as_deref()),
            (None, true, Some("d"))
        );
        assert_eq!(file.deps[0].tracked.path, "s3://b/x");
        assert_eq!(
            Value::Map(file.deps[0].other.clone()),
            json(r#"{"etag": "e"}"#)
        );
        let [data, tool] = &file.outs[..] else {
            panic!("two outputs")
        };
        assert_eq!(
            (data.tracked.path.as_str(), data.md5.as_deref()),
            ("data", Some("d7.dir"))
        );
        assert_eq!(
            (data.size, data.nfiles, data.hash.as_deref()),
            (Some(12), Some(2), Some("md5"))
        );
        assert!(data.tracked.cache && !data.tracked.push && !data.isexec);
        assert!(tool.isexec && tool.hash.is_none());
        assert_eq!(tool.md5.as_deref(), Some("123"));
    }

    #[test]
    fn unknown_keys_and_missing_paths_are_refused() {
        let error = DataFile::from_value(&json(r#"{"outs": [{"md": "a"}]}"#), "x.dvc");
        assert_eq!(
            error.expect_err("it is wrong").to_string(),
            "'./x.dvc' validation failed.\nextra keys not allowed, in outs -> 0 -> md; did you mean `md5`?\n\
             required key not provided, in outs -> 0 -> path"
        );
    }
}
