//! `strata metrics show` and `diff`.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use serde_json::{Map, Value as Json, json};
use strata_pipeline::project::revisions::{Values, flatten};
use strata_pipeline::value::Value;
use strata_pipeline::{PipelineError, Project};

use super::compare::{
    Columns, Revisions, pairs, pairs_to_json, print_pairs, print_table, rounded, to_json,
};
use super::volume::Volume;
use super::{open, open_at, warn};
use crate::exit::{Ended, Failure};
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct MetricsArgs {
    #[command(subcommand)]
    command: MetricsCommand,
}

#[derive(Debug, Subcommand)]
enum MetricsCommand {
    /// Show metrics of the workspace, and of commits
    #[command(after_help = "\
Examples:
  strata metrics show
  strata metrics show -T --md               of all tags as well
  strata metrics show eval/metrics.json --precision 3")]
    Show(ShowArgs),
    /// Show what differs between commits, or a commit and the workspace
    #[command(after_help = "\
Examples:
  strata metrics diff
  strata metrics diff HEAD~1 HEAD --json")]
    Diff(DiffArgs),
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// Files of metrics, or folders with them; without any those of dvc.yaml
    targets: Vec<String>,
    /// Those of the tips of all branches as well
    #[arg(short = 'a', long)]
    all_branches: bool,
    /// Those of all tags as well
    #[arg(short = 'T', long)]
    all_tags: bool,
    /// Those of all commits as well
    #[arg(short = 'A', long)]
    all_commits: bool,
    #[command(flatten)]
    look: Look,
}

#[derive(Debug, Args)]
struct DiffArgs {
    #[command(flatten)]
    revisions: Revisions,
    /// Files of metrics, or folders with them
    #[arg(long, num_args = 0.., value_name = "PATH")]
    targets: Vec<String>,
    /// What has not changed as well
    #[arg(long)]
    all: bool,
    /// Leave the files' names out
    #[arg(long)]
    no_path: bool,
    #[command(flatten)]
    look: Look,
}

#[derive(Debug, Args)]
struct Look {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print a table of Markdown
    #[arg(long, alias = "show-md")]
    md: bool,
    /// Taken for the sake of scripts: folders always stand for all files below them
    #[arg(short = 'R', long, hide = true)]
    recursive: bool,
    /// Digits after the point
    #[arg(long, value_name = "N", default_value_t = 5)]
    precision: usize,
    #[command(flatten)]
    volume: Volume,
}

pub(crate) fn run(args: &MetricsArgs) -> Result<Ended, Failure> {
    match &args.command {
        MetricsCommand::Show(args) => show(args),
        MetricsCommand::Diff(args) => diff(args),
    }
}

/// Files and what they hold.
type Files = Vec<(String, Value)>;

fn show(args: &ShowArgs) -> Result<Ended, Failure> {
    args.look.volume.apply();
    let revisions = revisions(args)?;
    if args.look.json {
        let revisions = revisions.iter().map(|(name, files)| {
            let files = files
                .iter()
                .map(|(path, value)| (path.clone(), json!({"data": to_json(value)})));
            let files: Map<String, Json> = files.collect();
            (name.clone(), json!({"data": files}))
        });
        let json = Json::Object(revisions.collect());
        output::print(&format!("{json}\n"))?;
        return Ok(Ended::Done);
    }
    let rows = revisions.iter().flat_map(|(name, files)| {
        let rows = files.iter().map(move |(path, value)| {
            let leaves: BTreeMap<String, Value> = leaves(value).into_iter().collect();
            (name, path, leaves)
        });
        rows.collect::<Vec<_>>()
    });
    let rows: Vec<(&String, &String, BTreeMap<String, Value>)> = rows.collect();
    let mut names: Vec<&str> = rows
        .iter()
        .flat_map(|(_, _, leaves)| leaves.keys().map(String::as_str))
        .collect();
    names.sort_unstable();
    names.dedup();
    let with_revision = args.all_branches || args.all_tags || args.all_commits;
    let cells = rows.iter().map(|(revision, path, leaves)| {
        let mut row = vec![(*path).clone()];
        if with_revision {
            row.insert(0, (*revision).clone());
        }
        row.extend(names.iter().map(|name| {
            let value = leaves.get(*name);
            value.map_or("-".to_owned(), |value| rounded(value, args.look.precision))
        }));
        row
    });
    let cells: Vec<Vec<String>> = cells.collect();
    let mut header = vec!["Path"];
    if with_revision {
        header.insert(0, "Revision");
    }
    header.extend(names);
    print_table(args.look.md, &header, &cells)
}

/// The metrics of the workspace, which has no name when it is alone, and of the commits that are asked for.
fn revisions(args: &ShowArgs) -> Result<Vec<(String, Files)>, PipelineError> {
    let workspace = open()?;
    let commits = commits(args, &workspace)?;
    let own = workspace.metrics(&args.targets)?;
    for target in &args.targets {
        if commits.is_empty()
            && workspace
                .read_data(&workspace.path(target))
                .is_ok_and(|data| data.is_none())
        {
            warn(&format!("'{target}' does not exist"));
        }
    }
    let is_alone = !(args.all_branches || args.all_tags || args.all_commits);
    let name = if is_alone { "" } else { "workspace" };
    let mut revisions = vec![(name.to_owned(), own)];
    for (commit, names) in commits {
        match open_at(&commit).and_then(|project| project.metrics(&args.targets)) {
            Ok(files) => revisions.push((names, files)),
            Err(error) => warn(&format!("commit {names} is left out: {error}")),
        }
    }
    Ok(revisions)
}

/// Commits, each once, and what they are called.
fn commits(args: &ShowArgs, project: &Project) -> Result<Vec<(String, String)>, PipelineError> {
    let Some(git) = &project.repository.git else {
        return Ok(Vec::new());
    };
    let mut named = Vec::new();
    if args.all_commits {
        let commits = git.commits(&["--all"])?.into_iter();
        named.extend(commits.map(|commit| (commit.clone(), commit)));
    } else {
        if args.all_branches {
            named.extend(git.tips("refs/heads")?);
        }
        if args.all_tags {
            named.extend(git.tips("refs/tags")?);
        }
    }
    let mut commits: Vec<(String, String)> = Vec::new();
    for (commit, name) in named {
        match commits.iter_mut().find(|(known, _)| *known == commit) {
            Some((_, names)) => {
                names.push(',');
                names.push_str(&name);
            }
            None => commits.push((commit, name)),
        }
    }
    Ok(commits)
}

fn leaves(value: &Value) -> Vec<(String, Value)> {
    let mut leaves = Vec::new();
    flatten("", value, &mut leaves);
    leaves
}

fn diff(args: &DiffArgs) -> Result<Ended, Failure> {
    args.look.volume.apply();
    let values = |project: &Project| -> Result<Values, PipelineError> {
        let files = project.metrics(&args.targets)?.into_iter();
        Ok(files.map(|(path, value)| (path, leaves(&value))).collect())
    };
    let [before, after] = args.revisions.open()?;
    let pairs = pairs(values(&before)?, values(&after)?, args.all);
    if args.look.json {
        output::print(&format!("{}\n", pairs_to_json(&pairs)))?;
        return Ok(Ended::Done);
    }
    let columns = Columns {
        title: "Metric",
        sides: args.revisions.names(),
        with_path: !args.no_path,
        with_change: true,
        markdown: args.look.md,
    };
    print_pairs(&pairs, &columns, &|value| {
        rounded(value, args.look.precision)
    })
}
