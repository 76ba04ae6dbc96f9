//! An error as people see it.

use std::fmt;

use crate::source::Span;

/// What is wrong, where, and what would mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong: lower case, no full stop.
    pub title: String,
    /// The places it concerns; the first is the main one.
    pub annotations: Vec<Annotation>,
    /// What else to know.
    pub notes: Vec<String>,
    /// What would mend it.
    pub helps: Vec<String>,
}

/// A place and what is to be said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// The place.
    pub span: Span,
    /// A few words, or none.
    pub label: String,
}

impl Diagnostic {
    /// An error without a place.
    pub fn error(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            annotations: Vec::new(),
            notes: Vec::new(),
            helps: Vec::new(),
        }
    }

    /// Points at a place.
    #[must_use]
    pub fn at(mut self, span: Span, label: impl Into<String>) -> Self {
        self.annotations.push(Annotation {
            span,
            label: label.into(),
        });
        self
    }

    /// Adds a note.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds a remedy.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.helps.push(help.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    /// Without colours.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render_plain())
    }
}
