//! The test command: formatting, lints, all tests, and the conformance cases.

use std::env;
use std::process::Command;

use crate::{must, peers, workspace};

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
    let mut tests = cargo();
    tests.args(["test", "--workspace", "--quiet"]);
    if let Some(python) = peers::python()? {
        tests.env("STRATA_PEERS", python);
    }
    must(&mut tests)?;
    conformance()
}

/// The binary against what Hydra said; `cargo test` has built it.
fn conformance() -> anyhow::Result<()> {
    let target = env::var_os("CARGO_TARGET_DIR");
    let target = target.map_or_else(|| workspace().join("target"), Into::into);
    must(
        Command::new("python3")
            .arg("conformance/hydra/run.py")
            .args(["--cases", "conformance/hydra/cases.jsonl", "--binary"])
            .arg(target.join("debug").join("strata")),
    )
}

fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
