//! Texts with names, and stretches of them.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A text that a user wrote.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// Path of the file, or words such as `command line`.
    pub name: String,
    /// The whole text.
    pub text: String,
}

impl Source {
    /// A text with a name.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            text: text.into(),
        })
    }
}

/// A stretch of a source, in bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Span {
    source: Arc<Source>,
    range: Range<usize>,
}

impl Span {
    /// The bytes `range` of `source`, cut to what there is and to whole characters.
    pub fn new(source: &Arc<Source>, range: Range<usize>) -> Self {
        let text = &source.text;
        let whole = |mut at: usize| {
            at = at.min(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = whole(range.start);
        Self {
            source: Arc::clone(source),
            range: start..whole(range.end).max(start),
        }
    }

    /// The text it belongs to.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// The bytes.
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// The stretch itself.
    pub fn text(&self) -> &str {
        &self.source.text[self.range.clone()]
    }

    /// Line and column of its start, from 1; columns count characters.
    pub fn line_and_column(&self) -> (usize, usize) {
        let before = &self.source.text[..self.range.start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (
            before.matches('\n').count() + 1,
            before[line_start..].chars().count() + 1,
        )
    }
}

impl fmt::Display for Span {
    /// `file:line:column`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.line_and_column();
        write!(f, "{}:{line}:{column}", self.source.name)
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let source = Source::new("a.yaml", "x: 1\nä: über\n");
        let at = source.text.find("über").expect("it is there");
        let span = Span::new(&source, at..at + 5);
        assert_eq!(span.to_string(), "a.yaml:2:4");
        assert_eq!(span.text(), "über");
    }

    #[test]
    fn a_span_beyond_the_text_is_cut() {
        let source = Source::new("a", "ä");
        assert_eq!(Span::new(&source, 1..9).text(), "ä");
        assert_eq!(Span::new(&source, 7..9).text(), "");
    }
}
