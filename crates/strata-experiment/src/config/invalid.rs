//! A value of the right type that makes no sense.

use strata_config::{Composition, ConfigError};

/// Why a value is refused: the dotted key, what is wrong with it, and what would mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// Dotted key, `model.dropout`.
    pub key: String,
    /// What is wrong, in the form that follows the key: `must be …, not …`.
    pub problem: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Invalid {
    /// A refused value without further advice.
    pub fn new(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            problem: problem.into(),
            help: None,
        }
    }

    /// Adds what would mend it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same, pointing at the place in the configuration that set the value.
    pub fn at(self, composition: &Composition) -> ConfigError {
        composition.error_at(
            &self.key,
            &format!("`{}` {}", self.key, self.problem),
            self.help.as_deref(),
        )
    }
}

/// Refuses the value of `key` unless `holds`; `rule` completes "must be".
pub(super) fn require(
    holds: bool,
    key: &str,
    rule: &str,
    value: impl std::fmt::Display,
) -> Result<(), Invalid> {
    if holds {
        return Ok(());
    }
    Err(Invalid::new(key, format!("must be {rule}, not {value}")))
}
