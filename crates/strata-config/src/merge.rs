//! Laying one tree over another.

use crate::error::ConfigError;
use crate::node::{Node, Value};

/// Merges `newer` into `older`: mappings key by key, everything else replaced.
///
/// A `???` in the newer tree does not overwrite a value. Keys keep the place of their first appearance.
///
/// # Errors
/// A list where there is a mapping, or a mapping where there is a list, as in `OmegaConf`.
pub(crate) fn merge(older: &mut Node, newer: Node) -> Result<(), ConfigError> {
    if newer.is_missing() && !matches!(older.value, Value::Null) {
        return Ok(());
    }
    match (&mut older.value, newer.value) {
        (Value::Map(old), Value::Map(new)) => {
            for (key, node) in new {
                match old.get_mut(&key) {
                    Some(before) => merge(before, node)?,
                    None => {
                        old.insert(key, node);
                    }
                }
            }
            if newer.origin.is_some() {
                older.origin = newer.origin;
            }
        }
        (Value::Map(_), value @ Value::List(_)) | (Value::List(_), value @ Value::Map(_)) => {
            let newer = Node::at(value, newer.origin);
            let title = format!("Cannot merge {} with {}", older.kind(), newer.kind());
            return Err(ConfigError::new(match (&newer.origin, &older.origin) {
                (Some(new), Some(old)) => strata_diag::Diagnostic::error(title)
                    .at(new.clone(), newer.kind())
                    .at(old.clone(), older.kind()),
                _ => strata_diag::Diagnostic::error(title),
            }));
        }
        (_, value) => *older = Node::at(value, newer.origin),
    }
    Ok(())
}
