//! `strata train`: one job, or the jobs of a sweep; or what would be run, printed.

mod job;
mod multirun;
mod show;

use strata_config::Composition;

use crate::cli::TrainArgs;
use crate::commands::completion;
use crate::exit::{Ended, Failure};
use crate::{interrupt, output, warn};

/// The job's name, unless `hydra.job.name` says another.
const JOB_NAME: &str = "train";

pub(crate) fn run(args: &TrainArgs) -> Result<Ended, Failure> {
    args.check_flags()?;
    if args.shell_completion {
        return completion::run(&args.compose.overrides);
    }
    if args.hydra_help {
        output::print(&show::hydra_help())?;
        return Ok(Ended::Done);
    }
    let composition = compose(args, None)?;
    warn::of_composition(&composition);
    if let Some(text) = show::instead(args, &composition)? {
        output::print(&text)?;
        // Resolvers may have had something to say while the text was made.
        warn::of_composition(&composition);
        return Ok(Ended::Done);
    }
    let multirun = composition.is_multirun()?;
    if args.dry_run {
        output::print(&multirun::dry_run(&composition, multirun)?)?;
        return Ok(Ended::Done);
    }
    let interrupted = interrupt::flag()?;
    // Hydra notes down which of the two it was, unless the user did.
    let mode = if multirun { "MULTIRUN" } else { "RUN" };
    let said = composition.select("hydra.mode")?;
    let composition = if said.as_ref().and_then(strata_config::Node::as_str) == Some(mode) {
        composition
    } else {
        compose(args, Some(format!("hydra.mode={mode}")))?
    };
    if multirun {
        multirun::run(args, composition, &interrupted)
    } else {
        job::run(args, composition, &interrupted)
    }
}

fn compose(args: &TrainArgs, further: Option<String>) -> Result<Composition, Failure> {
    let mut request = args.compose.request(JOB_NAME);
    request.multirun = args.multirun;
    request.overrides.extend(further);
    Ok(strata_config::compose(&request)?)
}
