//! `strata push`, `fetch` and `pull`.

use std::fmt::Write as _;
use std::sync::atomic::AtomicBool;

use clap::Args;
use strata_pipeline::project::checkout::CheckoutOptions;
use strata_pipeline::remote::{Cloud, RemoteError, Transferred};
use strata_pipeline::{PipelineError, Project};

use super::extent::ExtentArgs;
use super::open;
use super::volume::Volume;
use crate::exit::{Ended, Failure};
use crate::interrupt;
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata push                   send what the remote lacks
  strata pull -r storage train  bring and check out the outputs of one stage")]
pub(crate) struct TransferArgs {
    /// Stages, .dvc files and outputs; without any everything
    pub(crate) targets: Vec<String>,
    #[command(flatten)]
    extent: ExtentArgs,
    /// The remote [default: `core.remote` of the settings]
    #[arg(short, long)]
    pub(crate) remote: Option<String>,
    /// Kept runs as well
    #[arg(long)]
    pub(crate) run_cache: bool,
    /// Files at a time [default: `jobs` of the remote, or 4 for each core]
    #[arg(short, long, value_name = "N")]
    pub(crate) jobs: Option<std::num::NonZeroUsize>,
    /// With pull: replace files whose contents are nowhere else
    #[arg(short, long)]
    pub(crate) force: bool,
    #[command(flatten)]
    volume: Volume,
}

/// Of a long list of files so many are named.
const MOST_LINES: usize = 50;

pub(crate) fn push(args: &TransferArgs) -> Result<Ended, Failure> {
    args.volume.apply();
    let (project, stop) = (open()?, interrupt::flag()?);
    let _lock = project.repository.lock()?;
    let cloud = cloud(&project, args, &stop)?;
    let done = cloud.push(
        &project.select(&args.targets, args.extent.into())?,
        args.run_cache,
    )?;
    end("push", &done)
}

pub(crate) fn fetch(args: &TransferArgs) -> Result<Ended, Failure> {
    args.volume.apply();
    let (project, stop) = (open()?, interrupt::flag()?);
    let _lock = project.repository.lock()?;
    let cloud = cloud(&project, args, &stop)?;
    let done = cloud.fetch(
        &project.select(&args.targets, args.extent.into())?,
        args.run_cache,
    )?;
    end("fetch", &done)
}

pub(crate) fn pull(args: &TransferArgs) -> Result<Ended, Failure> {
    args.volume.apply();
    let (project, stop) = (open()?, interrupt::flag()?);
    let _lock = project.repository.lock()?;
    let targets = project.select(&args.targets, args.extent.into())?;
    let mut done = cloud(&project, args, &stop)?.fetch(&targets, args.run_cache)?;
    let options = CheckoutOptions {
        force: args.force,
        extent: args.extent.into(),
        ..CheckoutOptions::default()
    };
    let checked_out = project.checkout(&args.targets, options)?;
    let unknown = targets
        .iter()
        .flat_map(|&stage| &project.stages[stage].outs)
        .filter(|out| out.is_cached && out.locked.is_none());
    let unknown = unknown.map(|out| project.display(&out.at));
    for path in checked_out.failed.into_iter().chain(unknown) {
        let is_told = done.failed.iter().any(|(failed, _)| {
            let below = failed.strip_prefix(&path);
            below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
        });
        if !done.missing.contains(&path) && !is_told {
            done.missing.push(path);
        }
    }
    end("pull", &done)
}

fn cloud<'a>(
    project: &'a Project,
    args: &TransferArgs,
    stop: &'a AtomicBool,
) -> Result<Cloud<'a>, PipelineError> {
    let jobs = args.jobs.map(std::num::NonZeroUsize::get);
    Cloud::open(project, args.remote.as_deref(), jobs, stop)
}

fn end(verb: &'static str, done: &Transferred) -> Result<Ended, Failure> {
    let is_whole = done.missing.is_empty() && done.failed.is_empty();
    if is_whole || done.moved > 0 {
        output::print(&match (done.moved, verb) {
            (0, _) => "Everything is up to date.\n".to_owned(),
            (1, "push") => "1 file pushed\n".to_owned(),
            (n, "push") => format!("{n} files pushed\n"),
            (1, _) => "1 file fetched\n".to_owned(),
            (n, _) => format!("{n} files fetched\n"),
        })?;
    }
    if is_whole {
        return Ok(Ended::Done);
    }
    let why = what_is_not_there(&done.missing, &done.failed);
    Err(PipelineError::NotTransferred { verb, why }.into())
}

fn what_is_not_there(missing: &[String], failed: &[(String, RemoteError)]) -> String {
    let mut parts = Vec::new();
    if !missing.is_empty() {
        let lines = missing.iter().cloned();
        parts.push(part(missing.len(), "missing", lines));
    }
    if !failed.is_empty() {
        let lines = failed
            .iter()
            .map(|(path, error)| format!("{path}: {error}"));
        parts.push(part(
            failed.len(),
            "not transferred; the same command tries them again",
            lines,
        ));
    }
    parts.join("\n")
}

fn part(count: usize, what: &str, lines: impl Iterator<Item = String>) -> String {
    let (noun, verb) = if count == 1 {
        ("file", "is")
    } else {
        ("files", "are")
    };
    let mut text = format!("{count} {noun} {verb} {what}:");
    for line in lines.take(MOST_LINES) {
        let _ = write!(text, "\n{line}");
    }
    if count > MOST_LINES {
        let _ = write!(text, "\n… and {} more", count - MOST_LINES);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut() {
        let missing: Vec<String> = (0..52).map(|number| format!("f{number}")).collect();
        let text = what_is_not_there(&missing, &[("a".to_owned(), RemoteError::GivenUp)]);
        assert!(text.starts_with("52 files are missing:\nf0\n"), "{text}");
        assert!(
            text.contains("f49\n… and 2 more\n1 file is not transferred"),
            "{text}"
        );
    }
}
