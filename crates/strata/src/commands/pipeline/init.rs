//! `strata init`.

use std::path::Path;

use strata_pipeline::Repository;

use crate::exit::{Ended, Failure};
use crate::output;
use crate::pipeline_cli::InitArgs;

pub(crate) fn run(args: &InitArgs) -> Result<Ended, Failure> {
    Repository::initiate(Path::new("."), args.no_scm, args.force)?;
    if !args.quiet {
        output::print("Initialized DVC repository.\n")?;
        if !args.no_scm {
            output::print("\nYou can now commit the changes to git.\n")?;
        }
    }
    Ok(Ended::Done)
}
