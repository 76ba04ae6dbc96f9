//! A text with interpolations, taken apart.

/// A part of a text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    /// Literal text.
    Text(String),
    /// `${a.b}`: the reference, itself a text that may hold interpolations.
    Reference(String),
    /// `${name:arguments}`: the arguments as written, one string each.
    Call {
        name: String,
        arguments: Vec<String>,
    },
}

/// An interpolation that is not closed, or has nothing in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

/// Takes a text apart. `\${` is a literal `${`; backslashes elsewhere are literal.
pub(crate) fn parse(text: &str) -> Result<Vec<Part>, Malformed> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let before = &rest[..at];
        let backslashes = before.len() - before.trim_end_matches('\\').len();
        literal.push_str(&before[..before.len() - backslashes]);
        literal.extend(std::iter::repeat_n('\\', backslashes / 2));
        let (body, after) = split_body(&rest[at + 2..])?;
        if backslashes % 2 == 1 {
            literal.push_str(&rest[at..=(at + 2 + body.len())]);
        } else {
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(interpolation(body)?);
        }
        rest = after;
    }
    literal.push_str(rest);
    if !literal.is_empty() || parts.is_empty() {
        parts.push(Part::Text(literal));
    }
    Ok(parts)
}

/// The text inside the braces, and what comes after them.
fn split_body(text: &str) -> Result<(&str, &str), Malformed> {
    let end = scan(text, |c, level| c == '}' && level == 0);
    match end {
        Some(end) => Ok((&text[..end], &text[end + 1..])),
        None => Err(Malformed("an interpolation is not closed: `}` is missing")),
    }
}

fn interpolation(body: &str) -> Result<Part, Malformed> {
    let body = body.trim();
    if body.is_empty() {
        return Err(Malformed("an interpolation is empty"));
    }
    let Some(colon) = scan(body, |c, level| c == ':' && level == 0) else {
        return Ok(Part::Reference(body.to_owned()));
    };
    let (name, arguments) = (body[..colon].trim(), &body[colon + 1..]);
    Ok(Part::Call {
        name: name.to_owned(),
        arguments: split_arguments(arguments),
    })
}

fn split_arguments(text: &str) -> Vec<String> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    let mut arguments = Vec::new();
    let mut rest = text;
    while let Some(comma) = scan(rest, |c, level| c == ',' && level == 0) {
        arguments.push(rest[..comma].trim().to_owned());
        rest = &rest[comma + 1..];
    }
    arguments.push(rest.trim().to_owned());
    arguments
}

/// The first place outside quotes where `wanted(character, depth of brackets)` holds.
fn scan(text: &str, wanted: impl Fn(char, usize) -> bool) -> Option<usize> {
    let (mut level, mut quote, mut escaped) = (0_usize, None, false);
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        match (quote, c) {
            (_, '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, c) if wanted(c, level) => return Some(at),
            (None, '\'' | '"') => quote = Some(c),
            (None, '{' | '[' | '(') => level += 1,
            (None, '}' | ']' | ')') => level = level.saturating_sub(1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_taken_apart() {
        let reference = |text: &str| Part::Reference(text.to_owned());
        let literal = |text: &str| Part::Text(text.to_owned());
        let call = |name: &str, arguments: &[&str]| Part::Call {
            name: name.to_owned(),
            arguments: arguments
                .iter()
                .map(|argument| (*argument).to_owned())
                .collect(),
        };
        for (text, parts) in [
            ("", vec![literal("")]),
            ("${a.b}", vec![reference("a.b")]),
            (
                "x/${a}-${b}",
                vec![literal("x/"), reference("a"), literal("-"), reference("b")],
            ),
            ("${a.${b}}", vec![reference("a.${b}")]),
            ("\\${a}", vec![literal("${a}")]),
            ("\\\\${a}", vec![literal("\\"), reference("a")]),
            ("${now:%H:%M}", vec![call("now", &["%H:%M"])]),
            (
                "${oc.env:X,runs/${now:%Y}}",
                vec![call("oc.env", &["X", "runs/${now:%Y}"])],
            ),
            ("${f:[1,2],'a,}'}", vec![call("f", &["[1,2]", "'a,}'"])]),
        ] {
            assert_eq!(parse(text), Ok(parts), "{text}");
        }
        assert!(parse("${a").is_err() && parse("${}").is_err());
    }
}
