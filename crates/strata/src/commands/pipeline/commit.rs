//! `strata commit`.

use clap::Args;

use super::extent::ExtentArgs;
use super::open;
use super::volume::Volume;
use crate::exit::{Ended, Failure};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata commit                 keep what `strata repro --no-commit` made
  strata commit -f train        take what is there as what the stage made")]
pub(crate) struct CommitArgs {
    /// Stages, .dvc files and outputs; without any everything
    targets: Vec<String>,
    /// Also where command, dependencies or outputs have changed
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    extent: ExtentArgs,
    #[command(flatten)]
    volume: Volume,
}

pub(crate) fn run(args: &CommitArgs) -> Result<Ended, Failure> {
    args.volume.apply();
    let project = open()?;
    let _lock = project.repository.lock()?;
    for stage in project.select(&args.targets, args.extent.into())? {
        project.commit(stage, args.force)?;
    }
    project.repository.save_state();
    Ok(Ended::Done)
}
