//! `strata freeze`, `unfreeze`, `remove` and `move`.

use strata_pipeline::{PipelineError, Project};

use super::open;
use crate::exit::{Ended, Failure};
use crate::pipeline_cli::{MoveArgs, StagesArgs};

pub(crate) fn freeze(args: &StagesArgs) -> Result<Ended, Failure> {
    for_each(args, |project, target| project.set_frozen(target, true)).map_err(caught)
}

pub(crate) fn unfreeze(args: &StagesArgs) -> Result<Ended, Failure> {
    for_each(args, |project, target| project.set_frozen(target, false)).map_err(caught)
}

pub(crate) fn remove(args: &StagesArgs) -> Result<Ended, Failure> {
    Ok(for_each(args, Project::remove_stages)?)
}

pub(crate) fn move_data(args: &MoveArgs) -> Result<Ended, Failure> {
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
    args: &StagesArgs,
    work: impl Fn(&Project, &str) -> Result<(), PipelineError>,
) -> Result<Ended, PipelineError> {
    let project = open()?;
    let _lock = project.repository.lock()?;
    for target in &args.targets {
        work(&project, target)?;
    }
    Ok(Ended::Done)
}
