//! The test command: formatting, lints, all tests.

use std::env;
use std::process::Command;

use crate::must;

/// Runs every check; the first that fails ends the run.
pub(crate) fn run() -> anyhow::Result<()> {
    must(cargo().args(["fmt", "--all", "--check"]))?;
    must(cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ]))?;
    must(cargo().args(["test", "--workspace", "--quiet"]))
}

fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
