//! What can be wrong with a template or its variables.

use std::sync::Arc;

/// Why a file could not be read; shared, because errors of groups are kept.
pub type FileError = Arc<dyn std::error::Error + Send + Sync>;

/// What is wrong with a template or its variables.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TemplateProblem {
    /// `${a[}` and the like. The message has the text, a mark below the place, and what was expected.
    #[error(
        "${{{expression}}}\n{:>1$}\nParseException: Expected {expected}, found {found}  (at char {at}), (line:1, col:{column})",
        '^', .at + 1, column = .at + 1
    )]
    Syntax {
        /// What stands between the braces.
        expression: String,
        /// The place, in characters from `$`.
        at: usize,
        /// What may stand there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// A template in `vars`.
    #[error("interpolating is not allowed")]
    NotAllowed,
    /// A list or a mapping where a scalar is asked for.
    #[error("Cannot interpolate data of type '{found}'")]
    NotScalar {
        /// Its type, by its name in Python.
        found: &'static str,
    },
    /// A list in a list that should become options of a command.
    #[error("Cannot interpolate nested iterable in '{key}'")]
    NestedIterable {
        /// The option.
        key: String,
    },
    /// Values that are filled in again and again.
    #[error("with '{key}' more than 64 MiB are filled in")]
    TooLong {
        /// The variable that is too much.
        key: String,
    },
    /// A matrix of too many stages.
    #[error("Cannot generate more than {most} stages")]
    TooManyStages {
        /// How many there may be.
        most: usize,
    },
    /// A variable that there is not.
    #[error("Could not find '{key}'")]
    KeyNotFound {
        /// The variable.
        key: String,
        /// The nearest one beside it.
        closest: Option<String>,
    },
    /// The same leaf from two sources.
    #[error("cannot redefine '{key}' from '{source_name}' as it already exists in '{existing}'")]
    Redefined {
        /// Keys joined by dots.
        key: String,
        /// What defines it again.
        source_name: String,
        /// What defined it first.
        existing: String,
    },
    /// A whole file after some of its keys, or the same key twice.
    #[error("cannot load '{item}' as it's partially loaded already")]
    PartiallyLoaded {
        /// The entry of `vars`.
        item: String,
    },
    /// Some keys after the whole file.
    #[error("cannot partially load '{item}' as it's already loaded.")]
    WhollyLoaded {
        /// The entry of `vars`.
        item: String,
    },
    /// `item` or `key` as a variable of a stage that a group generates.
    #[error("attempted to modify reserved {}{}", keys_text(.keys), source_text(.source_name.as_deref()))]
    Reserved {
        /// `item`, `key`, or both.
        keys: Vec<String>,
        /// The file, unless the variable is written in the `dvc.yaml` itself.
        source_name: Option<String>,
    },
    /// A file of `vars` that there is not.
    #[error("'{path}' does not exist")]
    FileMissing {
        /// Its path from the current folder.
        path: String,
    },
    /// A file of variables without names.
    #[error("expected a dictionary, got '{found}' in file '{path}'")]
    NotAMapping {
        /// Its path from the current folder.
        path: String,
        /// Its type, by its name in Python.
        found: &'static str,
    },
    /// A key that a file of `vars` does not have.
    #[error("could not find '{key}' in '{path}'")]
    KeyMissing {
        /// The key.
        key: String,
        /// The path of the file from the current folder.
        path: String,
        /// The nearest key of the file.
        closest: Option<String>,
    },
    /// A file that cannot be read.
    #[error("cannot read '{path}': {reason}")]
    Unreadable {
        /// Its path from the current folder.
        path: String,
        /// What the reader says.
        reason: FileError,
    },
}

impl TemplateProblem {
    /// What DVC puts between the place and the problem: a new line before those that show a text.
    pub(crate) fn gap(&self) -> char {
        match self {
            Self::Syntax { .. }
            | Self::NotScalar { .. }
            | Self::NestedIterable { .. }
            | Self::Redefined { .. }
            | Self::PartiallyLoaded { .. }
            | Self::WhollyLoaded { .. } => '\n',
            _ => ' ',
        }
    }

    /// What would mend it, if something can be said.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::KeyNotFound {
                closest: Some(key), ..
            }
            | Self::KeyMissing {
                closest: Some(key), ..
            } => Some(format!("did you mean `{key}`?")),
            Self::KeyNotFound { key, .. } => Some(format!(
                "`\\${{{key}}}` is left to the shell, `${{{key}}}` is a variable of `params.yaml` or `vars`"
            )),
            Self::NotScalar { found: "list" } => {
                Some("take one item, such as `${list[0]}`, or a dictionary inside `cmd`".to_owned())
            }
            Self::TooLong { .. } => {
                Some("let the command read the file of the variables itself".to_owned())
            }
            Self::TooManyStages { .. } => Some(
                "take values out of the lists, or divide the matrix into several stages".to_owned(),
            ),
            _ => None,
        }
    }
}

fn keys_text(keys: &[String]) -> String {
    let plural = if keys.len() > 1 { "keys" } else { "key" };
    format!("{plural} {}", keys.join(" and "))
}

fn source_text(source: Option<&str>) -> String {
    source.map_or_else(String::new, |source| format!(" in '{source}'"))
}
