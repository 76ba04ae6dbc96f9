//! Where a run was made: commit and machine.

use std::path::Path;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

/// The state of a git repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitState {
    /// The full hash of `HEAD`.
    pub commit: String,
    /// Whether a tracked file differs from the commit; untracked files do not count.
    pub dirty: bool,
    /// The address of `origin`, without what permits to write there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
}

impl GitState {
    /// The state of the repository around `directory`; `None` without one, without a commit or without `git`.
    pub fn of(directory: &Path) -> Option<Self> {
        let commit = git(directory, &["rev-parse", "--verify", "HEAD"])?;
        let changes = git(
            directory,
            &["status", "--porcelain", "--untracked-files=no"],
        )?;
        Some(Self {
            commit: commit.trim().to_owned(),
            dirty: !changes.trim().is_empty(),
            remote: git(directory, &["remote", "get-url", "origin"])
                .map(|address| without_credentials(address.trim())),
        })
    }
}

/// `https://user:token@host/…` without user and token.
fn without_credentials(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else {
        return address.to_owned();
    };
    let authority = rest.split('/').next().unwrap_or(rest);
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{host}{}", &rest[authority.len()..]),
        None => address.to_owned(),
    }
}

fn git(directory: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(directory)
        .args(arguments)
        // Asking must not take the index lock away from the user's own git.
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    if !output.status.success() {
        return None;
    }
    String::from_utf8(output.stdout).ok()
}

/// The machine's name, if the system tells it in a file or in the environment.
pub fn host_name() -> Option<String> {
    fs_err::read_to_string("/proc/sys/kernel/hostname")
        .or_else(|_| fs_err::read_to_string("/etc/hostname"))
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .or_else(|| std::env::var("COMPUTERNAME").ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
}
