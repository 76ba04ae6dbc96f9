//! `.netrc`: where keys lie from one run to the next.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::wandb::settings::{ApiKey, SettingsError};

/// Why the keys could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The file is there, but not readable.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write `{}`: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is no place for the file.
    #[error("there is no home directory; set NETRC to the file that is to hold the key")]
    NoHome,
    /// What stands there cannot be a key.
    #[error("`{}`, machine {host}: {source}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// The entry.
        host: String,
        /// What is wrong with it.
        source: SettingsError,
    },
}

/// The user's file of keys: `$NETRC`, else `~/.netrc` or `~/_netrc`, whichever is there.
#[derive(Clone, Debug)]
pub struct NetRc {
    path: PathBuf,
}

impl NetRc {
    /// The file of a process with this environment; it need not be there.
    ///
    /// # Errors
    /// [`CredentialsError::NoHome`].
    pub fn of(environment: &HashMap<String, String>) -> Result<Self, CredentialsError> {
        let set = |name| environment.get(name).filter(|value| !value.is_empty());
        if let Some(path) = set("NETRC") {
            return Ok(Self { path: path.into() });
        }
        let home = set("HOME").or_else(|| set("USERPROFILE"));
        let home = Path::new(home.ok_or(CredentialsError::NoHome)?);
        let [dotted, other] = [".netrc", "_netrc"].map(|name| home.join(name));
        let path = if !dotted.exists() && other.exists() {
            other
        } else {
            dotted
        };
        Ok(Self { path })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The key for a host, as in [`host_of`].
    ///
    /// # Errors
    /// If the file cannot be read, or the password cannot be a key.
    pub fn key(&self, host: &str) -> Result<Option<ApiKey>, CredentialsError> {
        let text = self.text()?;
        let tokens = tokens(&text);
        let Some(machine) = machines(&tokens)
            .into_iter()
            .find(|found| found.name == host)
        else {
            return Ok(None);
        };
        let entry = &tokens[machine.first..machine.end];
        let password = entry.windows(2).find(|pair| pair[0].text == "password");
        let key = password.map(|pair| ApiKey::new(&pair[1].text)).transpose();
        key.map_err(|source| CredentialsError::Key {
            path: self.path.clone(),
            host: host.to_owned(),
            source,
        })
    }

    /// Puts a key in place of the host's entry, which nobody else may read afterwards; other entries stay.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn set_key(&self, host: &str, key: &ApiKey) -> Result<(), CredentialsError> {
        let mut text = self.text()?;
        let found = tokens(&text);
        let of_host = machines(&found)
            .into_iter()
            .filter(|machine| machine.name == host);
        let spans: Vec<_> = of_host
            .map(|machine| {
                let end = found.get(machine.end).map_or(text.len(), |next| next.start);
                found[machine.first].start..end
            })
            .collect();
        for span in spans.into_iter().rev() {
            text.replace_range(span, "");
        }
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        let secret = key.secret();
        writeln!(text, "machine {host}\n  login user\n  password {secret}")
            .expect("a string takes any text");
        strata_fs::write_privately(&self.path, text.as_bytes()).map_err(|source| {
            CredentialsError::Write {
                path: self.path.clone(),
                source,
            }
        })
    }

    fn text(&self) -> Result<String, CredentialsError> {
        match fs_err::read_to_string(&self.path) {
            Ok(text) => Ok(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
            Err(source) => Err(CredentialsError::Read {
                path: self.path.clone(),
                source,
            }),
        }
    }
}

/// The entry's name for a server: its host, and its port where the address names one.
pub fn host_of(base_url: &str) -> &str {
    let rest = base_url
        .split_once("://")
        .map_or(base_url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    authority.rsplit('@').next().unwrap_or(authority)
}

struct Token {
    text: String,
    start: usize,
}

/// An entry: the tokens from `machine NAME` on to the next entry.
struct Machine<'a> {
    name: &'a str,
    first: usize,
    end: usize,
}

/// Words, in quotes or not; a `#` where a word may begin is a comment to the end of the line.
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut characters = text.char_indices().peekable();
    while let Some((start, character)) = characters.next() {
        if character.is_whitespace() {
            continue;
        }
        if character == '#' {
            while characters.next_if(|&(_, next)| next != '\n').is_some() {}
            continue;
        }
        let mut word = String::new();
        if character == '"' {
            while let Some((_, next)) = characters.next().filter(|&(_, next)| next != '"') {
                let escaped = (next == '\\').then(|| characters.next()).flatten();
                word.push(escaped.map_or(next, |(_, escaped)| escaped));
            }
        } else {
            word.push(character);
            while let Some((_, next)) = characters.next_if(|(_, next)| !next.is_whitespace()) {
                word.push(next);
            }
        }
        tokens.push(Token { text: word, start });
    }
    tokens
}

fn machines(tokens: &[Token]) -> Vec<Machine<'_>> {
    let begins = |token: &Token| matches!(token.text.as_str(), "machine" | "default" | "macdef");
    let firsts: Vec<usize> = (0..tokens.len())
        .filter(|&index| begins(&tokens[index]))
        // A password may be one of these words.
        .filter(|&index| {
            index == 0
                || !matches!(
                    tokens[index - 1].text.as_str(),
                    "password" | "login" | "account"
                )
        })
        .collect();
    let ends = firsts.iter().skip(1).copied().chain([tokens.len()]);
    firsts
        .iter()
        .zip(ends)
        .filter(|&(&first, _)| tokens[first].text == "machine")
        .filter_map(|(&first, end)| {
            let name = tokens.get(first + 1)?;
            Some(Machine {
                name: &name.text,
                first,
                end,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef01234567";

    fn netrc(text: &str) -> (tempfile::TempDir, NetRc) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("netrc");
        fs_err::write(&path, text).expect("written");
        (folder, NetRc { path })
    }

    #[test]
    fn keys_are_found_by_host() {
        let text = format!(
            "# mine\nmachine example.org login a password secret\nmachine api.wandb.ai\n  login user\n  password \"{KEY}\"\ndefault login x password y\n"
        );
        let (_folder, netrc) = netrc(&text);
        let key = netrc.key("api.wandb.ai").expect("it is well-formed");
        assert_eq!(key.expect("it is there").secret(), KEY);
        assert!(netrc.key("127.0.0.1:80").expect("no error").is_none());
        let error = netrc.key("example.org").expect_err("no key").to_string();
        assert!(error.contains("example.org") && !error.contains("secret"));
    }

    #[test]
    fn a_new_key_replaces_the_old_one_and_nothing_else() {
        let text = format!(
            "machine a login b password c\nmachine h login user password {KEY}\nmachine d login e password f"
        );
        let (_folder, netrc) = netrc(&text);
        let key = ApiKey::new(&KEY.replace('0', "f")).expect("a key");
        netrc.set_key("h", &key).expect("written");
        let written = fs_err::read_to_string(netrc.path()).expect("read");
        assert_eq!(
            written,
            format!(
                "machine a login b password c\nmachine d login e password f\nmachine h\n  login user\n  password {}\n",
                key.secret()
            )
        );
        assert_eq!(netrc.key("h").expect("no error"), Some(key));
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_reads_the_file() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(".netrc");
        let netrc = NetRc { path: path.clone() };
        netrc
            .set_key("h", &ApiKey::new(KEY).expect("a key"))
            .expect("written");
        let mode = fs_err::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn hosts_are_those_of_the_address() {
        assert_eq!(host_of("https://api.wandb.ai"), "api.wandb.ai");
        assert_eq!(host_of("http://127.0.0.1:8080/base"), "127.0.0.1:8080");
    }
}
