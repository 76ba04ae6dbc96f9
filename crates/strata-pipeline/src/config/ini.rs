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
    /// Where it begins, from 1.
    line: usize,
    options: IndexMap<String, IniOption>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct IniOption {
    before: Vec<String>,
    /// Where it stands, from 1.
    line: usize,
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
    /// The first word of the line; what follows may be a key that is to stay secret.
    pub text: String,
}

impl IniFile {
    /// Reads a file of bytes.
    ///
    /// # Errors
    /// It is no text in UTF-8; those of [`IniFile::parse`].
    pub fn from_bytes(file: &str, bytes: &[u8]) -> Result<Self, IniError> {
        let text = str::from_utf8(bytes).map_err(|error| {
            let is_end = |byte: &u8| *byte == b'\n';
            let good = &bytes[..error.valid_up_to()];
            let line = good.rsplit(is_end).next().unwrap_or_default();
            IniError {
                file: file.to_owned(),
                line: good.split(is_end).count(),
                why: "no text in UTF-8",
                text: first_word(&String::from_utf8_lossy(line)).to_owned(),
            }
        })?;
        Self::parse(file, text)
    }

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
                text: first_word(line).to_owned(),
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
                if section.line == 0 {
                    section.line = index + 1;
                }
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
                    line: index + 1,
                    value: without_comment(value.trim()).to_owned(),
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

    /// The line of an option or, without a name, of a section, from 1.
    pub fn line(&self, section: &str, option: Option<&str>) -> Option<usize> {
        let section = self.sections.get(section)?;
        match option {
            Some(option) => Some(section.options.get(option)?.line),
            None => Some(section.line),
        }
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

    /// Sets an option; a new one comes last in its section. A new section comes last of its kind: those with a second
    /// name, such as remotes, stand after the others.
    pub fn set(&mut self, section: &str, option: &str, value: &str) {
        let option = self.entry(section).options.entry(option.to_owned());
        value.clone_into(&mut option.or_default().value);
    }

    fn entry(&mut self, section: &str) -> &mut Section {
        if !self.sections.contains_key(section) {
            let first_named = self.sections.keys().position(|name| name.contains('"'));
            let place = match first_named {
                Some(place) if !section.contains('"') => place,
                _ => self.sections.len(),
            };
            self.sections
                .shift_insert(place, section.to_owned(), Section::default());
        }
        self.sections.entry(section.to_owned()).or_default()
    }

    /// Removes an option, and its section with the last one; says whether it was there.
    pub fn unset(&mut self, section: &str, option: &str) -> bool {
        let Some(found) = self.sections.get_mut(section) else {
            return false;
        };
        let was_there = found.options.shift_remove(option).is_some();
        if found.options.is_empty() && found.before.is_empty() {
            self.sections.shift_remove(section);
        }
        was_there
    }

    /// Gives a section another name, as the last one of the file; says whether it was there.
    pub fn rename_section(&mut self, section: &str, name: &str) -> bool {
        let Some(found) = self.sections.shift_remove(section) else {
            return false;
        };
        self.sections.insert(name.to_owned(), found);
        true
    }

    /// Whether there is a section of this name.
    pub fn has_section(&self, section: &str) -> bool {
        self.sections.contains_key(section)
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

/// A value without its quotes or, where it has none, without a comment behind it.
fn without_comment(text: &str) -> &str {
    for quote in ['\'', '"'] {
        let inner = text
            .strip_prefix(quote)
            .and_then(|text| text.split_once(quote));
        if let Some((inner, rest)) = inner
            && (rest.trim().is_empty() || rest.trim_start().starts_with('#'))
        {
            return inner;
        }
    }
    let value = text.split_once('#').map_or(text, |(value, _)| value);
    value.trim_end()
}

fn first_word(line: &str) -> &str {
    let line = line.trim();
    let end = line.find(|c: char| c.is_whitespace() || "=:".contains(c));
    &line[..end.unwrap_or(line.len())]
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

/// Names are in lower case, the second ones too: DVC does not tell `Storage` from `storage`.
fn section_name(text: &str) -> String {
    text.to_lowercase()
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
    fn sections_of_their_own_stand_before_the_remotes_and_empty_ones_go() {
        let mut ini =
            IniFile::parse("config", "['remote \"Storage\"']\n    url = x # here\n").unwrap();
        assert_eq!(ini.get("remote \"storage\"", "url"), Some("x"));
        ini.set("core", "remote", "storage");
        let expected = "[core]\n    remote = storage\n['remote \"storage\"']\n    url = x\n";
        assert_eq!(ini.to_text(), expected);
        ini.unset("core", "remote");
        ini.rename_section("remote \"storage\"", "remote \"s\"");
        assert_eq!(ini.to_text(), "['remote \"s\"']\n    url = x\n");
    }

    #[test]
    fn an_error_does_not_repeat_a_value() {
        let error = IniFile::parse("config", "[a]\nsecret_access_key: abc\n").unwrap_err();
        let expected = "config:2: neither a section nor `option = value`: `secret_access_key`";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_byte_that_is_no_text_is_told_with_its_line() {
        let error = IniFile::from_bytes(".dvc/config", b"[core]\n  remote = \xff\n").unwrap_err();
        let expected = ".dvc/config:2: no text in UTF-8: `remote`";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_line_that_is_nothing_is_told_with_its_number() {
        let error = IniFile::parse(".dvc/config", "[core]\nnonsense\n").unwrap_err();
        let expected = ".dvc/config:2: neither a section nor `option = value`: `nonsense`";
        assert_eq!(error.to_string(), expected);
    }
}
