//! Words that a shell takes as they are.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Appends a word so that a shell reads exactly it, as Python's `shlex.quote` does: what needs no quotes gets none.
///
/// Bytes rather than text, because file names need not be text.
pub(crate) fn push_quoted(script: &mut Vec<u8>, word: &OsStr) {
    let word = word.as_bytes();
    let is_safe = |byte: &u8| byte.is_ascii_alphanumeric() || b"@%+=:,./-_".contains(byte);
    if !word.is_empty() && word.iter().all(is_safe) {
        script.extend_from_slice(word);
        return;
    }
    script.push(b'\'');
    for &byte in word {
        match byte {
            // The one character that cannot stand between single quotes stands between double ones.
            b'\'' => script.extend_from_slice(b"'\"'\"'"),
            _ => script.push(byte),
        }
    }
    script.push(b'\'');
}

/// Appends words with blanks between them.
pub(crate) fn push_words<'a>(script: &mut Vec<u8>, words: impl IntoIterator<Item = &'a OsStr>) {
    for (index, word) in words.into_iter().enumerate() {
        if index > 0 {
            script.push(b' ');
        }
        push_quoted(script, word);
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;
    use std::process::Command;

    use super::*;

    fn quoted(word: &str) -> String {
        let mut script = Vec::new();
        push_quoted(&mut script, OsStr::new(word));
        String::from_utf8(script).unwrap()
    }

    #[test]
    fn plain_words_stay_plain() {
        assert_eq!(quoted("model.lr=1e-3"), "model.lr=1e-3");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), "'it'\"'\"'s'");
        assert_eq!(quoted("~/x"), "'~/x'");
    }

    #[test]
    fn a_shell_reads_back_any_word() {
        let words: Vec<OsString> = [
            &b"a b"[..],
            b"it's \"so\"",
            b"$HOME `id` $(id) \\ \\n",
            b"two\nlines",
            b"*?[a]{b,c}!#&;|<>()~",
            b"not text: \xff\xfe",
            b"",
            "Grüße".as_bytes(),
        ]
        .map(|word| OsString::from_vec(word.to_vec()))
        .into();
        let mut script = b"printf '%s\\0' ".to_vec();
        push_words(&mut script, words.iter().map(OsString::as_os_str));

        let shell = Command::new("sh")
            .arg("-c")
            .arg(OsString::from_vec(script))
            .output()
            .unwrap();

        let mut expected = Vec::new();
        for word in words {
            expected.extend(word.into_vec());
            expected.push(0);
        }
        assert_eq!(shell.stdout, expected);
    }
}
