//! What stands between values: comments and blank lines.

/// The rest of a line, and the lines up to the next value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Trivia {
    /// The comment at the end of the line.
    pub(super) end_of_line: Option<Comment>,
    /// Whole lines: comments with the blanks before them, or nothing.
    pub(super) lines: Vec<String>,
}

/// A comment from `#` to the end of its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Comment {
    pub(super) column: usize,
    pub(super) text: String,
}

impl Trivia {
    pub(super) fn is_empty(&self) -> bool {
        self.end_of_line.is_none() && self.lines.is_empty()
    }

    /// Gives the comment at the end of the line a line of its own.
    pub(super) fn move_below(&mut self) {
        if let Some(comment) = self.end_of_line.take() {
            let line = " ".repeat(comment.column) + &comment.text;
            self.lines.insert(0, line);
        }
    }

    /// Of the text between two values, in which there may be `:`, `-`, `?`, `,` as well.
    ///
    /// `column`: where the gap begins.
    pub(super) fn of_gap(gap: &str, column: usize) -> Self {
        let mut segments: Vec<&str> = gap.split('\n').collect();
        // What stands on the line of the next value belongs to it, but for a comment at the end of the file.
        let last = segments.pop().unwrap_or_default();
        if last.contains('#') {
            segments.push(last);
        }
        let mut trivia = Self::default();
        for (index, segment) in segments.iter().enumerate() {
            let comment = segment.find('#');
            match comment {
                // What stands behind a dash moves above it.
                Some(at) if index == 0 && segment[..at].contains('-') => {
                    let blanks = " ".repeat(column + segment[..at].chars().count());
                    trivia.lines.push(blanks + &segment[at..]);
                }
                Some(at) if index == 0 => {
                    let column = column + segment[..at].chars().count();
                    let text = segment[at..].to_owned();
                    trivia.end_of_line = Some(Comment { column, text });
                }
                Some(at) => {
                    let blanks = " ".repeat(segment[..at].chars().count());
                    trivia.lines.push(blanks + &segment[at..]);
                }
                None if index > 0 && segment.trim().is_empty() => trivia.lines.push(String::new()),
                None => {}
            }
        }
        trivia
    }

    /// Of the text before the first value.
    pub(super) fn of_start(gap: &str) -> Self {
        // With a line before it every comment is on a line of its own.
        Self::of_gap(&format!("\n{gap}"), 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_a_comment_and_lines() {
        let trivia = Trivia::of_gap("  # end\n\n  # line\n  - ", 4);
        let comment = Comment {
            column: 6,
            text: "# end".to_owned(),
        };
        assert_eq!(trivia.end_of_line, Some(comment));
        assert_eq!(trivia.lines, ["", "  # line"]);
        assert!(Trivia::of_gap(": ", 0).is_empty());
    }
}
