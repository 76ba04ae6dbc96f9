//! `strata repro`.

use std::io::{self, Read, Write as _};
use std::num::NonZeroUsize;
use std::sync::Arc;

use clap::Args;
use strata_pipeline::project::reproduce::{
    Interruption, OnError, Progress, Reach, Request, reproduce,
};

use super::{command_line, confirmed, open, open_only};
use crate::exit::{Ended, Failure};
use crate::interrupt;
use crate::output;

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

pub(crate) fn run(args: &ReproArgs) -> Result<Ended, Failure> {
    if args.quiet {
        output::silence();
    }
    let interruption = Arc::new(Interruption::default());
    interrupt::stop_reproduction(Arc::clone(&interruption))?;
    let reach = reach(args);
    // Folders and patterns need to know all stages, as do missing data that another stage makes.
    let is_alone = reach == Reach::Single
        && !args.targets.is_empty()
        && !(args.recursive || args.glob || args.pull);
    let mut project = if is_alone {
        open_only(&args.targets)?
    } else {
        open()?
    };
    let request = Request {
        targets: args.targets.clone(),
        recursive: args.recursive,
        glob: args.glob,
        reach,
        jobs: args.jobs,
        force: args.force,
        force_downstream: args.force_downstream,
        dry: args.dry,
        on_error: match (args.keep_going, args.ignore_errors) {
            (true, _) => OnError::KeepGoing,
            (_, true) => OnError::Ignore,
            _ => OnError::Stop,
        },
        restore_on_failure: args.restore_on_failure,
        no_run_cache: args.no_run_cache,
        no_commit: args.no_commit,
        allow_missing: args.allow_missing,
        pull: args.pull,
        interactive: args.interactive || project.repository.config.is_true("core", "interactive"),
        verbose: args.verbose > 0,
    };
    let mut lines = Lines;
    let ran = reproduce(
        &mut project,
        &request,
        &command_line(),
        &interruption,
        &mut lines,
    )?;
    lines.say(if ran == 0 {
        "Data and pipelines are up to date."
    } else {
        "Use `dvc push` to send your updates to remote storage."
    });
    Ok(Ended::Done)
}

/// Of several flags the one that DVC lets win.
fn reach(args: &ReproArgs) -> Reach {
    if args.all_pipelines {
        Reach::Everything
    } else if args.pipeline {
        Reach::Pipeline
    } else if args.single_item {
        Reach::Single
    } else if args.downstream {
        Reach::Downstream
    } else {
        Reach::Upstream
    }
}

/// What happens, line by line, on stdout.
pub(super) struct Lines;

impl Progress for Lines {
    fn say(&mut self, line: &str) {
        // A reader that has gone away is no reason to stop a stage.
        let _ = output::print(&format!("{line}\n"));
    }

    fn confirm(&mut self, question: &str) -> bool {
        confirmed(question)
    }

    fn output(&mut self, stdout: &mut dyn Read, stderr: &mut dyn Read) {
        let mut lines = io::stdout().lock();
        let _ = io::copy(stdout, &mut lines).and_then(|_| lines.flush());
        let _ = io::copy(stderr, &mut io::stderr().lock());
    }
}
