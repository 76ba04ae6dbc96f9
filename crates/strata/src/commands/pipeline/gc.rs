//! `strata gc`.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use clap::Args;
use strata_pipeline::project::Used;
use strata_pipeline::remote::Cloud;
use strata_pipeline::{PipelineError, Project, Repository};

use super::volume::Volume;
use super::{confirmed, open, open_at, warn};
use crate::exit::{Ended, Failure};
use crate::interrupt;
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata gc -w                  keep what the files of the workspace name
  strata gc -w --dry            show what would be removed
  strata gc --rev main -n 5     keep what the last five commits name as well
  strata gc -a -T --date 2026-01-31
  strata gc -w -c -r storage    remove it from a remote as well
  strata gc -w --not-in-remote  remove from the cache what the remote has, too")]
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
    /// Remove what nothing needs from the remote as well
    #[arg(short, long)]
    cloud: bool,
    /// Of what stays keep in the cache only what is not in the remote
    #[arg(long)]
    not_in_remote: bool,
    /// With --cloud or --not-in-remote: the remote [default: `core.remote`, and those that outputs name]
    #[arg(short, long, value_name = "NAME")]
    remote: Option<String>,
    /// Leave out commits whose files cannot be read
    #[arg(long)]
    skip_failed: bool,
    /// Do not ask
    #[arg(short, long)]
    force: bool,
    /// Requests at a time [default: `jobs` of the remote, or 4 for each core]
    #[arg(short, long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
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
    warn(&args.what_goes());
    if !args.dry && !args.force && !confirmed("Are you sure you want to proceed?") {
        return Ok(Ended::Differs);
    }
    let _lock = project.repository.lock()?;
    let others = others(args, &project)?;
    if args.cloud || args.not_in_remote {
        collect_with_remotes(args, &project, &others)?;
    } else {
        collect_in_cache(args, &project, &project.used(&others)?.objects)?;
    }
    Ok(Ended::Done)
}

/// Collects garbage where it matters what remotes have.
fn collect_with_remotes(
    args: &GcArgs,
    project: &Project,
    others: &[Project],
) -> Result<(), Failure> {
    let stop = interrupt::flag()?;
    let projects = [project].into_iter().chain(others);
    let clouds = projects.map(|project| args.cloud_of(project, &stop));
    let clouds: Vec<Cloud<'_>> = clouds.collect::<Result<_, _>>()?;
    for cloud in &clouds {
        cloud.fetch_all_lists()?;
    }
    let used = project.used(others)?;
    args.must_know_all(&used)?;
    if args.not_in_remote {
        let mut only_here = used.objects;
        for cloud in &clouds {
            let present = cloud.present(&only_here)?;
            only_here.retain(|md5| !present.contains(md5));
        }
        return collect_in_cache(args, project, &only_here);
    }
    // Remotes that cannot be listed are an error before anything is gone.
    let garbage = clouds[0].garbage(&used.objects)?;
    collect_in_cache(args, project, &used.objects)?;
    for garbage in garbage {
        let addresses: Vec<String> = garbage.addresses().collect();
        if args.dry {
            print_removals(&addresses)?;
        } else {
            clouds[0].remove(&garbage)?;
        }
        output::print(&match addresses.len() {
            0 => "No unused cache to remove from remote.\n".to_owned(),
            count => format!("Removed {count} objects from remote.\n"),
        })?;
    }
    Ok(())
}

/// Removes all objects of the cache but those that are used.
fn collect_in_cache(
    args: &GcArgs,
    project: &Project,
    used: &HashSet<String>,
) -> Result<(), Failure> {
    let garbage = project.garbage(used)?;
    if args.dry {
        let cache = &project.repository.cache;
        let paths = garbage.iter().map(|md5| cache.path(md5));
        let paths: Vec<String> = paths.map(|path| path.display().to_string()).collect();
        print_removals(&paths)?;
    } else {
        project.remove_objects(&garbage)?;
    }
    output::print(&match garbage.len() {
        0 => "No unused 'repo' cache to remove.\n".to_owned(),
        count => format!("Removed {count} objects from repo cache.\n"),
    })?;
    Ok(())
}

fn print_removals(places: &[String]) -> Result<(), Failure> {
    let lines = places.iter().map(|place| format!("Removing {place}\n"));
    Ok(output::print(&lines.collect::<String>())?)
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
        let why = if self.not_in_remote && self.cloud {
            "`--not-in-remote` and `--cloud` are mutually exclusive"
        } else if !says_what_stays {
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

    /// In the words of DVC, which does not name the remote.
    fn what_goes(&self) -> String {
        let mut text = "This will remove all cache except items used in the workspace".to_owned();
        let count = self.num.unwrap_or(1);
        if self.all_commits {
            text.push_str(" and all git commits");
        } else {
            match (self.all_branches, self.num) {
                (true, Some(count)) => {
                    let _ = write!(text, " and last {count} commits from all git branches");
                }
                (true, None) => text.push_str(" and all git branches"),
                (false, _) => {}
            }
            if self.all_tags {
                text.push_str(" and all git tags");
            }
            if let Some(date) = &self.date {
                let _ = write!(text, " and all git commits from {date} on");
            }
            for commit in &self.rev {
                let _ = write!(text, " and last {count} commits from {commit}");
            }
        }
        if self.all_experiments {
            text.push_str(" and all experiments");
        }
        if self.not_in_remote {
            text.push_str(" that are not present in the DVC remote");
        }
        if self.projects.is_empty() {
            text.push_str(" of the current repo.");
        } else {
            text.push_str(" of the current and the following repos:");
            for folder in &self.projects {
                let _ = write!(text, "\n  - {}", folder.display());
            }
        }
        if self.cloud {
            let remote = self.remote.as_deref().unwrap_or("the default one");
            let _ = write!(text, "\nThe same goes for the remote: {remote}.");
        }
        text
    }

    fn cloud_of<'a>(
        &self,
        project: &'a Project,
        stop: &'a AtomicBool,
    ) -> Result<Cloud<'a>, PipelineError> {
        let jobs = self.jobs.map(NonZeroUsize::get);
        Cloud::open(project, self.remote.as_deref(), jobs, stop).map_err(|error| match error {
            // The exit code that DVC has for it here, other than with `push`.
            PipelineError::NoRemote { folder } => PipelineError::Config {
                why: format!(
                    "no remote specified in {folder}. Create a default remote with\n    strata remote add -d <remote name> <remote url>"
                ),
            },
            error => error,
        })
    }

    /// The files of a folder whose list is lost would be taken for garbage.
    fn must_know_all(&self, used: &Used) -> Result<(), PipelineError> {
        let Some(path) = used.unknown.first() else {
            return Ok(());
        };
        let question = format!(
            "Missing cache for directory '{path}'. Cache for files inside will be lost. Would you like to continue? Use '-f' to force."
        );
        if self.force || self.dry {
            warn(&format!(
                "Missing cache for directory '{path}'. Files inside are not kept."
            ));
            return Ok(());
        }
        if confirmed(&question) {
            return Ok(());
        }
        Err(PipelineError::CannotEdit {
            why: format!(
                "unable to fully collect used cache without cache for directory '{path}'; its list is in no remote, and \
                 with -f its files are removed"
            ),
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
