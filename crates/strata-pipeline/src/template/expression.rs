//! `${…}` in a text: where they are, and whether they can be understood.

use std::ops::Range;

use super::problem::TemplateProblem;
use crate::value::Value;

/// A template in a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Match<'a> {
    /// From `$` to behind `}`, in bytes.
    pub(super) range: Range<usize>,
    /// What stands between the braces.
    pub(super) inner: &'a str,
}

/// All templates of a text. A template ends at the first `}` and stays on its line; `\${` starts none.
pub(super) fn matches(text: &str) -> Vec<Match<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(offset) = text[at..].find("${") {
        let start = at + offset;
        let body = start + 2;
        at = body;
        if text[..start].ends_with('\\') {
            continue;
        }
        let rest = &text[body..];
        // Where none ends, no later one does; a text of nothing but `${` is looked through once.
        let Some(length) = rest.find(['}', '\n']) else {
            break;
        };
        at = body + length + 1;
        if rest[length..].starts_with('}') {
            found.push(Match {
                range: start..at,
                inner: &rest[..length],
            });
        }
    }
    found
}

/// The only template of a text that consists of nothing else.
pub(super) fn whole<'a>(text: &str, matches: &[Match<'a>]) -> Option<&'a str> {
    match matches {
        [only] if only.range == (0..text.len()) => Some(only.inner),
        _ => None,
    }
}

/// Whether a value is nothing but one template.
pub(super) fn is_whole(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| whole(text, &matches(text)).is_some())
}

/// The path of an expression with dots alone: `a.b[0].c` is `a.b.0.c`.
pub(super) fn path(inner: &str) -> Result<String, TemplateProblem> {
    let Some(mut rest) = after_word(inner) else {
        return Err(syntax(inner, inner, "a name"));
    };
    while !rest.is_empty() {
        let after = match rest.as_bytes()[0] {
            b'.' => after_word(&rest[1..]),
            b'[' => after_word(&rest[1..]).and_then(|rest| rest.strip_prefix(']')),
            _ => None,
        };
        rest = after.ok_or_else(|| syntax(inner, rest, "end of text"))?;
    }
    Ok(inner.replace('[', ".").replace(']', ""))
}

/// What follows the name at the start, which has one character at least.
fn after_word(text: &str) -> Option<&str> {
    let end = text.find(['.', '[', ']']).unwrap_or(text.len());
    (end > 0).then(|| &text[end..])
}

fn syntax(inner: &str, rest: &str, expected: &'static str) -> TemplateProblem {
    let before = &inner[..inner.len() - rest.len()];
    let found = rest.chars().next();
    TemplateProblem::Syntax {
        expression: inner.to_owned(),
        at: before.chars().count() + 2,
        expected,
        found: format!("'{}'", found.unwrap_or('}')),
    }
}

/// Checks every expression in a value, keys included.
pub(super) fn check(value: &Value) -> Result<(), TemplateProblem> {
    each_text(value, &mut |text| {
        matches(text)
            .iter()
            .try_for_each(|template| path(template.inner).map(drop))
    })
}

/// Checks that there is no template in a value.
pub(super) fn check_none(value: &Value) -> Result<(), TemplateProblem> {
    each_text(value, &mut |text| {
        if matches(text).is_empty() {
            Ok(())
        } else {
            Err(TemplateProblem::NotAllowed)
        }
    })
}

fn each_text(
    value: &Value,
    visit: &mut impl FnMut(&str) -> Result<(), TemplateProblem>,
) -> Result<(), TemplateProblem> {
    match value {
        Value::Str(text) => visit(text),
        Value::List(items) => items.iter().try_for_each(|item| each_text(item, visit)),
        Value::Map(map) => map.iter().try_for_each(|(key, value)| {
            key.as_str().map_or(Ok(()), &mut *visit)?;
            each_text(value, visit)
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn inners(text: &str) -> Vec<&str> {
        matches(text).iter().map(|found| found.inner).collect()
    }

    #[test]
    fn templates_are_found_where_dvc_finds_them() {
        assert_eq!(inners("a ${b} ${c.d}"), ["b", "c.d"]);
        assert_eq!(inners(r"\${a} ${b}"), ["b"]);
        assert_eq!(inners(r"\\${a}"), Vec::<&str>::new());
        assert_eq!(inners("${ ${a} }"), [" ${a"]);
        assert_eq!(inners("${a\n} ${b}"), ["b"]);
        assert_eq!(inners("${} ${a"), [""]);
        assert!(is_whole(&Value::from("${a}")));
        assert!(!is_whole(&Value::from("${a} ")));
        assert!(!is_whole(&Value::from("${a}${b}")));
    }

    #[test]
    fn brackets_are_dots() {
        assert_eq!(path("a.b[0].c").expect("it is right"), "a.b.0.c");
        assert_eq!(path("a[-1]").expect("it is right"), "a.-1");
    }

    #[test]
    fn what_cannot_be_understood_is_marked() {
        for (inner, message) in [
            (
                "models.foo]",
                "${models.foo]}\n            ^\nParseException: Expected end of text, found ']'  (at char 12), (line:1, col:13)",
            ),
            (
                "models[foobar",
                "${models[foobar}\n        ^\nParseException: Expected end of text, found '['  (at char 8), (line:1, col:9)",
            ),
        ] {
            assert_eq!(path(inner).expect_err("it is wrong").to_string(), message);
        }
        for inner in ["", ".a", "a..b", "a.", "a[]", "a[0]b", "[0]"] {
            assert!(path(inner).is_err(), "{inner}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_looked_through(text in r"[$\\{}\[\].a\n é]{0,24}") {
            for found in matches(&text) {
                let whole = text[found.range.clone()].starts_with("${");
                prop_assert!(whole);
                if let Err(problem) = path(found.inner) {
                    prop_assert!(!problem.to_string().is_empty());
                }
            }
        }
    }
}
