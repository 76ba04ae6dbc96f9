//! `strata sweep-worker`, which a sweep starts itself: a part of it, in a process of its own.

use anyhow::Context;
use strata_sweep::WorkerRequest;

use crate::cli::SweepWorkerArgs;
use crate::compose_args::embedded_conf;
use crate::exit::{Ended, Failure};
use crate::interrupt;

pub(crate) fn run(args: &SweepWorkerArgs) -> Result<Ended, Failure> {
    let request = WorkerRequest::from_argument(&args.request)
        .context("this command is for `strata train -m` to call")
        .map_err(Failure::Usage)?;
    let interrupted = interrupt::flag()?;
    Ended::of_sweep(strata_sweep::work(&request, embedded_conf(), &interrupted))
}
