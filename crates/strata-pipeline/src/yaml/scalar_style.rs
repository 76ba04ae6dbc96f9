//! In which style a text can be written, by the rules of ruamel's emitter.

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
}

/// Where a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A key that stands before its colon on one line.
    SimpleKey,
    /// Anything else.
    Value,
}

/// What a text has that some styles cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Analysis {
    pub(super) empty: bool,
    pub(super) multiline: bool,
    allows_block_plain: bool,
    allows_flow_plain: bool,
    allows_single: bool,
}

impl Analysis {
    /// Looks a text through.
    pub(super) fn of(text: &str) -> Self {
        if text.is_empty() {
            return Self {
                empty: true,
                multiline: false,
                allows_block_plain: true,
                allows_flow_plain: false,
                allows_single: true,
            };
        }
        let chars: Vec<char> = text.chars().collect();
        let edges = [chars.first(), chars.last()];
        let blank_edge = edges
            .into_iter()
            .flatten()
            .any(|c| *c == ' ' || is_break(*c));
        let pair = |first: fn(char) -> bool, second: fn(char) -> bool| {
            chars
                .windows(2)
                .any(|pair| first(pair[0]) && second(pair[1]))
        };
        // Between single quotes ruamel writes these in a way that loses them.
        let lost_break = text.contains('\u{85}')
            || text.contains(['\u{2028}', '\u{2029}'])
                && (pair(is_break, is_break) || edges.into_iter().flatten().any(|c| is_break(*c)));
        let is_space = |c: char| c == ' ';
        let broken_space = pair(is_break, is_space) || pair(is_space, is_break);
        let special = chars.iter().any(|c| !is_printable(*c));
        let multiline = chars.iter().copied().any(is_break);
        let allows_plain = !blank_edge && !broken_space && !special && !multiline;
        let indicators = Indicators::of(text, &chars);
        Self {
            empty: false,
            multiline,
            allows_block_plain: allows_plain && !indicators.block,
            allows_flow_plain: allows_plain && !indicators.flow,
            allows_single: !broken_space && !special && !lost_break,
        }
    }

    /// The style of a text; `is_string`: unquoted it would be read as a string.
    pub(super) fn style(self, text: &str, is_string: bool, place: Place, in_flow: bool) -> Style {
        let simple_key = place == Place::SimpleKey;
        let allows_plain = if in_flow {
            self.allows_flow_plain
        } else {
            self.allows_block_plain
        };
        if is_string && allows_plain && !(simple_key && (self.empty || self.multiline)) {
            return Style::Plain;
        }
        if text.contains(['\'', '\n']) {
            return Style::Double;
        }
        if self.allows_single && !(simple_key && self.multiline) {
            return Style::Single;
        }
        Style::Double
    }
}

/// Whether there are characters that mean something to YAML where they stand.
#[derive(Debug, Clone, Copy)]
struct Indicators {
    block: bool,
    flow: bool,
}

impl Indicators {
    fn of(text: &str, chars: &[char]) -> Self {
        let document_mark = text.starts_with("---") || text.starts_with("...");
        let mut found = Self {
            block: document_mark,
            flow: document_mark,
        };
        for (index, &c) in chars.iter().enumerate() {
            let before_blank = chars.get(index + 1).is_none_or(|next| is_blank(*next));
            let (block, flow) = if index == 0 {
                let leading = "#,[]{}&*!|>'\"%@`".contains(c) || (c == '-' && before_blank);
                let mark = matches!(c, '?' | ':');
                (
                    leading || (mark && before_blank),
                    leading || (mark && chars.len() == 1),
                )
            } else {
                let both = (c == ':' && before_blank) || (c == '#' && is_blank(chars[index - 1]));
                (both, both || ",[]{}".contains(c))
            };
            found.block |= block;
            found.flow |= flow;
        }
        found
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, '\0' | ' ' | '\t' | '\r') || is_break(c)
}

/// What ends a line; a carriage return does not, it is escaped.
pub(super) fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What is written as it is.
fn is_printable(c: char) -> bool {
    c != '\u{feff}'
        && matches!(c, '\n' | '\u{20}'..='\u{7e}' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}
