//! `strata init`.

use std::path::{Path, PathBuf};

use clap::Args;
use strata_pipeline::Repository;

use super::volume::Volume;
use crate::exit::{Ended, Failure};
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata init                   in a Git repository
  strata init --subdir          in a folder of one
  strata init --no-scm          without Git")]
pub(crate) struct InitArgs {
    /// The folder [default: the current one]
    directory: Option<PathBuf>,
    /// Do without Git
    #[arg(long)]
    no_scm: bool,
    /// Replace what is there already, the cache included
    #[arg(short, long)]
    force: bool,
    /// Take a folder within a Git repository for the project
    #[arg(long, conflicts_with = "no_scm")]
    subdir: bool,
    #[command(flatten)]
    volume: Volume,
}

pub(crate) fn run(args: &InitArgs) -> Result<Ended, Failure> {
    args.volume.apply();
    let folder = args.directory.as_deref().unwrap_or(Path::new("."));
    Repository::initiate(folder, args.no_scm, args.subdir, args.force)?;
    output::print("Initialized DVC repository.\n")?;
    if !args.no_scm {
        output::print("\nYou can now commit the changes to git.\n")?;
    }
    Ok(Ended::Done)
}
