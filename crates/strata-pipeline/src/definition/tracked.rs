//! What outputs of stages and data of `.dvc` files have in common.

use super::path::normalise;
use crate::value::{Key, Map, Value};

/// A path and how its content is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackedPath {
    /// The path, relative to the folder of the stage.
    pub path: String,
    /// Whether its content goes to the cache; it does unless stated otherwise.
    pub cache: bool,
    /// Whether it is left where it is before it is written again.
    pub persist: bool,
    /// Whether it goes to remotes; it does unless stated otherwise.
    pub push: bool,
    /// The only remote it goes to.
    pub remote: Option<String>,
    /// A description.
    pub desc: Option<String>,
    /// A kind of data, in the user's words.
    pub type_: Option<String>,
    /// The user's labels.
    pub labels: Vec<String>,
    /// What the user wants to keep with it.
    pub meta: Option<Value>,
}

impl TrackedPath {
    /// The keys of all fields.
    pub(super) const KEYS: [&str; 9] = [
        "path", "cache", "persist", "push", "remote", "desc", "type", "labels", "meta",
    ];

    /// Takes the flags of a path apart; `text` makes texts of those that have to be.
    pub(super) fn from_flags<E>(
        path: &str,
        flags: &Map,
        text: impl Fn(&str, &Value) -> Result<String, E>,
    ) -> Result<Self, E> {
        let get = |key: &str| flags.get(&Key::from(key));
        let truth = |key: &str, default| match get(key) {
            Some(Value::Bool(truth)) => *truth,
            _ => default,
        };
        let optional = |key: &str| get(key).map(|value| text(key, value)).transpose();
        let labels = get("labels").and_then(Value::as_list).unwrap_or_default();
        Ok(Self {
            path: normalise(path),
            cache: truth("cache", true),
            persist: truth("persist", false),
            push: truth("push", true),
            remote: optional("remote")?,
            desc: optional("desc")?,
            type_: optional("type")?,
            labels: labels.iter().map(Value::python_str).collect(),
            meta: get("meta").cloned(),
        })
    }
}
