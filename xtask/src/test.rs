//! The test command: formatting, lints, all tests, and the conformance cases.

use std::env;
use std::path::{Path, PathBuf};
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
    let peers = peers::python()?;
    if let Some(python) = &peers {
        tests.env("STRATA_PEERS", python);
    }
    must(&mut tests)?;
    conformance()?;
    if let Some(python) = &peers {
        with_dvc(python)?;
    }
    Ok(())
}

/// The binary against what Hydra and DVC said; `cargo test` has built it.
fn conformance() -> anyhow::Result<()> {
    must(
        Command::new("python3")
            .arg("conformance/hydra/run.py")
            .args(["--cases", "conformance/hydra/cases.jsonl", "--binary"])
            .arg(binary()),
    )?;
    must(
        Command::new("python3")
            .arg("conformance/dvc/run.py")
            .args(["--scenarios", "conformance/dvc/scenarios", "--binary"])
            .arg(binary()),
    )
}

/// The binary and the real DVC in turn on the same projects, also with a server that speaks S3 between them.
fn with_dvc(python: &Path) -> anyhow::Result<()> {
    must(
        Command::new("python3")
            .args(["conformance/dvc/interop.py", "--binary"])
            .arg(binary())
            .arg("--dvc")
            .arg(python.with_file_name("dvc")),
    )?;
    must(
        Command::new("python3")
            .args(["conformance/dvc/s3.py", "--binary"])
            .arg(binary())
            .arg("--moto")
            .arg(python.with_file_name("moto_server"))
            .arg("--dvc")
            .arg(python.with_file_name("dvc")),
    )
}

fn binary() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR");
    let target = target.map_or_else(|| workspace().join("target"), Into::into);
    target.join("debug").join("strata")
}

fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
