//! Git's dialect of INI files, as `ConfigObj` writes it for DVC.

use std::fmt::Write as _;

use indexmap::IndexMap;
use thiserror::Error;

/// A file of sections of options.
///
/// DVC reads and writes it with `ConfigObj`: section names in single quotes where they hold a second name
/// (`['remote "storage"']`), options indented by four spaces. Comments are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IniFile {
    sections: IndexMap<String, Section>,
    /// Lines after the last option.
    end: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Section {
    /// Comments and blank lines before it.
    before: Vec<String>,
    options: IndexMap<String, IniOption>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct IniOption {
    before: Vec<String>,
    value: String,
}

/// Why a text is no such file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{file}:{line}: {why}: `{text}`")]
pub struct IniError {
    /// Name of the file.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub why: &'static str,
    /// The line.
    pub text: String,
}

impl IniFile {
    /// Reads a file.
    ///
    /// # Errors
    /// A line that is neither a section, an option, a comment nor blank.
    pub fn parse(file: &str, text: &str) -> Result<Self, IniError> {
        let mut ini = Self::default();
        let mut before = Vec::new();
        let mut current: Option<String> = None;
        for (index, line) in text.lines().enumerate() {
            let failed = |why| IniError {
                file: file.to_owned(),
                line: index + 1,
                why,
                text: line.to_owned(),
            };
            let plain = line.trim();
            if plain.is_empty() || plain.starts_with(['#', ';']) {
                before.push(line.to_owned());
            } else if let Some(name) = plain.strip_prefix('[') {
                let name = name
                    .strip_suffix(']')
                    .ok_or_else(|| failed("no closing `]`"))?;
                let name = section_name(unquoted(name.trim()));
                let section = ini.sections.entry(name.clone()).or_default();
                section.before.append(&mut before);
                current = Some(name);
            } else {
                let (key, value) = plain
                    .split_once('=')
                    .ok_or_else(|| failed("neither a section nor `option = value`"))?;
                let section = current
                    .as_ref()
                    .and_then(|name| ini.sections.get_mut(name))
                    .ok_or_else(|| failed("an option before the first section"))?;
                let option = IniOption {
                    before: std::mem::take(&mut before),
                    value: unquoted(value.trim()).to_owned(),
                };
                section.options.insert(key.trim().to_lowercase(), option);
            }
        }
        ini.end = before;
        Ok(ini)
    }

    /// The value of an option.
    pub fn get(&self, section: &str, option: &str) -> Option<&str> {
        let option = self.sections.get(section)?.options.get(option)?;
        Some(&option.value)
    }

    /// Names of the sections, in order.
    pub fn sections(&self) -> impl Iterator<Item = &str> {
        self.sections.keys().map(String::as_str)
    }

    /// Options and values of a section, in order.
    pub fn options(&self, section: &str) -> impl Iterator<Item = (&str, &str)> {
        let options = self.sections.get(section).map(|section| &section.options);
        let options = options.into_iter().flatten();
        options.map(|(key, option)| (key.as_str(), option.value.as_str()))
    }

    /// Sets an option; a new one comes last in its section, a new section last in the file.
    pub fn set(&mut self, section: &str, option: &str, value: &str) {
        let section = self.sections.entry(section.to_owned()).or_default();
        let option = section.options.entry(option.to_owned()).or_default();
        value.clone_into(&mut option.value);
    }

    /// Removes an option; says whether it was there. A section without options stays.
    pub fn unset(&mut self, section: &str, option: &str) -> bool {
        let Some(section) = self.sections.get_mut(section) else {
            return false;
        };
        section.options.shift_remove(option).is_some()
    }

    /// Removes a section; says whether it was there.
    pub fn remove_section(&mut self, section: &str) -> bool {
        self.sections.shift_remove(section).is_some()
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let lines = |lines: &[String], text: &mut String| {
            for line in lines {
                let _ = writeln!(text, "{line}");
            }
        };
        for (name, section) in &self.sections {
            lines(&section.before, &mut text);
            let quoted = name.contains('"');
            let _ = if quoted {
                writeln!(text, "['{name}']")
            } else {
                writeln!(text, "[{name}]")
            };
            for (key, option) in &section.options {
                lines(&option.before, &mut text);
                let _ = writeln!(text, "    {key} = {}", quoted_value(&option.value));
            }
        }
        lines(&self.end, &mut text);
        text
    }
}

/// Without a pair of quotes around it.
fn unquoted(text: &str) -> &str {
    for quote in ['\'', '"'] {
        let inner = text
            .strip_prefix(quote)
            .and_then(|text| text.strip_suffix(quote));
        if let Some(inner) = inner {
            return inner;
        }
    }
    text
}

fn quoted_value(value: &str) -> String {
    let plain =
        !value.is_empty() && value.trim() == value && !value.contains(['#', ',', '"', '\'']);
    if plain {
        value.to_owned()
    } else if value.contains('"') {
        format!("'{value}'")
    } else {
        format!("\"{value}\"")
    }
}

/// The kind of a section in lower case; its second name, in quotes, as it is.
fn section_name(text: &str) -> String {
    match text.split_once('"') {
        Some((kind, rest)) => format!("{}\"{rest}", kind.to_lowercase()),
        None => text.to_lowercase(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_dvc_writes_is_read_and_written_back() {
        let text = "[core]\n    no_scm = True\n    remote = storage\n# where the data are\n['remote \"storage\"']\n    url = ../remote\n";
        let ini = IniFile::parse("config", text).unwrap();
        assert_eq!(ini.get("core", "no_scm"), Some("True"));
        assert_eq!(ini.get("remote \"storage\"", "url"), Some("../remote"));
        assert_eq!(ini.to_text(), text);
    }

    #[test]
    fn options_are_set_and_unset() {
        let mut ini = IniFile::default();
        ini.set("cache", "dir", "../c");
        ini.set("cache", "type", "hardlink,copy");
        assert_eq!(
            ini.to_text(),
            "[cache]\n    dir = ../c\n    type = \"hardlink,copy\"\n"
        );
        assert!(ini.unset("cache", "dir"));
        assert!(!ini.unset("cache", "dir"));
        assert!(ini.remove_section("cache"));
        assert_eq!(ini.to_text(), "");
    }

    #[test]
    fn a_line_that_is_nothing_is_told_with_its_number() {
        let error = IniFile::parse(".dvc/config", "[core]\nnonsense\n").unwrap_err();
        let expected = ".dvc/config:2: neither a section nor `option = value`: `nonsense`";
        assert_eq!(error.to_string(), expected);
    }
}
