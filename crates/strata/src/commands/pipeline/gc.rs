//! `strata gc`.

use std::path::PathBuf;

use clap::Args;
use strata_pipeline::{PipelineError, Project, Repository};

use super::volume::Volume;
use super::{confirmed, open, open_at, warn};
use crate::exit::{Ended, Failure};
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata gc -w                  keep what the files of the workspace name
  strata gc -w --dry            show what would be removed
  strata gc --rev main -n 5     keep what the last five commits name as well
  strata gc -a -T --date 2026-01-31")]
pub(crate) struct GcArgs {
    /// Keep what the workspace names; all other choices do as well
    #[arg(short, long)]
    workspace: bool,
    /// Keep what a commit names
    #[arg(long, value_name = "COMMIT")]
    rev: Vec<String>,
    /// With --rev or --all-branches: so many commits of each, the newest first [default: 1]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    num: Option<u32>,
    /// Keep what the tips of all branches name
    #[arg(short = 'a', long)]
    all_branches: bool,
    /// Keep what all tags name
    #[arg(short = 'T', long)]
    all_tags: bool,
    /// Keep what all commits name
    #[arg(short = 'A', long)]
    all_commits: bool,
    /// Keep what the commits of this day and later name
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: Option<String>,
    /// Keep what DVC's experiments name
    #[arg(long)]
    all_experiments: bool,
    /// Leave out commits whose files cannot be read
    #[arg(long)]
    skip_failed: bool,
    /// Do not ask
    #[arg(short, long)]
    force: bool,
    /// Taken for the sake of scripts; removing is fast enough
    #[arg(short, long, value_name = "N", hide = true)]
    jobs: Option<usize>,
    /// Keep what other projects name that share the cache
    #[arg(short = 'p', long, value_name = "FOLDER", num_args = 1..)]
    projects: Vec<PathBuf>,
    /// Print what would be removed, remove nothing
    #[arg(long)]
    dry: bool,
    #[command(flatten)]
    volume: Volume,
}

pub(crate) fn run(args: &GcArgs) -> Result<Ended, Failure> {
    args.volume.apply();
    let project = open()?;
    args.check()?;
    let question = "Everything that is not named is removed from the cache. Go on?";
    if !args.dry && !args.force && !confirmed(question) {
        return Ok(Ended::Differs);
    }
    let _lock = project.repository.lock()?;
    let others = others(args, &project)?;
    let count = if args.dry {
        let garbage = project.garbage(&others)?;
        let cache = &project.repository.cache;
        let lines = garbage
            .iter()
            .map(|md5| format!("Removing {}\n", cache.path(md5).display()));
        output::print(&lines.collect::<String>())?;
        garbage.len()
    } else {
        project.collect_garbage(&others)?
    };
    output::print(&if count == 0 {
        "No unused 'local' cache to remove.\n".to_owned()
    } else {
        format!("Removed {count} objects from repo cache.\n")
    })?;
    Ok(Ended::Done)
}

impl GcArgs {
    fn check(&self) -> Result<(), PipelineError> {
        let says_what_stays = self.workspace
            || self.all_branches
            || self.all_tags
            || self.all_commits
            || self.all_experiments
            || self.date.is_some()
            || !self.rev.is_empty();
        let why = if !says_what_stays {
            "Either of `-w|--workspace`, `-a|--all-branches`, `-T|--all-tags` `--all-experiments`, `--all-commits`, `--date` or `--rev` needs to be set."
        } else if self.num.is_some() && self.rev.is_empty() && !self.all_branches {
            "`--num` can only be used alongside `--rev` or `--all-branches`"
        } else if self.date.as_deref().is_some_and(|date| !is_date(date)) {
            "`--date` needs a day like 2026-01-31"
        } else {
            return Ok(());
        };
        Err(PipelineError::CannotEdit {
            why: why.to_owned(),
        })
    }

    /// The choices of `git rev-list` whose commits stay.
    fn choices(&self) -> Vec<Vec<String>> {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        let mut choices: Vec<Vec<String>> = Vec::new();
        if self.all_commits {
            choices.push(words(&["--all"]));
        }
        if self.all_tags {
            choices.push(words(&["--no-walk", "--tags"]));
        }
        if self.all_experiments {
            choices.push(words(&["--no-walk", "--glob=refs/exps"]));
        }
        if let Some(date) = &self.date {
            let since = format!("--since={date}T00:00:00");
            choices.push(words(&["--all", &since]));
        }
        let count = format!("--max-count={}", self.num.unwrap_or(1));
        choices.extend(self.rev.iter().map(|commit| words(&[&count, commit])));
        choices
    }
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let is_number = |part: &str| part.bytes().all(|digit| digit.is_ascii_digit());
    let lengths = parts.iter().map(|part| part.len());
    lengths.eq([4, 2, 2]) && parts.iter().all(|part| is_number(part))
}

/// The project at the commits that stay, and the other projects.
fn others(args: &GcArgs, project: &Project) -> Result<Vec<Project>, PipelineError> {
    let mut others = Vec::new();
    for commit in commits(args, project)? {
        match open_at(&commit) {
            Ok(other) => others.push(other),
            Err(error) if args.skip_failed => {
                warn(&format!("commit {commit} is left out: {error}"));
            }
            Err(error) => return Err(error),
        }
    }
    for folder in &args.projects {
        let repository = Repository::open(folder)?;
        others.push(Project::load(repository, Box::new(warn))?);
    }
    Ok(others)
}

fn commits(args: &GcArgs, project: &Project) -> Result<Vec<String>, PipelineError> {
    let Some(git) = &project.repository.git else {
        return Ok(Vec::new());
    };
    let mut choices = args.choices();
    if args.all_branches {
        let count = format!("--max-count={}", args.num.unwrap_or(1));
        let branches = git.tips("refs/heads")?.into_iter();
        choices.extend(branches.map(|(commit, _)| vec![count.clone(), commit]));
    }
    let mut commits = Vec::new();
    for choice in choices {
        let words: Vec<&str> = choice.iter().map(String::as_str).collect();
        commits.extend(git.commits(&words)?);
    }
    commits.sort();
    commits.dedup();
    Ok(commits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_a_year_a_month_and_a_day() {
        assert!(is_date("2026-01-31"));
        for text in ["", "2026-1-31", "31-01-2026", "2026-01", "2026-01-3x"] {
            assert!(!is_date(text), "{text}");
        }
    }
}
