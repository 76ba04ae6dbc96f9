//! `strata add`.

use std::fmt::Write as _;

use super::open;
use crate::exit::{Ended, Failure};
use crate::output;
use crate::pipeline_cli::AddArgs;

pub(crate) fn run(args: &AddArgs) -> Result<Ended, Failure> {
    let mut project = open()?;
    let _lock = project.repository.lock()?;
    let mut files = String::new();
    for target in &args.targets {
        let path = project.path(target);
        let file = project.add(&path)?;
        let _ = write!(files, " {}", project.display(&file));
    }
    project.repository.save_state();
    if !args.quiet && project.repository.git.is_some() {
        output::print(&format!(
            "\nTo track the changes with git, run:\n\n\tgit add{files}\n"
        ))?;
    }
    Ok(Ended::Done)
}
