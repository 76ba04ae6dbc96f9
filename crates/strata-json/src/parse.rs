//! Reading.

use indexmap::IndexMap;

use crate::Json;

/// What is wrong with a text, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {problem}")]
pub struct JsonError {
    /// The place, in characters from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: String,
}

/// Lists and objects may lie so deep in each other; more would only overflow the stack of a reader.
const MAX_DEPTH: usize = 128;

/// The value that `text` is, with nothing behind it. Of equal names in an object the last value counts.
///
/// Whole numbers beyond 64 bits (signed) become the nearest float.
///
/// # Errors
/// The text is no JSON, more than one value, or deeper than 128 levels.
pub fn parse(text: &str) -> Result<Json, JsonError> {
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

    fn problem(&self, problem: impl Into<String>) -> JsonError {
        JsonError {
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

    fn value(&mut self) -> Result<Json, JsonError> {
        const WORDS: [(&str, Json); 6] = [
            ("null", Json::Null),
            ("true", Json::Bool(true)),
            ("false", Json::Bool(false)),
            ("NaN", Json::Float(f64::NAN)),
            ("Infinity", Json::Float(f64::INFINITY)),
            ("-Infinity", Json::Float(f64::NEG_INFINITY)),
        ];
        self.skip_space();
        for (word, value) in WORDS {
            if self.takes(word) {
                return Ok(value);
            }
        }
        match self.rest().as_bytes().first() {
            Some(b'{') => self.nested(Self::object).map(Json::Map),
            Some(b'[') => self.nested(Self::list).map(Json::List),
            Some(b'"') => self.string().map(Json::Str),
            Some(b'-' | b'0'..=b'9') => self.number(),
            None => Err(self.problem("the line ends where a value is expected")),
            Some(_) => Err(self.problem(
                "expected a value: a number, a string in double quotes, true, false, null, a list or an object",
            )),
        }
    }

    fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, JsonError>,
    ) -> Result<T, JsonError> {
        if self.depth == MAX_DEPTH {
            return Err(self.problem(format!("more than {MAX_DEPTH} levels of lists and objects")));
        }
        self.depth += 1;
        self.position += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn object(&mut self) -> Result<IndexMap<String, Json>, JsonError> {
        let mut fields = IndexMap::new();
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

    fn list(&mut self) -> Result<Vec<Json>, JsonError> {
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
    fn string(&mut self) -> Result<String, JsonError> {
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

    fn number(&mut self) -> Result<Json, JsonError> {
        let rest = self.rest();
        let is_part = |byte: u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let end = rest.bytes().position(|byte| !is_part(byte));
        let text = &rest[..end.unwrap_or(rest.len())];
        // JSON's own grammar: no leading zeros, digits on both sides of the point.
        let number: serde_json::Number = serde_json::from_str(text)
            .map_err(|_| self.problem(format!("`{text}` is not a number as JSON writes them")))?;
        self.position += text.len();
        let value = number.as_i64().map(Json::Int);
        let value = value.or_else(|| number.as_f64().map(Json::Float));
        Ok(value.unwrap_or(Json::Float(f64::NAN)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_exact() {
        assert_eq!(
            parse("9007199254740993").ok(),
            Some(Json::Int(9_007_199_254_740_993))
        );
        assert_eq!(
            parse("-9223372036854775808").ok(),
            Some(Json::Int(i64::MIN))
        );
        assert_eq!(parse("1.0").ok(), Some(Json::Float(1.0)));
    }

    #[test]
    fn python_s_words_for_floats_are_numbers() {
        let Ok(Json::List(items)) = parse("[NaN, Infinity, -Infinity, -0.5]") else {
            panic!("a list")
        };
        assert!(matches!(items[0], Json::Float(value) if value.is_nan()));
        assert_eq!(items[1], Json::Float(f64::INFINITY));
        assert_eq!(items[2], Json::Float(f64::NEG_INFINITY));
        assert_eq!(items[3], Json::Float(-0.5));
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
            assert_eq!(parse(text).expect_err(text).to_string(), message);
        }
        let deep = "[".repeat(100_000);
        assert!(parse(&deep).is_err());
    }
}
