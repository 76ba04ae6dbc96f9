//! `strata repro`.

use strata_pipeline::project::reproduce::{OnError, Progress, Reach, Request, reproduce};

use super::{command_line, confirmed, open};
use crate::exit::{Ended, Failure};
use crate::output;
use crate::pipeline_cli::ReproArgs;

pub(crate) fn run(args: &ReproArgs) -> Result<Ended, Failure> {
    let mut project = open()?;
    let request = Request {
        targets: args.targets.clone(),
        reach: reach(args),
        force: args.force,
        force_downstream: args.force_downstream,
        dry: args.dry,
        on_error: match (args.keep_going, args.ignore_errors) {
            (true, _) => OnError::KeepGoing,
            (_, true) => OnError::Ignore,
            _ => OnError::Stop,
        },
        no_run_cache: args.no_run_cache,
        no_commit: args.no_commit,
        allow_missing: args.allow_missing,
        pull: args.pull,
        interactive: args.interactive,
    };
    let mut lines = Lines { quiet: args.quiet };
    let ran = reproduce(&mut project, &request, &command_line(), &mut lines)?;
    lines.say(if ran == 0 {
        "Data and pipelines are up to date."
    } else {
        "Use `dvc push` to send your updates to remote storage."
    });
    Ok(Ended::Done)
}

fn reach(args: &ReproArgs) -> Reach {
    if args.single_item {
        Reach::Single
    } else if args.pipeline {
        Reach::Pipeline
    } else if args.all_pipelines {
        Reach::Everything
    } else if args.downstream {
        Reach::Downstream
    } else {
        Reach::Upstream
    }
}

/// What happens, line by line, on stdout.
pub(super) struct Lines {
    pub(super) quiet: bool,
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
}
