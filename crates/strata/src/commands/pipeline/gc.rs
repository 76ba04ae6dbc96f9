//! `strata gc`.

use std::io::{IsTerminal as _, Write as _};

use strata_pipeline::PipelineError;

use super::open;
use crate::exit::{Ended, Failure};
use crate::output;
use crate::pipeline_cli::GcArgs;

pub(crate) fn run(args: &GcArgs) -> Result<Ended, Failure> {
    let project = open()?;
    if !args.workspace {
        return Err(PipelineError::CannotEdit {
            why: "say what is to be kept: `strata gc -w` keeps what the workspace names".to_owned(),
        }
        .into());
    }
    if !args.force && !confirmed() {
        return Ok(Ended::Done);
    }
    let _lock = project.repository.lock()?;
    let removed = project.collect_garbage()?;
    if !args.quiet {
        output::print(&if removed == 0 {
            "No unused 'local' cache to remove.\n".to_owned()
        } else {
            format!("Removed {removed} objects from repo cache.\n")
        })?;
    }
    Ok(Ended::Done)
}

fn confirmed() -> bool {
    if !std::io::stdin().is_terminal() {
        return false;
    }
    let mut stderr = std::io::stderr();
    let _ = write!(
        stderr,
        "Everything that the workspace does not name is removed from the cache. Go on? [y/n]: "
    );
    let _ = stderr.flush();
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}
