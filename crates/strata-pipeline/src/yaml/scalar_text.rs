//! Writing a text in one of its styles, folded at column 80, by the rules of ruamel's emitter.

use super::scalar_style::is_break;
use super::trivia::{Comment, Trivia};

const WIDTH: usize = 80;

/// Whether a text may go on in the next line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Folding {
    /// At this indentation.
    At(usize),
    Never,
}

/// The text so far, and the column in which the next character goes.
#[derive(Debug, Default)]
pub(super) struct Writer {
    text: String,
    column: usize,
}

impl Writer {
    pub(super) fn into_text(self) -> String {
        self.text
    }

    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += text.chars().count();
    }

    pub(super) fn end_line(&mut self) {
        self.text.push('\n');
        self.column = 0;
    }

    /// Ends the line if there is something on it.
    pub(super) fn finish_line(&mut self) {
        if self.column > 0 {
            self.end_line();
        }
    }

    pub(super) fn is_beyond_width(&self) -> bool {
        self.column > WIDTH
    }

    pub(super) fn pad(&mut self, indent: usize) {
        let missing = indent.saturating_sub(self.column);
        self.text.extend(std::iter::repeat_n(' ', missing));
        self.column += missing;
    }

    /// A new line, indented.
    pub(super) fn fold(&mut self, indent: usize) {
        self.end_line();
        self.pad(indent);
    }

    /// What follows a value, and the end of its line.
    pub(super) fn trivia(&mut self, trivia: &Trivia) {
        if let Some(Comment { column, text }) = &trivia.end_of_line {
            let blanks = column
                .saturating_sub(self.column)
                .max(usize::from(self.column > 0));
            self.pad(self.column + blanks);
            self.push(text);
        }
        self.finish_line();
        self.lines(&trivia.lines);
    }

    pub(super) fn lines(&mut self, lines: &[String]) {
        for line in lines {
            self.push(line);
            self.end_line();
        }
    }

    fn push_all(&mut self, chars: &[char]) {
        self.text.extend(chars);
        self.column += chars.len();
    }

    /// Without quotes; the text has no line breaks.
    pub(super) fn plain(&mut self, text: &str, folding: Folding) {
        let chars: Vec<char> = text.chars().collect();
        let mut previous = [].as_slice();
        for run in runs(&chars) {
            // ruamel breaks a line behind several blanks as well, of which a reader leaves but one.
            let may_break = previous.len() <= 1 || previous[0] != ' ';
            match folding {
                Folding::At(indent) if run == [' '] && self.column >= WIDTH => self.fold(indent),
                // The blank before the word is already written and stays.
                Folding::At(indent)
                    if run[0] != ' '
                        && may_break
                        && self.column + run.len() > WIDTH
                        && self.column > indent =>
                {
                    self.fold(indent);
                    self.push_all(run);
                }
                _ => self.push_all(run),
            }
            previous = run;
        }
    }

    pub(super) fn single_quoted(&mut self, text: &str, folding: Folding) {
        self.push("'");
        let chars: Vec<char> = text.chars().collect();
        let mut at = 0;
        for run in runs(&chars) {
            let (start, end) = (at, at + run.len());
            at = end;
            if run[0] == ' ' {
                let inside = start != 0 && end != chars.len();
                match folding {
                    Folding::At(indent) if run.len() == 1 && self.column > WIDTH && inside => {
                        self.fold(indent);
                    }
                    _ => self.push_all(run),
                }
            } else if is_break(run[0]) {
                self.breaks(run, folding);
            } else {
                let text: String = run.iter().collect();
                self.push(&text.replace('\'', "''"));
            }
        }
        self.push("'");
    }

    /// Line breaks between single quotes: one more than there are, as a single one would read as a blank.
    fn breaks(&mut self, run: &[char], folding: Folding) {
        if run[0] == '\n' {
            self.end_line();
        }
        for &c in run {
            self.text.push(c);
            self.column = 0;
        }
        if let Folding::At(indent) = folding {
            self.pad(indent);
        }
    }

    pub(super) fn double_quoted(&mut self, text: &str, folding: Folding) {
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
            if let Folding::At(indent) = folding
                && inside
                && (next == Some(' ') || start >= end)
                && column > WIDTH
            {
                start = self.fold_quoted(&chars, start, end, indent);
            }
        }
        self.push("\"");
    }

    /// Folds between double quotes; returns where what is not written yet begins.
    ///
    /// The blank makes way for the line break where a reader is sure to put it back, else `\` keeps both.
    fn fold_quoted(&mut self, chars: &[char], start: usize, end: usize, indent: usize) -> usize {
        let nothing_pending = start == end;
        if start < end {
            self.push_all(&chars[start..end]);
        }
        let start = start.max(end);
        // ruamel also does without `\` behind an escape that no blank follows, and so adds a blank to the text.
        let is_blank = chars.get(start) == Some(&' ');
        if is_blank && !nothing_pending && next_word_is_quiet(chars, end) {
            self.fold(indent);
            return start + 1;
        }
        self.push("\\");
        self.fold(indent);
        if is_blank {
            self.push("\\");
        }
        start
    }

    /// A line of a folded block, which is folded once more where it is too long.
    pub(super) fn folded_line(&mut self, line: &str, indent: usize) {
        let chars: Vec<char> = line.chars().collect();
        for (index, run) in runs(&chars).enumerate() {
            if index > 0 && run == [' '] && self.column > WIDTH {
                self.fold(indent);
            } else {
                self.push_all(run);
            }
        }
    }
}

/// Whether there is neither a quote nor a second blank from `end` to the next blank, nor right behind that.
fn next_word_is_quiet(chars: &[char], end: usize) -> bool {
    let Some(blank) = chars[end..].iter().position(|c| *c == ' ') else {
        return false;
    };
    let word = &chars[end..end + blank];
    let Some(behind) = chars.get(end + blank + 1) else {
        return false;
    };
    let has_mark = word.iter().any(|c| matches!(c, '"' | '\'' | '\n'));
    let second_blank = end > 0 && chars[end - 1] == ' ' && chars[end] == ' ';
    !has_mark && !second_blank && !matches!(behind, ' ' | '\n')
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
    ) && matches!(c, '\u{20}'..='\u{7e}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
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
