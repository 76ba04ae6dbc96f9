//! A tree of values as the list of its leaves, which is how history and summary are stored.

use indexmap::IndexMap;

use super::json::{Json, NotANumber};
use super::messages::Item;

/// The names from the root to a leaf. A name may hold dots and slashes.
pub(super) type Path = Vec<String>;

/// Path → value that is not a map. No path begins with another.
#[derive(Clone, Debug, Default)]
pub(super) struct Leaves {
    entries: IndexMap<Path, Json>,
    /// Whether any path is longer than one name; rows of plain numbers need no search for conflicts.
    is_nested: bool,
}

impl Leaves {
    /// Puts `value` at `path`, in place of what is there, below or above. Maps become one leaf for each of
    /// their values, and are merged with a map that is there already; an empty map leaves no trace.
    pub(super) fn put(&mut self, path: Path, value: Json) {
        if let Json::Map(fields) = value {
            for (name, value) in fields {
                let mut longer = path.clone();
                longer.push(name);
                self.put(longer, value);
            }
            return;
        }
        if path.len() > 1 || self.is_nested {
            self.is_nested = true;
            self.entries.retain(|other, _| {
                other.len() == path.len() || !(other.starts_with(&path) || path.starts_with(other))
            });
        }
        self.entries.insert(path, value);
    }

    /// Removes what is at `path` and below.
    pub(super) fn remove(&mut self, path: &[String]) {
        self.entries.retain(|other, _| !other.starts_with(path));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Path, &Json)> {
        self.entries.iter()
    }

    /// The items of a record, and the reason for two fields: a key at the top is shorter when not nested.
    pub(super) fn items(&self) -> Vec<Item> {
        self.iter()
            .map(|(path, value)| item(path, value.written(NotANumber::Bare)))
            .collect()
    }

    /// The tree.
    pub(super) fn tree(&self) -> Json {
        let mut fields = Vec::new();
        for (path, value) in self.iter() {
            graft(&mut fields, path, value);
        }
        Json::Map(fields)
    }
}

fn graft(fields: &mut Vec<(String, Json)>, path: &[String], value: &Json) {
    let Some((name, rest)) = path.split_first() else {
        return;
    };
    if rest.is_empty() {
        fields.push((name.clone(), value.clone()));
        return;
    }
    let existing = fields.iter_mut().find(|(other, _)| other == name);
    if let Some((_, Json::Map(inner))) = existing {
        graft(inner, rest, value);
    } else {
        let mut inner = Vec::new();
        graft(&mut inner, rest, value);
        fields.push((name.clone(), Json::Map(inner)));
    }
}

/// The names from the root to an item.
pub(super) fn path_of(item: &Item) -> Path {
    if item.nested_key.is_empty() {
        vec![item.key.clone()]
    } else {
        item.nested_key.clone()
    }
}

/// One item; wandb reads `key` where `nested_key` is empty.
pub(super) fn item(path: &[String], value_json: String) -> Item {
    let (key, nested_key) = match path {
        [key] => (key.clone(), Vec::new()),
        _ => (String::new(), path.to_vec()),
    };
    Item {
        key,
        nested_key,
        value_json,
    }
}
