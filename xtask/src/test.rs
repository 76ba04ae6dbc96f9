//! The test command: formatting, lints, all tests, and the conformance cases.

use std::env;
use std::path::Path;
use std::process::Command;

use crate::{binary, must, peers};

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
    let dvc = peers.map(|python| python.with_file_name("dvc"));
    kills(dvc.as_deref())?;
    if let Some(dvc) = &dvc {
        with_dvc(dvc)?;
    }
    searches()?;
    script("faults.py", Path::new("python3"), &[])?;
    if let Some(dvc) = &dvc {
        let python = dvc.with_file_name("python");
        script("replay_wandb.py", &python, &[])?;
        script("replay_tensorboard.py", &python, &[])?;
        script("replay_tensorboard.py", &python, &["--server"])?;
        script("train.py", &python, &[])?;
        with_optuna(&python)?;
    }
    Ok(())
}

/// The binary against a server that stands in for W&B, and against what the real wandb and TensorBoard make of its files.
fn script(name: &str, python: &Path, options: &[&str]) -> anyhow::Result<()> {
    must(
        Command::new(python)
            .arg(format!("conformance/tracking/{name}"))
            .args(options)
            .arg("--binary")
            .arg(binary("debug")),
    )
}

/// The binary against what Hydra and DVC said; `cargo test` has built it.
fn conformance() -> anyhow::Result<()> {
    must(
        Command::new("python3")
            .arg("conformance/hydra/run.py")
            .args(["--cases", "conformance/hydra/cases.jsonl", "--binary"])
            .arg(binary("debug")),
    )?;
    must(
        Command::new("python3")
            .arg("conformance/dvc/run.py")
            .args(["--scenarios", "conformance/dvc/scenarios", "--binary"])
            .arg(binary("debug")),
    )
}

/// What a killed reproduction leaves; the real DVC looks at some of it.
fn kills(dvc: Option<&Path>) -> anyhow::Result<()> {
    let mut command = Command::new("python3");
    command
        .args(["conformance/dvc/kill.py", "--binary"])
        .arg(binary("debug"));
    if let Some(dvc) = dvc {
        command.arg("--dvc").arg(dvc);
    }
    must(&mut command)
}

/// Searches that are killed and go on.
fn searches() -> anyhow::Result<()> {
    let places = [
        ["basic", "--kill", "sweep", "--kills", "3"],
        ["submitit_local", "--kill", "sweep", "--kills", "2"],
        ["submitit_local", "--kill", "worker", "--kills", "2"],
    ];
    for place in places {
        must(
            Command::new("python3")
                .arg("conformance/sweep/interrupt.py")
                .arg(binary("debug"))
                .args(["--trials", "8", "--launcher"])
                .args(place),
        )?;
    }
    Ok(())
}

/// Real Optuna and ours in turn, and at the same time, on the same studies.
fn with_optuna(python: &Path) -> anyhow::Result<()> {
    let tool = binary("debug").with_file_name("examples");
    must(
        Command::new(python)
            .arg("conformance/sweep/interop.py")
            .arg("--tool")
            .arg(tool.join("storage_tool"))
            .args(["--trials", "60"]),
    )
}

/// The binary and the real DVC in turn on the same projects, also with a server that speaks S3 between them.
fn with_dvc(python: &Path) -> anyhow::Result<()> {
    must(
        Command::new("python3")
            .args(["conformance/dvc/interop.py", "--binary"])
            .arg(binary("debug"))
            .arg("--dvc")
            .arg(python.with_file_name("dvc")),
    )?;
    must(
        Command::new("python3")
            .args(["conformance/dvc/s3.py", "--binary"])
            .arg(binary("debug"))
            .arg("--moto")
            .arg(python.with_file_name("moto_server"))
            .arg("--dvc")
            .arg(python.with_file_name("dvc")),
    )
}

fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
