//! What can be typed for pipelines: DVC's commands, flags and exit codes.

use std::num::NonZeroUsize;

use clap::{Args, Subcommand};

const REPRO_EXAMPLES: &str = "\
Examples:
  strata repro                  run what has changed of the dvc.yaml here, and what it depends on
  strata repro train            one stage, and what it depends on
  strata repro -s -f train      this stage alone, even if nothing has changed
  strata repro -j 4             up to four stages at the same time
  strata repro -R models        all stages below a folder, and what they depend on
  strata repro --glob 'train@*' stages whose names match
  strata repro --dry            show what would run

With one job, commands are connected with the terminal. With more, what a command prints is shown when it has ended,
in one piece; it reads nothing from the terminal.

Ctrl-C: the commands that run may come to their end, and what they have made is kept if they succeed; a second one kills
them. Exit codes are DVC's: 0 done, 252 interrupted, 253 not inside of a project, 254 wrong usage, 255 something failed.";

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata init                   in a Git repository
  strata init --no-scm          without Git")]
pub(crate) struct InitArgs {
    /// Do without Git
    #[arg(long)]
    pub(crate) no_scm: bool,
    /// Replace what is there already, the cache included
    #[arg(short, long)]
    pub(crate) force: bool,
    /// Say nothing but errors
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
#[command(after_help = REPRO_EXAMPLES)]
pub(crate) struct ReproArgs {
    /// Stages, `file:stage`, .dvc or dvc.yaml files; without any the dvc.yaml here
    pub(crate) targets: Vec<String>,
    /// Run stages even if nothing has changed
    #[arg(short, long)]
    pub(crate) force: bool,
    /// Only the stages named, not what they depend on
    #[arg(short, long)]
    pub(crate) single_item: bool,
    /// All stages that are connected with the targets
    #[arg(short, long)]
    pub(crate) pipeline: bool,
    /// All stages of the project
    #[arg(short = 'P', long)]
    pub(crate) all_pipelines: bool,
    /// Targets may be folders, for all stages in them
    #[arg(short = 'R', long)]
    pub(crate) recursive: bool,
    /// Names of stages in targets are shell-style patterns
    #[arg(long)]
    pub(crate) glob: bool,
    /// The targets and what depends on them
    #[arg(long)]
    pub(crate) downstream: bool,
    /// Run so many independent stages at the same time
    #[arg(short, long, value_name = "N", default_value = "1")]
    pub(crate) jobs: NonZeroUsize,
    /// Run what depends on a stage that ran, even if nothing has changed for it
    #[arg(long)]
    pub(crate) force_downstream: bool,
    /// Print the commands, run and write nothing
    #[arg(long)]
    pub(crate) dry: bool,
    /// Ask before each stage
    #[arg(short, long)]
    pub(crate) interactive: bool,
    /// After a failure, run what does not depend on the failed stage
    #[arg(short, long, overrides_with = "ignore_errors")]
    pub(crate) keep_going: bool,
    /// After a failure, run everything else
    #[arg(long, overrides_with = "keep_going")]
    pub(crate) ignore_errors: bool,
    /// Put the outputs that a failed stage had before back, also those that are not in the cache
    #[arg(long)]
    pub(crate) restore_on_failure: bool,
    /// Run commands even if the same run has been kept
    #[arg(long)]
    pub(crate) no_run_cache: bool,
    /// Leave outputs out of the cache; `strata commit` puts them there
    #[arg(long)]
    pub(crate) no_commit: bool,
    /// Missing data alone do not make a stage a changed one
    #[arg(long)]
    pub(crate) allow_missing: bool,
    /// Bring missing data from the remote
    #[arg(long)]
    pub(crate) pull: bool,
    /// Say nothing but errors
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say why a stage runs
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata status                 what has changed since the stages ran
  strata status --json train    of one stage, for programs
  strata status -q              exit code 1 if anything has changed")]
pub(crate) struct StatusArgs {
    /// Stages, .dvc or dvc.yaml files; without any the whole project
    pub(crate) targets: Vec<String>,
    /// Compare the cache with the remote, not the workspace with the cache
    #[arg(short, long)]
    pub(crate) cloud: bool,
    /// With --cloud: the remote
    #[arg(short, long)]
    pub(crate) remote: Option<String>,
    /// With --cloud: questions at a time [default: `jobs` of the remote, or 4 for each core]
    #[arg(short, long, value_name = "N")]
    pub(crate) jobs: Option<std::num::NonZeroUsize>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Say nothing; exit code 1 if anything has changed
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata add data/raw           track a folder: data/raw.dvc names its contents, the cache keeps them
  strata add a.csv b.csv")]
pub(crate) struct AddArgs {
    /// Files and folders
    #[arg(required = true)]
    pub(crate) targets: Vec<String>,
    /// Say nothing but errors
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata checkout               after `git checkout`: the data of that version
  strata checkout data/raw/a.csv
  strata checkout --summary -f")]
pub(crate) struct CheckoutArgs {
    /// Stages, .dvc files, outputs, files in outputs; without any everything
    pub(crate) targets: Vec<String>,
    /// Replace files whose contents are nowhere else
    #[arg(short, long)]
    pub(crate) force: bool,
    /// Print how many were added and modified, not which
    #[arg(long)]
    pub(crate) summary: bool,
    /// Say nothing but errors
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata commit                 keep what `strata repro --no-commit` made
  strata commit -f train        take what is there as what the stage made")]
pub(crate) struct CommitArgs {
    /// Stages and .dvc files; without any everything
    pub(crate) targets: Vec<String>,
    /// Also where command, dependencies or outputs have changed
    #[arg(short, long)]
    pub(crate) force: bool,
    /// Say nothing but errors
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StagesArgs {
    /// Stages and .dvc files
    #[arg(required = true)]
    pub(crate) targets: Vec<String>,
    /// Say nothing but errors
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata gc -w                  keep what the files of the workspace name")]
pub(crate) struct GcArgs {
    /// Keep what the workspace names
    #[arg(short, long)]
    pub(crate) workspace: bool,
    /// Keep what the workspace and the tips of all branches name
    #[arg(short = 'a', long)]
    pub(crate) all_branches: bool,
    /// Keep what the workspace and all tags name
    #[arg(short = 'T', long)]
    pub(crate) all_tags: bool,
    /// Keep what the workspace and all commits name
    #[arg(short = 'A', long)]
    pub(crate) all_commits: bool,
    /// Keep what the workspace and a commit name
    #[arg(long, value_name = "COMMIT")]
    pub(crate) rev: Vec<String>,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) force: bool,
    /// Say nothing but errors
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StageArgs {
    #[command(subcommand)]
    pub(crate) command: StageCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StageCommand {
    /// List the stages
    #[command(after_help = "\
Examples:
  strata stage list
  strata stage list --name-only sub/dvc.yaml")]
    List {
        /// Stages, .dvc or dvc.yaml files; without any the dvc.yaml here
        targets: Vec<String>,
        /// Names alone
        #[arg(long)]
        name_only: bool,
        /// All stages of the project
        #[arg(long)]
        all: bool,
    },
}

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
    /// Say nothing but errors
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata dag                    what depends on what
  strata dag --mermaid train    for a page, with all that train depends on")]
#[command(group(clap::ArgGroup::new("form").args(["dot", "mermaid", "md"])))]
pub(crate) struct DagArgs {
    /// A stage or .dvc file, shown with what it depends on; without one everything
    pub(crate) target: Option<String>,
    /// In Graphviz's language
    #[arg(long)]
    pub(crate) dot: bool,
    /// In Mermaid's language
    #[arg(long)]
    pub(crate) mermaid: bool,
    /// In Mermaid's language, as a block of Markdown
    #[arg(long)]
    pub(crate) md: bool,
    /// Outputs, not stages
    #[arg(short, long)]
    pub(crate) outs: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata move data.csv raw/")]
pub(crate) struct MoveArgs {
    /// A tracked file or folder
    pub(crate) source: String,
    /// Its new place, or a folder
    pub(crate) destination: String,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata check-ignore data/a.tmp
  strata check-ignore -d data/a.tmp     with the file and the pattern")]
pub(crate) struct CheckIgnoreArgs {
    /// Paths
    #[arg(required = true)]
    pub(crate) targets: Vec<String>,
    /// Print the pattern that decides
    #[arg(short, long)]
    pub(crate) details: bool,
    /// Say nothing; exit code 0 if one is ignored
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata diff                   outputs of the last commit and of the workspace
  strata diff HEAD~1 HEAD --json")]
pub(crate) struct DiffArgs {
    /// The earlier commit
    #[arg(default_value = "HEAD")]
    pub(crate) a_rev: String,
    /// The later commit; without it the workspace
    pub(crate) b_rev: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ParamsArgs {
    #[command(subcommand)]
    pub(crate) command: ParamsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ParamsCommand {
    /// Show what differs between commits, or a commit and the workspace
    #[command(after_help = "\
Examples:
  strata params diff
  strata params diff HEAD~1 --md --all")]
    Diff(ValuesDiffArgs),
}

#[derive(Debug, Args)]
pub(crate) struct MetricsArgs {
    #[command(subcommand)]
    pub(crate) command: MetricsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MetricsCommand {
    /// Show the metrics of the workspace
    #[command(after_help = "\
Examples:
  strata metrics show
  strata metrics show --md")]
    Show {
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// Print a table of Markdown
        #[arg(long)]
        md: bool,
    },
    /// Show what differs between commits, or a commit and the workspace
    #[command(after_help = "\
Examples:
  strata metrics diff
  strata metrics diff HEAD~1 HEAD --json")]
    Diff(ValuesDiffArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ValuesDiffArgs {
    /// The earlier commit
    #[arg(default_value = "HEAD")]
    pub(crate) a_rev: String,
    /// The later commit; without it the workspace
    pub(crate) b_rev: Option<String>,
    /// What has not changed as well
    #[arg(long)]
    pub(crate) all: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Print a table of Markdown
    #[arg(long)]
    pub(crate) md: bool,
}
