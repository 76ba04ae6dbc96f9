//! Logical lines of Python: brackets, backslashes and triple quotes carry on over the ends of lines.

use super::PythonProblem;
use super::literal::{number, unescape};
use crate::value::Value;

/// A part of a line.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A name or a keyword.
    Name(String),
    /// A number; nothing if it is complex or too large.
    Number(Option<Value>),
    /// A string; nothing if it is no plain text.
    Text(Option<String>),
    /// Anything else.
    Symbol(&'static str),
}

/// A logical line with at least one token.
#[derive(Debug)]
pub(super) struct Line {
    /// Columns before it; tabs go to the next multiple of 8.
    pub(super) indent: usize,
    pub(super) tokens: Vec<Token>,
}

/// Longer symbols first, so that `==` is not two `=`. A symbol that is not listed is `?`.
const SYMBOLS: [&str; 40] = [
    "**=", "//=", ">>=", "<<=", "...", "==", "!=", "<=", ">=", ":=", "->", "+=", "-=", "*=", "/=",
    "%=", "&=", "|=", "^=", "@=", "(", ")", "[", "]", "{", "}", ",", ":", ";", ".", "=", "+", "-",
    "*", "/", "@", "<", ">", "~", "?",
];

struct Lexer<'t> {
    rest: &'t str,
    line: usize,
    /// The lines of brackets that are open, with the bracket that closes each.
    open: Vec<(char, usize)>,
    lines: Vec<Line>,
    current: Option<Line>,
}

/// The logical lines of a text.
pub(super) fn lines(text: &str) -> Result<Vec<Line>, PythonProblem> {
    let mut lexer = Lexer {
        rest: text.strip_prefix('\u{feff}').unwrap_or(text),
        line: 1,
        open: Vec::new(),
        lines: Vec::new(),
        current: None,
    };
    lexer.run()?;
    Ok(lexer.lines)
}

impl<'t> Lexer<'t> {
    fn run(&mut self) -> Result<(), PythonProblem> {
        let mut indent = self.indentation();
        while let Some(first) = self.rest.chars().next() {
            match first {
                '\n' => {
                    self.skip(1);
                    self.line += 1;
                    if self.open.is_empty() {
                        self.lines.extend(self.current.take());
                        indent = self.indentation();
                    }
                }
                ' ' | '\t' | '\r' | '\u{c}' => self.skip(1),
                '#' => self.skip(self.rest.find('\n').unwrap_or(self.rest.len())),
                '\\' => self.continuation()?,
                _ => {
                    let token = self.token(first)?;
                    let line = self.current.get_or_insert_with(|| Line {
                        indent,
                        tokens: Vec::new(),
                    });
                    line.tokens.push(token);
                }
            }
        }
        self.lines.extend(self.current.take());
        match self.open.last() {
            Some((_, line)) => Err(PythonProblem {
                line: *line,
                problem: "a bracket is not closed",
            }),
            None => Ok(()),
        }
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = &self.rest[bytes..];
    }

    fn problem(&self, problem: &'static str) -> PythonProblem {
        PythonProblem {
            line: self.line,
            problem,
        }
    }

    fn indentation(&mut self) -> usize {
        let blank = self.rest.len() - self.rest.trim_start_matches([' ', '\t', '\u{c}']).len();
        let columns = self.rest[..blank]
            .bytes()
            .fold(0, |column, byte| match byte {
                b'\t' => column / 8 * 8 + 8,
                b' ' => column + 1,
                // A form feed starts anew.
                _ => 0,
            });
        self.skip(blank);
        columns
    }

    fn continuation(&mut self) -> Result<(), PythonProblem> {
        let after = &self.rest[1..];
        let after = after.strip_prefix('\r').unwrap_or(after);
        match after.strip_prefix('\n') {
            Some(rest) => {
                self.rest = rest;
                self.line += 1;
                Ok(())
            }
            None if after.is_empty() => {
                self.rest = after;
                Ok(())
            }
            None => Err(self.problem("a backslash is not at the end of its line")),
        }
    }

    fn token(&mut self, first: char) -> Result<Token, PythonProblem> {
        let mut following = self.rest.chars().skip(1);
        if first.is_ascii_digit()
            || (first == '.' && following.next().is_some_and(|c| c.is_ascii_digit()))
        {
            return Ok(self.number());
        }
        if first == '\'' || first == '"' {
            return self.string("");
        }
        if first == '_' || first.is_alphabetic() {
            let end = self
                .rest
                .find(|c: char| c != '_' && !c.is_alphanumeric())
                .unwrap_or(self.rest.len());
            let name = &self.rest[..end];
            self.skip(end);
            let prefix = name.len() <= 2 && name.chars().all(|c| "rRbBuUfFtT".contains(c));
            if prefix && self.rest.starts_with(['\'', '"']) {
                return self.string(name);
            }
            return Ok(Token::Name(name.to_owned()));
        }
        self.symbol(first)
    }

    fn number(&mut self) -> Token {
        let mut end = 0;
        let mut before = ' ';
        let hexadecimal = self.rest.starts_with("0x") || self.rest.starts_with("0X");
        for c in self.rest.chars() {
            // The sign of an exponent belongs to the number.
            let sign = (c == '+' || c == '-') && (before == 'e' || before == 'E') && !hexadecimal;
            if !(sign || c == '_' || c == '.' || c.is_ascii_alphanumeric()) {
                break;
            }
            end += c.len_utf8();
            before = c;
        }
        let text = &self.rest[..end];
        self.skip(end);
        Token::Number(number(text))
    }

    fn string(&mut self, prefix: &str) -> Result<Token, PythonProblem> {
        let start = self.line;
        let quote = &self.rest[..1];
        let triple = self.rest.len() >= 3 && self.rest[..].starts_with(&quote.repeat(3));
        let end = if triple {
            quote.repeat(3)
        } else {
            quote.to_owned()
        };
        self.skip(end.len());
        let body = self.body(&end, triple).ok_or(PythonProblem {
            line: start,
            problem: "a string does not end",
        })?;
        let kinds = prefix.to_lowercase();
        Ok(Token::Text(if kinds.contains(['b', 'f', 't']) {
            None
        } else if kinds.contains('r') {
            Some(body.replace("\r\n", "\n"))
        } else {
            unescape(&body.replace("\r\n", "\n"))
        }))
    }

    /// What stands before the closing quotes.
    fn body(&mut self, end: &str, triple: bool) -> Option<&'t str> {
        let text = self.rest;
        let mut characters = text.char_indices();
        while let Some((at, c)) = characters.next() {
            if text[at..].starts_with(end) {
                self.skip(at + end.len());
                return Some(&text[..at]);
            }
            match c {
                '\\' => {
                    if let Some((_, '\n')) = characters.next() {
                        self.line += 1;
                    }
                }
                '\n' if triple => self.line += 1,
                '\n' => return None,
                _ => {}
            }
        }
        None
    }

    fn symbol(&mut self, first: char) -> Result<Token, PythonProblem> {
        let symbol = SYMBOLS
            .iter()
            .find(|symbol| self.rest.starts_with(**symbol));
        let symbol = symbol.copied().unwrap_or("?");
        match symbol {
            "(" => self.open.push((')', self.line)),
            "[" => self.open.push((']', self.line)),
            "{" => self.open.push(('}', self.line)),
            ")" | "]" | "}" => {
                let opened = self.open.pop();
                if opened.is_none_or(|(closing, _)| closing != first) {
                    return Err(self.problem("a bracket is closed that is not open"));
                }
            }
            _ => {}
        }
        self.skip(if symbol == "?" {
            first.len_utf8()
        } else {
            symbol.len()
        });
        Ok(Token::Symbol(symbol))
    }
}
