//! What needs torch, which is gigabytes: files between the two programs.

use std::process::Command;

use crate::{Torch, binary, must};

/// State dicts both ways.
pub(crate) fn run(torch: &Torch) -> anyhow::Result<()> {
    must(Command::new("cargo").args(["build", "--release", "--package", "strata"]))?;
    must(
        Command::new(&torch.python)
            .arg("conformance/nn/torch_interop.py")
            .arg(binary("release"))
            .arg(&torch.root),
    )
}
