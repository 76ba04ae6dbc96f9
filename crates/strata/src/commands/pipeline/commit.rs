//! `strata commit`.

use clap::Args;
use strata_pipeline::PipelineError;

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
    commit(args).map_err(Failure::caught)
}

fn commit(args: &CommitArgs) -> Result<Ended, Failure> {
    let project = open()?;
    let _lock = project.repository.lock()?;
    let commit = |targets: &[String]| -> Result<(), PipelineError> {
        for stage in project.select(targets, args.extent.into())? {
            project.commit(stage, args.force)?;
        }
        Ok(())
    };
    if args.targets.is_empty() {
        commit(&[]).map_err(|error| failed("", error))?;
    }
    for target in &args.targets {
        let committed = commit(std::slice::from_ref(target));
        committed.map_err(|error| failed(&format!(" {target}"), error))?;
    }
    project.repository.save_state();
    Ok(Ended::Done)
}

fn failed(target: &str, source: PipelineError) -> PipelineError {
    PipelineError::Commit {
        target: target.to_owned(),
        source: Box::new(source),
    }
}
