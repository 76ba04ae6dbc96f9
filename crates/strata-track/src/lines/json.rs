//! JSON as Python writes it: with bare `NaN`, `Infinity` and `-Infinity`, and with whole numbers kept whole.

use super::LineError;
use crate::{Fields, Value};

/// Lists and objects may lie so deep in each other; more would only overflow the stack of a reader.
const MAX_DEPTH: usize = 128;

/// The value that `text` is, with nothing behind it. Of equal names in an object the last value counts.
///
/// Whole numbers beyond 64 bits (signed) become the nearest float.
pub(crate) fn parse(text: &str) -> Result<Value, LineError> {
    let mut parser = Parser {
        text,
        position: 0,
        depth: 0,
    };
    let value = parser.value()?;
    parser.skip_space();
    if parser.position < text.len() {
        return Err(parser.problem("something follows the JSON value; a line holds one"));
    }
    Ok(value)
}

struct Parser<'a> {
    text: &'a str,
    /// Always at the boundary of a character.
    position: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.position..]
    }

    fn problem(&self, problem: impl Into<String>) -> LineError {
        LineError::NotJson {
            column: self.text[..self.position].chars().count() + 1,
            problem: problem.into(),
        }
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.position += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    }

    /// Goes past `token`, if it is here.
    fn takes(&mut self, token: &str) -> bool {
        let here = self.rest().starts_with(token);
        if here {
            self.position += token.len();
        }
        here
    }

    fn value(&mut self) -> Result<Value, LineError> {
        const WORDS: [(&str, Value); 6] = [
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("NaN", Value::Number(f64::NAN)),
            ("Infinity", Value::Number(f64::INFINITY)),
            ("-Infinity", Value::Number(f64::NEG_INFINITY)),
        ];
        self.skip_space();
        for (word, value) in WORDS {
            if self.takes(word) {
                return Ok(value);
            }
        }
        match self.rest().as_bytes().first() {
            Some(b'{') => self.nested(Self::object).map(Value::Map),
            Some(b'[') => self.nested(Self::list).map(Value::List),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            None => Err(self.problem("the line ends where a value is expected")),
            Some(_) => Err(self.problem(
                "expected a value: a number, a string in double quotes, true, false, null, a list or an object",
            )),
        }
    }

    fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, LineError>,
    ) -> Result<T, LineError> {
        if self.depth == MAX_DEPTH {
            return Err(self.problem(format!("more than {MAX_DEPTH} levels of lists and objects")));
        }
        self.depth += 1;
        self.position += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn object(&mut self) -> Result<Fields, LineError> {
        let mut fields = Fields::new();
        self.skip_space();
        if self.takes("}") {
            return Ok(fields);
        }
        loop {
            self.skip_space();
            if !self.rest().starts_with('"') {
                return Err(self.problem("expected a name in double quotes"));
            }
            let name = self.string()?;
            self.skip_space();
            if !self.takes(":") {
                return Err(self.problem(format!("expected `:` after the name `{name}`")));
            }
            let value = self.value()?;
            fields.insert(name, value);
            self.skip_space();
            if self.takes("}") {
                return Ok(fields);
            }
            if !self.takes(",") {
                return Err(self.problem("expected `,` or `}` in an object"));
            }
        }
    }

    fn list(&mut self) -> Result<Vec<Value>, LineError> {
        let mut items = Vec::new();
        self.skip_space();
        if self.takes("]") {
            return Ok(items);
        }
        loop {
            items.push(self.value()?);
            self.skip_space();
            if self.takes("]") {
                return Ok(items);
            }
            if !self.takes(",") {
                return Err(self.problem("expected `,` or `]` in a list"));
            }
        }
    }

    /// Finds the end of the string; what it means is for `serde_json` to say, which knows all escapes.
    fn string(&mut self) -> Result<String, LineError> {
        let rest = self.rest();
        let mut escaped = false;
        let end = rest.bytes().enumerate().skip(1).find_map(|(index, byte)| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends.then_some(index + 1)
        });
        let Some(end) = end else {
            return Err(self.problem("a string has no end"));
        };
        let text = serde_json::from_str(&rest[..end]).map_err(|_| {
            self.problem(
                "a string with a wrong escape, half of a surrogate pair or a control character",
            )
        })?;
        self.position += end;
        Ok(text)
    }

    fn number(&mut self) -> Result<Value, LineError> {
        let rest = self.rest();
        let is_part = |byte: u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let end = rest.bytes().position(|byte| !is_part(byte));
        let text = &rest[..end.unwrap_or(rest.len())];
        // JSON's own grammar: no leading zeros, digits on both sides of the point.
        let number: serde_json::Number = serde_json::from_str(text)
            .map_err(|_| self.problem(format!("`{text}` is not a number as JSON writes them")))?;
        self.position += text.len();
        let value = number.as_i64().map(Value::Integer);
        let value = value.or_else(|| number.as_f64().map(Value::Number));
        Ok(value.unwrap_or(Value::Number(f64::NAN)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_exact() {
        assert_eq!(
            parse("9007199254740993").ok(),
            Some(Value::Integer(9_007_199_254_740_993))
        );
        assert_eq!(
            parse("-9223372036854775808").ok(),
            Some(Value::Integer(i64::MIN))
        );
        assert_eq!(parse("1.0").ok(), Some(Value::Number(1.0)));
    }

    #[test]
    fn python_s_words_for_floats_are_numbers() {
        let Ok(Value::List(items)) = parse("[NaN, Infinity, -Infinity, -0.5]") else {
            panic!("a list")
        };
        assert!(matches!(items[0], Value::Number(value) if value.is_nan()));
        assert_eq!(items[1], Value::Number(f64::INFINITY));
        assert_eq!(items[2], Value::Number(f64::NEG_INFINITY));
        assert_eq!(items[3], Value::Number(-0.5));
    }

    #[test]
    fn mistakes_are_told_with_their_column() {
        let table = [
            (r#"{"a": 1"#, "column 8: expected `,` or `}` in an object"),
            (r#"{"ä" 1}"#, "column 6: expected `:` after the name `ä`"),
            ("{'a': 1}", "column 2: expected a name in double quotes"),
            ("[01]", "column 2: `01` is not a number as JSON writes them"),
            (r#""abc"#, "column 1: a string has no end"),
            (
                "{} {}",
                "column 4: something follows the JSON value; a line holds one",
            ),
        ];
        for (text, message) in table {
            let error = parse(text).expect_err(text).to_string();
            assert_eq!(error, format!("not JSON, {message}"));
        }
        let deep = "[".repeat(100_000);
        assert!(parse(&deep).is_err());
    }
}
