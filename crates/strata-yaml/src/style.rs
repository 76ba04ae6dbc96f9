//! In which styles a text can be written.

/// Whose rules of writing hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `PyYAML` 6, YAML 1.1.
    PyYaml,
    /// ruamel.yaml 0.18, YAML 1.2.
    Ruamel,
}

/// A longer key is written behind `? `; its tag `!!str` counts, which is why it is not 127.
const LONGEST_SIMPLE_KEY: usize = 122;

/// What a text allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Analysis {
    /// There is nothing.
    pub empty: bool,
    /// There are line breaks.
    pub multiline: bool,
    /// It can stand as a key before its colon on one line.
    pub allows_simple_key: bool,
    /// It can stand without quotes outside of brackets, as far as its characters go.
    pub allows_block_plain: bool,
    /// It can stand without quotes between brackets.
    pub allows_flow_plain: bool,
    /// It can stand between single quotes.
    pub allows_single: bool,
}

impl Analysis {
    /// Looks a text through.
    pub fn of(text: &str, dialect: Dialect) -> Self {
        if text.is_empty() {
            return Self {
                empty: true,
                multiline: false,
                allows_simple_key: dialect == Dialect::Ruamel,
                allows_block_plain: true,
                allows_flow_plain: false,
                allows_single: true,
            };
        }
        let chars: Vec<char> = text.chars().collect();
        let at_an_edge = |test: fn(char) -> bool| {
            let edges = [chars.first(), chars.last()];
            edges.into_iter().flatten().any(|c| test(*c))
        };
        let pair = |first: fn(char) -> bool, second: fn(char) -> bool| {
            chars
                .windows(2)
                .any(|pair| first(pair[0]) && second(pair[1]))
        };
        let is_space = |c: char| c == ' ';
        // Between single quotes ruamel writes these in a way that loses them.
        let lost_break = dialect == Dialect::Ruamel
            && (text.contains('\u{85}')
                || text.contains(['\u{2028}', '\u{2029}'])
                    && (pair(is_break, is_break) || at_an_edge(is_break)));
        let blank_edge = at_an_edge(is_space) || at_an_edge(is_break);
        let broken_space = pair(is_break, is_space) || pair(is_space, is_break);
        let special = chars.iter().any(|c| !is_printable(*c, dialect));
        let multiline = chars.iter().copied().any(is_break);
        let allows_plain = !blank_edge && !broken_space && !special && !multiline;
        let indicators = Indicators::of(text, &chars);
        Self {
            empty: false,
            multiline,
            allows_simple_key: !multiline && chars.len() <= LONGEST_SIMPLE_KEY,
            allows_block_plain: allows_plain && !indicators.block,
            allows_flow_plain: allows_plain && !indicators.flow,
            allows_single: !broken_space && !special && !lost_break,
        }
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

/// What ends a line of a text that is written; a carriage return does not, it is escaped.
pub fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What is written as it is; `PyYAML` leaves out the last character of all.
fn is_printable(c: char, dialect: Dialect) -> bool {
    match c {
        '\u{feff}' => false,
        '\u{10ffff}' => dialect == Dialect::Ruamel,
        _ => {
            matches!(c, '\n' | '\u{20}'..='\u{7e}' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
        }
    }
}
