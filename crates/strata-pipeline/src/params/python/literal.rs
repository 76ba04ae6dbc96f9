//! Values that Python's `ast.literal_eval` takes.

use super::lexer::Token;
use crate::value::{Key, Map, Value};

/// Brackets in brackets beyond this are no literal; Python's own parser stops at 200.
const MAX_DEPTH: usize = 200;

/// The value of an expression, if it is a literal; several with commas between are a tuple.
pub(super) fn read(tokens: &[Token]) -> Option<Value> {
    let mut reader = Reader { tokens };
    let first = reader.value(0)?;
    let value = if reader.take(",") {
        let mut items = vec![first];
        while !reader.tokens.is_empty() {
            items.push(reader.value(0)?);
            if !reader.take(",") {
                break;
            }
        }
        Value::List(items)
    } else {
        first
    };
    reader.tokens.is_empty().then_some(value)
}

struct Reader<'t> {
    tokens: &'t [Token],
}

impl Reader<'_> {
    fn take(&mut self, symbol: &'static str) -> bool {
        let found = self.tokens.first() == Some(&Token::Symbol(symbol));
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        let (first, rest) = self.tokens.split_first()?;
        if depth > MAX_DEPTH {
            return None;
        }
        self.tokens = rest;
        match first {
            Token::Number(value) => value.clone(),
            Token::Text(text) => self.texts(text.as_deref()?),
            Token::Name(name) => match name.as_str() {
                "None" => Some(Value::Null),
                "True" => Some(Value::Bool(true)),
                "False" => Some(Value::Bool(false)),
                _ => None,
            },
            Token::Symbol(sign @ ("-" | "+")) => self.signed(sign),
            Token::Symbol("(") => self.parentheses(depth),
            Token::Symbol("[") => Some(Value::List(self.items("]", Vec::new(), depth)?)),
            Token::Symbol("{") => self.map(depth),
            Token::Symbol(_) => None,
        }
    }

    /// Strings that follow each other are one.
    fn texts(&mut self, first: &str) -> Option<Value> {
        let mut joined = first.to_owned();
        while let Some((Token::Text(text), rest)) = self.tokens.split_first() {
            joined.push_str(text.as_deref()?);
            self.tokens = rest;
        }
        Some(Value::Str(joined))
    }

    /// A sign stands before a number, not before another sign or a truth.
    fn signed(&mut self, sign: &str) -> Option<Value> {
        let (Token::Number(number), rest) = self.tokens.split_first()? else {
            return None;
        };
        self.tokens = rest;
        match (sign, number.clone()?) {
            ("-", Value::Int(number)) => Some(Value::Int(-number)),
            ("-", Value::Float(number)) => Some(Value::Float(-number)),
            (_, number) => Some(number),
        }
    }

    fn parentheses(&mut self, depth: usize) -> Option<Value> {
        if self.take(")") {
            return Some(Value::List(Vec::new()));
        }
        let first = self.value(depth + 1)?;
        if self.take(")") {
            return Some(first);
        }
        if !self.take(",") {
            return None;
        }
        Some(Value::List(self.items(")", vec![first], depth)?))
    }

    fn items(
        &mut self,
        end: &'static str,
        mut items: Vec<Value>,
        depth: usize,
    ) -> Option<Vec<Value>> {
        while !self.take(end) {
            items.push(self.value(depth + 1)?);
            if !self.take(",") {
                return self.take(end).then_some(items);
            }
        }
        Some(items)
    }

    /// A mapping. A set is none: `dvc.lock` cannot have it.
    fn map(&mut self, depth: usize) -> Option<Value> {
        let mut map = Map::new();
        while !self.take("}") {
            let key = match self.value(depth + 1)? {
                Value::Str(text) => Key::Str(text),
                Value::Int(number) => Key::Int(number),
                Value::Bool(truth) => Key::Bool(truth),
                Value::Float(number) => Key::Float(number.to_bits()),
                Value::Null => Key::Null,
                Value::List(_) | Value::Map(_) => return None,
            };
            if !self.take(":") {
                return None;
            }
            map.insert(key, self.value(depth + 1)?);
            if !self.take(",") {
                return self.take("}").then_some(Value::Map(map));
            }
        }
        Some(Value::Map(map))
    }
}

/// The value of a number; nothing if it is complex, wrong, or beyond 128 bits.
pub(super) fn number(text: &str) -> Option<Value> {
    let bytes = text.as_bytes();
    let near_digits = |at: usize| {
        let before = at > 0 && bytes[at - 1].is_ascii_alphanumeric();
        before && bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric)
    };
    if !text.match_indices('_').all(|(at, _)| near_digits(at)) {
        return None;
    }
    let clean = text.replace('_', "").to_ascii_lowercase();
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = clean.strip_prefix(prefix) {
            return i128::from_str_radix(digits, radix).ok().map(Value::Int);
        }
    }
    if clean.bytes().all(|byte| byte.is_ascii_digit()) {
        // `017` is wrong in Python 3, `00` is not.
        let zeros = clean.starts_with('0') && clean.bytes().any(|byte| byte != b'0');
        return clean.parse().ok().filter(|_| !zeros).map(Value::Int);
    }
    let float = clean
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b".e+-".contains(&byte));
    float
        .then(|| clean.parse().ok().map(Value::Float))
        .flatten()
}

/// A string without its escapes; nothing if it names a character (`\N{…}`) or has half of one.
pub(super) fn unescape(body: &str) -> Option<String> {
    let mut text = String::with_capacity(body.len());
    let mut rest = body.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match rest.next()? {
            '\n' => {}
            'n' => text.push('\n'),
            't' => text.push('\t'),
            'r' => text.push('\r'),
            'a' => text.push('\u{7}'),
            'b' => text.push('\u{8}'),
            'f' => text.push('\u{c}'),
            'v' => text.push('\u{b}'),
            'x' => text.push(hexadecimal(&mut rest, 2)?),
            'u' => text.push(hexadecimal(&mut rest, 4)?),
            'U' => text.push(hexadecimal(&mut rest, 8)?),
            'N' => return None,
            c @ ('\\' | '\'' | '"') => text.push(c),
            c @ '0'..='7' => {
                let mut code = c.to_digit(8)?;
                for _ in 0..2 {
                    let Some(digit) = rest.clone().next().and_then(|c| c.to_digit(8)) else {
                        break;
                    };
                    code = code * 8 + digit;
                    rest.next();
                }
                text.push(char::from_u32(code)?);
            }
            other => text.extend(['\\', other]),
        }
    }
    Some(text)
}

fn hexadecimal(rest: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let mut code = 0;
    for _ in 0..digits {
        code = code * 16 + rest.next()?.to_digit(16)?;
    }
    char::from_u32(code)
}
