//! Laying one tree over another.

use crate::node::{Node, Value};

/// Merges `newer` into `older`: mappings key by key, everything else replaced.
///
/// A `???` in the newer tree does not overwrite a value. Keys keep the place of their first appearance.
pub(crate) fn merge(older: &mut Node, newer: Node) {
    if newer.is_missing() && !matches!(older.value, Value::Null) {
        return;
    }
    match (&mut older.value, newer.value) {
        (Value::Map(old), Value::Map(new)) => {
            for (key, node) in new {
                match old.get_mut(&key) {
                    Some(before) => merge(before, node),
                    None => {
                        old.insert(key, node);
                    }
                }
            }
            if newer.origin.is_some() {
                older.origin = newer.origin;
            }
        }
        (_, value) => *older = Node::at(value, newer.origin),
    }
}
