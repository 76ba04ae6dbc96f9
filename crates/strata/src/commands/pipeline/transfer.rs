//! `strata push`, `fetch` and `pull`.

use strata_pipeline::remote::{Cloud, Transferred};
use strata_pipeline::{PipelineError, Project};

use super::{chosen, open};
use crate::exit::{Ended, Failure};
use crate::output;
use crate::pipeline_cli::TransferArgs;

pub(crate) fn push(args: &TransferArgs) -> Result<Ended, Failure> {
    let project = open()?;
    let _lock = project.repository.lock()?;
    let done = cloud(&project, args)?.push(&chosen(&project, &args.targets)?, args.run_cache)?;
    end(args, "push", &done)
}

pub(crate) fn fetch(args: &TransferArgs) -> Result<Ended, Failure> {
    let project = open()?;
    let _lock = project.repository.lock()?;
    let done = cloud(&project, args)?.fetch(&chosen(&project, &args.targets)?, args.run_cache)?;
    end(args, "fetch", &done)
}

pub(crate) fn pull(args: &TransferArgs) -> Result<Ended, Failure> {
    let project = open()?;
    let _lock = project.repository.lock()?;
    let targets = chosen(&project, &args.targets)?;
    let mut done = cloud(&project, args)?.fetch(&targets, args.run_cache)?;
    let checked_out = project.checkout(&args.targets, args.force)?;
    let unknown = targets
        .iter()
        .flat_map(|&stage| &project.stages[stage].outs)
        .filter(|out| out.is_cached && out.locked.is_none());
    let unknown = unknown.map(|out| project.display(&out.at));
    for path in checked_out.failed.into_iter().chain(unknown) {
        if !done.missing.contains(&path) {
            done.missing.push(path);
        }
    }
    end(args, "pull", &done)
}

fn cloud<'a>(project: &'a Project, args: &TransferArgs) -> Result<Cloud<'a>, PipelineError> {
    Cloud::open(project, args.remote.as_deref())
}

fn end(args: &TransferArgs, verb: &'static str, done: &Transferred) -> Result<Ended, Failure> {
    if !done.missing.is_empty() {
        return Err(PipelineError::NotTransferred {
            verb,
            count: done.missing.len(),
            paths: done.missing.join("\n"),
        }
        .into());
    }
    if !args.quiet {
        output::print(&match (done.moved, verb) {
            (0, _) => "Everything is up to date.\n".to_owned(),
            (1, "push") => "1 file pushed\n".to_owned(),
            (n, "push") => format!("{n} files pushed\n"),
            (1, _) => "1 file fetched\n".to_owned(),
            (n, _) => format!("{n} files fetched\n"),
        })?;
    }
    Ok(Ended::Done)
}
