//! The grammar of texts with interpolations, measured on `OmegaConf` 2.3.
//!
//! ```text
//! text:      (literal | interpolation)*              `\${` is a literal `${`
//! reference: '${' '.'* key ('.' key | '[' key ']')* '}'
//! call:      '${' name ('.' name)* ':' (element (',' element)*)? '}'
//! element:   list | dict | quoted text | primitive   typed as in overrides; may hold interpolations
//! ```

use crate::overrides::ast::Element;
use crate::overrides::lexer::{TokenKind, id_len, token};
use crate::overrides::parser::{typed, unescaped};

/// A part of a text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    /// Literal text, escapes removed.
    Text(String),
    /// `${a.b}`
    Reference(Reference),
    /// `${name:arguments}`
    Call(Call),
}

/// `${..a[b]}`
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reference {
    /// Points before the first key: 0 for an absolute reference.
    pub(crate) points: usize,
    pub(crate) keys: Vec<ReferenceKey>,
}

/// A key of a reference.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ReferenceKey {
    /// A name, or an interpolation that gives one.
    pub(crate) name: Part,
    /// Written as `[name]`.
    pub(crate) bracketed: bool,
}

/// `${name:arguments}`
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    /// The parts between the points.
    pub(crate) name: Vec<Part>,
    pub(crate) arguments: Vec<Expression>,
}

/// An argument of a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression {
    /// A value of its own type.
    Element(Element),
    /// Several tokens, of which one at least is an interpolation; one alone keeps its type.
    Parts(Vec<Part>),
    /// A quoted text: always a text.
    Quoted(Vec<Part>),
    List(Vec<Expression>),
    Dict(Vec<(Element, Expression)>),
}

/// What is wrong with a text, and the byte where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Malformed {
    pub(crate) what: String,
    pub(crate) at: usize,
}

/// Deeper than any value, shallower than the stack.
const DEEPEST: usize = 100;

/// Takes a text apart.
pub(crate) fn parse(text: &str) -> Result<Vec<Part>, Malformed> {
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
    };
    let parts = parser.parts(None)?;
    Ok(if parts.is_empty() {
        vec![Part::Text(String::new())]
    } else {
        parts
    })
}

/// Parses a single value, as `oc.decode` does.
pub(crate) fn parse_element(text: &str) -> Result<Expression, Malformed> {
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
    };
    let element = parser.element()?;
    if parser.at < text.len() {
        return Err(parser.unexpected());
    }
    Ok(element)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    /// Literals and interpolations up to the closing quote, or the end.
    fn parts(&mut self, quote: Option<char>) -> Result<Vec<Part>, Malformed> {
        let opened = self.at;
        let mut parts = Vec::new();
        let mut literal = String::new();
        loop {
            let rest = self.rest();
            let backslashes = rest.len() - rest.trim_start_matches('\\').len();
            let after = &rest[backslashes..];
            let next = after.chars().next();
            let at_quote = quote.is_some() && next == quote;
            let at_interpolation = after.starts_with("${");
            let kept = if at_quote || at_interpolation {
                backslashes / 2
            } else {
                backslashes
            };
            literal.extend(std::iter::repeat_n('\\', kept));
            self.at += backslashes;
            let escaped = backslashes % 2 == 1;
            match next {
                None if quote.is_some() => {
                    return Err(malformed_at("a quote is not closed", opened));
                }
                Some(_) if at_quote && !escaped => {
                    self.at += 1;
                    break;
                }
                None => break,
                Some(_) if at_interpolation && escaped => {
                    literal.push_str("${");
                    self.at += 2;
                }
                Some(_) if at_interpolation => {
                    if !literal.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut literal)));
                    }
                    parts.push(self.interpolation()?);
                }
                Some(c) => {
                    literal.push(c);
                    self.at += c.len_utf8();
                }
            }
        }
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Ok(parts)
    }

    /// From `${` to its `}`.
    fn interpolation(&mut self) -> Result<Part, Malformed> {
        self.descend()?;
        let opened = self.at;
        self.at += 2;
        self.skip_blanks();
        let start = self.at;
        let part = if let Some(call) = self.call(opened)? {
            Part::Call(call)
        } else {
            self.at = start;
            Part::Reference(self.reference(opened)?)
        };
        self.depth -= 1;
        Ok(part)
    }

    /// A call, or nothing if what stands here has no colon after its name.
    fn call(&mut self, opened: usize) -> Result<Option<Call>, Malformed> {
        let mut name = Vec::new();
        loop {
            let rest = self.rest();
            let len = id_len(rest);
            if rest.starts_with("${") {
                name.push(self.interpolation()?);
            } else if len > 0 {
                name.push(Part::Text(rest[..len].to_owned()));
                self.at += len;
            } else {
                return Ok(None);
            }
            if !self.eat(".") {
                break;
            }
        }
        self.skip_blanks();
        if !self.eat(":") {
            return Ok(None);
        }
        self.skip_blanks();
        let mut arguments = Vec::new();
        if !self.eat_closing("}") {
            loop {
                // An argument left out is an empty text, as `OmegaConf` has it.
                let next = self.rest().trim_start_matches([' ', '\t']);
                if next.starts_with([',', '}']) {
                    arguments.push(Expression::Element(Element::Str(String::new())));
                } else {
                    arguments.push(self.element()?);
                }
                if self.eat_closing("}") {
                    break;
                }
                if !self.eat_separator(",") {
                    return Err(self.not_closed(opened, "`,` or `}`"));
                }
            }
        }
        Ok(Some(Call { name, arguments }))
    }

    fn reference(&mut self, opened: usize) -> Result<Reference, Malformed> {
        let points = self.rest().len() - self.rest().trim_start_matches('.').len();
        self.at += points;
        let mut keys = Vec::new();
        loop {
            if self.eat("[") {
                let name = self.key()?;
                if !self.eat("]") {
                    return Err(self.not_closed(opened, "`]`"));
                }
                keys.push(ReferenceKey {
                    name,
                    bracketed: true,
                });
            } else if keys.is_empty() || self.eat(".") {
                let name = self.key()?;
                keys.push(ReferenceKey {
                    name,
                    bracketed: false,
                });
            } else if self.eat_closing("}") {
                return Ok(Reference { points, keys });
            } else {
                return Err(self.not_closed(opened, "`.`, `[` or `}`"));
            }
        }
    }

    fn key(&mut self) -> Result<Part, Malformed> {
        let rest = self.rest();
        if rest.starts_with("${") {
            return self.interpolation();
        }
        let len = rest
            .find(|c| "\\{}()[]:. \t'\"".contains(c))
            .unwrap_or(rest.len());
        if len == 0 {
            return Err(match rest.chars().next() {
                None => malformed_at("an interpolation is not closed: `}` is missing", self.at),
                Some('}') => malformed_at("a key is missing in an interpolation", self.at),
                Some(_) => self.unexpected(),
            });
        }
        self.at += len;
        Ok(Part::Text(rest[..len].to_owned()))
    }

    fn element(&mut self) -> Result<Expression, Malformed> {
        self.descend()?;
        let element = if self.eat_opening("[") {
            self.list()?
        } else if self.eat_opening("{") {
            self.dict()?
        } else if let Some(quote @ ('\'' | '"')) = self.rest().chars().next() {
            self.at += 1;
            Expression::Quoted(self.parts(Some(quote))?)
        } else {
            self.primitive()?
        };
        self.depth -= 1;
        Ok(element)
    }

    fn list(&mut self) -> Result<Expression, Malformed> {
        let opened = self.at;
        let mut items = Vec::new();
        if self.eat_closing("]") {
            return Ok(Expression::List(items));
        }
        loop {
            items.push(self.element()?);
            if self.eat_closing("]") {
                return Ok(Expression::List(items));
            }
            if !self.eat_separator(",") {
                return Err(self.not_closed(opened, "`,` or `]`"));
            }
        }
    }

    fn dict(&mut self) -> Result<Expression, Malformed> {
        let opened = self.at;
        let mut entries: Vec<(Element, Expression)> = Vec::new();
        if self.eat_closing("}") {
            return Ok(Expression::Dict(entries));
        }
        loop {
            let Expression::Element(key) = self.run(false)? else {
                return Err(self.unexpected());
            };
            if !self.eat_separator(":") {
                return Err(self.not_closed(opened, "`:`"));
            }
            let value = self.element()?;
            match entries
                .iter_mut()
                .find(|(known, _)| known.equals_in_python(&key))
            {
                Some((_, old)) => *old = value,
                None => entries.push((key, value)),
            }
            if self.eat_closing("}") {
                return Ok(Expression::Dict(entries));
            }
            if !self.eat_separator(",") {
                return Err(self.not_closed(opened, "`,` or `}`"));
            }
        }
    }

    fn primitive(&mut self) -> Result<Expression, Malformed> {
        self.run(true)
    }

    /// A run of tokens: one keeps its type, several are a text.
    fn run(&mut self, as_value: bool) -> Result<Expression, Malformed> {
        let start = self.at;
        let mut tokens: Vec<(TokenKind, &'a str)> = Vec::new();
        let mut parts: Vec<Part> = Vec::new();
        loop {
            let rest = self.rest();
            if as_value && rest.starts_with("${") {
                flush(&mut tokens, &mut parts);
                parts.push(self.interpolation()?);
                continue;
            }
            let Some((kind, len)) = token(rest) else {
                break;
            };
            let belongs = match kind {
                TokenKind::Float
                | TokenKind::Int
                | TokenKind::Bool
                | TokenKind::Null
                | TokenKind::UnquotedChar
                | TokenKind::Id
                | TokenKind::Escape
                | TokenKind::Blanks => true,
                TokenKind::Colon => as_value,
                _ => false,
            };
            if !belongs {
                break;
            }
            tokens.push((kind, &rest[..len]));
            self.at += len;
        }
        if self.at == start {
            return Err(match self.rest().chars().next() {
                None => malformed_at("a value is missing", self.at),
                Some(_) => self.unexpected(),
            });
        }
        if let ([(kind, text)], []) = (tokens.as_slice(), parts.as_slice()) {
            return Ok(Expression::Element(typed(*kind, text)));
        }
        flush(&mut tokens, &mut parts);
        if let [Part::Text(text)] = parts.as_slice() {
            return Ok(Expression::Element(Element::Str(text.clone())));
        }
        Ok(Expression::Parts(parts))
    }

    fn descend(&mut self) -> Result<(), Malformed> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(malformed_at(
                "the interpolations are nested too deeply",
                self.at,
            ));
        }
        Ok(())
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
    }

    fn eat(&mut self, wanted: &str) -> bool {
        let found = self.rest().starts_with(wanted);
        if found {
            self.at += wanted.len();
        }
        found
    }

    /// A bracket and the blanks after it.
    fn eat_opening(&mut self, wanted: &str) -> bool {
        let found = self.eat(wanted);
        if found {
            self.skip_blanks();
        }
        found
    }

    /// A bracket and the blanks before it.
    fn eat_closing(&mut self, wanted: &str) -> bool {
        let before = self.at;
        self.skip_blanks();
        let found = self.eat(wanted);
        if !found {
            self.at = before;
        }
        found
    }

    /// A comma or colon and the blanks around it.
    fn eat_separator(&mut self, wanted: &str) -> bool {
        let found = self.eat_closing(wanted);
        if found {
            self.skip_blanks();
        }
        found
    }

    fn unexpected(&self) -> Malformed {
        let c = self.rest().chars().next().unwrap_or(' ');
        malformed_at(&format!("unexpected `{c}` in an interpolation"), self.at)
    }

    fn not_closed(&self, opened: usize, expected: &str) -> Malformed {
        match self.rest().chars().next() {
            None => malformed_at(
                &format!("an interpolation is not closed: expected {expected}"),
                opened,
            ),
            Some(c) => malformed_at(
                &format!("unexpected `{c}` in an interpolation, expected {expected}"),
                self.at,
            ),
        }
    }
}

fn malformed_at(what: &str, at: usize) -> Malformed {
    Malformed {
        what: what.to_owned(),
        at,
    }
}

/// Makes one text of the tokens, their escapes removed.
fn flush(tokens: &mut Vec<(TokenKind, &str)>, parts: &mut Vec<Part>) {
    if tokens.is_empty() {
        return;
    }
    let text = tokens.drain(..).map(|(kind, text)| match kind {
        TokenKind::Escape => unescaped(text),
        _ => text.to_owned(),
    });
    parts.push(Part::Text(text.collect()));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn literal(text: &str) -> Part {
        Part::Text(text.to_owned())
    }

    fn reference(points: usize, keys: &[&str]) -> Part {
        let keys = keys.iter().map(|key| ReferenceKey {
            name: literal(key),
            bracketed: false,
        });
        Part::Reference(Reference {
            points,
            keys: keys.collect(),
        })
    }

    fn call(name: &[&str], arguments: Vec<Expression>) -> Part {
        Part::Call(Call {
            name: name.iter().map(|part| literal(part)).collect(),
            arguments,
        })
    }

    fn text(text: &str) -> Expression {
        Expression::Element(Element::Str(text.to_owned()))
    }

    #[test]
    fn texts_are_taken_apart() {
        let nested = Part::Reference(Reference {
            points: 0,
            keys: vec![
                ReferenceKey {
                    name: literal("a"),
                    bracketed: false,
                },
                ReferenceKey {
                    name: reference(0, &["b"]),
                    bracketed: true,
                },
            ],
        });
        for (typed, parts) in [
            ("", vec![literal("")]),
            ("${a.b}", vec![reference(0, &["a", "b"])]),
            ("${ ..a }", vec![reference(2, &["a"])]),
            (
                "x/${a}-${b}",
                vec![
                    literal("x/"),
                    reference(0, &["a"]),
                    literal("-"),
                    reference(0, &["b"]),
                ],
            ),
            ("${a[${b}]}", vec![nested]),
            ("\\${a}", vec![literal("${a}")]),
            (
                "\\\\${a}\\",
                vec![literal("\\"), reference(0, &["a"]), literal("\\")],
            ),
            ("${now:%H:%M}", vec![call(&["now"], vec![text("%H:%M")])]),
            (
                "${oc.env:X,runs/${a}}",
                vec![call(
                    &["oc", "env"],
                    vec![
                        text("X"),
                        Expression::Parts(vec![literal("runs/"), reference(0, &["a"])]),
                    ],
                )],
            ),
            (
                "${f:[1,x],'a,}',}",
                vec![call(
                    &["f"],
                    vec![
                        Expression::List(vec![Expression::Element(Element::Int(1)), text("x")]),
                        Expression::Quoted(vec![literal("a,}")]),
                        text(""),
                    ],
                )],
            ),
        ] {
            assert_eq!(parse(typed), Ok(parts), "{typed}");
        }
    }

    #[test]
    fn what_omegaconf_refuses_is_refused() {
        for typed in [
            "${a", "${}", "${a b}", "${a.}", "${a[b}", "${f:[1}", "${f:'x}", "${a:b", "${f:#}",
            "${x{}}",
        ] {
            assert!(parse(typed).is_err(), "{typed}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(any in any::<String>(), tail in "[a-z\\[\\]{}(),:='\"\\\\$ .0-9]{0,24}") {
            let _ = parse(&any);
            let _ = parse(&format!("${{{tail}"));
            let _ = parse_element(&tail);
        }
    }
}
