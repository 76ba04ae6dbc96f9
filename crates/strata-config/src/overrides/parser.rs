//! The grammar, measured on Hydra 1.3.
//!
//! ```text
//! override:  ('+' | '++' | '~')? key ('@' package)? ('=' value)?
//! key:       ID ('/' ID)+  |  part ('.' part)*          part: ID | $ID | unsigned integer
//! value:     element (',' element)*
//! element:   list | dict | function | primitive
//! primitive: quoted  |  a run of the other tokens of a value
//! ```
//!
//! [`lexer`](super::lexer) cuts the value into tokens; [`functions`](super::functions) applies what is
//! called.

use std::ops::Range;
use std::sync::Arc;

use strata_diag::{Source, Span};

use super::ast::{Choice, Element, Override, OverrideKind, OverrideValue, Quote, Sweep};
use super::functions::{self, Arguments};
use super::lexer::{Token, TokenKind, value_tokens};
use super::number;
use crate::error::ConfigError;

/// Deeper than any value, shallower than the stack.
const DEEPEST: usize = 100;

/// The name of overrides as a source.
pub(crate) const COMMAND_LINE: &str = "command line";

/// Parses one override.
pub(crate) fn parse_override(text: &str) -> Result<Override, ConfigError> {
    parse_override_from(&Source::new(COMMAND_LINE, text))
}

/// Parses one override that stands in a text of its own.
pub(crate) fn parse_override_from(source: &Arc<Source>) -> Result<Override, ConfigError> {
    let text = source.text.as_str();
    let left_side = LeftSide::parse(source)?;
    let value = match left_side.value_at {
        Some(start) => Some(parse_value(source, start)?),
        None => None,
    };
    if value.is_none() && left_side.kind != OverrideKind::Delete {
        let end = text.len();
        return Err(error_at(
            source,
            &format!("missing `=` in the override `{text}`"),
            end..end,
            "expected `=`",
        )
        .help(format!("to set a value type `{text}=VALUE`")));
    }
    Ok(Override {
        kind: left_side.kind,
        key: left_side.key,
        package: left_side.package,
        value,
        source: Arc::clone(source),
    })
}

fn parse_value(source: &Arc<Source>, start: usize) -> Result<OverrideValue, ConfigError> {
    let text = source.text.as_str();
    let blanks = text[start..].len() - text[start..].trim_start_matches([' ', '\t']).len();
    let start = start + blanks;
    if start == text.len() {
        return Ok(OverrideValue::Element(Element::Str(String::new())));
    }
    let tokens =
        value_tokens(text, start).map_err(|no_token| no_such_token(source, no_token.at))?;
    let mut parser = Parser {
        source,
        tokens: &tokens,
        at: 0,
        depth: 0,
    };
    let value = parser.value()?;
    match parser.peek() {
        None => Ok(value),
        Some(token) => Err(parser.unexpected(&token.clone())),
    }
}

fn no_such_token(source: &Arc<Source>, at: usize) -> ConfigError {
    let text = source.text.as_str();
    let c = text[at..].chars().next().unwrap_or(' ');
    if matches!(c, '\'' | '"') {
        let title = format!("a quote is not closed in the override `{text}`");
        return error_at(source, &title, at..at + 1, "opened here");
    }
    let title = format!("unexpected `{c}` in the override `{text}`");
    error_at(source, &title, at..at + c.len_utf8(), "here")
        .help("quote the value, or put `\\` before the character where the grammar allows it")
}

fn error_at(source: &Arc<Source>, title: &str, range: Range<usize>, label: &str) -> ConfigError {
    ConfigError::at(title, Some(&Span::new(source, range)), label)
}

/// What stands before the value.
struct LeftSide {
    kind: OverrideKind,
    key: String,
    package: Option<String>,
    /// Where the value begins; none where there is no `=`.
    value_at: Option<usize>,
}

impl LeftSide {
    fn parse(source: &Arc<Source>) -> Result<Self, ConfigError> {
        let text = source.text.as_str();
        let end = text.find('=').unwrap_or(text.len());
        let left = &text[..end];
        let (kind, rest) = if let Some(rest) = left.strip_prefix("++") {
            (OverrideKind::ForceAdd, rest)
        } else if let Some(rest) = left.strip_prefix('+') {
            (OverrideKind::Add, rest)
        } else if let Some(rest) = left.strip_prefix('~') {
            (OverrideKind::Delete, rest)
        } else {
            (OverrideKind::Change, left)
        };
        let start = end - rest.len();
        let (key, package) = match rest.split_once('@') {
            Some((key, package)) => (key, Some(package)),
            None => (rest, None),
        };
        if !is_key(key) {
            return Err(bad_key(source, key, start..start + key.len()));
        }
        if let Some(package) = package
            && !is_package(package)
        {
            return Err(bad_key(source, package, end - package.len()..end));
        }
        Ok(Self {
            kind,
            key: key.to_owned(),
            package: package.map(str::to_owned),
            value_at: (end < text.len()).then_some(end + 1),
        })
    }
}

fn bad_key(source: &Arc<Source>, key: &str, range: Range<usize>) -> ConfigError {
    let title = format!("`{key}` is not a key in the override `{}`", source.text);
    let error = error_at(source, &title, range, "this key");
    if let Some((before, rest)) = key.split_once('[')
        && let Some((index, after)) = rest.split_once(']')
    {
        return error.help(format!(
            "items of a list are named with points: `{before}.{index}{after}`"
        ));
    }
    error.help("a key is made of letters, digits, `_` and `-`, its parts joined by `.` (or `/` in a group)")
}

/// `ID ('/' ID)+`, or a package.
fn is_key(text: &str) -> bool {
    let is_id = |part: &str| !part.is_empty() && super::lexer::id_len(part) == part.len();
    is_package(text) || (text.contains('/') && text.split('/').all(is_id))
}

/// Nothing, a name, or names and numbers joined by points.
fn is_package(text: &str) -> bool {
    let is_name = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '$'))
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$'))
    };
    let is_index =
        |part: &str| number::integer_len(part) == part.len() && !part.starts_with(['+', '-']);
    text.is_empty()
        || is_name(text)
        || (text.contains('.')
            && text
                .split('.')
                .all(|part| is_name(part) || (!part.is_empty() && is_index(part))))
}

struct Parser<'a> {
    source: &'a Arc<Source>,
    tokens: &'a [Token],
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn value(&mut self) -> Result<OverrideValue, ConfigError> {
        let first = self.element()?;
        if self.peek_kind() != Some(TokenKind::Comma) {
            return Ok(first);
        }
        let mut list = vec![first];
        while self.eat(TokenKind::Comma) {
            list.push(self.element()?);
        }
        Ok(OverrideValue::Sweep(Sweep::Choice(Choice {
            simple: true,
            ..Choice::of(list)
        })))
    }

    fn element(&mut self) -> Result<OverrideValue, ConfigError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.error("the value is nested too deeply", self.here(), "here"));
        }
        let element = match self.peek_kind() {
            Some(TokenKind::BracketOpen) => OverrideValue::Element(self.list()?),
            Some(TokenKind::BraceOpen) => OverrideValue::Element(self.dict()?),
            Some(TokenKind::Id) if self.kind_after() == Some(TokenKind::ParenOpen) => {
                self.function()?
            }
            _ => OverrideValue::Element(self.primitive()?),
        };
        self.depth -= 1;
        Ok(element)
    }

    /// An element that is no sweep: what lists and dictionaries can hold.
    fn single(&mut self) -> Result<Element, ConfigError> {
        let start = self.here().start;
        match self.element()? {
            OverrideValue::Element(element) => Ok(element),
            OverrideValue::Sweep(_) => {
                let title = format!(
                    "a sweep cannot stand within another value in the override `{}`",
                    self.source.text
                );
                Err(self.error(&title, start..self.end_of_last(), "this sweep"))
            }
        }
    }

    fn list(&mut self) -> Result<Element, ConfigError> {
        let open = self.here();
        self.eat(TokenKind::BracketOpen);
        let mut items = Vec::new();
        if self.eat(TokenKind::BracketClose) {
            return Ok(Element::List(items));
        }
        loop {
            items.push(self.single()?);
            if self.eat(TokenKind::BracketClose) {
                return Ok(Element::List(items));
            }
            self.expect(TokenKind::Comma, "`,` or `]`", &open)?;
        }
    }

    fn dict(&mut self) -> Result<Element, ConfigError> {
        let open = self.here();
        self.eat(TokenKind::BraceOpen);
        let mut entries: Vec<(Element, Element)> = Vec::new();
        if self.eat(TokenKind::BraceClose) {
            return Ok(Element::Dict(entries));
        }
        loop {
            let key = self.dict_key()?;
            self.expect(TokenKind::Colon, "`:`", &open)?;
            let value = self.single()?;
            match entries
                .iter_mut()
                .find(|(known, _)| known.equals_in_python(&key))
            {
                Some((_, old)) => *old = value,
                None => entries.push((key, value)),
            }
            if self.eat(TokenKind::BraceClose) {
                return Ok(Element::Dict(entries));
            }
            self.expect(TokenKind::Comma, "`,` or `}`", &open)?;
        }
    }

    fn function(&mut self) -> Result<OverrideValue, ConfigError> {
        let name_range = self.here();
        let name = self.source.text[name_range.clone()].to_owned();
        self.at += 1;
        let open = self.here();
        self.eat(TokenKind::ParenOpen);
        let mut arguments = Arguments::default();
        if !self.eat(TokenKind::ParenClose) {
            loop {
                self.argument(&mut arguments)?;
                if self.eat(TokenKind::ParenClose) {
                    break;
                }
                self.expect(TokenKind::Comma, "`,` or `)`", &open)?;
            }
        }
        let called = name_range.start..self.end_of_last();
        functions::call(&name, arguments).map_err(|problem| {
            let title = format!(
                "`{}` in the override `{}`: {}",
                &self.source.text[called.clone()],
                self.source.text,
                problem.what
            );
            let error = self.error(&title, called, "here");
            match problem.help {
                Some(help) => error.help(help),
                None => error,
            }
        })
    }

    fn argument(&mut self, arguments: &mut Arguments) -> Result<(), ConfigError> {
        let start = self.here();
        if self.peek_kind() == Some(TokenKind::Id) && self.kind_after() == Some(TokenKind::Equal) {
            let name = self.source.text[start].to_owned();
            self.at += 2;
            let value = self.element()?;
            arguments.named.push((name, value));
            return Ok(());
        }
        let value = self.element()?;
        if !arguments.named.is_empty() {
            let title = format!(
                "positional argument follows keyword argument in the override `{}`",
                self.source.text
            );
            return Err(self.error(&title, start.start..self.end_of_last(), "this argument"));
        }
        arguments.positional.push(value);
        Ok(())
    }

    fn primitive(&mut self) -> Result<Element, ConfigError> {
        if self.peek_kind() == Some(TokenKind::Quoted) {
            let range = self.here();
            self.at += 1;
            return Ok(unquoted(&self.source.text[range]));
        }
        self.run(|kind| {
            !matches!(
                kind,
                TokenKind::ParenOpen
                    | TokenKind::Comma
                    | TokenKind::ParenClose
                    | TokenKind::BracketOpen
                    | TokenKind::BracketClose
                    | TokenKind::BraceOpen
                    | TokenKind::BraceClose
                    | TokenKind::Equal
                    | TokenKind::Quoted
            )
        })
    }

    fn dict_key(&mut self) -> Result<Element, ConfigError> {
        if self.peek_kind() == Some(TokenKind::Quoted) {
            let title = format!(
                "a key of a dictionary cannot be quoted in the override `{}`",
                self.source.text
            );
            return Err(self.error(&title, self.here(), "here"));
        }
        self.run(|kind| {
            matches!(
                kind,
                TokenKind::Id
                    | TokenKind::Null
                    | TokenKind::Int
                    | TokenKind::Float
                    | TokenKind::Bool
                    | TokenKind::UnquotedChar
                    | TokenKind::Escape
                    | TokenKind::Blanks
            )
        })
    }

    /// A run of tokens: one has a type of its own, several are a text. Blanks at the ends do not count.
    fn run(&mut self, belongs: impl Fn(TokenKind) -> bool) -> Result<Element, ConfigError> {
        let rest = &self.tokens[self.at..];
        let len = rest
            .iter()
            .position(|token| !belongs(token.kind))
            .unwrap_or(rest.len());
        let mut run = &rest[..len];
        if let [first, others @ ..] = run
            && first.kind == TokenKind::Blanks
        {
            run = others;
        }
        if let [others @ .., last] = run
            && last.kind == TokenKind::Blanks
        {
            run = others;
        }
        if run.is_empty() {
            return Err(match self.peek() {
                Some(token) if len == 0 => self.unexpected(&token.clone()),
                _ => {
                    let title =
                        format!("a value is missing in the override `{}`", self.source.text);
                    self.error(&title, self.here(), "expected a value")
                }
            });
        }
        self.at += len;
        let text = |token: &Token| &self.source.text[token.range.clone()];
        Ok(match run {
            [token] => typed(token.kind, text(token)),
            tokens => Element::Str(
                tokens
                    .iter()
                    .map(|token| match token.kind {
                        TokenKind::Escape => unescaped(text(token)),
                        _ => text(token).to_owned(),
                    })
                    .collect(),
            ),
        })
    }

    fn expect(
        &mut self,
        wanted: TokenKind,
        in_words: &str,
        open: &Range<usize>,
    ) -> Result<(), ConfigError> {
        if self.eat(wanted) {
            return Ok(());
        }
        let title = format!("expected {in_words} in the override `{}`", self.source.text);
        Err(match self.peek() {
            Some(_) => self.error(&title, self.here(), "found this"),
            None => self.error(&title, open.clone(), "opened here and not closed"),
        })
    }

    fn unexpected(&self, token: &Token) -> ConfigError {
        let text = self.source.text[token.range.clone()].trim();
        let title = format!("unexpected `{text}` in the override `{}`", self.source.text);
        let error = self.error(&title, token.range.clone(), "here");
        if token.kind == TokenKind::Equal {
            error.help("quote the value, or write `\\=`")
        } else {
            error
        }
    }

    fn error(&self, title: &str, range: Range<usize>, label: &str) -> ConfigError {
        error_at(self.source, title, range, label)
    }

    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    fn peek_kind(&self) -> Option<TokenKind> {
        self.peek().map(|token| token.kind)
    }

    fn kind_after(&self) -> Option<TokenKind> {
        self.tokens.get(self.at + 1).map(|token| token.kind)
    }

    /// The bytes of the next token, or the end of the text.
    fn here(&self) -> Range<usize> {
        let end = self.source.text.len();
        self.peek().map_or(end..end, |token| token.range.clone())
    }

    fn end_of_last(&self) -> usize {
        self.tokens[..self.at]
            .last()
            .map_or(0, |token| token.range.end)
    }

    fn eat(&mut self, wanted: TokenKind) -> bool {
        let found = self.peek_kind() == Some(wanted);
        self.at += usize::from(found);
        found
    }
}

/// The value of a token that stands alone.
pub(crate) fn typed(kind: TokenKind, text: &str) -> Element {
    match kind {
        TokenKind::Null => Element::Null,
        TokenKind::Bool => Element::Bool(text.eq_ignore_ascii_case("true")),
        TokenKind::Int => number::integer(text),
        TokenKind::Float => Element::Float(number::float(text)),
        TokenKind::Escape => Element::Str(unescaped(text)),
        _ => Element::Str(text.to_owned()),
    }
}

/// Every second character: what the backslashes protect.
pub(crate) fn unescaped(text: &str) -> String {
    text.chars().skip(1).step_by(2).collect()
}

/// The content of a quoted text; only the quote itself and backslashes before it are unescaped.
fn unquoted(text: &str) -> Element {
    let (quote, kind) = if text.starts_with('"') {
        ('"', Quote::Double)
    } else {
        ('\'', Quote::Single)
    };
    let mut content = String::new();
    let mut backslashes = 0;
    for c in text[1..].chars() {
        if c == '\\' {
            backslashes += 1;
            continue;
        }
        let kept = if c == quote {
            backslashes / 2
        } else {
            backslashes
        };
        content.extend(std::iter::repeat_n('\\', kept));
        content.push(c);
        backslashes = 0;
    }
    content.pop();
    Element::Quoted(content, kind)
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
