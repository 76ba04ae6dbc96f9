//! `strata repro`.

use std::io::{self, Read, Write as _};
use std::sync::Arc;

use strata_pipeline::project::reproduce::{
    Interruption, OnError, Progress, Reach, Request, reproduce,
};

use super::{command_line, confirmed, open, open_only};
use crate::exit::{Ended, Failure};
use crate::interrupt;
use crate::output;
use crate::pipeline_cli::ReproArgs;

pub(crate) fn run(args: &ReproArgs) -> Result<Ended, Failure> {
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
    let mut lines = Lines { quiet: args.quiet };
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
struct Lines {
    quiet: bool,
}

impl Progress for Lines {
    fn say(&mut self, line: &str) {
        if !self.quiet {
            // A reader that has gone away is no reason to stop a stage.
            let _ = output::print(&format!("{line}\n"));
        }
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
