//! `strata root`.

use std::path::Path;

use clap::Args;
use strata_pipeline::Repository;

use super::volume::Volume;
use crate::exit::{Ended, Failure};
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct RootArgs {
    #[command(flatten)]
    volume: Volume,
}

pub(crate) fn run(args: &RootArgs) -> Result<Ended, Failure> {
    args.volume.apply();
    let repository = Repository::open(Path::new("."))?;
    output::print(&format!("{}\n", repository.display(&repository.root)))?;
    Ok(Ended::Done)
}
