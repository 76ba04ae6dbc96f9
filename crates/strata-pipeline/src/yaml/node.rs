//! The tree of a document: values with what is kept of their writing.

use super::trivia::Trivia;
use crate::value::{Key, Value};

/// A value in its place.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) content: Content,
    pub(super) anchor: Option<String>,
    /// The byte of the text where the value begins.
    pub(super) at: usize,
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    Scalar(Scalar),
    Alias(String),
    List(List),
    Map(Mapping),
}

/// A value without parts.
#[derive(Debug, Clone)]
pub(super) struct Scalar {
    pub(super) value: Value,
    pub(super) form: Form,
}

/// What is kept of the way in which a scalar was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// Nothing: it is written as any other of its value.
    Free,
    /// Without quotes and in just these characters: numbers, dates, `<<`.
    Verbatim(String),
    /// `|` or `>`.
    Block(Block),
}

/// A text below its indicator, line by line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) fold: Fold,
    /// The comment behind the indicator, with the blanks before it.
    pub(super) comment: String,
    /// The lines as they were but for their indentation.
    pub(super) lines: Vec<String>,
}

/// What a line break in a block means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fold {
    /// A line break.
    Literal,
    /// A blank.
    Folded,
}

/// How the parts of a collection stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    Block,
    Flow,
}

#[derive(Debug, Clone)]
pub(super) struct List {
    pub(super) layout: Layout,
    /// What stands before the first item.
    pub(super) head: Trivia,
    pub(super) items: Vec<Item>,
}

#[derive(Debug, Clone)]
pub(super) struct Item {
    /// Lines that follow a flow collection, an alias or nothing, and belong to what comes then.
    pub(super) before: Vec<String>,
    pub(super) value: Node,
    /// What follows the value, if it is no block collection; that has it with its last part.
    pub(super) after: Trivia,
}

#[derive(Debug, Clone)]
pub(super) struct Mapping {
    pub(super) layout: Layout,
    /// What stands before the first key.
    pub(super) head: Trivia,
    pub(super) entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// As that of an item.
    pub(super) before: Vec<String>,
    pub(super) key: Node,
    pub(super) value: Node,
    /// As that of an item.
    pub(super) after: Trivia,
}

impl Node {
    pub(super) fn new(content: Content) -> Self {
        Self {
            content,
            anchor: None,
            at: 0,
        }
    }

    pub(super) fn empty_map() -> Self {
        Self::new(Content::Map(Mapping {
            layout: Layout::Block,
            head: Trivia::default(),
            entries: Vec::new(),
        }))
    }

    /// A plain value in block style.
    pub(super) fn of(value: &Value) -> Self {
        let content = match value {
            Value::List(items) => Content::List(List {
                layout: Layout::Block,
                head: Trivia::default(),
                items: items.iter().map(Item::of).collect(),
            }),
            Value::Map(map) => Content::Map(Mapping {
                layout: Layout::Block,
                head: Trivia::default(),
                entries: map
                    .iter()
                    .map(|(key, value)| Entry::of(key, value))
                    .collect(),
            }),
            value => Content::Scalar(Scalar {
                value: value.clone(),
                form: Form::Free,
            }),
        };
        Self::new(content)
    }

    /// Whether it is a null without an anchor.
    pub(super) fn is_nothing(&self) -> bool {
        self.anchor.is_none()
            && matches!(
                &self.content,
                Content::Scalar(Scalar {
                    value: Value::Null,
                    form: Form::Free
                })
            )
    }

    /// Whether it stands on lines of its own below its key.
    pub(super) fn is_block_collection(&self) -> bool {
        match &self.content {
            Content::List(list) => list.layout == Layout::Block && !list.items.is_empty(),
            Content::Map(map) => map.layout == Layout::Block && !map.entries.is_empty(),
            Content::Scalar(_) | Content::Alias(_) => false,
        }
    }

    /// The keys, values and items in their order.
    pub(super) fn parts(&self) -> Box<dyn Iterator<Item = &Node> + '_> {
        match &self.content {
            Content::List(list) => Box::new(list.items.iter().map(|item| &item.value)),
            Content::Map(map) => Box::new(
                map.entries
                    .iter()
                    .flat_map(|entry| [&entry.key, &entry.value]),
            ),
            Content::Scalar(_) | Content::Alias(_) => Box::new(std::iter::empty()),
        }
    }

    /// The key's text, if it is a text.
    pub(super) fn as_str(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar(scalar) => scalar.value.as_str(),
            _ => None,
        }
    }

    /// Whether it is the key `<<` without quotes.
    pub(super) fn is_merge(&self) -> bool {
        matches!(&self.content, Content::Scalar(Scalar { form: Form::Verbatim(text), .. }) if text == "<<")
    }
}

impl Block {
    /// A text as it is written without a trace of its author's lines.
    pub(super) fn of(text: &str, fold: Fold) -> Self {
        let mut lines = Vec::new();
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            // A single line break would be read as a blank.
            let between_words = |line: &str| !line.is_empty() && !line.starts_with(' ');
            let follows_words = lines
                .last()
                .is_some_and(|last: &String| between_words(last));
            if fold == Fold::Folded && follows_words && !line.starts_with(' ') {
                lines.push(String::new());
            }
            lines.push(line.to_owned());
        }
        if text.is_empty() {
            lines.clear();
        }
        Self {
            fold,
            comment: String::new(),
            lines,
        }
    }
}

impl Item {
    pub(super) fn of(value: &Value) -> Self {
        Self {
            before: Vec::new(),
            value: Node::of(value),
            after: Trivia::default(),
        }
    }
}

impl Entry {
    pub(super) fn of(key: &Key, value: &Value) -> Self {
        Self {
            before: Vec::new(),
            key: Node::of(&key.to_value()),
            value: Node::of(value),
            after: Trivia::default(),
        }
    }
}

impl Mapping {
    pub(super) fn position(&self, key: &str) -> Option<usize> {
        self.entries
            .iter()
            .position(|entry| entry.key.as_str() == Some(key))
    }
}
