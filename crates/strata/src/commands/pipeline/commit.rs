//! `strata commit`.

use super::{chosen, open};
use crate::exit::{Ended, Failure};
use crate::pipeline_cli::CommitArgs;

pub(crate) fn run(args: &CommitArgs) -> Result<Ended, Failure> {
    let project = open()?;
    let _lock = project.repository.lock()?;
    for stage in chosen(&project, &args.targets)? {
        project.commit(stage, args.force)?;
    }
    project.repository.save_state();
    Ok(Ended::Done)
}
