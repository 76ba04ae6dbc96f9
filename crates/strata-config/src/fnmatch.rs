//! Shell-style patterns of names, Python's.

/// Whether a name fits a pattern of `*`, `?`, `[abc]`, `[a-z]`, `[!abc]`; as `fnmatch.fnmatchcase` of Python has it.
pub fn fnmatch(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    matches_from(&pattern, &name)
}

fn matches_from(pattern: &[char], name: &[char]) -> bool {
    match (pattern, name) {
        ([], rest) => rest.is_empty(),
        (['*', after @ ..], _) => (0..=name.len()).any(|len| matches_from(after, &name[len..])),
        (['?', after @ ..], [_, rest @ ..]) => matches_from(after, rest),
        (['[', inner @ ..], [c, rest @ ..]) => match character_class(inner, *c) {
            Some((fits, after)) => fits && matches_from(after, rest),
            None => *c == '[' && matches_from(inner, rest),
        },
        ([first, after @ ..], [c, rest @ ..]) => first == c && matches_from(after, rest),
        _ => false,
    }
}

/// Whether a character is in the class, and the pattern behind its `]`; none where it is not closed.
fn character_class(inner: &[char], c: char) -> Option<(bool, &[char])> {
    let negated = inner.first() == Some(&'!');
    let members = &inner[usize::from(negated)..];
    // A `]` that stands first is a member.
    let close = 1 + members.iter().skip(1).position(|member| *member == ']')?;
    let (mut members, after) = (&members[..close], &members[close + 1..]);
    let mut fits = false;
    while let [first, rest @ ..] = members {
        members = rest;
        if let ['-', last, rest @ ..] = rest {
            fits |= (*first..=*last).contains(&c);
            members = rest;
        } else {
            fits |= *first == c;
        }
    }
    Some((fits != negated, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `fnmatch.fnmatchcase` of Python 3.11.
    #[test]
    fn patterns_are_those_of_fnmatch() {
        for (pattern, name, fits) in [
            ("*", "", true),
            ("m_*", "m_small", true),
            ("m_*", "conv_a", false),
            ("*a*b", "xaxbxb", true),
            ("?x", "ax", true),
            ("?x", "x", false),
            ("[a-c]1", "b1", true),
            ("[!a-c]1", "b1", false),
            ("[]]", "]", true),
            ("[a", "[a", true),
        ] {
            assert_eq!(fnmatch(pattern, name), fits, "{pattern} {name}");
        }
    }
}
