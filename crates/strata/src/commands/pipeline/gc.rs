//! `strata gc`.

use strata_pipeline::{PipelineError, Project};

use super::{confirmed, open, open_at};
use crate::exit::{Ended, Failure};
use crate::output;
use crate::pipeline_cli::GcArgs;

pub(crate) fn run(args: &GcArgs) -> Result<Ended, Failure> {
    let project = open()?;
    let keeps_commits =
        args.all_commits || args.all_branches || args.all_tags || !args.rev.is_empty();
    if !args.workspace && !keeps_commits {
        return Err(PipelineError::CannotEdit {
            why: "say what is to be kept: `-w` what the workspace names, `-a`, `-T`, `-A` what branches, tags, \
                  all commits name, `--rev COMMIT` what one names"
                .to_owned(),
        }
        .into());
    }
    if !args.force && !confirmed("Everything that is not named is removed from the cache. Go on?") {
        return Ok(Ended::Done);
    }
    let _lock = project.repository.lock()?;
    let mut others = Vec::new();
    for commit in commits(args, &project)? {
        others.push(open_at(&commit)?);
    }
    let removed = project.collect_garbage(&others)?;
    if !args.quiet {
        output::print(&if removed == 0 {
            "No unused 'local' cache to remove.\n".to_owned()
        } else {
            format!("Removed {removed} objects from repo cache.\n")
        })?;
    }
    Ok(Ended::Done)
}

/// The commits whose objects stay.
fn commits(args: &GcArgs, project: &Project) -> Result<Vec<String>, PipelineError> {
    let Some(git) = &project.repository.git else {
        return Ok(Vec::new());
    };
    let mut choices: Vec<Vec<&str>> = Vec::new();
    if args.all_commits {
        choices.push(vec!["--all"]);
    }
    if args.all_branches {
        choices.push(vec!["--no-walk", "--branches"]);
    }
    if args.all_tags {
        choices.push(vec!["--no-walk", "--tags"]);
    }
    choices.extend(
        args.rev
            .iter()
            .map(|revision| vec!["--no-walk", revision.as_str()]),
    );
    let mut commits = Vec::new();
    for choice in choices {
        commits.extend(git.commits(&choice)?);
    }
    commits.sort();
    commits.dedup();
    Ok(commits)
}
