//! Names of options as they are typed.

use std::fmt;

/// `section.option`, `remote.NAME.option` or `db.NAME.option`, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionName {
    /// `remote` or `db`, where the section has a name of its own.
    pub kind: Option<&'static str>,
    /// The section, or its own name.
    pub section: String,
    /// The option.
    pub option: String,
}

impl OptionName {
    /// Takes a name apart; none where it has too few or too many parts.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.to_lowercase();
        let parts: Vec<&str> = text.split('.').collect();
        let (kind, section, option) = match parts[..] {
            [section, option] => (None, section, option),
            ["remote", section, option] => (Some("remote"), section, option),
            ["db", section, option] => (Some("db"), section, option),
            _ => return None,
        };
        Some(Self {
            kind,
            section: section.to_owned(),
            option: option.to_owned(),
        })
    }

    /// The section as files have it: `core`, `remote "storage"`.
    pub fn section_of_file(&self) -> String {
        match self.kind {
            Some(kind) => format!("{kind} \"{}\"", self.section),
            None => self.section.clone(),
        }
    }
}

impl fmt::Display for OptionName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(kind) = self.kind {
            write!(out, "{kind}.")?;
        }
        write!(out, "{}.{}", self.section, self.option)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_two_parts_or_three() {
        let section = |text: &str| OptionName::parse(text).map(|name| name.section_of_file());
        assert_eq!(section("core.Remote").as_deref(), Some("core"));
        assert_eq!(section("remote.S.url").as_deref(), Some("remote \"s\""));
        assert_eq!(section("core"), None);
        assert_eq!(section("core.a.b"), None);
    }
}
