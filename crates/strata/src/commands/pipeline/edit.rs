//! `strata freeze`, `unfreeze`, `remove`, `unprotect` and `move`.

use clap::Args;
use strata_pipeline::{PipelineError, Project};

use super::open;
use super::volume::Volume;
use crate::exit::{Ended, Failure};

#[derive(Debug, Args)]
pub(crate) struct StagesArgs {
    /// Stages and .dvc files
    #[arg(required = true)]
    targets: Vec<String>,
    #[command(flatten)]
    volume: Volume,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata remove train           the stage; what it made stays
  strata remove raw.csv.dvc --outs")]
pub(crate) struct RemoveArgs {
    /// Stages and .dvc files
    #[arg(required = true)]
    targets: Vec<String>,
    /// What they made or track as well; the cache keeps it
    #[arg(long)]
    outs: bool,
    #[command(flatten)]
    volume: Volume,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata unprotect data/raw     before a file is edited that is a link into the cache")]
pub(crate) struct UnprotectArgs {
    /// Tracked files and folders
    #[arg(required = true)]
    targets: Vec<String>,
    #[command(flatten)]
    volume: Volume,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata move data.csv raw/")]
pub(crate) struct MoveArgs {
    /// A tracked file or folder
    source: String,
    /// Its new place, or a folder
    destination: String,
    #[command(flatten)]
    volume: Volume,
}

pub(crate) fn freeze(args: &StagesArgs) -> Result<Ended, Failure> {
    args.volume.apply();
    for_each(&args.targets, |project, target| {
        project.set_frozen(target, true)
    })
    .map_err(caught)
}

pub(crate) fn unfreeze(args: &StagesArgs) -> Result<Ended, Failure> {
    args.volume.apply();
    for_each(&args.targets, |project, target| {
        project.set_frozen(target, false)
    })
    .map_err(caught)
}

pub(crate) fn remove(args: &RemoveArgs) -> Result<Ended, Failure> {
    args.volume.apply();
    let remove = |project: &Project, target: &str| project.remove_stages(target, args.outs);
    Ok(for_each(&args.targets, remove)?)
}

pub(crate) fn unprotect(args: &UnprotectArgs) -> Result<Ended, Failure> {
    args.volume.apply();
    Ok(for_each(&args.targets, Project::unprotect)?)
}

pub(crate) fn move_data(args: &MoveArgs) -> Result<Ended, Failure> {
    args.volume.apply();
    let mut project = open()?;
    let _lock = project.repository.lock()?;
    let (from, to) = (project.path(&args.source), project.path(&args.destination));
    project.move_data(&from, &to)?;
    project.repository.save_state();
    Ok(Ended::Done)
}

/// DVC catches the errors of freezing itself.
fn caught(error: PipelineError) -> Failure {
    match error.exit_code() {
        255 => Failure::Pipeline(Box::new(error), 1),
        code => Failure::Pipeline(Box::new(error), code),
    }
}

fn for_each(
    targets: &[String],
    work: impl Fn(&Project, &str) -> Result<(), PipelineError>,
) -> Result<Ended, PipelineError> {
    let project = open()?;
    let _lock = project.repository.lock()?;
    for target in targets {
        work(&project, target)?;
    }
    Ok(Ended::Done)
}
