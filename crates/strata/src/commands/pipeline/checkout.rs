//! `strata checkout`.

use clap::Args;
use strata_pipeline::PipelineError;
use strata_pipeline::project::checkout::{CheckedOut, CheckoutOptions};

use super::extent::ExtentArgs;
use super::open;
use super::volume::Volume;
use crate::exit::{Ended, Failure};
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata checkout               after `git checkout`: the data of that version
  strata checkout data/raw/a.csv
  strata checkout --summary -f
  strata checkout --relink      after a change of cache.type")]
pub(crate) struct CheckoutArgs {
    /// Stages, .dvc files, outputs, files in outputs; without any everything
    targets: Vec<String>,
    /// Print how many were added and modified, not which
    #[arg(long)]
    summary: bool,
    #[command(flatten)]
    extent: ExtentArgs,
    /// Replace files whose contents are nowhere else
    #[arg(short, long)]
    force: bool,
    /// Link or copy outputs from the cache again
    #[arg(long)]
    relink: bool,
    /// What the cache does not have is no error
    #[arg(long)]
    allow_missing: bool,
    #[command(flatten)]
    volume: Volume,
}

pub(crate) fn run(args: &CheckoutArgs) -> Result<Ended, Failure> {
    args.volume.apply();
    let project = open()?;
    let _lock = project.repository.lock()?;
    let options = CheckoutOptions {
        force: args.force,
        relink: args.relink,
        extent: args.extent.into(),
    };
    let done = project.checkout(&args.targets, options)?;
    output::print(&if args.summary {
        summary(&done)
    } else {
        list(&done)
    })?;
    if done.failed.is_empty() || args.allow_missing {
        return Ok(Ended::Done);
    }
    let paths = done.failed.join("\n");
    Err(PipelineError::CheckoutFailed { paths }.into())
}

fn list(done: &CheckedOut) -> String {
    let lines = |letter: char, paths: &[String]| {
        let lines = paths.iter().map(|path| format!("{letter}\t{path}\n"));
        lines.collect::<String>()
    };
    lines('M', &done.modified) + &lines('A', &done.added)
}

fn summary(done: &CheckedOut) -> String {
    let count = |paths: &[String], verb: &str| {
        let files = if paths.len() == 1 { "file" } else { "files" };
        (!paths.is_empty()).then(|| format!("{} {files} {verb}", paths.len()))
    };
    let parts = [
        count(&done.modified, "modified"),
        count(&done.added, "added"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        "No changes.\n".to_owned()
    } else {
        parts.join(" and ") + "\n"
    }
}
