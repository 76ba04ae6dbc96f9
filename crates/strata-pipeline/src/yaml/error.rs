//! What is wrong with a text, and where.

/// A text that is no YAML, or none that DVC would take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}:{line}:{column}: {message}\n  {text}")]
pub struct YamlError {
    /// The file's name as it was given.
    pub name: String,
    /// The line, the first is 1.
    pub line: usize,
    /// The column in characters, the first is 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// The line itself.
    pub text: String,
}

impl YamlError {
    /// An error at a byte of a text.
    pub(super) fn at(name: &str, text: &str, byte: usize, message: impl Into<String>) -> Self {
        let mut byte = byte.min(text.len());
        while !text.is_char_boundary(byte) {
            byte -= 1;
        }
        let before = &text[..byte];
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let line = text[start..].lines().next().unwrap_or_default();
        Self {
            name: name.to_owned(),
            line: before.matches('\n').count() + 1,
            column: text[start..byte].chars().count() + 1,
            message: message.into(),
            text: line.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_from_one_and_in_characters() {
        let error = YamlError::at("a.yaml", "x: 1\né: é!\n", 11, "no");
        assert_eq!(error.to_string(), "a.yaml:2:5: no\n  é: é!");
        let end = YamlError::at("a.yaml", "x", 99, "no");
        assert_eq!((end.line, end.column), (1, 2));
    }
}
