//! The plain value of a tree: aliases followed, merge keys merged, duplicate keys refused.

use std::collections::HashMap;

use super::error::YamlError;
use super::node::{Content, Mapping, Node, Scalar};
use crate::value::{Key, Map, Value};

/// Aliases are copies, and a few lines of aliases to aliases would fill any memory.
const MOST_COPIED_NODES: usize = 1_000_000;

/// The value of a tree that was made of `text`.
pub(super) fn resolve(name: &str, text: &str, root: &Node) -> Result<Value, YamlError> {
    let mut resolver = Resolver {
        name,
        text,
        anchors: HashMap::new(),
        copied_nodes: 0,
        depth: 0,
    };
    resolver.value(root)
}

struct Resolver<'a> {
    name: &'a str,
    text: &'a str,
    /// The anchors whose values are complete.
    anchors: HashMap<&'a str, Anchored>,
    copied_nodes: usize,
    /// How many collections are open.
    depth: usize,
}

struct Anchored {
    value: Value,
    nodes: usize,
    /// How many levels it has itself.
    levels: usize,
}

impl<'a> Resolver<'a> {
    fn error(&self, node: &Node, message: &str) -> YamlError {
        YamlError::at(self.name, self.text, node.at, message)
    }

    fn value(&mut self, node: &'a Node) -> Result<Value, YamlError> {
        self.depth += 1;
        let value = match &node.content {
            Content::Scalar(Scalar { value, .. }) => value.clone(),
            Content::Alias(anchor) => self.copy(node, anchor)?,
            Content::List(list) => {
                let items = list.items.iter().map(|item| self.value(&item.value));
                Value::List(items.collect::<Result<_, _>>()?)
            }
            Content::Map(map) => Value::Map(self.map(map)?),
        };
        self.depth -= 1;
        if let Some(anchor) = &node.anchor {
            let (nodes, levels) = extent(&value);
            // What is anchored is kept twice.
            self.count_copied(node, nodes)?;
            let anchored = Anchored {
                value: value.clone(),
                nodes,
                levels,
            };
            self.anchors.insert(anchor, anchored);
        }
        Ok(value)
    }

    fn copy(&mut self, node: &Node, anchor: &str) -> Result<Value, YamlError> {
        let Some(Anchored {
            value,
            nodes,
            levels,
        }) = self.anchors.get(anchor)
        else {
            return Err(self.error(
                node,
                &format!("there is no anchor `&{anchor}` before this alias"),
            ));
        };
        if self.depth + levels > strata_yaml::DEEPEST {
            return Err(self.error(node, "with this alias the document is nested too deeply"));
        }
        let (value, nodes) = (value.clone(), *nodes);
        self.count_copied(node, nodes)?;
        Ok(value)
    }

    fn count_copied(&mut self, node: &Node, nodes: usize) -> Result<(), YamlError> {
        self.copied_nodes += nodes;
        if self.copied_nodes > MOST_COPIED_NODES {
            return Err(self.error(node, "the aliases of this document copy too much"));
        }
        Ok(())
    }

    fn map(&mut self, map: &'a Mapping) -> Result<Map, YamlError> {
        let mut own = Map::new();
        let mut merged = Vec::new();
        for entry in &map.entries {
            if entry.key.is_merge() {
                if !merged.is_empty() {
                    return Err(self.error(&entry.key, "the key `<<` is given twice"));
                }
                merged.extend(self.merge_sources(&entry.value)?);
                continue;
            }
            let key = self.key(&entry.key)?;
            if own.contains_key(&key) {
                let message = format!("the key `{}` is given twice", key.python_str());
                return Err(self.error(&entry.key, &message));
            }
            let value = self.value(&entry.value)?;
            own.insert(key, value);
        }
        if merged.is_empty() {
            return Ok(own);
        }
        // Merged keys come first, those of the last source before those of the first, which wins.
        let mut result = Map::new();
        for source in merged.into_iter().rev() {
            result.extend(source);
        }
        result.extend(own);
        Ok(result)
    }

    fn key(&mut self, node: &'a Node) -> Result<Key, YamlError> {
        Ok(match self.value(node)? {
            Value::Str(text) => Key::Str(text),
            Value::Int(number) => Key::Int(number),
            Value::Bool(truth) => Key::Bool(truth),
            Value::Float(number) => Key::Float(number.to_bits()),
            Value::Null => Key::Null,
            Value::List(_) | Value::Map(_) => {
                return Err(self.error(node, "a list or a mapping cannot be a key"));
            }
        })
    }

    /// The mappings to merge; of several with one key the first wins.
    fn merge_sources(&mut self, node: &'a Node) -> Result<Vec<Map>, YamlError> {
        let sources = match self.value(node)? {
            Value::List(items) => items,
            value => vec![value],
        };
        let maps = sources.into_iter().map(|source| match source {
            Value::Map(map) => Ok(map),
            _ => Err(self.error(node, "expected a mapping or a list of mappings to merge")),
        });
        maps.collect()
    }
}

/// How many nodes a value has, and how many levels.
fn extent(value: &Value) -> (usize, usize) {
    let parts: Vec<(usize, usize)> = match value {
        Value::Map(map) => map.values().map(extent).collect(),
        Value::List(items) => items.iter().map(extent).collect(),
        _ => Vec::new(),
    };
    let nodes = parts.iter().map(|(nodes, _)| nodes).sum::<usize>();
    let levels = parts.iter().map(|(_, levels)| levels).max();
    (nodes + 1, levels.map_or(1, |levels| levels + 1))
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;

    fn error(text: &str) -> String {
        read("a.yaml", text).expect_err("it is refused").to_string()
    }

    #[test]
    fn merged_keys_come_first_and_own_keys_win() {
        let text = "p: &p {x: 1, y: 1}\nq: &q {x: 2, z: 2}\nc:\n  <<: [*p, *q]\n  y: 3\n";
        let value = read("a.yaml", text).expect("it is read");
        let merged = value.get("c").map(|c| c.to_json(crate::value::Order::Kept));
        assert_eq!(merged.as_deref(), Some(r#"{"x": 1, "z": 2, "y": 3}"#));
    }

    #[test]
    fn duplicate_keys_are_refused_where_they_stand() {
        assert!(
            error("a: 1\nb:\n  c: 1\n  c: 2\n")
                .starts_with("a.yaml:4:3: the key `c` is given twice")
        );
    }

    #[test]
    fn aliases_are_bounded() {
        let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..12 {
            let below = vec![format!("*a{}", level - 1); 10].join(",");
            let line = format!("a{level}: &a{level} [{below}]\n");
            text.push_str(&line);
        }
        assert!(error(&text).contains("copy too much"));
        assert!(error("a: *x\n").contains("no anchor `&x`"));
    }

    #[test]
    fn aliases_do_not_nest_too_deeply() {
        let nested = |inside: &str| "[".repeat(90) + inside + &"]".repeat(90);
        let text = |levels: usize| {
            let line = |level: usize| {
                format!(
                    "a{level}: &a{level} {}\n",
                    nested(&format!("*a{}", level - 1))
                )
            };
            "a0: &a0 x\n".to_owned() + &(1..=levels).map(line).collect::<String>()
        };
        assert!(read("a.yaml", &text(2)).is_ok());
        assert!(error(&text(3)).starts_with("a.yaml:4:99: with this alias"));
    }

    #[test]
    fn an_empty_text_is_null() {
        for text in ["", "# c\n", "---\n"] {
            assert_eq!(read("a.yaml", text), Ok(Value::Null), "{text}");
        }
    }
}
