//! Writing a text in one of its styles, folded at column 80, by the rules of `PyYAML`'s emitter.

use super::scalar_style::is_break;

const WIDTH: usize = 80;

/// The text so far, and the column in which the next character goes.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    text: String,
    column: usize,
}

impl Writer {
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += text.chars().count();
    }

    pub(crate) fn end_line(&mut self) {
        self.text.push('\n');
        self.column = 0;
    }

    pub(crate) fn at_line_start(&self) -> bool {
        self.column == 0
    }

    pub(crate) fn pad(&mut self, indent: usize) {
        let missing = indent.saturating_sub(self.column);
        self.text.extend(std::iter::repeat_n(' ', missing));
        self.column += missing;
    }

    fn push_all(&mut self, chars: &[char]) {
        self.text.extend(chars);
        self.column += chars.len();
    }

    /// A new line, indented.
    fn fold(&mut self, indent: usize) {
        self.end_line();
        self.pad(indent);
    }

    /// Without quotes; the text has no line breaks.
    pub(crate) fn plain(&mut self, text: &str, indent: usize, fold: bool) {
        let chars: Vec<char> = text.chars().collect();
        for run in runs(&chars) {
            if run == [' '] && self.column > WIDTH && fold {
                self.fold(indent);
            } else {
                self.push_all(run);
            }
        }
    }

    pub(crate) fn single_quoted(&mut self, text: &str, indent: usize, fold: bool) {
        self.push("'");
        let chars: Vec<char> = text.chars().collect();
        let mut at = 0;
        for run in runs(&chars) {
            let (start, end) = (at, at + run.len());
            at = end;
            if run[0] == ' ' {
                let inside = start != 0 && end != chars.len();
                if run.len() == 1 && self.column > WIDTH && fold && inside {
                    self.fold(indent);
                } else {
                    self.push_all(run);
                }
            } else if is_break(run[0]) {
                // One more than there are in the text: a single break would read as a space.
                if run[0] == '\n' {
                    self.end_line();
                }
                for &c in run {
                    self.text.push(c);
                    self.column = 0;
                }
                self.pad(indent);
            } else {
                let text: String = run.iter().collect();
                self.push(&text.replace('\'', "''"));
            }
        }
        self.push("'");
    }

    pub(crate) fn double_quoted(&mut self, text: &str, indent: usize, fold: bool) {
        self.push("\"");
        let chars: Vec<char> = text.chars().collect();
        // What is not written yet begins at `start`; an escaped character is written at once.
        let mut start = 0;
        for end in 0..=chars.len() {
            let next = chars.get(end).copied();
            if next.is_none_or(|c| !stays(c)) {
                if start < end {
                    self.push_all(&chars[start..end]);
                    start = end;
                }
                if let Some(c) = next {
                    self.push(&escape(c));
                    start = end + 1;
                }
            }
            let inside = end > 0 && end + 1 < chars.len();
            // Behind an escape `start` is one ahead, and one column less counts.
            let column = self.column + end - start;
            if inside && (next == Some(' ') || start >= end) && column > WIDTH && fold {
                if start < end {
                    self.push_all(&chars[start..end]);
                    start = end;
                }
                self.push("\\");
                self.fold(indent);
                if chars[start] == ' ' {
                    self.push("\\");
                }
            }
        }
        self.push("\"");
    }
}

/// The text in runs of spaces, of line breaks, and of everything else.
fn runs(chars: &[char]) -> impl Iterator<Item = &[char]> {
    let kind = |c: char| (c == ' ', is_break(c));
    chars.chunk_by(move |a, b| kind(*a) == kind(*b))
}

/// Whether a character needs no escape between double quotes.
fn stays(c: char) -> bool {
    !matches!(
        c,
        '"' | '\\' | '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}'
    ) && matches!(c, '\u{20}'..='\u{7e}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
}

fn escape(c: char) -> String {
    let name = match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        c => {
            let code = c as u32;
            return match code {
                0..=0xff => format!("\\x{code:02X}"),
                0x100..=0xffff => format!("\\u{code:04X}"),
                _ => format!("\\U{code:08X}"),
            };
        }
    };
    format!("\\{name}")
}
