//! What an override is.

use std::collections::BTreeSet;
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
    /// `{k:v}`, in order; of equal keys the first stays, with the last one's value.
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
    /// `a,b` or `choice(a,b)`: each value in turn.
    Choice(Choice),
    /// `range(start,stop,step)`: numbers, the stop excluded.
    Range(Range),
    /// `interval(start,end)`: any number between the two.
    Interval(Interval),
    /// `glob(include,exclude)`: the options of a group whose names fit.
    Glob(Glob),
}

/// `a,b` or `choice(a,b)`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Choice {
    /// The values; a sweep within a sweep parses, as in Hydra, but cannot run.
    pub(crate) list: Vec<OverrideValue>,
    /// Written as `a,b`.
    pub(crate) simple: bool,
    /// Written as `zip(a,b)`: moves on together with the other zipped choices.
    pub(crate) zipped: bool,
    /// To be run in random order.
    pub(crate) shuffle: bool,
    /// Names given by `tag(…)`.
    pub(crate) tags: BTreeSet<String>,
}

/// `range(…)`; the three are integers, booleans or floats.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Range {
    pub(crate) start: Element,
    pub(crate) stop: Element,
    pub(crate) step: Element,
    pub(crate) shuffle: bool,
    pub(crate) tags: BTreeSet<String>,
}

/// `interval(…)`; floats, or integers after `int(…)`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Interval {
    pub(crate) start: Element,
    pub(crate) end: Element,
    pub(crate) tags: BTreeSet<String>,
}

/// `glob(…)`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Glob {
    pub(crate) include: Vec<String>,
    pub(crate) exclude: Vec<String>,
}

impl Choice {
    /// `choice(…)` of these values.
    pub(crate) fn of(list: Vec<OverrideValue>) -> Self {
        Self {
            list,
            simple: false,
            zipped: false,
            shuffle: false,
            tags: BTreeSet::new(),
        }
    }
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

    /// The sweep, if it is one.
    pub(crate) fn sweep(&self) -> Option<&Sweep> {
        if let Some(OverrideValue::Sweep(sweep)) = &self.value {
            Some(sweep)
        } else {
            None
        }
    }

    /// The left side as typed: `+db@src`.
    pub(crate) fn left_side(&self) -> String {
        let prefix = match self.kind {
            OverrideKind::Change => "",
            OverrideKind::Add => "+",
            OverrideKind::ForceAdd => "++",
            OverrideKind::Delete => "~",
        };
        format!("{prefix}{}", self.key_or_group())
    }

    /// The key with its package: `db@src`.
    pub(crate) fn key_or_group(&self) -> String {
        match &self.package {
            Some(package) => format!("{}@{package}", self.key),
            None => self.key.clone(),
        }
    }
}
