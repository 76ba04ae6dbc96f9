//! What can be typed to run stages and to move data; the other commands of DVC say so themselves.

use clap::{Args, Subcommand};

const REPRO_EXAMPLES: &str = "\
Examples:
  strata repro                  run what has changed of the dvc.yaml here, and what it depends on
  strata repro train            one stage, and what it depends on
  strata repro -s -f train      this stage alone, even if nothing has changed
  strata repro --dry            show what would run

Exit codes are DVC's: 0 done, 253 not inside of a project, 254 wrong usage, 255 something failed.";

#[derive(Debug, Args)]
#[command(after_help = REPRO_EXAMPLES)]
#[command(group(clap::ArgGroup::new("reach").args(["single_item", "pipeline", "all_pipelines", "downstream"])))]
#[command(group(clap::ArgGroup::new("errors").args(["keep_going", "ignore_errors"])))]
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
    /// The targets and what depends on them
    #[arg(long)]
    pub(crate) downstream: bool,
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
    #[arg(short, long)]
    pub(crate) keep_going: bool,
    /// After a failure, run everything else
    #[arg(long)]
    pub(crate) ignore_errors: bool,
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
    #[arg(short, long)]
    pub(crate) quiet: bool,
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
    /// With pull: replace files whose contents are nowhere else
    #[arg(short, long)]
    pub(crate) force: bool,
    /// Say nothing but errors
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RemoteArgs {
    #[command(subcommand)]
    pub(crate) command: RemoteCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RemoteCommand {
    /// Add a remote: a folder
    #[command(after_help = "\
Examples:
  strata remote add -d storage /mnt/shared/storage")]
    Add {
        /// Make it the default
        #[arg(short, long)]
        default: bool,
        /// Replace a remote of the same name
        #[arg(short, long)]
        force: bool,
        /// Its name
        name: String,
        /// Where it is
        url: String,
    },
    /// List the remotes
    List,
    /// Remove a remote from the settings; what it holds stays
    Remove {
        /// Its name
        name: String,
    },
}
