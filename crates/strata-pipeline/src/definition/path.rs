//! Paths as definitions spell them.

/// The path with `.`, `..`, doubled and trailing slashes taken out, as `posixpath.normpath` does.
///
/// `./a` and `a/` are `a`, nothing at all is `.`; the scheme of a URL (`s3://bucket/x`) is left alone, since DVC
/// normalises only what lies on this computer.
pub fn normalise(path: &str) -> String {
    if path.contains("://") {
        return path.to_owned();
    }
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            _ => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (absolute, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

/// `path` as seen from where `folder` is seen from.
pub(crate) fn join(folder: &str, path: &str) -> String {
    if folder.is_empty() || path.starts_with('/') {
        normalise(path)
    } else {
        normalise(&format!("{folder}/{path}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lose_what_says_nothing() {
        for (path, normal) in [
            ("./a", "a"),
            ("d/", "d"),
            ("a//b/./c", "a/b/c"),
            ("a/../b", "b"),
            ("../x", "../x"),
            ("a/../../x", "../x"),
            ("/a/../../b", "/b"),
            ("", "."),
            ("s3://bucket//x/", "s3://bucket//x/"),
        ] {
            assert_eq!(normalise(path), normal, "{path}");
        }
    }

    #[test]
    fn joined_paths_are_normal() {
        assert_eq!(join("", "./a"), "a");
        assert_eq!(join("s", "../a"), "a");
        assert_eq!(join("s", "/a"), "/a");
    }
}
