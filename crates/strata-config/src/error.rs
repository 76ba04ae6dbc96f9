//! What can be wrong with a configuration.

use std::fmt;

use strata_diag::{Diagnostic, Span};

/// A configuration that cannot be composed, resolved, or taken apart.
#[derive(Debug, Clone)]
pub struct ConfigError {
    diagnostic: Box<Diagnostic>,
}

impl ConfigError {
    /// An error with all that is to be said of it.
    pub fn new(diagnostic: Diagnostic) -> Self {
        Self {
            diagnostic: Box::new(diagnostic),
        }
    }

    /// An error without a place.
    pub(crate) fn message(title: impl Into<String>) -> Self {
        Self::new(Diagnostic::error(title))
    }

    /// An error at a place, if there is one.
    pub(crate) fn at(title: impl Into<String>, origin: Option<&Span>, label: &str) -> Self {
        let diagnostic = Diagnostic::error(title);
        Self::new(match origin {
            Some(span) => diagnostic.at(span.clone(), label),
            None => diagnostic,
        })
    }

    /// Adds a remedy.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.diagnostic.helps.push(help.into());
        self
    }

    /// Adds a note.
    #[must_use]
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.diagnostic.notes.push(note.into());
        self
    }

    /// Points at a further place.
    #[must_use]
    pub(crate) fn and_at(mut self, origin: &Span, label: &str) -> Self {
        *self.diagnostic = self.diagnostic.at(origin.clone(), label);
        self
    }

    /// Points at a place unless it points at one already.
    #[must_use]
    pub(crate) fn or_at(mut self, origin: Option<&Span>, label: &str) -> Self {
        if let (true, Some(span)) = (self.diagnostic.annotations.is_empty(), origin) {
            *self.diagnostic = self.diagnostic.at(span.clone(), label);
        }
        self
    }

    /// What is wrong, where, and what would mend it.
    pub fn diagnostic(&self) -> &Diagnostic {
        &self.diagnostic
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.diagnostic.fmt(f)
    }
}

impl std::error::Error for ConfigError {}
