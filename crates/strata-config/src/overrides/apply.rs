//! Overrides of the composed tree.

use strata_diag::closest;

use super::ast::{Element, Override, OverrideKind};
use super::element::{node_of, text_of};
use crate::error::ConfigError;
use crate::merge::merge;
use crate::node::{Key, Node, Value};

/// Applies an override to the tree, as Hydra does.
pub(crate) fn apply(root: &mut Node, override_: &Override) -> Result<(), ConfigError> {
    let key = override_.key_or_group();
    if override_.kind == OverrideKind::Delete {
        return delete(root, &key, override_);
    }
    let element = override_.element().cloned().unwrap_or(Element::Null);
    let value = node_of(&element, &override_.span());
    let exists = root.descend(&key).is_some();
    match override_.kind {
        OverrideKind::Change if !exists => Err(could_not_override(root, &key, override_)),
        OverrideKind::Add if exists && !is_merge(root, &key, &value) => {
            Err(could_not_append(&key, override_, &element))
        }
        _ => set(root, &key, value, override_),
    }
}

/// A dictionary onto a dictionary, and a list onto a list, may be added.
fn is_merge(root: &Node, key: &str, value: &Node) -> bool {
    let old = root.descend(key).map(|node| &node.value);
    matches!(
        (old, &value.value),
        (Some(Value::Map(_)), Value::Map(_)) | (Some(Value::List(_)), Value::List(_))
    )
}

fn set(root: &mut Node, key: &str, value: Node, override_: &Override) -> Result<(), ConfigError> {
    let (parent, name) = key.rsplit_once('.').unwrap_or(("", key));
    if let Some(old) = root.descend_mut(key) {
        merge(old, value);
        return Ok(());
    }
    let parent = descend_for_writing(root, parent, override_)?;
    match &mut parent.value {
        Value::Map(map) => {
            map.insert(Key::Str(name.to_owned()), value);
            Ok(())
        }
        _ => Err(ConfigError::at(
            format!("`{key}` cannot be set: {} has no keys", parent.kind()),
            Some(&override_.span()),
            "in this override",
        )),
    }
}

fn descend_for_writing<'a>(
    root: &'a mut Node,
    path: &str,
    override_: &Override,
) -> Result<&'a mut Node, ConfigError> {
    let mut node = root;
    for name in crate::node::parts(path) {
        if node.child(name).is_none() {
            let fits = matches!(node.value, Value::Map(_));
            if !fits {
                let title = format!(
                    "`{}` cannot be set: `{name}` lies below {}",
                    override_.key,
                    node.kind()
                );
                return Err(ConfigError::at(
                    title,
                    Some(&override_.span()),
                    "in this override",
                ));
            }
            let map = node.as_map_mut().expect("checked above");
            map.insert(
                Key::Str(name.to_owned()),
                Node::at(Value::Map(Default::default()), Some(override_.span())),
            );
        }
        node = node.child_mut(name).expect("inserted above");
        if matches!(node.value, Value::Null) || node.is_missing() {
            node.value = Value::Map(Default::default());
        }
    }
    Ok(node)
}

fn delete(root: &mut Node, key: &str, override_: &Override) -> Result<(), ConfigError> {
    let span = override_.span();
    let Some(node) = root.descend(key) else {
        let error = ConfigError::at(
            format!("Could not delete from config. '{key}' does not exist."),
            Some(&span),
            "no such key",
        );
        return Err(with_suggestion(error, root, key, |suggestion| {
            format!("~{suggestion}")
        }));
    };
    if let Some(element) = override_.element() {
        let wanted = node_of(element, &span);
        if wanted != *node {
            let title = format!(
                "Could not delete from config. The value of '{key}' is {} and not {}.",
                crate::python::str_of(node),
                crate::python::str_of(&wanted)
            );
            return Err(ConfigError::at(title, Some(&span), "in this override"));
        }
    }
    let (parent, name) = key.rsplit_once('.').unwrap_or(("", key));
    match &mut root
        .descend_mut(parent)
        .expect("the node below it exists")
        .value
    {
        Value::Map(map) => {
            let key = map.keys().find(|key| key.to_string() == name).cloned();
            if let Some(key) = key {
                map.shift_remove(&key);
            }
        }
        Value::List(items) => {
            items.remove(name.parse().expect("the item was found by this number"));
        }
        _ => {}
    }
    Ok(())
}

fn could_not_override(root: &Node, key: &str, override_: &Override) -> ConfigError {
    let missing = first_missing(root, key);
    let error = ConfigError::at(
        format!("Could not override '{key}'."),
        Some(&override_.span()),
        "no such key",
    )
    .note(format!("Key '{missing}' is not in struct; full_key: {key}"));
    let error = with_suggestion(error, root, key, |suggestion| {
        format!(
            "{suggestion}{}",
            &override_.text()[override_.key_or_group().len()..]
        )
    });
    error.help(format!(
        "To append to your config use +{}",
        override_.text()
    ))
}

fn could_not_append(key: &str, override_: &Override, element: &Element) -> ConfigError {
    let value = text_of(element);
    ConfigError::at(
        format!("Could not append to config. An item is already at '{key}'."),
        Some(&override_.span()),
        "in this override",
    )
    .help(format!("to change it use `{key}={value}`"))
    .help(format!(
        "to set it whether or not it is there use `++{key}={value}`"
    ))
}

/// The first part of the path that does not exist.
fn first_missing<'a>(root: &Node, key: &'a str) -> &'a str {
    let mut node = Some(root);
    for part in crate::node::parts(key) {
        node = node.and_then(|node| node.child(part));
        if node.is_none() {
            return part;
        }
    }
    key
}

/// Adds the closest key that exists, as it would be typed.
fn with_suggestion(
    error: ConfigError,
    root: &Node,
    key: &str,
    typed: impl Fn(&str) -> String,
) -> ConfigError {
    match closest_path(root, key) {
        Some(path) => error.help(format!("did you mean `{}`?", typed(&path))),
        None => error,
    }
}

/// The path with its first unknown part replaced by the closest key there.
pub(crate) fn closest_path(root: &Node, key: &str) -> Option<String> {
    let parts: Vec<&str> = crate::node::parts(key).collect();
    let mut node = root;
    for (index, part) in parts.iter().enumerate() {
        if let Some(child) = node.child(part) {
            node = child;
            continue;
        }
        let keys: Vec<String> = node.as_map()?.keys().map(ToString::to_string).collect();
        let found = closest(part, keys.iter().map(String::as_str))?;
        let mut path: Vec<&str> = parts[..index].to_vec();
        path.push(found);
        let rest = &parts[index + 1..];
        if node.child(found)?.descend(&rest.join(".")).is_some() {
            path.extend(rest);
        }
        return Some(path.join("."));
    }
    None
}
