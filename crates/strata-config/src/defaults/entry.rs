//! One item of a defaults list.

use strata_diag::Span;

use crate::error::ConfigError;
use crate::node::{Node, Value};

/// An item, as written.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) what: What,
    /// The part after `@`.
    pub(crate) package: Option<String>,
    pub(crate) optional: bool,
    pub(crate) is_override: bool,
    /// Added on the command line by `+group=option`.
    pub(crate) appended: bool,
    pub(crate) origin: Option<Span>,
}

/// What an item asks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum What {
    /// The file's own content.
    OwnContent,
    /// A configuration by its path.
    Config(String),
    /// An option of a group.
    Group(String, Choice),
}

/// Which option of a group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Choice {
    /// `null`: known, but empty.
    Nothing,
    /// `???`: must be given.
    Missing,
    /// One option.
    One(String),
    /// Several options.
    Several(Vec<String>),
}

impl Entry {
    pub(crate) fn new(what: What) -> Self {
        Self {
            what,
            package: None,
            optional: false,
            is_override: false,
            appended: false,
            origin: None,
        }
    }

    /// Reads an item of a list.
    pub(crate) fn from_node(node: &Node) -> Result<Self, ConfigError> {
        let refused = |problem: &str| {
            ConfigError::at(
                format!("unsupported item of a defaults list: {problem}"),
                node.origin.as_ref(),
                "this item",
            )
        };
        let mut entry = match &node.value {
            Value::Str(text) if text == "_self_" => Self::new(What::OwnContent),
            Value::Str(text) => {
                let (path, package) = split_package(text);
                Self {
                    package,
                    ..Self::new(What::Config(path))
                }
            }
            Value::Map(map) if map.len() == 1 => {
                let (key, value) = map.first().expect("it has one entry");
                let mut entry = Self::new(What::OwnContent);
                let words = key.to_string();
                let mut keywords = words.split(' ').collect::<Vec<_>>();
                let words = keywords.pop().unwrap_or_default().to_owned();
                // Hydra passes over what follows a word that it does not know.
                for keyword in keywords {
                    match keyword {
                        "optional" => entry.optional = true,
                        "override" => entry.is_override = true,
                        _ => break,
                    }
                }
                let (group, package) = split_package(&words);
                entry.package = package;
                entry.what = What::Group(
                    group,
                    Choice::from_node(value).ok_or_else(|| {
                        refused("an option is a name, a list of names (strings), `null` or `???`")
                    })?,
                );
                entry
            }
            Value::Map(map) => {
                return Err(refused(&format!(
                    "it has {} keys; each group needs its own `-`",
                    map.len()
                )));
            }
            _ => return Err(refused(&format!("it is {}", node.kind()))),
        };
        entry.origin.clone_from(&node.origin);
        Ok(entry)
    }

    /// The entry in the words of a defaults list.
    pub(crate) fn in_words(&self) -> String {
        let package = self
            .package
            .as_ref()
            .map(|package| format!("@{package}"))
            .unwrap_or_default();
        match &self.what {
            What::OwnContent => "_self_".to_owned(),
            What::Config(path) => format!("{path}{package}"),
            What::Group(group, choice) => format!("{group}{package}: {}", choice.in_words()),
        }
    }
}

impl Choice {
    /// Reads the value of an item or of an override.
    pub(crate) fn from_node(node: &Node) -> Option<Self> {
        Some(match &node.value {
            Value::Null => Self::Nothing,
            Value::Str(text) if text == "???" => Self::Missing,
            Value::Str(text) => Self::One(text.trim_end_matches(".yaml").to_owned()),
            Value::List(items) => {
                let names = items.iter().map(|item| item.as_str().map(str::to_owned));
                Self::Several(names.collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }

    /// Reads the value of an override: a name or a list of names.
    pub(crate) fn from_override(node: &Node) -> Option<Self> {
        match &node.value {
            Value::Str(_) | Value::List(_) => Self::from_node(node),
            _ => None,
        }
    }

    /// The choice as Hydra prints it.
    pub(crate) fn in_words(&self) -> String {
        match self {
            Self::Nothing => "null".to_owned(),
            Self::Missing => "???".to_owned(),
            Self::One(name) => name.clone(),
            Self::Several(names) => format!("[{}]", names.join(",")),
        }
    }
}

fn split_package(text: &str) -> (String, Option<String>) {
    match text.split_once('@') {
        Some((path, package)) => (path.to_owned(), Some(package.to_owned())),
        None => (text.to_owned(), None),
    }
}
