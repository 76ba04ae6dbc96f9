//! Tokens of an override, in Hydra's two modes: the key up to the first `=`, then the value.
//!
//! The longest token wins, and of equally long ones the rule that stands first in [`TokenKind`].

use std::ops::Range;

use super::number::{float_len, integer_len};

/// What a token is. Blanks around `, : = (` and on the inner side of brackets belong to those tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    ParenOpen,
    Comma,
    ParenClose,
    BracketOpen,
    BracketClose,
    BraceOpen,
    BraceClose,
    Colon,
    Equal,
    Float,
    Int,
    Bool,
    Null,
    /// One of `/ - \ + . $ % * @ ? |`.
    UnquotedChar,
    Id,
    /// One or more of `\\ \( \) \[ \] \{ \} \: \= \, \<blank>`.
    Escape,
    Blanks,
    Quoted,
    /// `${…}` up to the first `}`.
    Interpolation,
}

/// A token and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) range: Range<usize>,
}

/// A character that begins no token, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoToken {
    pub(crate) at: usize,
}

const UNQUOTED: &str = "/-\\+.$%*@?|";
const ESCAPABLE: &str = "\\()[]{}:=, \t";

/// The tokens of a value that stands in `text` from byte `start`.
pub(crate) fn value_tokens(text: &str, start: usize) -> Result<Vec<Token>, NoToken> {
    let mut tokens = Vec::new();
    let mut at = start;
    while at < text.len() {
        let (kind, len) = token(&text[at..]).ok_or(NoToken { at })?;
        tokens.push(Token {
            kind,
            range: at..at + len,
        });
        at += len;
    }
    Ok(tokens)
}

/// The token at the start of a text, and its length.
pub(crate) fn token(text: &str) -> Option<(TokenKind, usize)> {
    use TokenKind::{
        Blanks, BraceClose, BraceOpen, BracketClose, BracketOpen, Colon, Comma, Equal, Escape,
        Interpolation, ParenClose, ParenOpen, Quoted,
    };
    let blanks = blanks_len(text);
    let after = &text[blanks..];
    let with_blanks_after = |len: usize| len + blanks_len(&text[len..]);
    let both_sides = |kind| Some((kind, with_blanks_after(blanks + 1)));
    match after.chars().next() {
        Some('(') => return both_sides(ParenOpen),
        Some(',') => return both_sides(Comma),
        Some(':') => return both_sides(Colon),
        Some('=') => return both_sides(Equal),
        Some(')') => return Some((ParenClose, blanks + 1)),
        Some(']') => return Some((BracketClose, blanks + 1)),
        Some('}') => return Some((BraceClose, blanks + 1)),
        _ if blanks > 0 => return Some((Blanks, blanks)),
        _ => {}
    }
    match text.chars().next()? {
        '[' => Some((BracketOpen, with_blanks_after(1))),
        '{' => Some((BraceOpen, with_blanks_after(1))),
        quote @ ('\'' | '"') => Some((Quoted, quoted_len(text, quote)?)),
        '\\' if escape_len(text) > 0 => Some((Escape, escape_len(text))),
        '$' => match interpolation_len(text) {
            Some(len) => Some((Interpolation, len)),
            None => Some((TokenKind::UnquotedChar, 1)),
        },
        _ => word(text),
    }
}

/// Numbers, keywords, identifiers and single characters: the longest, then the first.
fn word(text: &str) -> Option<(TokenKind, usize)> {
    let id = id_len(text);
    let keyword = |keywords: &[&str]| {
        let fits = |keyword: &&&str| {
            text.get(..keyword.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(keyword))
        };
        keywords
            .iter()
            .find(fits)
            .map_or(0, |keyword| keyword.len())
    };
    let candidates = [
        (TokenKind::Float, float_len(text)),
        (TokenKind::Int, integer_len(text)),
        (TokenKind::Bool, keyword(&["true", "false"])),
        (TokenKind::Null, keyword(&["null"])),
        (
            TokenKind::UnquotedChar,
            usize::from(text.starts_with(|c| UNQUOTED.contains(c))),
        ),
        (TokenKind::Id, id),
    ];
    let longest = candidates.iter().map(|(_, len)| *len).max()?;
    candidates
        .into_iter()
        .find(|(_, len)| *len == longest && *len > 0)
}

fn blanks_len(text: &str) -> usize {
    text.len() - text.trim_start_matches([' ', '\t']).len()
}

/// `[A-Za-z_][A-Za-z0-9_-]*`
pub(crate) fn id_len(text: &str) -> usize {
    if !text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return 0;
    }
    text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))
        .unwrap_or(text.len())
}

fn escape_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut len = 0;
    while bytes.get(len) == Some(&b'\\')
        && bytes
            .get(len + 1)
            .is_some_and(|&b| ESCAPABLE.contains(char::from(b)))
    {
        len += 2;
    }
    len
}

/// Up to the first quote with an even number of backslashes before it.
fn quoted_len(text: &str, quote: char) -> Option<usize> {
    let mut backslashes = 0;
    for (at, c) in text.char_indices().skip(1) {
        if c == quote && backslashes % 2 == 0 {
            return Some(at + 1);
        }
        backslashes = if c == '\\' { backslashes + 1 } else { 0 };
    }
    None
}

fn interpolation_len(text: &str) -> Option<usize> {
    let inner = text.strip_prefix("${")?;
    let len = inner.find('}')?;
    (len > 0).then_some(len + 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<TokenKind> {
        let tokens = value_tokens(text, 0).expect("it has tokens");
        tokens.into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn the_longest_token_wins_and_then_the_first_rule() {
        use TokenKind::{
            BracketClose, BracketOpen, Colon, Comma, Escape, Float, Id, Int, Interpolation, Null,
            Quoted, UnquotedChar,
        };
        for (text, expected) in [
            ("inf", vec![Float]),
            ("info", vec![Id]),
            ("1a", vec![Int, Id]),
            ("-1.5e-3", vec![Float]),
            ("1.2.3", vec![Float, Float]),
            ("017", vec![Int, Int]),
            ("null", vec![Null]),
            (
                "[ a , 'b' ]",
                vec![BracketOpen, Id, Comma, Quoted, BracketClose],
            ),
            ("a : b", vec![Id, Colon, Id]),
            ("\\,\\ x\\y", vec![Escape, Id, UnquotedChar, Id]),
            ("${a}$b", vec![Interpolation, UnquotedChar, Id]),
        ] {
            assert_eq!(kinds(text), expected, "{text}");
        }
        assert_eq!(value_tokens("a#", 0), Err(NoToken { at: 1 }));
        assert_eq!(value_tokens("'a\\'", 0), Err(NoToken { at: 0 }));
    }
}
