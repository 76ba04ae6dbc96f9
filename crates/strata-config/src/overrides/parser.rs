//! The grammar, measured on Hydra 1.3.
//!
//! ```text
//! override:  ('+' | '++' | '~')? key ('@' package)? ('=' value)?
//! key:       ID ('/' ID)+  |  part ('.' part)*          part: ID | $ID | unsigned integer
//! value:     element (',' element)*
//! element:   list | dict | function | primitive
//! primitive: quoted  |  a run of characters, `${…}` and escapes
//! ```

use std::sync::Arc;

use strata_diag::{Source, Span};

use super::ast::{Element, Override, OverrideKind, OverrideValue, Quote, Sweep};
use crate::error::ConfigError;

/// Functions of the grammar, as Hydra lists them.
const FUNCTIONS: [&str; 11] = [
    "bool", "choice", "float", "glob", "int", "interval", "range", "shuffle", "sort", "str", "tag",
];

/// Deeper than any value, shallower than the stack.
const DEEPEST: usize = 100;

/// Parses one override.
pub(crate) fn parse_override(text: &str) -> Result<Override, ConfigError> {
    let source = Source::new("command line", text);
    let mut parser = Parser {
        source: &source,
        text,
        at: 0,
        depth: 0,
    };
    let (kind, key, package) = parser.left_side()?;
    let value = if parser.eat('=') {
        parser.skip_blanks();
        Some(parser.value()?)
    } else {
        None
    };
    if value.is_none() && kind != OverrideKind::Delete {
        let end = text.len();
        return Err(parser
            .error(
                &format!("missing `=` in the override `{text}`"),
                end..end,
                "expected `=`",
            )
            .help(format!("to set a value type `{text}=VALUE`")));
    }
    Ok(Override {
        kind,
        key,
        package,
        value,
        source: Arc::clone(&source),
    })
}

/// Parses a single value, such as the text of an environment variable for `oc.decode`.
pub(crate) fn parse_element(text: &str) -> Result<Element, ConfigError> {
    let source = Source::new("value", text);
    let mut parser = Parser {
        source: &source,
        text,
        at: 0,
        depth: 0,
    };
    parser.skip_blanks();
    let element = parser.element()?;
    parser.skip_blanks();
    match (parser.peek(), element) {
        (None, OverrideValue::Element(element)) => Ok(element),
        (Some(c), _) => Err(parser.unexpected(c)),
        (None, OverrideValue::Sweep(_)) => Err(parser.error(
            "a sweep is not a value",
            0..text.len(),
            "expected a single value",
        )),
    }
}

struct Parser<'a> {
    source: &'a Arc<Source>,
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn left_side(&mut self) -> Result<(OverrideKind, String, Option<String>), ConfigError> {
        let kind = if self.eat_str("++") {
            OverrideKind::ForceAdd
        } else if self.eat('+') {
            OverrideKind::Add
        } else if self.eat('~') {
            OverrideKind::Delete
        } else {
            OverrideKind::Change
        };
        let key = self.key()?;
        let package = if self.eat('@') {
            Some(self.key()?)
        } else {
            None
        };
        if let Some(c) = self.peek().filter(|&c| c != '=') {
            return Err(self
                .unexpected(c)
                .help("a key is made of letters, digits, `_` and `-`, its parts joined by `.` (or `/` in a group)"));
        }
        Ok((kind, key, package))
    }

    /// A group, a dotted path, or nothing.
    fn key(&mut self) -> Result<String, ConfigError> {
        let start = self.at;
        let rest = &self.text[start..];
        let len = rest
            .find(|c: char| {
                !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '$'))
            })
            .unwrap_or(rest.len());
        let key = &rest[..len];
        self.at += len;
        let is_group = key.contains('/');
        let separator = if is_group { '/' } else { '.' };
        let parts: Vec<&str> = key.split(separator).collect();
        let fits = |part: &&str| {
            is_id(part)
                || (!is_group && (part.strip_prefix('$').is_some_and(is_id))
                    || (parts.len() > 1 && is_index(part) && !is_group))
        };
        if key.is_empty() || parts.iter().all(fits) {
            return Ok(key.to_owned());
        }
        Err(self.error(
            &format!("`{key}` is not a key in the override `{}`", self.text),
            start..self.at,
            "this key",
        ))
    }

    fn value(&mut self) -> Result<OverrideValue, ConfigError> {
        if self.peek().is_none() {
            return Ok(OverrideValue::Element(Element::Str(String::new())));
        }
        let first = self.element()?;
        self.skip_blanks();
        let mut choices = Vec::new();
        if self.peek() == Some(',') {
            choices.push(self.single(first.clone())?);
            while self.eat(',') {
                self.skip_blanks();
                let next = self.element()?;
                choices.push(self.single(next)?);
                self.skip_blanks();
            }
        }
        if let Some(c) = self.peek() {
            return Err(self.unexpected(c));
        }
        Ok(if choices.is_empty() {
            first
        } else {
            OverrideValue::Sweep(Sweep::Simple(choices))
        })
    }

    fn single(&self, value: OverrideValue) -> Result<Element, ConfigError> {
        match value {
            OverrideValue::Element(element) => Ok(element),
            OverrideValue::Sweep(_) => Err(self.error(
                "a sweep cannot stand within another value",
                0..self.text.len(),
                "in this override",
            )),
        }
    }

    fn element(&mut self) -> Result<OverrideValue, ConfigError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.error(
                "the value is nested too deeply",
                self.at..self.at + 1,
                "here",
            ));
        }
        let element = match self.peek() {
            Some('[') => OverrideValue::Element(self.list()?),
            Some('{') => OverrideValue::Element(self.dict()?),
            _ => match self.function()? {
                Some(function) => function,
                None => OverrideValue::Element(self.primitive(false)?),
            },
        };
        self.depth -= 1;
        Ok(element)
    }

    fn list(&mut self) -> Result<Element, ConfigError> {
        let open = self.at;
        self.eat('[');
        self.skip_blanks();
        let mut items = Vec::new();
        if self.eat(']') {
            return Ok(Element::List(items));
        }
        loop {
            let item = self.element()?;
            items.push(self.single(item)?);
            self.skip_blanks();
            if self.eat(']') {
                return Ok(Element::List(items));
            }
            self.expect(',', "]", open)?;
        }
    }

    fn dict(&mut self) -> Result<Element, ConfigError> {
        let open = self.at;
        self.eat('{');
        self.skip_blanks();
        let mut entries: Vec<(Element, Element)> = Vec::new();
        if self.eat('}') {
            return Ok(Element::Dict(entries));
        }
        loop {
            if matches!(self.peek(), Some('\'' | '"')) {
                return Err(self.error(
                    "a key of a dictionary cannot be quoted",
                    self.at..self.at + 1,
                    "here",
                ));
            }
            let key = self.primitive(true)?;
            self.skip_blanks();
            self.expect(':', "}", open)?;
            let value = self.element()?;
            let value = self.single(value)?;
            match entries.iter_mut().find(|(known, _)| *known == key) {
                Some((_, old)) => *old = value,
                None => entries.push((key, value)),
            }
            self.skip_blanks();
            if self.eat('}') {
                return Ok(Element::Dict(entries));
            }
            self.expect(',', "}", open)?;
        }
    }

    /// `name(…)`: the functions that cast are applied, those that sweep kept.
    fn function(&mut self) -> Result<Option<OverrideValue>, ConfigError> {
        let rest = &self.text[self.at..];
        let name_len = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))
            .unwrap_or(rest.len());
        let name = &rest[..name_len];
        if !is_id(name) || !rest[name_len..].starts_with('(') {
            return Ok(None);
        }
        let start = self.at;
        if !FUNCTIONS.contains(&name) {
            let title = format!("unknown function `{name}` in the override `{}`", self.text);
            return Err(self
                .error(&title, start..start + name_len, "no such function")
                .help(format!(
                    "Available: {}; quote the value if it is a text",
                    FUNCTIONS.join(",")
                )));
        }
        let name = name.to_owned();
        self.at += name_len + 1;
        let arguments = self.until_closed(start + name_len)?.to_owned();
        if matches!(name.as_str(), "int" | "float" | "str" | "bool") {
            let inner = parse_element(&arguments)?;
            let cast = super::element::cast(&name, &inner).map_err(|problem| {
                let title = format!(
                    "`{name}({arguments})` in the override `{}`: {problem}",
                    self.text
                );
                self.error(&title, start..self.at, "here")
            })?;
            return Ok(Some(OverrideValue::Element(cast)));
        }
        Ok(Some(OverrideValue::Sweep(Sweep::Function {
            name,
            arguments,
        })))
    }

    /// The text up to the parenthesis that closes the one at `open`.
    fn until_closed(&mut self, open: usize) -> Result<&'a str, ConfigError> {
        let start = self.at;
        let mut level = 1;
        let mut quote = None;
        let mut escaped = false;
        for (offset, c) in self.text[start..].char_indices() {
            match (quote, c) {
                _ if escaped => escaped = false,
                (_, '\\') => escaped = true,
                (Some(q), c) if c == q => quote = None,
                (Some(_), _) => {}
                (None, '\'' | '"') => quote = Some(c),
                (None, '(') => level += 1,
                (None, ')') => level -= 1,
                _ => {}
            }
            if level == 0 {
                self.at = start + offset + 1;
                return Ok(&self.text[start..start + offset]);
            }
        }
        let title = format!(
            "a parenthesis is not closed in the override `{}`",
            self.text
        );
        Err(self.error(&title, open..open + 1, "opened here"))
    }

    fn primitive(&mut self, in_key: bool) -> Result<Element, ConfigError> {
        if let Some(quote @ ('\'' | '"')) = self.peek() {
            return self.quoted(quote);
        }
        let start = self.at;
        let mut text = String::new();
        let mut one_token = true;
        // Blanks at the end belong to the value only if something follows them.
        let mut kept = 0;
        while let Some(c) = self.peek() {
            match c {
                ',' | ']' | '}' | ')' | '[' | '{' | '(' => break,
                ':' if in_key => break,
                '\\' => {
                    let next = self.text[self.at + 1..].chars().next();
                    match next.filter(|c| "\\()[]{}:=, \t".contains(*c)) {
                        Some(c) => {
                            self.at += 1;
                            text.push(c);
                        }
                        None => text.push('\\'),
                    }
                    one_token = false;
                    self.at += self.peek().map_or(0, char::len_utf8);
                    kept = text.len();
                    continue;
                }
                '$' if self.text[self.at..].starts_with("${") => {
                    let interpolation = self.interpolation()?;
                    text.push_str(interpolation);
                    one_token = false;
                    kept = text.len();
                    continue;
                }
                ' ' | '\t' => text.push(c),
                c if c.is_ascii_alphanumeric() || "_/-+.$%*@?|:".contains(c) => {
                    text.push(c);
                    kept = text.len();
                }
                c => return Err(self.unexpected(c).help(
                    "quote the value, or put `\\` before the character where the grammar allows it",
                )),
            }
            self.at += c.len_utf8();
        }
        text.truncate(kept);
        if text.is_empty() {
            return Err(match self.peek() {
                Some(c) => self.unexpected(c),
                None => self.error(
                    &format!(
                        "a value is missing at the end of the override `{}`",
                        self.text
                    ),
                    start..start,
                    "expected a value",
                ),
            });
        }
        Ok(if one_token {
            super::element::typed(&text)
        } else {
            Element::Str(text)
        })
    }

    /// `${…}`, to the brace that closes it.
    fn interpolation(&mut self) -> Result<&'a str, ConfigError> {
        let start = self.at;
        let mut level = 0;
        for (offset, c) in self.text[start..].char_indices() {
            match c {
                '{' => level += 1,
                '}' => level -= 1,
                _ => {}
            }
            if c == '}' && level == 0 {
                self.at = start + offset + 1;
                return Ok(&self.text[start..self.at]);
            }
        }
        let title = format!(
            "an interpolation is not closed in the override `{}`",
            self.text
        );
        Err(self.error(&title, start..start + 2, "opened here"))
    }

    /// Only the quote itself, and backslashes before it, are unescaped.
    fn quoted(&mut self, quote: char) -> Result<Element, ConfigError> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        let mut backslashes = 0;
        while let Some(c) = self.peek() {
            self.at += c.len_utf8();
            if c == '\\' {
                backslashes += 1;
                continue;
            }
            if c == quote {
                text.extend(std::iter::repeat_n('\\', backslashes / 2));
                if backslashes % 2 == 0 {
                    let kind = if quote == '"' {
                        Quote::Double
                    } else {
                        Quote::Single
                    };
                    return Ok(Element::Quoted(text, kind));
                }
            } else {
                text.extend(std::iter::repeat_n('\\', backslashes));
            }
            text.push(c);
            backslashes = 0;
        }
        let title = format!("a quote is not closed in the override `{}`", self.text);
        Err(self.error(&title, start..start + 1, "opened here"))
    }

    fn expect(&mut self, wanted: char, or: &str, open: usize) -> Result<(), ConfigError> {
        if self.eat(wanted) {
            self.skip_blanks();
            return Ok(());
        }
        let title = format!(
            "expected `{wanted}` or `{or}` in the override `{}`",
            self.text
        );
        let error = match self.peek() {
            Some(c) => self.error(&title, self.at..self.at + c.len_utf8(), "found this"),
            None => self.error(&title, open..open + 1, "opened here and not closed"),
        };
        Err(error)
    }

    fn unexpected(&self, c: char) -> ConfigError {
        let title = format!("unexpected `{c}` in the override `{}`", self.text);
        self.error(&title, self.at..self.at + c.len_utf8(), "here")
    }

    fn error(&self, title: &str, range: std::ops::Range<usize>, label: &str) -> ConfigError {
        ConfigError::at(title, Some(&Span::new(self.source, range)), label)
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn eat_str(&mut self, wanted: &str) -> bool {
        let found = self.text[self.at..].starts_with(wanted);
        if found {
            self.at += wanted.len();
        }
        found
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.at += 1;
        }
    }
}

fn is_id(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

fn is_index(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn element(text: &str) -> Element {
        parse_override(&format!("a={text}"))
            .expect("it parses")
            .element()
            .expect("one value")
            .clone()
    }

    #[test]
    fn values_have_hydras_types() {
        use Element::{Bool, Float, Int, List, Null, Quoted, Str};
        let text = |text: &str| Str(text.to_owned());
        for (typed, value) in [
            ("", text("")),
            ("null", Null),
            ("TRUE", Bool(true)),
            ("yes", text("yes")),
            ("017", text("017")),
            ("1_000", Int(1000)),
            ("1e5", Float(1e5)),
            (".5", Float(0.5)),
            ("-INF", Float(f64::NEG_INFINITY)),
            ("1a", text("1a")),
            ("a b ", text("a b")),
            ("a:b", text("a:b")),
            ("a\\,b", text("a,b")),
            ("c:\\d", text("c:\\d")),
            ("${x}/y", text("${x}/y")),
            ("${a:1,2}", text("${a:1,2}")),
            ("'it\\'s'", Quoted("it's".to_owned(), Quote::Single)),
            (
                "[1, a,[x]]",
                List(vec![Int(1), text("a"), List(vec![text("x")])]),
            ),
            (
                "{a:1,2:b}",
                Element::Dict(vec![(text("a"), Int(1)), (Int(2), text("b"))]),
            ),
            ("int(3.7)", Int(3)),
            ("str([1,2])", List(vec![text("1"), text("2")])),
        ] {
            assert_eq!(element(typed), value, "{typed}");
        }
    }

    #[test]
    fn keys_and_kinds() {
        for (typed, kind, key, package) in [
            ("a.b=1", OverrideKind::Change, "a.b", None),
            ("+a.0=1", OverrideKind::Add, "a.0", None),
            ("++db/engine=x", OverrideKind::ForceAdd, "db/engine", None),
            ("~db@src", OverrideKind::Delete, "db", Some("src")),
        ] {
            let parsed = parse_override(typed).expect("it parses");
            assert_eq!(
                (parsed.kind, parsed.key.as_str(), parsed.package.as_deref()),
                (kind, key, package),
                "{typed}"
            );
        }
    }

    #[test]
    fn what_hydra_refuses_is_refused() {
        for typed in [
            "a",
            "a=[1",
            "a=1]",
            "a=b=c",
            "a='x",
            "a[0]=1",
            "1=2",
            "a/b.c=1",
            "a={1",
            "a=#x",
            "a=é",
            "a=f(1)",
            "a={'k':1}",
            "a=[1,]",
        ] {
            assert!(parse_override(typed).is_err(), "{typed}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), tail in "[a-z\\[\\]{}(),:='\"\\\\$ .0-9~+@/]{0,24}") {
            let _ = parse_override(&text);
            let _ = parse_override(&format!("a={tail}"));
            let _ = parse_override(&tail);
        }
    }
}
