//! What an override is.

use std::sync::Arc;

use strata_diag::{Source, Span};

/// One override, as typed.
#[derive(Debug, Clone)]
pub(crate) struct Override {
    /// What it does.
    pub(crate) kind: OverrideKind,
    /// Group (`db`, `db/engine`) or dotted path (`a.b.0`).
    pub(crate) key: String,
    /// The part after `@`.
    pub(crate) package: Option<String>,
    /// The value; none for `~key`.
    pub(crate) value: Option<OverrideValue>,
    /// The text it was typed as.
    pub(crate) source: Arc<Source>,
}

/// What an override does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OverrideKind {
    /// `key=value`: the key must exist.
    Change,
    /// `+key=value`: the key must not exist.
    Add,
    /// `++key=value`: either.
    ForceAdd,
    /// `~key`, `~key=value`.
    Delete,
}

/// The right side of an override.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum OverrideValue {
    /// One value.
    Element(Element),
    /// A sweep over values.
    Sweep(Sweep),
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Element {
    /// `null`
    Null,
    /// `true`, `false` in any casing.
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// A larger one, its digits.
    BigInt(String),
    /// A float.
    Float(f64),
    /// An unquoted text, escapes removed.
    Str(String),
    /// A quoted text, quotes and their escapes removed.
    Quoted(String, Quote),
    /// `[a,b]`
    List(Vec<Element>),
    /// `{k:v}`, in order; the last of equal keys wins.
    Dict(Vec<(Element, Element)>),
}

/// Which quotes a text stood in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quote {
    /// `'…'`
    Single,
    /// `"…"`
    Double,
}

/// A sweep over values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Sweep {
    /// `a,b`: each value in turn.
    Simple(Vec<Element>),
    /// A function that makes a sweep, such as `range(3)`: its name and the text between its parentheses.
    Function {
        /// The function.
        name: String,
        /// Its arguments as typed.
        arguments: String,
    },
}

impl Override {
    /// The whole override.
    pub(crate) fn span(&self) -> Span {
        Span::new(&self.source, 0..self.source.text.len())
    }

    /// The text as typed.
    pub(crate) fn text(&self) -> &str {
        &self.source.text
    }

    /// The single value, if it is one.
    pub(crate) fn element(&self) -> Option<&Element> {
        if let Some(OverrideValue::Element(element)) = &self.value {
            Some(element)
        } else {
            None
        }
    }

    /// The key with its package: `db@src`.
    pub(crate) fn key_or_group(&self) -> String {
        match &self.package {
            Some(package) => format!("{}@{package}", self.key),
            None => self.key.clone(),
        }
    }
}
