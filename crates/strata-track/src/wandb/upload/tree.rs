//! Trees of values that stay the JSON texts they came as: whoever wrote them knew better how to write a number.

use indexmap::IndexMap;

use crate::wandb::json::push_string;
use crate::wandb::messages::Item;

/// A value by its path.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    /// JSON, which may be a map itself.
    Leaf(String),
    Map(Tree),
}

/// Values by name, in the order first told.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tree {
    nodes: IndexMap<String, Node>,
}

impl Tree {
    /// Puts the value of an item in its place, below maps made on the way.
    pub(super) fn put(&mut self, item: &Item) {
        let key = std::slice::from_ref(&item.key);
        let path = if item.nested_key.is_empty() {
            key
        } else {
            &item.nested_key
        };
        self.put_at(path, item.value_json.clone());
    }

    fn put_at(&mut self, path: &[String], json: String) {
        match path {
            [] => {}
            [name] => {
                self.nodes.insert(name.clone(), Node::Leaf(json));
            }
            [name, rest @ ..] => {
                let node = self.nodes.entry(name.clone());
                let node = node.or_insert_with(|| Node::Map(Self::default()));
                if let Node::Leaf(_) = node {
                    *node = Node::Map(Self::default());
                }
                if let Node::Map(inner) = node {
                    inner.put_at(rest, json);
                }
            }
        }
    }

    /// Takes the value of an item away.
    pub(super) fn remove(&mut self, item: &Item) {
        match item.nested_key.as_slice() {
            [] => {
                self.nodes.shift_remove(&item.key);
            }
            [parents @ .., last] => {
                let mut tree = self;
                for parent in parents {
                    match tree.nodes.get_mut(parent) {
                        Some(Node::Map(inner)) => tree = inner,
                        _ => return,
                    }
                }
                tree.nodes.shift_remove(last);
            }
        }
    }

    /// The JSON text of a value at the top.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        match self.nodes.get(name)? {
            Node::Leaf(json) => Some(json),
            Node::Map(_) => None,
        }
    }

    /// Puts a value at the top.
    pub(super) fn set(&mut self, name: &str, json: String) {
        self.nodes.insert(name.to_owned(), Node::Leaf(json));
    }

    /// Name and JSON text of each value at the top.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, String)> {
        self.nodes.iter().map(|(name, node)| {
            let mut json = String::new();
            node.push(&mut json);
            (name.as_str(), json)
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The whole as JSON.
    pub(super) fn json(&self) -> String {
        let mut json = String::new();
        self.push(&mut json);
        json
    }

    fn push(&self, json: &mut String) {
        json.push('{');
        for (index, (name, node)) in self.nodes.iter().enumerate() {
            if index > 0 {
                json.push(',');
            }
            push_string(json, name);
            json.push(':');
            node.push(json);
        }
        json.push('}');
    }
}

impl Node {
    fn push(&self, json: &mut String) {
        match self {
            Self::Leaf(text) => json.push_str(text),
            Self::Map(tree) => tree.push(json),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wandb::leaves::item;

    fn at(path: &[&str], json: &str) -> Item {
        let path: Vec<String> = path.iter().map(|&name| name.to_owned()).collect();
        item(&path, json.to_owned())
    }

    #[test]
    fn items_make_a_tree_and_leave_it() {
        let mut tree = Tree::default();
        tree.put(&at(&["a"], "1e-07"));
        tree.put(&at(&["m", "x"], "NaN"));
        tree.put(&at(&["m", "y.z"], "[1]"));
        tree.put(&at(&["a"], "2"));
        assert_eq!(tree.json(), r#"{"a":2,"m":{"x":NaN,"y.z":[1]}}"#);
        tree.remove(&at(&["m", "x"], ""));
        tree.remove(&at(&["nothing", "there"], ""));
        tree.remove(&at(&["a"], ""));
        assert_eq!(tree.json(), r#"{"m":{"y.z":[1]}}"#);
    }
}
