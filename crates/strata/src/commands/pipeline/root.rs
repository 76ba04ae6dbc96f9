//! `strata root`.

use std::path::Path;

use strata_pipeline::Repository;

use crate::exit::{Ended, Failure};
use crate::output;

pub(crate) fn run() -> Result<Ended, Failure> {
    let repository = Repository::open(Path::new("."))?;
    output::print(&format!("{}\n", repository.display(&repository.root)))?;
    Ok(Ended::Done)
}
