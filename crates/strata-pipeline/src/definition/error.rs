//! What can be wrong with a definition.

use std::fmt;

use crate::template::TemplateProblem;

/// A `dvc.yaml` or `.dvc` file that cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DefinitionError {
    /// The raw data does not have the form that is asked for.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// A template, or the variables it is filled in from.
    #[error("failed to parse {place} in '{file}':{}{problem}", .problem.gap())]
    Template {
        /// The file, relative to the current folder.
        file: String,
        /// The part of it.
        place: Place,
        /// What is wrong.
        problem: Box<TemplateProblem>,
    },
    /// `foreach` or a variable of `matrix` over something that has no items.
    #[error("failed to resolve '{key}' in '{file}': expected {expected}, got {found}")]
    NotIterable {
        /// The file, relative to the current folder.
        file: String,
        /// Keys joined by dots, such as `stages.train.foreach`.
        key: String,
        /// What may stand there.
        expected: &'static str,
        /// The type that was found, by its name in Python.
        found: &'static str,
    },
    /// A resolved value that is of no use where it stands.
    #[error("'{key}' in '{file}' is resolved to {found}, expected {expected}")]
    Resolved {
        /// The file, relative to the current folder.
        file: String,
        /// Keys joined by dots, such as `stages.train.outs.0`.
        key: String,
        /// What may stand there.
        expected: &'static str,
        /// The type that was found, by its name in Python.
        found: &'static str,
    },
    /// A name that no stage has.
    #[error("Stage '{name}' not found inside '{file}' file")]
    StageNotFound {
        /// The file, relative to the current folder.
        file: String,
        /// The name that was asked for.
        name: String,
        /// The nearest name that there is.
        closest: Option<String>,
    },
}

impl DefinitionError {
    /// What would mend it, if something can be said.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Template { problem, .. } => problem.help(),
            Self::StageNotFound {
                closest: Some(name),
                ..
            } => Some(format!("did you mean `{name}`?")),
            _ => None,
        }
    }
}

/// The part of a file that an error is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Keys joined by dots, such as `vars` or `stages.train.cmd`.
    Key(String),
    /// A stage as a whole.
    Stage(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(f, "'{key}'"),
            Self::Stage(name) => write!(f, "stage '{name}'"),
        }
    }
}

/// Data of the wrong form; all that is wrong is listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct SchemaError {
    /// The file, relative to the current folder.
    pub file: String,
    /// At least one.
    pub problems: Vec<SchemaProblem>,
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A file of the current folder is shown with `./`, as DVC shows it.
        let here = if self.file.contains('/') { "" } else { "./" };
        write!(f, "'{here}{}' validation failed.", self.file)?;
        self.problems
            .iter()
            .try_for_each(|problem| write!(f, "\n{problem}"))
    }
}

/// One place of the wrong form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaProblem {
    /// Keys and indices from the top of the file.
    pub path: Vec<String>,
    /// What is wrong, in the words of DVC.
    pub message: String,
    /// The nearest key that may stand there.
    pub closest: Option<String>,
}

impl fmt::Display for SchemaProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.path.is_empty() {
            write!(f, ", in {}", self.path.join(" -> "))?;
        }
        match &self.closest {
            Some(key) => write!(f, "; did you mean `{key}`?"),
            None => Ok(()),
        }
    }
}
