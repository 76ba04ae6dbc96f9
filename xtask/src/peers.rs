//! The programs we are measured against, pinned, in a virtual environment of their own.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::{must, workspace};

/// What is installed; another list makes the environment anew.
const PINS: [&str; 14] = [
    "dvc==3.67.1",
    "dvc-s3==3.3.0",
    // moto's own extra `server` would bring the needs of all of Amazon's services.
    "moto[s3]==5.2.5",
    "flask==3.1.3",
    "flask-cors==6.0.5",
    "hydra-core==1.3.8",
    "omegaconf==2.3.1",
    "hydra-colorlog==1.2.0",
    "PyYAML==6.0.3",
    "wandb==0.31.0",
    "tensorboard==2.21.0",
    "pillow==13.0.0",
    "optuna==5.0.0",
    "optuna-dashboard==0.21.0",
];

/// The least version of Python in which the peers are known to work.
const OLDEST_PYTHON: (u32, u32) = (3, 11);

/// The interpreter of the environment; none, said loudly, where Python is missing or too old.
pub(crate) fn python() -> anyhow::Result<Option<PathBuf>> {
    let Some(version) = python_version() else {
        skip("there is no python3");
        return Ok(None);
    };
    if version < OLDEST_PYTHON {
        skip(&format!("python3 is {}.{}", version.0, version.1));
        return Ok(None);
    }
    let folder = workspace().join("target/peers");
    let python = folder.join("bin/python");
    let (stamp, pins) = (folder.join("pins"), PINS.join("\n"));
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == pins) {
        return Ok(Some(python));
    }
    must(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&folder),
    )?;
    install(&python)?;
    std::fs::write(&stamp, pins).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(Some(python))
}

fn install(python: &Path) -> anyhow::Result<()> {
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ];
    must(Command::new(python).args(pip).args(PINS))
}

fn skip(why: &str) {
    let (major, minor) = OLDEST_PYTHON;
    eprintln!("########################################################################");
    eprintln!("# SKIPPED: comparison with the peers. They need Python {major}.{minor}; {why}.");
    eprintln!("########################################################################");
}

fn python_version() -> Option<(u32, u32)> {
    let output = Command::new("python3").arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut numbers = text.trim().strip_prefix("Python ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}
