//! What needs torch, which is gigabytes, or Slurm, which is daemons and root.

use std::process::Command;

use crate::{Torch, binary, must};

/// State dicts both ways, and jobs on a real Slurm; without Slurm the checks say so and leave them out.
pub(crate) fn run(torch: &Torch) -> anyhow::Result<()> {
    must(Command::new("cargo").args(["build", "--release", "--package", "strata"]))?;
    must(Command::new("python3").arg("conformance/slurm/check.py"))?;
    must(
        Command::new("python3")
            .arg("conformance/slurm/sweep.py")
            .arg(binary("release")),
    )?;
    must(
        Command::new(&torch.python)
            .arg("conformance/nn/torch_interop.py")
            .arg(binary("release"))
            .arg(&torch.root),
    )
}
