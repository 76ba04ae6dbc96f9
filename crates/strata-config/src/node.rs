//! The configuration tree: values that know where they came from.

use std::fmt;

use indexmap::IndexMap;
use strata_diag::Span;

use crate::python;

/// A value and the place that set it last.
#[derive(Debug, Clone)]
pub struct Node {
    /// The value, interpolations unresolved.
    pub value: Value,
    /// The file and place, or the override, that set it; none for values made by the program.
    pub origin: Option<Span>,
}

/// What a node can be; YAML's types as `OmegaConf` reads them.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// A larger integer, its decimal digits.
    BigInt(String),
    /// A float.
    Float(f64),
    /// A text; with `${…}` an interpolation, `???` a value that must be given.
    Str(String),
    /// A mapping in the order of first appearance.
    Map(Map),
    /// A list.
    List(Vec<Node>),
}

/// A mapping.
pub type Map = IndexMap<Key, Node>;

/// A mapping's key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// A text.
    Str(String),
    /// An integer of 64 bits.
    Int(i64),
    /// A larger integer, its decimal digits.
    BigInt(String),
    /// A float, by its bits.
    Float(u64),
    /// A boolean.
    Bool(bool),
}

/// Nodes are equal if their values are; where they came from does not matter.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Node {
    /// A value made by the program.
    pub fn new(value: Value) -> Self {
        Self {
            value,
            origin: None,
        }
    }

    /// A value from a place.
    pub fn at(value: Value, origin: Option<Span>) -> Self {
        Self { value, origin }
    }

    /// An empty mapping.
    pub fn empty_map() -> Self {
        Self::new(Value::Map(Map::new()))
    }

    /// The mapping, if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        if let Value::Map(map) = &self.value {
            Some(map)
        } else {
            None
        }
    }

    /// The mapping, if it is one.
    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        if let Value::Map(map) = &mut self.value {
            Some(map)
        } else {
            None
        }
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Value::Str(text) = &self.value {
            Some(text)
        } else {
            None
        }
    }

    /// Whether it must be given and is not: `???`.
    pub fn is_missing(&self) -> bool {
        self.as_str() == Some("???")
    }

    /// Whether it holds `${…}` to resolve.
    pub fn is_interpolation(&self) -> bool {
        self.as_str().is_some_and(|text| text.contains("${"))
    }

    /// The child by its key, a text, or by its number in a list. Keys of other types are out of reach, as in
    /// `OmegaConf`.
    pub fn child(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(map) => map.get(&Key::Str(key.to_owned())),
            Value::List(items) => items.get(key.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// The child by its key, a text, or by its number in a list. Keys of other types are out of reach, as in
    /// `OmegaConf`.
    pub fn child_mut(&mut self, key: &str) -> Option<&mut Node> {
        match &mut self.value {
            Value::Map(map) => map.get_mut(&Key::Str(key.to_owned())),
            Value::List(items) => items.get_mut(key.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// The node below this one at a dotted path; an empty path is the node itself.
    pub fn descend(&self, path: &str) -> Option<&Node> {
        parts(path).try_fold(self, |node, key| node.child(key))
    }

    /// The node below this one at a dotted path.
    pub fn descend_mut(&mut self, path: &str) -> Option<&mut Node> {
        parts(path).try_fold(self, |node, key| node.child_mut(key))
    }

    /// The node at a dotted path, made of empty mappings where there is none.
    pub fn descend_or_insert(&mut self, path: &str) -> &mut Node {
        let mut node = self;
        for key in parts(path) {
            if node.as_map().is_none() {
                node.value = Value::Map(Map::new());
            }
            let map = node.as_map_mut().expect("made a mapping above");
            node = map
                .entry(Key::Str(key.to_owned()))
                .or_insert_with(Node::empty_map);
        }
        node
    }

    /// The value as a user would name it: YAML's words for null and booleans, Python's for all else.
    pub(crate) fn in_words(&self) -> String {
        match &self.value {
            Value::Null => "null".to_owned(),
            Value::Bool(truth) => truth.to_string(),
            _ => python::str_of(self),
        }
    }

    /// What kind of value it is, in the user's words.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Int(_) | Value::BigInt(_) => "an integer",
            Value::Float(_) => "a float",
            Value::Str(_) => "a string",
            Value::Map(_) => "a mapping",
            Value::List(_) => "a list",
        }
    }
}

/// The keys of a dotted path.
pub(crate) fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('.').filter(|part| !part.is_empty())
}

impl Value {
    /// Python's `==`, in which `1`, `1.0` and `True` are equal, alone and within containers.
    pub(crate) fn equals_in_python(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(a), Self::List(b)) => {
                let mut pairs = a.iter().zip(b);
                a.len() == b.len() && pairs.all(|(a, b)| a.value.equals_in_python(&b.value))
            }
            (Self::Map(a), Self::Map(b)) => {
                let in_b = |key: &Key, node: &Node| {
                    b.get(key)
                        .is_some_and(|other| node.value.equals_in_python(&other.value))
                };
                a.len() == b.len() && a.iter().all(|(key, node)| in_b(key, node))
            }
            _ => match (self.as_number(), other.as_number()) {
                (Some(a), Some(b)) => a == b,
                _ => self == other,
            },
        }
    }

    /// The number, booleans included, as Python compares them.
    fn as_number(&self) -> Option<f64> {
        match self {
            Self::Bool(truth) => Some(f64::from(u8::from(*truth))),
            Self::Int(number) => Some(*number as f64),
            Self::BigInt(digits) => digits.parse().ok(),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }
}

impl Key {
    /// Python's `==`, in which `1`, `1.0` and `True` are one key.
    pub(crate) fn equals_in_python(&self, other: &Self) -> bool {
        Value::from(self.clone()).equals_in_python(&Value::from(other.clone()))
    }
}

impl From<Key> for Value {
    fn from(key: Key) -> Self {
        match key {
            Key::Str(text) => Self::Str(text),
            Key::Int(number) => Self::Int(number),
            Key::BigInt(digits) => Self::BigInt(digits),
            Key::Float(bits) => Self::Float(f64::from_bits(bits)),
            Key::Bool(truth) => Self::Bool(truth),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Str(text) => f.write_str(text),
            Self::Int(number) => write!(f, "{number}"),
            Self::BigInt(digits) => f.write_str(digits),
            Self::Float(bits) => f.write_str(&python::float_repr(f64::from_bits(*bits))),
            Self::Bool(truth) => f.write_str(python::bool_repr(*truth)),
        }
    }
}
