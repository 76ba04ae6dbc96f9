//! `strata push`, `fetch` and `pull`.

use clap::Args;
use std::fmt::Write as _;

use strata_pipeline::remote::{Cloud, RemoteError, Transferred};
use strata_pipeline::stage::Output;
use strata_pipeline::{PipelineError, Project};

use super::progress::TransferProgress;
use super::volume::Volume;
use super::{chosen, open};
use crate::exit::{Ended, Failure};
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata push                   send what the remote lacks
  strata pull -r storage train  bring and check out the outputs of one stage")]
pub(crate) struct TransferArgs {
    /// Stages and .dvc files; without any everything
    pub(crate) targets: Vec<String>,
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
    let (project, progress) = (
        open()?,
        TransferProgress::new("Pushing", args.volume.quiet)?,
    );
    let _lock = project.repository.lock()?;
    let cloud = cloud(&project, args, &progress)?;
    let done = cloud.push(&stages_of(&project, &args.targets)?, args.run_cache);
    end(args, "push", progress.cleared(done)?)
}

pub(crate) fn fetch(args: &TransferArgs) -> Result<Ended, Failure> {
    args.volume.apply();
    let (project, progress) = (
        open()?,
        TransferProgress::new("Fetching", args.volume.quiet)?,
    );
    let _lock = project.repository.lock()?;
    let cloud = cloud(&project, args, &progress)?;
    let done = cloud.fetch(&stages_of(&project, &args.targets)?, args.run_cache);
    end(args, "fetch", progress.cleared(done)?)
}

pub(crate) fn pull(args: &TransferArgs) -> Result<Ended, Failure> {
    args.volume.apply();
    let (project, progress) = (
        open()?,
        TransferProgress::new("Fetching", args.volume.quiet)?,
    );
    let _lock = project.repository.lock()?;
    let targets = stages_of(&project, &args.targets)?;
    let fetched = cloud(&project, args, &progress)?.fetch(&targets, args.run_cache);
    let mut done = progress.cleared(fetched)?;
    let checked_out = project.checkout(&args.targets, args.force)?;
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
    end(args, "pull", done)
}

/// The stages of some targets, which may be paths of outputs; all without any.
fn stages_of(project: &Project, targets: &[String]) -> Result<Vec<usize>, PipelineError> {
    if targets.is_empty() {
        return chosen(project, targets);
    }
    let mut stages = Vec::new();
    for target in targets {
        match project.stages_of_target(target) {
            Ok(found) => stages.extend(found),
            Err(error) => match stage_of_output(project, target) {
                Some(stage) => stages.push(stage),
                None => return Err(error),
            },
        }
    }
    Ok(stages)
}

fn stage_of_output(project: &Project, target: &str) -> Option<usize> {
    let target = target.trim_end_matches('/');
    let has_output = |outs: &[Output]| outs.iter().any(|out| project.display(&out.at) == target);
    project
        .stages
        .iter()
        .position(|stage| has_output(&stage.outs))
}

fn cloud<'a>(
    project: &'a Project,
    args: &TransferArgs,
    progress: &'a TransferProgress,
) -> Result<Cloud<'a>, PipelineError> {
    let jobs = args.jobs.map(std::num::NonZeroUsize::get);
    Cloud::open(project, args.remote.as_deref(), jobs, progress)
}

fn end(args: &TransferArgs, verb: &'static str, done: Transferred) -> Result<Ended, Failure> {
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
