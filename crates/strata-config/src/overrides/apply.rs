//! Overrides of the composed tree.

use strata_diag::closest;

use super::ast::{Element, Override, OverrideKind};
use super::element::{node_of, text_of};
use crate::error::ConfigError;
use crate::hydra_schema;
use crate::interpolation::check_interpolations;
use crate::interpolation::resolve::Resolver;
use crate::interpolation::resolvers::Context;
use crate::merge::merge;
use crate::node::{Key, Node, Value};

/// Applies an override to the tree, as Hydra does.
pub(crate) fn apply(
    root: &mut Node,
    override_: &Override,
    context: &Context,
) -> Result<(), ConfigError> {
    if let Some(package) = &override_.package {
        let title = format!(
            "`{}` looks like a config group override, but there is no config group `{}`",
            override_.text(),
            override_.key
        );
        return Err(at(override_, title, "in this override").help(format!(
            "a key has no package; to set `{package}.{0}` type its whole path",
            override_.key
        )));
    }
    let element = override_.element().cloned().unwrap_or(Element::Null);
    if has_null_key(&element) {
        let title = format!(
            "`{}`: a key of a dictionary cannot be null",
            override_.text()
        );
        return Err(at(override_, title, "in this override")
            .help("a key is a string, a number or a boolean"));
    }
    let value = node_of(&element, &override_.span());
    check_interpolations(&value)?;
    match override_.kind {
        OverrideKind::Delete => delete(root, override_, context),
        OverrideKind::Change => {
            let add = hydra_schema::is_unseen(&override_.key);
            update(root, value, override_, add)
        }
        OverrideKind::ForceAdd => update(root, value, override_, true),
        OverrideKind::Add => {
            let is_container = matches!(value.value, Value::Map(_) | Value::List(_));
            let occupied = root
                .descend(&override_.key)
                .is_some_and(|node| !node.is_missing() && !matches!(node.value, Value::Null));
            if occupied && !is_container {
                return Err(could_not_append(override_, &element));
            }
            update(root, value, override_, true)
        }
    }
}

fn has_null_key(element: &Element) -> bool {
    match element {
        Element::List(items) => items.iter().any(has_null_key),
        Element::Dict(entries) => entries
            .iter()
            .any(|(key, value)| *key == Element::Null || has_null_key(value)),
        _ => false,
    }
}

fn at(override_: &Override, title: String, label: &str) -> ConfigError {
    ConfigError::at(title, Some(&override_.span()), label)
}

/// Sets a value. Only with `add` may there be new keys; then missing mappings on the way are made.
fn update(
    root: &mut Node,
    value: Node,
    override_: &Override,
    add: bool,
) -> Result<(), ConfigError> {
    let key = override_.key.as_str();
    if !add && root.descend(key).is_none() {
        return Err(could_not_override(root, key, override_));
    }
    let (parent_path, name) = key.rsplit_once('.').unwrap_or(("", key));
    let mut node = &mut *root;
    for part in crate::node::parts(parent_path) {
        node = child_for_writing(node, part, override_)?;
    }
    if let Some(old) = node.child_mut(name) {
        let old_is_map = matches!(old.value, Value::Map(_));
        match (&old.value, &value.value) {
            (Value::Map(_), Value::List(_)) | (Value::List(_), Value::Map(_)) => {
                let title = format!(
                    "`{}` cannot be merged: `{key}` is {}, not {}",
                    override_.text(),
                    old.kind(),
                    value.kind()
                );
                return Err(at(override_, title, "in this override").help(format!(
                    "remove it first: `~{key}` and then `+{}`",
                    override_.text().trim_start_matches('+')
                )));
            }
            (Value::Map(_), Value::Map(_)) if !add => {
                if let Some(unknown) = unknown_key(old, &value, key) {
                    return Err(could_not_override(root, &unknown, override_));
                }
            }
            _ => {}
        }
        if old_is_map && matches!(value.value, Value::Map(_)) {
            merge(old, value)?;
        } else {
            *old = value;
        }
        return Ok(());
    }
    match &mut node.value {
        Value::Map(map) => {
            map.insert(Key::Str(name.to_owned()), value);
            Ok(())
        }
        Value::List(items) => {
            let title = format!(
                "`{}` cannot be set: the list `{parent_path}` has {} items, and `{name}` is none of them",
                override_.text(),
                items.len()
            );
            Err(at(override_, title, "in this override")
                .help(format!("give the whole list: `{parent_path}=[…]`")))
        }
        _ => {
            let title = format!(
                "`{}` cannot be set: {} has no keys",
                override_.text(),
                node.kind()
            );
            Err(at(override_, title, "in this override"))
        }
    }
}

/// The child of that name; a scalar in its place gives way to an empty mapping.
fn child_for_writing<'a>(
    node: &'a mut Node,
    name: &str,
    override_: &Override,
) -> Result<&'a mut Node, ConfigError> {
    let is_container = |node: &Node| matches!(node.value, Value::Map(_) | Value::List(_));
    if let Value::List(items) = &node.value
        && node.child(name).is_none()
    {
        let title = format!(
            "`{}` cannot be set: `{name}` is none of the list's {} items",
            override_.text(),
            items.len()
        );
        return Err(at(override_, title, "in this override"));
    }
    if node.child(name).is_none_or(|child| !is_container(child)) {
        let empty = Node::at(Value::Map(Default::default()), Some(override_.span()));
        match node.child_mut(name) {
            Some(child) => *child = empty,
            None => {
                if let Some(map) = node.as_map_mut() {
                    map.insert(Key::Str(name.to_owned()), empty);
                }
            }
        }
    }
    node.child_mut(name).ok_or_else(|| {
        let title = format!(
            "`{}` cannot be set: `{name}` has no place",
            override_.text()
        );
        at(override_, title, "in this override")
    })
}

/// The path of the first key of `newer` that `older` does not have.
fn unknown_key(older: &Node, newer: &Node, path: &str) -> Option<String> {
    let (Value::Map(old), Value::Map(new)) = (&older.value, &newer.value) else {
        return None;
    };
    new.iter().find_map(|(key, node)| {
        let path = format!("{path}.{key}");
        match old.get(key) {
            None => Some(path),
            Some(before) => unknown_key(before, node, &path),
        }
    })
}

fn delete(root: &mut Node, override_: &Override, context: &Context) -> Result<(), ConfigError> {
    let (key, span) = (override_.key.as_str(), override_.span());
    let found = root
        .descend(key)
        .filter(|node| !matches!(node.value, Value::Null) && !node.is_missing());
    let Some(node) = found else {
        let error = ConfigError::at(
            format!("Could not delete from config. '{key}' does not exist."),
            Some(&span),
            "no such key",
        );
        let error = match root.descend(key) {
            Some(node) => error.note(format!("`{key}` is {}", crate::python::str_of(node))),
            None => error,
        };
        return Err(with_suggestion(error, root, key, |suggestion| {
            format!("~{suggestion}")
        }));
    };
    if let Some(element) = override_
        .element()
        .filter(|element| **element != Element::Null)
    {
        let wanted = node_of(element, &span);
        let resolver = Resolver { root, context };
        let resolved = resolver.select(key)?;
        let node = resolved.as_ref().map_or(node, |found| &found.node);
        if !wanted.value.equals_in_python(&node.value) {
            let title = format!(
                "Could not delete from config. The value of '{key}' is {} and not {}.",
                crate::python::str_of(node),
                text_of(element)
            );
            return Err(ConfigError::at(title, Some(&span), "in this override"));
        }
    }
    let (parent, name) = key.rsplit_once('.').unwrap_or(("", key));
    let Some(parent) = root.descend_mut(parent) else {
        return Ok(());
    };
    match &mut parent.value {
        Value::Map(map) => {
            map.shift_remove(&Key::Str(name.to_owned()));
        }
        Value::List(items) => {
            if let Ok(index) = name.parse::<usize>() {
                items.remove(index);
            }
        }
        _ => {}
    }
    Ok(())
}

fn could_not_override(root: &Node, key: &str, override_: &Override) -> ConfigError {
    let missing = first_missing(root, key);
    let error = ConfigError::at(
        format!("Could not override '{}'.", override_.key),
        Some(&override_.span()),
        "no such key",
    )
    .note(format!("Key '{missing}' is not in struct; full_key: {key}"));
    let error = with_suggestion(error, root, key, |suggestion| {
        let value = override_
            .text()
            .split_once('=')
            .map_or("", |(_, value)| value);
        if key == override_.key {
            format!("{suggestion}={value}")
        } else {
            format!("{suggestion}=…")
        }
    });
    error.help(format!(
        "To append to your config use +{}",
        override_.text()
    ))
}

fn could_not_append(override_: &Override, element: &Element) -> ConfigError {
    let (key, value) = (&override_.key, text_of(element));
    at(
        override_,
        format!("Could not append to config. An item is already at '{key}'."),
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
