//! In which style a text can be written, by the rules of `PyYAML`'s emitter.

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Single,
    Double,
}

/// What a text has that some styles cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Analysis {
    pub(crate) empty: bool,
    pub(crate) multiline: bool,
    allows_plain: bool,
    allows_single: bool,
}

/// The first style that can hold a text.
///
/// `quotes_wanted`: single quotes were asked for. `is_string`: unquoted it would be read as a string.
pub(crate) fn style_of(
    analysis: Analysis,
    quotes_wanted: bool,
    is_string: bool,
    is_simple_key: bool,
) -> Style {
    let too_much_for_a_key = is_simple_key && (analysis.empty || analysis.multiline);
    if !quotes_wanted && is_string && !too_much_for_a_key && analysis.allows_plain {
        return Style::Plain;
    }
    if analysis.allows_single && !(is_simple_key && analysis.multiline) {
        return Style::Single;
    }
    Style::Double
}

impl Analysis {
    /// Looks a text through.
    pub(crate) fn of(text: &str) -> Self {
        if text.is_empty() {
            return Self {
                empty: true,
                multiline: false,
                allows_plain: true,
                allows_single: true,
            };
        }
        let chars: Vec<char> = text.chars().collect();
        let ends_with = |test: fn(char) -> bool| {
            [chars.first(), chars.last()]
                .into_iter()
                .flatten()
                .any(|c| test(*c))
        };
        let edges = ends_with(|c| c == ' ') || ends_with(is_break);
        let pair = |first: fn(char) -> bool, second: fn(char) -> bool| {
            chars.windows(2).any(|w| first(w[0]) && second(w[1]))
        };
        let break_space = pair(is_break, |c| c == ' ');
        let space_break = pair(|c| c == ' ', is_break);
        let special = chars.iter().any(|c| !is_printable(*c));
        let multiline = chars.iter().copied().any(is_break);
        Self {
            empty: false,
            multiline,
            allows_plain: !edges
                && !break_space
                && !space_break
                && !special
                && !multiline
                && !has_indicators(text, &chars),
            allows_single: !break_space && !space_break && !special,
        }
    }
}

/// Characters that mean something to YAML where they stand.
fn has_indicators(text: &str, chars: &[char]) -> bool {
    if text.starts_with("---") || text.starts_with("...") {
        return true;
    }
    chars.iter().enumerate().any(|(index, &c)| {
        let before_blank = chars.get(index + 1).is_none_or(|next| is_blank(*next));
        if index == 0 {
            "#,[]{}&*!|>'\"%@`".contains(c) || (matches!(c, '?' | ':' | '-') && before_blank)
        } else {
            (c == ':' && before_blank) || (c == '#' && is_blank(chars[index - 1]))
        }
    })
}

fn is_blank(c: char) -> bool {
    matches!(c, '\0' | ' ' | '\t' | '\r') || is_break(c)
}

/// What ends a line; a carriage return does not, it is escaped.
pub(crate) fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// `PyYAML` writes these as they are with `allow_unicode`.
fn is_printable(c: char) -> bool {
    matches!(c, '\n' | '\u{20}'..='\u{7e}' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10fffe}')
        && c != '\u{feff}'
}
