//! A text as a stream of events.

use std::borrow::Cow;
use std::ops::Range;

use libyaml_safer::{Encoding, EventData, Mark, Parser, ScalarStyle};

use crate::damaged_tag::refuse_damaged_tags;
use crate::style::is_break;

/// How many levels a document may have: more than a person writes, fewer than the stack holds.
pub const DEEPEST: usize = 200;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// A text that is no YAML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// The byte of the text where it is noticed.
    pub at: usize,
    /// What is wrong.
    pub message: String,
}

impl SyntaxError {
    /// What the parser found in `text`.
    pub(crate) fn from_parser(error: &libyaml_safer::Error, text: &str) -> Self {
        let mark = error.problem_mark().unwrap_or_default();
        Self {
            // What is missing at the end of the file is shown behind the last word of it.
            at: (mark.index as usize).min(text.trim_end().len()),
            message: match error.context() {
                Some(context) => format!("{context}: {}", error.problem()),
                None => error.problem().to_owned(),
            },
        }
    }
}

/// A part of the text.
#[derive(Debug)]
pub struct Event {
    /// What it is.
    pub data: EventData,
    /// Its bytes, always within the text.
    pub range: Range<usize>,
    /// The column of its start in characters, the first is 0.
    pub start_column: usize,
    /// The column behind its end.
    pub end_column: usize,
}

impl Event {
    /// The tag of a list or a mapping, if it is another than that which such a value has by itself.
    pub fn unfit_collection_tag(&self) -> Option<&str> {
        let (tag, own) = match &self.data {
            EventData::SequenceStart { tag, .. } => (tag, "tag:yaml.org,2002:seq"),
            EventData::MappingStart { tag, .. } => (tag, "tag:yaml.org,2002:map"),
            _ => return None,
        };
        tag.as_deref().filter(|tag| *tag != "!" && *tag != own)
    }
}

/// Where the value of a document begins.
#[derive(Debug)]
pub struct Beginning {
    /// The byte behind `---`, or 0.
    pub content_at: usize,
    /// The first event of the value.
    pub first: Event,
}

/// The events of a text in which there is one document.
///
/// Control characters, damaged tags, and more than 200 levels are errors here; the parser below takes or
/// fears them.
pub struct Events<'a> {
    text: &'a str,
    parser: Parser<Input<'a>>,
    /// How many bytes stand before what the parser sees.
    skipped: usize,
    /// Whether the parser sees a line break at the end that the text does not have.
    break_added: bool,
    depth: usize,
}

/// What the parser reads.
type Input<'a> = std::io::Cursor<Cow<'a, [u8]>>;

impl<'a> Events<'a> {
    /// The events of a text; those of a document lie between [`Events::begin`] and [`Events::finish`].
    ///
    /// # Errors
    /// A control character, or a tag with a comma behind it.
    pub fn of(text: &'a str) -> Result<Self, SyntaxError> {
        let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{85}');
        if let Some(at) = text.find(control) {
            let message = "a control character is not allowed in YAML".to_owned();
            return Err(SyntaxError { at, message });
        }
        // Told the encoding, the parser does not pass over the mark; left to guess, it takes any first byte
        // 0xEF for a damaged one.
        let content = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        let skipped = text.len() - content.len();
        // libyaml-safer 0.3 panics in a block scalar and behind a `\` if the text ends there without a line
        // break. Blanks alone in the last line mean nothing, but would with a line break behind them.
        let (lines, last_line) = content.split_at(last_line_start(content));
        let content = if last_line.bytes().all(|byte| byte == b' ') {
            lines
        } else {
            content
        };
        let break_added = !content.is_empty() && !content.ends_with(is_line_end);
        let input = if break_added {
            Cow::Owned(format!("{content}\n"))
        } else {
            Cow::Borrowed(content)
        };
        refuse_damaged_tags(&input).map_err(|error| SyntaxError {
            at: (skipped + error.at).min(text.len()),
            ..error
        })?;
        let input = match input {
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        };
        let mut parser = Parser::new();
        parser.set_encoding(Encoding::Utf8);
        parser.set_input(std::io::Cursor::new(input));
        Ok(Self {
            text,
            parser,
            skipped,
            break_added,
            depth: 0,
        })
    }

    /// The beginning of the document; none if the text has no value.
    ///
    /// # Errors
    /// Bad syntax.
    pub fn begin(&mut self) -> Result<Option<Beginning>, SyntaxError> {
        self.next()?;
        let start = self.next()?;
        let content_at = match start.data {
            EventData::StreamEnd => return Ok(None),
            EventData::DocumentStart {
                implicit: false, ..
            } => start.range.end,
            _ => 0,
        };
        let first = self.next()?;
        Ok(Some(Beginning { content_at, first }))
    }

    /// The end of the document, and of the text.
    ///
    /// # Errors
    /// Bad syntax, and a second document.
    pub fn finish(&mut self) -> Result<(), SyntaxError> {
        self.next()?;
        let end = self.next()?;
        if matches!(end.data, EventData::StreamEnd) {
            return Ok(());
        }
        let message = "expected a single document, but a second one begins here";
        Err(SyntaxError {
            at: end.range.start,
            message: message.to_owned(),
        })
    }

    /// The next event.
    ///
    /// # Errors
    /// Bad syntax, and too many levels. Nothing is to be read after an error.
    #[expect(
        clippy::should_implement_trait,
        reason = "the end is an event, and so there is always a next one"
    )]
    pub fn next(&mut self) -> Result<Event, SyntaxError> {
        let event = self.parser.parse().map_err(|error| {
            let error = SyntaxError::from_parser(&error, &self.text[self.skipped..]);
            SyntaxError {
                at: self.skipped + error.at,
                ..error
            }
        })?;
        let mut event = Event {
            range: self.byte(event.start_mark)..self.byte(event.end_mark),
            start_column: event.start_mark.column as usize,
            end_column: event.end_mark.column as usize,
            data: event.data,
        };
        self.take_added_break(&mut event);
        self.count_levels(&event)?;
        Ok(event)
    }

    /// How many collections are open.
    pub fn depth(&self) -> usize {
        self.depth
    }

    fn byte(&self, mark: Mark) -> usize {
        (self.skipped + mark.index as usize).min(self.text.len())
    }

    fn take_added_break(&self, event: &mut Event) {
        if let EventData::Scalar {
            value,
            style: ScalarStyle::Literal | ScalarStyle::Folded,
            ..
        } = &mut event.data
            && self.break_added
            && event.range.end == self.text.len()
            && value.ends_with('\n')
        {
            value.pop();
        }
    }

    fn count_levels(&mut self, event: &Event) -> Result<(), SyntaxError> {
        match event.data {
            EventData::SequenceStart { .. } | EventData::MappingStart { .. } => self.depth += 1,
            EventData::SequenceEnd | EventData::MappingEnd => self.depth -= 1,
            _ => {}
        }
        if self.depth > DEEPEST {
            return Err(SyntaxError {
                at: event.range.start,
                message: format!(
                    "the document is nested too deeply, {DEEPEST} levels are the most"
                ),
            });
        }
        Ok(())
    }
}

fn last_line_start(text: &str) -> usize {
    let end = text.char_indices().rfind(|(_, c)| is_line_end(*c));
    end.map_or(0, |(at, c)| at + c.len_utf8())
}

/// What ends a line in a text that is read.
fn is_line_end(c: char) -> bool {
    c == '\r' || is_break(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the events of a text are, up to the first error.
    fn scalars(text: &str) -> Result<Vec<String>, SyntaxError> {
        let mut events = Events::of(text)?;
        let mut scalars = Vec::new();
        loop {
            match events.next()?.data {
                EventData::StreamEnd => return Ok(scalars),
                EventData::Scalar { value, .. } => scalars.push(value),
                _ => {}
            }
        }
    }

    /// The values are those of `yaml.safe_load` (`PyYAML` 6.0.3).
    #[test]
    fn a_block_may_end_the_text_without_a_line_break() {
        for (text, value) in [
            ("|\n  x", "x"),
            ("|\n  x  ", "x  "),
            ("|\n  x\n", "x\n"),
            ("|\n  x\n  ", "x\n"),
            ("|+\n  x\n  ", "x\n"),
            ("|+\n  x\n\n", "x\n\n"),
            ("|-\n  x", "x"),
            ("|+", ""),
            (">\n  x\n  y", "x y"),
            ("\u{feff}|\n x", "x"),
            ("|\n !", "!"),
        ] {
            assert_eq!(scalars(text), Ok(vec![value.to_owned()]), "{text:?}");
        }
    }

    #[test]
    fn places_are_those_of_the_text() {
        let mut events = Events::of("\u{feff}é: |\n  x").expect("it is read");
        let beginning = events.begin().expect("it is read").expect("a value");
        assert_eq!(beginning.first.range.start, 3);
        let key = events.next().expect("a key");
        assert_eq!((key.range, key.end_column), (3..5, 1));
        let value = events.next().expect("a value");
        assert_eq!(value.range, 7..12);
    }

    #[test]
    fn what_is_no_yaml_has_a_place() {
        for (text, at, part) in [
            ("a: [1, 2", 8, "did not find expected ',' or ']'"),
            ("\"a\\", 0, "unexpected end of stream"),
            ("a: \u{1}", 3, "a control character"),
            ("\u{feff}[!,", 4, "while scanning a tag"),
            ("[a, !!str, b]", 4, "while scanning a tag"),
        ] {
            let error = scalars(text).expect_err("it is refused");
            assert!(error.message.contains(part), "{text:?}: {error}");
            assert!(
                error.at == at || part.contains("end of stream"),
                "{text:?}: {}",
                error.at
            );
        }
    }

    #[test]
    fn nesting_is_bounded() {
        for text in ["[".repeat(100_000), "[!,".to_owned() + &"[".repeat(100_000)] {
            assert!(scalars(&text).is_err());
        }
        let deep = "[".repeat(DEEPEST) + &"]".repeat(DEEPEST);
        assert_eq!(scalars(&deep), Ok(Vec::new()));
    }

    proptest::proptest! {
        /// The parser below panics on some texts; what reaches it must be none of those.
        #[test]
        fn nothing_panics(text in "([!a<>,'\"|>+#:?*&%\\\\ \\n\\[\\]{}-]|\\PC){0,24}") {
            let _ = scalars(&text);
        }
    }
}
