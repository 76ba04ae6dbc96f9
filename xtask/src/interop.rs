//! What needs torch, which is gigabytes: files between the two programs.

use std::path::PathBuf;
use std::process::Command;

use clap::Args;

use crate::{must, workspace};

/// With what to compare.
#[derive(Args)]
pub(crate) struct Options {
    /// Python interpreter with torch and numpy
    #[arg(long)]
    python: PathBuf,
    /// Folder that holds EMNIST/raw/
    #[arg(long)]
    root: PathBuf,
}

/// State dicts both ways.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    must(Command::new("cargo").args(["build", "--release", "--package", "strata"]))?;
    must(
        Command::new(&options.python)
            .arg("conformance/nn/torch_interop.py")
            .arg(workspace().join("target/release/strata"))
            .arg(&options.root),
    )
}
