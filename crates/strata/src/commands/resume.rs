//! `strata resume`.

use std::path::Path;

use anyhow::anyhow;
use strata_experiment::{
    ExperimentError, ResumeError, ResumeRequest, RunFailure, Supervision, newest_interrupted,
};

use crate::cli::ResumeArgs;
use crate::exit::{Ended, Failure};
use crate::interrupt;

/// Where runs are, unless `hydra.run.dir` said otherwise.
const RUNS: &str = "runs";

pub(crate) fn run(args: &ResumeArgs) -> Result<Ended, Failure> {
    let run = match &args.run {
        Some(run) => run.clone(),
        None => newest_interrupted(Path::new(RUNS)).ok_or_else(|| {
            Failure::Usage(anyhow!(
                "there is no interrupted run below `{RUNS}`; name a run directory"
            ))
        })?,
    };
    let interrupted = interrupt::flag()?;
    let supervision = Supervision {
        threads: args.threads.map(|threads| usize::from(threads.get())),
        ..Supervision::of(&interrupted)
    };
    match strata_experiment::resume(&ResumeRequest { run }, &supervision) {
        // A script that resumes until all is done may ask once more.
        Err(RunFailure::BeforeTheLog(ExperimentError::Resume(
            finished @ ResumeError::Finished { .. },
        ))) => {
            anstream::eprintln!("{finished}");
            Ok(Ended::Done)
        }
        ended => Ended::of_run(ended),
    }
}
