//! `strata params diff`.

use clap::{Args, Subcommand};
use strata_pipeline::project::revisions::ParamsScope;
use strata_pipeline::value::Value;

use super::compare::{Columns, Revisions, pairs, pairs_to_json, print_pairs};
use super::volume::Volume;
use crate::exit::{Ended, Failure};
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct ParamsArgs {
    #[command(subcommand)]
    command: ParamsCommand,
}

#[derive(Debug, Subcommand)]
enum ParamsCommand {
    /// Show what differs between commits, or a commit and the workspace
    #[command(after_help = "\
Examples:
  strata params diff
  strata params diff HEAD~1 --md --all
  strata params diff --targets other.yaml")]
    Diff(ParamsDiffArgs),
}

#[derive(Debug, Args)]
struct ParamsDiffArgs {
    #[command(flatten)]
    revisions: Revisions,
    /// All of these files, whether stages read them or not
    #[arg(long, num_args = 0.., value_name = "PATH")]
    targets: Vec<String>,
    /// What has not changed as well
    #[arg(long)]
    all: bool,
    /// Only what stages read
    #[arg(long)]
    deps: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print a table of Markdown
    #[arg(long, alias = "show-md")]
    md: bool,
    /// Leave the files' names out
    #[arg(long)]
    no_path: bool,
    #[command(flatten)]
    volume: Volume,
}

pub(crate) fn run(args: &ParamsArgs) -> Result<Ended, Failure> {
    let ParamsCommand::Diff(args) = &args.command;
    args.volume.apply();
    let scope = if !args.targets.is_empty() {
        ParamsScope::Files(&args.targets)
    } else if args.deps {
        ParamsScope::Deps
    } else {
        ParamsScope::All
    };
    let [before, after] = args.revisions.open()?;
    let pairs = pairs(
        before.parameters(scope)?,
        after.parameters(scope)?,
        args.all,
    );
    if args.json {
        output::print(&format!("{}\n", pairs_to_json(&pairs)))?;
        return Ok(Ended::Done);
    }
    let columns = Columns {
        title: "Param",
        sides: args.revisions.names(),
        with_path: !args.no_path,
        with_change: false,
        markdown: args.md,
    };
    print_pairs(&pairs, &columns, &Value::python_str)
}
