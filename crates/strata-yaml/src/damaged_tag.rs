//! Tags with a comma behind them, at which libyaml-safer 0.3 panics.

use std::collections::HashSet;
use std::io::Cursor;

use libyaml_safer::{Encoding, ScalarStyle, Scanner, TokenData};

/// The parser's own bound is lower, but it looks ahead.
const DEEPEST: usize = 2000;

/// Where the first tag between brackets stands that has no blank but a comma behind it, as in `[!a, b]`.
///
/// Most that looks so is none: `!` may stand in quotes, comments and words. Therefore the text is scanned
/// with another letter in the place of every such `!`. That changes no structure, but a damaged tag becomes
/// a word that begins with the letter.
pub(crate) fn first_damaged_tag(text: &str) -> Option<usize> {
    let suspects = suspects(text.as_bytes());
    if suspects.is_empty() {
        return None;
    }
    let mut changed = text.as_bytes().to_vec();
    for at in &suspects {
        changed[*at] = b'x';
    }
    let mut scanner = Scanner::new();
    scanner.set_encoding(Encoding::Utf8);
    scanner.set_input(Cursor::new(changed));
    let mut depth: usize = 0;
    for token in scanner {
        // What is no YAML here is none in the text.
        let token = token.ok()?;
        match token.data {
            TokenData::Scalar {
                style: ScalarStyle::Plain,
                ..
            } => {
                let at = token.start_mark.index as usize;
                if suspects.contains(&at) {
                    return Some(at);
                }
            }
            TokenData::FlowSequenceStart | TokenData::FlowMappingStart => depth += 1,
            TokenData::FlowSequenceEnd | TokenData::FlowMappingEnd => {
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
        if depth > DEEPEST {
            return None;
        }
    }
    None
}

/// Every `!` with nothing but a tag's characters between it and a comma.
fn suspects(text: &[u8]) -> HashSet<usize> {
    let mut found = HashSet::new();
    let run = |from: usize, belongs: fn(u8) -> bool| {
        let rest = &text[from..];
        from + rest.iter().take_while(|byte| belongs(**byte)).count()
    };
    let mut at = 0;
    while let Some(offset) = text[at..].iter().position(|byte| *byte == b'!') {
        let start = at + offset;
        if text.get(start + 1) == Some(&b'<') {
            let end = run(start + 2, |byte| {
                is_tag_byte(byte) || matches!(byte, b',' | b'[' | b']')
            });
            if text[end..].starts_with(b">,") {
                found.insert(start);
            }
            at = start + 1;
        } else {
            let end = run(start, is_tag_byte);
            if text.get(end) == Some(&b',') {
                found.extend((start..end).filter(|at| text[*at] == b'!'));
            }
            at = end;
        }
    }
    found
}

fn is_tag_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-;/?:@&=+$.%!~*'()".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_tags_are_found_and_nothing_else() {
        for (text, at) in [
            ("[!,", Some(1)),
            ("[!!str, x]", Some(1)),
            ("[!<a,b>, x]", Some(1)),
            ("['it'!x,]", Some(5)),
            ("a: {b: !c!d, e: f}", Some(7)),
            ("[&a !b, c]", Some(4)),
            ("[\"!a, b\", 'c !d, e']  # !f, g", None),
            ("[a!b, c]", None),
            ("x: |\n  [!a, b]\n", None),
            ("x: a [!b,\n  [!c, d]\n", None),
            ("[!a b, !<c,d> e]", None),
        ] {
            assert_eq!(first_damaged_tag(text), at, "{text}");
        }
    }
}
