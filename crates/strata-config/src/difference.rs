//! What two configurations do not have in common.

use crate::node::Node;

/// A key that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The dotted path.
    pub key: String,
    /// The first value; none where only the second has the key.
    pub before: Option<String>,
    /// The second value; none where only the first has the key.
    pub after: Option<String>,
}

/// The leaves in which two trees differ, in the order of the first tree, then of the second. Lists are
/// compared as a whole.
pub fn differences(before: &Node, after: &Node) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", Some(before), Some(after), &mut found);
    found
}

fn compare(path: &str, before: Option<&Node>, after: Option<&Node>, found: &mut Vec<Difference>) {
    if before == after {
        return;
    }
    let map = |node: Option<&Node>| {
        node.and_then(Node::as_map)
            .filter(|map| !map.is_empty())
            .cloned()
    };
    let (old, new) = (map(before), map(after));
    let comparable = match (before, after) {
        (Some(_), Some(_)) => old.is_some() && new.is_some(),
        _ => old.is_some() || new.is_some(),
    };
    if !comparable {
        found.push(Difference {
            key: path.to_owned(),
            before: before.map(Node::in_words),
            after: after.map(Node::in_words),
        });
        return;
    }
    let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
    let added = new.keys().filter(|key| !old.contains_key(*key));
    for key in old.keys().chain(added) {
        let below = if path.is_empty() {
            key.to_string()
        } else {
            format!("{path}.{key}")
        };
        compare(&below, old.get(key), new.get(key), found);
    }
}

#[cfg(test)]
mod tests {
    use strata_diag::Source;

    use super::*;

    #[test]
    fn leaves_that_differ_are_named() {
        let read = |text: &str| crate::from_yaml(&Source::new("x", text)).expect("it parses");
        let (before, after) = (
            read("a: {x: 1, y: [1, 2]}\nb: null\nc: {}\n"),
            read("a: {x: 1, y: [1]}\nb: {z: true}\nc: {}\nd: 2\n"),
        );
        let found = differences(&before, &after);
        let words: Vec<(&str, Option<&str>, Option<&str>)> = found
            .iter()
            .map(|d| (d.key.as_str(), d.before.as_deref(), d.after.as_deref()))
            .collect();
        assert_eq!(
            words,
            [
                ("a.y", Some("[1, 2]"), Some("[1]")),
                ("b", Some("null"), Some("{'z': True}")),
                ("d", None, Some("2")),
            ]
        );
    }
}
