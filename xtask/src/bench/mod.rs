//! Measurements side by side with the peers, in turn (A B A B …), in one run.

mod measure;
mod pipeline;
mod training;

use clap::{Args, Subcommand};

/// What to measure; training without a subcommand.
#[derive(Args)]
#[group(id = "bench")]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    training: Option<training::Options>,
}

#[derive(Subcommand)]
enum What {
    /// Measure the commands of pipelines side by side with DVC
    Pipeline(pipeline::Options),
}

/// Measures, and prints a table.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    match (&options.what, &options.training) {
        (Some(What::Pipeline(options)), _) => pipeline::run(options),
        (None, Some(options)) => training::run(options),
        (None, None) => anyhow::bail!("`--python` and `--root` are needed; see `--help`"),
    }
}
