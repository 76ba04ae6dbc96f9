//! Reading, writing, and documents that keep what a person wrote.

use std::collections::{HashMap, HashSet};

use super::compose::{Composed, compose};
use super::emit;
use super::error::YamlError;
use super::node::{Block, Content, Entry, Form, Item, List, Mapping, Node, Scalar};
use super::resolve::resolve;
use super::trivia::Trivia;
use crate::value::{Key, Map, Value};

/// Reads one document of YAML 1.2, which errors call `name`; an empty one is null.
///
/// `yes`, `no`, `on` and `off` are texts, `0o17` is octal, `017` is 17, `1_000` is 1000, `1e-3` is a float; a
/// date stays a text. An integer beyond 128 bits becomes a float.
///
/// # Errors
/// Bad syntax, duplicate keys, tags other than YAML's own, several documents, more than 200 levels, and
/// aliases that copy more than a million values.
pub fn read(name: &str, text: &str) -> Result<Value, YamlError> {
    let composed = compose(name, text)?;
    resolve(name, text, &composed.root)
}

/// The text that ruamel's round-trip dumper gives for plain data.
pub fn to_text(value: &Value) -> String {
    emit::document(&Node::of(value), &[], &[])
}

/// A document that is written with the comments, blank lines, order of keys and styles of collections that
/// it was read with, as ruamel's round trip keeps them.
///
/// A comment belongs to the value before it: what follows a value that is replaced as a whole, at a lower
/// level than the value's own line, goes with it.
#[derive(Debug, Clone)]
pub struct Document {
    root: Node,
    before: Vec<String>,
    /// The lines behind all values that belong to none.
    end: Vec<String>,
    value: Value,
    /// The values with anchors as they were read.
    anchored: HashMap<String, Node>,
}

impl Default for Document {
    fn default() -> Self {
        Self::new()
    }
}

impl Document {
    /// An empty mapping.
    pub fn new() -> Self {
        Self {
            root: Node::empty_map(),
            before: Vec::new(),
            end: Vec::new(),
            value: Value::Map(Map::new()),
            anchored: HashMap::new(),
        }
    }

    /// Reads a document, which errors call `name`.
    ///
    /// # Errors
    /// As for [`read`].
    pub fn parse(name: &str, text: &str) -> Result<Self, YamlError> {
        let text = text.replace("\r\n", "\n");
        let composed = compose(name, &text)?;
        let value = resolve(name, &text, &composed.root)?;
        let Composed { root, before, end } = composed;
        let mut anchored = HashMap::new();
        collect_anchors(&root, &mut anchored);
        Ok(Self {
            root,
            before,
            end,
            value,
            anchored,
        })
    }

    /// The plain value, with aliases followed and merges done.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The plain value at a path of keys; the empty path is the document.
    pub fn get(&self, path: &[&str]) -> Option<&Value> {
        path.iter()
            .try_fold(&self.value, |value, key| value.get(key))
    }

    /// Replaces the value at a path of keys, or appends it behind the last key; missing parents are made, and
    /// parents that are no mapping replaced.
    ///
    /// A value that equals the present one still loses its comments and becomes block style; see
    /// [`Document::update`] for what keeps them.
    pub fn set(&mut self, path: &[&str], value: Value) {
        let Some((key, parents)) = path.split_last() else {
            self.root = Node::of(&value);
            self.value = value;
            return;
        };
        self.expand_aliases(parents);
        let map = parents.iter().fold(mapping_of(&mut self.root), |map, key| {
            let index = map.position(key).unwrap_or_else(|| {
                map.entries
                    .push(Entry::of(&Key::from(*key), &Value::Map(Map::new())));
                map.entries.len() - 1
            });
            mapping_of(&mut map.entries[index].value)
        });
        put(map, &Key::from(*key), &value);
        self.refresh();
    }

    /// Adds a value at a path of keys, before the first of some keys beside it; behind the last key if none of them is
    /// there.
    pub fn insert_before(&mut self, path: &[&str], others: &[&str], value: Value) {
        self.set(path, value);
        let Some((key, parents)) = path.split_last() else {
            return;
        };
        let Some(Node {
            content: Content::Map(map),
            ..
        }) = self.node_mut(parents)
        else {
            return;
        };
        let first = others.iter().filter_map(|other| map.position(other)).min();
        if let (Some(first), Some(own)) = (first, map.position(key))
            && first < own
        {
            let entry = map.entries.remove(own);
            map.entries.insert(first, entry);
        }
        self.refresh();
    }

    /// Removes the value at a path of keys; returns whether there was one.
    pub fn remove(&mut self, path: &[&str]) -> bool {
        let Some((key, parents)) = path.split_last() else {
            return false;
        };
        self.expand_aliases(parents);
        let Some(Node {
            content: Content::Map(map),
            ..
        }) = self.node_mut(parents)
        else {
            return false;
        };
        let Some(index) = map.position(key) else {
            return false;
        };
        map.entries.remove(index);
        self.refresh();
        true
    }

    /// Makes the value at a path equal to `value` with as few changes as DVC's `apply_diff` makes: what is
    /// equal keeps its comments and styles, new keys are appended, missing ones removed, and a list of
    /// another length is replaced.
    pub fn update(&mut self, path: &[&str], value: &Value) {
        let present = self.get(path).cloned();
        self.expand_aliases(path);
        match present {
            Some(present) if same_kind_of_collection(&present, value) => {
                if let Some(node) = self.node_mut(path) {
                    apply_difference(node, &present, value);
                    self.refresh();
                } else {
                    self.set(path, value.clone());
                }
            }
            Some(present) if present.python_eq(value) => {}
            _ => self.set(path, value.clone()),
        }
    }

    /// The text with everything that was kept.
    pub fn to_text(&self) -> String {
        emit::document(&self.root, &self.before, &self.end)
    }

    fn node_mut(&mut self, path: &[&str]) -> Option<&mut Node> {
        path.iter().try_fold(&mut self.root, |node, key| {
            let Content::Map(map) = &mut node.content else {
                return None;
            };
            let index = map.position(key)?;
            Some(&mut map.entries[index].value)
        })
    }

    /// Gives every alias on a path a value of its own, which can then be changed.
    fn expand_aliases(&mut self, path: &[&str]) {
        for length in 1..=path.len() {
            let Some(value) = self.get(&path[..length]).cloned() else {
                return;
            };
            match self.node_mut(&path[..length]) {
                Some(node) if matches!(node.content, Content::Alias(_)) => *node = Node::of(&value),
                Some(_) => {}
                None => return,
            }
        }
    }

    fn refresh(&mut self) {
        if !self.anchored.is_empty() {
            mend_aliases(&mut self.root, &self.anchored, &mut HashSet::new());
        }
        // What was read has no error, and what is set has neither aliases nor keys twice.
        if let Ok(value) = resolve("", "", &self.root) {
            self.value = value;
        }
    }
}

/// The mapping that a node is made, if it is none.
fn mapping_of(node: &mut Node) -> &mut Mapping {
    if !matches!(node.content, Content::Map(_)) {
        *node = Node::empty_map();
    }
    match &mut node.content {
        Content::Map(map) => map,
        _ => unreachable!("it was made a mapping"),
    }
}

/// Replaces or appends a value; a comment behind a scalar belongs to the key and stays.
fn put(map: &mut Mapping, key: &Key, value: &Value) {
    let key_value = key.to_value();
    let same = |entry: &&mut Entry| matches!(&entry.key.content, Content::Scalar(scalar) if scalar.value == key_value);
    match map.entries.iter_mut().find(same) {
        Some(entry) => replace(&mut entry.value, &mut entry.after, value),
        None => map.entries.push(Entry::of(key, value)),
    }
}

/// Puts a value in a node's place: a comment of the key's line stays, and a text in a block is one again.
fn replace(node: &mut Node, after: &mut Trivia, value: &Value) {
    let had_lines = node.is_block_collection();
    match &node.content {
        Content::List(List { head, .. }) | Content::Map(Mapping { head, .. })
            if node.is_block_collection() =>
        {
            *after = head.clone();
        }
        _ => {}
    }
    let block = match (&node.content, value) {
        (
            Content::Scalar(Scalar {
                form: Form::Block(block),
                ..
            }),
            Value::Str(text),
        ) => Some(Block::of(text, block.fold)),
        _ => None,
    };
    *node = Node::of(value);
    if let (Some(block), Content::Scalar(scalar)) = (block, &mut node.content) {
        scalar.form = Form::Block(block);
    }
    if had_lines && after.end_of_line.is_none() && !node.is_block_collection() {
        after.lines.clear();
    }
    move_into_block(node, after);
}

/// A comment of the key's line goes before the parts of a block collection.
fn move_into_block(node: &mut Node, after: &mut Trivia) {
    if after.is_empty() || !node.is_block_collection() {
        return;
    }
    match &mut node.content {
        Content::Map(map) => map.head = std::mem::take(after),
        Content::List(list) => list.head = std::mem::take(after),
        Content::Scalar(_) | Content::Alias(_) => {}
    }
}

/// Whether DVC's `apply_diff` goes on inside.
fn same_kind_of_collection(a: &Value, b: &Value) -> bool {
    matches!(
        (a, b),
        (Value::Map(_), Value::Map(_)) | (Value::List(_), Value::List(_))
    )
}

/// Changes a collection to equal `wanted`; `present` is its plain value.
fn apply_difference(node: &mut Node, present: &Value, wanted: &Value) {
    if present.python_eq(wanted) {
        return;
    }
    match (&mut node.content, present, wanted) {
        (Content::Map(map), Value::Map(present), Value::Map(wanted)) => {
            update_mapping(map, present, wanted);
        }
        (Content::List(list), Value::List(present), Value::List(wanted)) => {
            update_list(list, present, wanted);
        }
        _ => *node = Node::of(wanted),
    }
}

fn update_mapping(map: &mut Mapping, present: &Map, wanted: &Map) {
    for (key, value) in wanted {
        let key_value = key.to_value();
        let entry = map
            .entries
            .iter_mut()
            .find(|entry| matches!(&entry.key.content, Content::Scalar(scalar) if scalar.value == key_value));
        match (entry, present.get(key)) {
            (Some(entry), Some(present)) if same_kind_of_collection(present, value) => {
                apply_difference(&mut entry.value, present, value);
                move_into_block(&mut entry.value, &mut entry.after);
            }
            (_, Some(present)) if present.python_eq(value) => {}
            _ => put(map, key, value),
        }
    }
    map.entries.retain(|entry| match &entry.key.content {
        Content::Scalar(Scalar { value, .. }) => {
            entry.key.is_merge() || wanted.keys().any(|key| key.to_value() == *value)
        }
        _ => true,
    });
}

fn update_list(list: &mut List, present: &[Value], wanted: &[Value]) {
    if present.len() != wanted.len() || list.items.len() != wanted.len() {
        list.items = wanted.iter().map(Item::of).collect();
        return;
    }
    for ((item, present), wanted) in list.items.iter_mut().zip(present).zip(wanted) {
        if same_kind_of_collection(present, wanted) {
            apply_difference(&mut item.value, present, wanted);
            move_into_block(&mut item.value, &mut item.after);
        } else if !present.python_eq(wanted) {
            replace(&mut item.value, &mut item.after, wanted);
        }
    }
}

fn collect_anchors(node: &Node, anchored: &mut HashMap<String, Node>) {
    if let Some(anchor) = &node.anchor {
        anchored.insert(anchor.clone(), node.clone());
    }
    for part in node.parts() {
        collect_anchors(part, anchored);
    }
}

/// The first alias whose anchor is gone takes the anchor and its value.
fn mend_aliases(node: &mut Node, anchored: &HashMap<String, Node>, seen: &mut HashSet<String>) {
    if let Content::Alias(name) = &node.content
        && !seen.contains(name)
        && let Some(original) = anchored.get(name)
    {
        *node = original.clone();
    }
    seen.extend(node.anchor.clone());
    match &mut node.content {
        Content::List(list) => {
            for item in &mut list.items {
                mend_aliases(&mut item.value, anchored, seen);
            }
        }
        Content::Map(map) => {
            for entry in &mut map.entries {
                mend_aliases(&mut entry.key, anchored, seen);
                mend_aliases(&mut entry.value, anchored, seen);
            }
        }
        Content::Scalar(_) | Content::Alias(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str =
        "# mine\nschema: '2.0'\nstages:\n  # about a\n  a:\n    cmd: x\n  b: {cmd: y}\n";

    fn stage(cmd: &str) -> Value {
        Value::Map(Map::from_iter([(Key::from("cmd"), Value::from(cmd))]))
    }

    #[test]
    fn entries_of_other_stages_keep_place_and_comments() {
        let mut lock = Document::parse("dvc.lock", LOCK).expect("it is read");
        lock.set(&["stages", "b"], stage("z"));
        lock.set(&["stages", "c"], stage("new"));
        let expected = LOCK.replace("b: {cmd: y}", "b:\n    cmd: z\n  c:\n    cmd: new");
        assert_eq!(lock.to_text(), expected);
        assert_eq!(lock.get(&["stages", "c", "cmd"]), Some(&Value::from("new")));
    }

    #[test]
    fn a_new_document_grows_its_parents() {
        let mut lock = Document::new();
        lock.set(&["schema"], Value::from("2.0"));
        lock.set(&["stages", "a"], stage("x"));
        assert_eq!(lock.to_text(), "schema: '2.0'\nstages:\n  a:\n    cmd: x\n");
        assert!(lock.remove(&["stages", "a"]));
        assert!(!lock.remove(&["stages", "a", "b"]));
        assert_eq!(lock.to_text(), "schema: '2.0'\nstages: {}\n");
    }

    #[test]
    fn an_alias_whose_anchor_is_removed_takes_the_value() {
        let mut document = Document::parse("dvc.yaml", "a: &x [1]\nb: *x\n").expect("it is read");
        assert!(document.remove(&["a"]));
        assert_eq!(document.to_text(), "b: [1]\n");
        assert_eq!(
            document.get(&["b"]),
            Some(&Value::List(vec![Value::Int(1)]))
        );
    }
}
