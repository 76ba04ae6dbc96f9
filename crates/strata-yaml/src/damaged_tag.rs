//! Tags with a comma behind them, at which libyaml-safer 0.3 panics.

use std::collections::HashSet;
use std::io::Cursor;

use libyaml_safer::{Encoding, ScalarStyle, Scanner, TokenData};

use crate::events::SyntaxError;

/// The parser's own bound is lower, but it looks ahead.
const DEEPEST: usize = 2000;

/// Refuses a tag between brackets that has no blank but a comma behind it, as in `[!a, b]`.
///
/// Most that looks so is none: `!` may stand in quotes, comments and words. Therefore the text is scanned
/// with another letter in the place of every such `!`. That changes no structure, but a damaged tag becomes
/// a word that begins with the letter.
///
/// # Errors
/// The first such tag, or other bad syntax where there may be one: the scanner looks ahead, and does not tell of the
/// words before what it cannot read.
pub(crate) fn refuse_damaged_tags(text: &str) -> Result<(), SyntaxError> {
    let suspects = suspects(text.as_bytes());
    if suspects.is_empty() {
        return Ok(());
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
        let token = token.map_err(|error| SyntaxError::from_parser(&error, text))?;
        match token.data {
            TokenData::Scalar {
                style: ScalarStyle::Plain,
                ..
            } => {
                let at = token.start_mark.index as usize;
                if suspects.contains(&at) {
                    let message =
                        "while scanning a tag: did not find expected whitespace or line break";
                    return Err(SyntaxError {
                        at,
                        message: message.to_owned(),
                    });
                }
            }
            TokenData::FlowSequenceStart | TokenData::FlowMappingStart => depth += 1,
            TokenData::FlowSequenceEnd | TokenData::FlowMappingEnd => {
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
        if depth > DEEPEST {
            return Ok(());
        }
    }
    Ok(())
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
            // The word is looked beyond, since it may be a key, and there a quote has no end.
            ("[!''2!,:\t\"   z.}(.\r", Some(18)),
        ] {
            let found = refuse_damaged_tags(text).err().map(|error| error.at);
            assert_eq!(found, at, "{text}");
        }
    }
}
