//! Developer tasks, run as `cargo xtask TASK`.
//!
//! * `test` is the README's test command and all that CI runs.
//! * `interop` exchanges state dicts with torch, and gives jobs to a real Slurm.
//! * `bench` measures training epochs side by side with `PyTorch`, `bench-pipeline` DVC's commands with DVC.

mod bench;
mod interop;
mod peers;
mod test;

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};
use clap::{Args, Parser};

/// Developer tasks of strata
#[derive(Parser)]
#[command(name = "cargo xtask")]
enum Task {
    /// Check the formatting, run the lints, all tests and the conformance cases
    Test,
    /// Measure training epochs side by side with `PyTorch`
    Bench(bench::training::Options),
    /// Measure the commands of pipelines side by side with DVC
    BenchPipeline(bench::pipeline::Options),
    /// Exchange state dicts with `PyTorch`, both ways, and run jobs on a real Slurm
    Interop(Torch),
}

/// What every comparison with torch needs.
#[derive(Args)]
struct Torch {
    /// Python interpreter with torch and numpy
    #[arg(long)]
    python: PathBuf,
    /// Folder that holds EMNIST/raw/
    #[arg(long)]
    root: PathBuf,
}

fn main() -> ExitCode {
    let done = match Task::parse() {
        Task::Test => test::run(),
        Task::Bench(options) => bench::training::run(&options),
        Task::BenchPipeline(options) => bench::pipeline::run(&options),
        Task::Interop(options) => interop::run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace.
fn workspace() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest
        .parent()
        .expect("xtask lies in the workspace")
        .to_owned()
}

/// The binary of strata as Cargo leaves it, `debug` or `release`.
fn binary(profile: &str) -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR");
    let target = target.map_or_else(|| workspace().join("target"), Into::into);
    target.join(profile).join("strata")
}

/// Runs a command in the workspace, its output shown, and fails if it fails.
fn must(command: &mut Command) -> anyhow::Result<()> {
    eprintln!("+ {command:?}");
    let status = command
        .current_dir(workspace())
        .status()
        .with_context(|| format!("cannot start {command:?}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn what_can_be_typed_is_consistent() {
        super::Task::command().debug_assert();
    }
}
