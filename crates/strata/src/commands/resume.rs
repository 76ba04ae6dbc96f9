//! `strata resume`: a run, or a sweep.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use strata_experiment::{
    ExperimentError, ResumeError, ResumeRequest, RunFailure, Supervision, newest_interrupted,
};
use strata_sweep::{Failed, Sweep, SweepRecord, SweepState, newest_interrupted_sweep};

use crate::cli::ResumeArgs;
use crate::compose_args::embedded_conf;
use crate::exit::{Ended, Failure};
use crate::interrupt;

/// Where runs and sweeps are, unless `hydra.run.dir` and `hydra.sweep.dir` said otherwise.
const RUNS: &str = "runs";
const SWEEPS: &str = "multirun";

pub(crate) fn run(args: &ResumeArgs) -> Result<Ended, Failure> {
    let directory = match &args.run {
        Some(directory) => directory.clone(),
        None => newest()?,
    };
    match SweepRecord::read(&directory)? {
        Some(record) => resume_sweep(args, &directory, &record),
        None => resume_run(args, directory),
    }
}

/// The newest run or sweep that was interrupted or killed.
fn newest() -> Result<PathBuf, Failure> {
    let run = newest_interrupted(Path::new(RUNS));
    let sweeps = [SWEEPS, RUNS].map(Path::new);
    let sweep = sweeps
        .into_iter()
        .filter_map(newest_interrupted_sweep)
        .max();
    let newest = run.into_iter().chain(sweep).max();
    let (_, directory) = newest.ok_or_else(|| {
        Failure::Usage(anyhow!(
            "there is no interrupted run or sweep below `{RUNS}` and `{SWEEPS}`; name its directory"
        ))
    })?;
    Ok(directory)
}

fn resume_sweep(
    args: &ResumeArgs,
    directory: &Path,
    record: &SweepRecord,
) -> Result<Ended, Failure> {
    if args.threads.is_some() {
        return Err(Failure::Usage(anyhow!(
            "--threads is for a run; a sweep divides the cores among its jobs"
        )));
    }
    if record.state == SweepState::Finished && !args.retry_failed {
        anstream::eprintln!(
            "{} is finished: there is nothing to go on with",
            directory.display()
        );
        return Ok(Ended::Done);
    }
    let failed = if args.retry_failed {
        Failed::Retry
    } else {
        Failed::Stay
    };
    let interrupted = interrupt::flag()?;
    let sweep = Sweep::open(directory, embedded_conf(), failed)?;
    Ended::of_sweep(strata_sweep::run(sweep, &interrupted))
}

fn resume_run(args: &ResumeArgs, run: PathBuf) -> Result<Ended, Failure> {
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
