//! `-d` and `-R`, which DVC's commands on targets have.

use clap::Args;
use strata_pipeline::project::targets::Extent;

/// What is meant beside the targets themselves.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct ExtentArgs {
    /// What the targets depend on as well
    #[arg(short = 'd', long)]
    with_deps: bool,
    /// Of a folder everything below it
    #[arg(short = 'R', long)]
    recursive: bool,
}

impl From<ExtentArgs> for Extent {
    fn from(args: ExtentArgs) -> Self {
        Self {
            with_deps: args.with_deps,
            recursive: args.recursive,
        }
    }
}
