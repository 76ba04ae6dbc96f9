//! Writing a text in one of its styles, folded at column 80.

use crate::style::{Dialect, is_break};

const WIDTH: usize = 80;

/// Whether a text may go on in the next line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folding {
    /// At this indentation.
    At(usize),
    /// It may not.
    Never,
}

/// The text so far, and the column in which the next character goes.
#[derive(Debug)]
pub struct Writer {
    dialect: Dialect,
    text: String,
    column: usize,
}

impl Writer {
    /// Nothing yet.
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            text: String::new(),
            column: 0,
        }
    }

    /// What is written so far.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What was written.
    pub fn into_text(self) -> String {
        self.text
    }

    /// The column in which the next character goes, the first is 0.
    pub fn column(&self) -> usize {
        self.column
    }

    /// Writes a text without line breaks as it is.
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += text.chars().count();
    }

    /// Ends the line, also an empty one.
    pub fn end_line(&mut self) {
        self.text.push('\n');
        self.column = 0;
    }

    /// Ends the line if there is something on it.
    pub fn finish_line(&mut self) {
        if self.column > 0 {
            self.end_line();
        }
    }

    /// Whether the line is longer than it should be.
    pub fn is_beyond_width(&self) -> bool {
        self.column > WIDTH
    }

    /// Blanks up to a column.
    pub fn pad(&mut self, indent: usize) {
        let missing = indent.saturating_sub(self.column);
        self.text.extend(std::iter::repeat_n(' ', missing));
        self.column += missing;
    }

    /// A new line, indented.
    pub fn fold(&mut self, indent: usize) {
        self.end_line();
        self.pad(indent);
    }

    fn push_all(&mut self, chars: &[char]) {
        self.text.extend(chars);
        self.column += chars.len();
    }

    /// Without quotes; the text has no line breaks.
    pub fn plain(&mut self, text: &str, folding: Folding) {
        let chars: Vec<char> = text.chars().collect();
        let mut previous = [].as_slice();
        for run in runs(&chars) {
            match folding {
                Folding::At(indent) if run == [' '] && self.column > self.last_plain_column() => {
                    self.fold(indent);
                }
                // The blank before the word is already written and stays.
                Folding::At(indent) if self.word_moves_down(run, previous, indent) => {
                    self.fold(indent);
                    self.push_all(run);
                }
                _ => self.push_all(run),
            }
            previous = run;
        }
    }

    /// Behind which column a blank between words makes way for a line break.
    fn last_plain_column(&self) -> usize {
        match self.dialect {
            Dialect::PyYaml => WIDTH,
            Dialect::Ruamel => WIDTH - 1,
        }
    }

    /// ruamel moves a word that does not fit into the next line.
    fn word_moves_down(&self, run: &[char], previous: &[char], indent: usize) -> bool {
        // It does so behind several blanks as well, of which a reader leaves but one.
        let may_break = previous.len() <= 1 || previous[0] != ' ';
        self.dialect == Dialect::Ruamel
            && run[0] != ' '
            && may_break
            && self.column + run.len() > WIDTH
            && self.column > indent
    }

    /// Between single quotes.
    pub fn single_quoted(&mut self, text: &str, folding: Folding) {
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

    /// Between double quotes.
    pub fn double_quoted(&mut self, text: &str, folding: Folding) {
        self.push("\"");
        let chars: Vec<char> = text.chars().collect();
        // What is not written yet begins at `start`; an escaped character is written at once.
        let mut start = 0;
        for end in 0..=chars.len() {
            let next = chars.get(end).copied();
            if next.is_none_or(|c| !stays(c, self.dialect)) {
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
    /// `\` keeps blank and line break; in ruamel's dialect the blank makes way for the line break where a reader
    /// is sure to put it back.
    fn fold_quoted(&mut self, chars: &[char], start: usize, end: usize, indent: usize) -> usize {
        let nothing_pending = start == end;
        if start < end {
            self.push_all(&chars[start..end]);
        }
        let start = start.max(end);
        // ruamel also does without `\` behind an escape that no blank follows, and so adds a blank to the text.
        let is_blank = chars.get(start) == Some(&' ');
        let may_make_way = self.dialect == Dialect::Ruamel && !nothing_pending;
        if is_blank && may_make_way && next_word_is_quiet(chars, end) {
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
    pub fn folded_line(&mut self, line: &str, indent: usize) {
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

/// Whether a character needs no escape between double quotes; for `PyYAML` those beyond U+FFFF do.
fn stays(c: char, dialect: Dialect) -> bool {
    match c {
        '"' | '\\' | '\u{feff}' => false,
        '\u{10000}'.. => dialect == Dialect::Ruamel,
        _ => {
            matches!(c, '\u{20}'..='\u{7e}' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        }
    }
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
