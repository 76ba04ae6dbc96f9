//! `strata checkout`.

use strata_pipeline::PipelineError;
use strata_pipeline::project::checkout::CheckedOut;

use super::open;
use crate::exit::{Ended, Failure};
use crate::output;
use crate::pipeline_cli::CheckoutArgs;

pub(crate) fn run(args: &CheckoutArgs) -> Result<Ended, Failure> {
    let project = open()?;
    let _lock = project.repository.lock()?;
    let done = project.checkout(&args.targets, args.force)?;
    if !args.quiet {
        output::print(&if args.summary {
            summary(&done)
        } else {
            list(&done)
        })?;
    }
    if done.failed.is_empty() {
        return Ok(Ended::Done);
    }
    let paths = done.failed.join("\n");
    Err(PipelineError::CheckoutFailed { paths }.into())
}

fn list(done: &CheckedOut) -> String {
    let lines = |letter: char, paths: &[String]| {
        let lines = paths.iter().map(|path| format!("{letter}\t{path}\n"));
        lines.collect::<String>()
    };
    lines('M', &done.modified) + &lines('A', &done.added)
}

fn summary(done: &CheckedOut) -> String {
    let count = |paths: &[String], verb: &str| {
        let files = if paths.len() == 1 { "file" } else { "files" };
        (!paths.is_empty()).then(|| format!("{} {files} {verb}", paths.len()))
    };
    let parts = [
        count(&done.modified, "modified"),
        count(&done.added, "added"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        "No changes.\n".to_owned()
    } else {
        parts.join(" and ") + "\n"
    }
}
