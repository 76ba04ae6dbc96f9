//! `strata study`: the studies of searches, ours and Optuna's.

mod bench;
mod best;
mod delete;
mod export;
mod importance;
mod ls;
mod opened;
mod show;
mod trials;

use clap::{Args, Subcommand};

use crate::exit::{Ended, Failure};

#[derive(Debug, Args)]
pub(crate) struct StudyArgs {
    #[command(subcommand)]
    command: StudyCommand,
}

#[derive(Debug, Subcommand)]
enum StudyCommand {
    /// List the studies of a storage
    Ls(ls::LsArgs),
    /// Show a study: what it searches, how far it is, its best trial
    Show(show::ShowArgs),
    /// Print the best trial, or with several objectives all that no other dominates
    Best(best::BestArgs),
    /// List the trials of a study
    Trials(trials::TrialsArgs),
    /// Remove a study from its storage
    Delete(delete::DeleteArgs),
    /// Write a whole study as JSON or CSV
    Export(export::ExportArgs),
    /// Show which parameters matter
    Importance(importance::ImportanceArgs),
    /// Run a sampler and a pruner on an outside objective
    Bench(bench::BenchArgs),
}

pub(crate) fn run(args: &StudyArgs) -> Result<Ended, Failure> {
    match &args.command {
        StudyCommand::Ls(args) => ls::run(args),
        StudyCommand::Show(args) => show::run(args),
        StudyCommand::Best(args) => best::run(args),
        StudyCommand::Trials(args) => trials::run(args),
        StudyCommand::Delete(args) => delete::run(args),
        StudyCommand::Export(args) => export::run(args),
        StudyCommand::Importance(args) => importance::run(args),
        StudyCommand::Bench(args) => bench::run(args),
    }
}
