//! `strata check-ignore`.

use std::fmt::Write as _;
use std::io::BufRead as _;
use std::path::Path;

use anyhow::Context as _;
use clap::Args;
use strata_pipeline::{PipelineError, Repository};

use super::volume::Volume;
use crate::exit::{Ended, Failure};
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata check-ignore data/a.tmp
  strata check-ignore -d data/a.tmp     with the file and the pattern
  ls data | strata check-ignore --stdin -d -n

Exit code 0 if a path is ignored, 1 if none is.")]
pub(crate) struct CheckIgnoreArgs {
    /// Paths
    #[arg(required_unless_present = "stdin", conflicts_with = "stdin")]
    targets: Vec<String>,
    /// Print the pattern that decides
    #[arg(short, long)]
    details: bool,
    /// With --details: paths that no pattern matches as well
    #[arg(short, long, requires = "details")]
    non_matching: bool,
    /// Read paths from the standard input, a line for each
    #[arg(long)]
    stdin: bool,
    #[command(flatten)]
    volume: Volume,
}

pub(crate) fn run(args: &CheckIgnoreArgs) -> Result<Ended, Failure> {
    args.volume.apply();
    let repository = Repository::open(Path::new("."))?;
    let mut is_any_ignored = false;
    if args.stdin {
        for line in std::io::stdin().lock().lines() {
            let line = line.context("cannot read the standard input")?;
            is_any_ignored |= check(args, &repository, &line)?;
        }
    }
    for target in &args.targets {
        is_any_ignored |= check(args, &repository, target)?;
    }
    Ok(if is_any_ignored {
        Ended::Done
    } else {
        Ended::Differs
    })
}

fn check(args: &CheckIgnoreArgs, repository: &Repository, target: &str) -> Result<bool, Failure> {
    let path = repository.current.join(target);
    let reason = repository
        .ignore
        .reason(&path, path.is_dir())
        .map_err(PipelineError::from)?;
    let mut text = String::new();
    match &reason {
        Some(reason) if args.details => {
            let file = reason
                .file
                .as_ref()
                .map_or_else(String::new, |file| repository.display(file));
            let _ = writeln!(text, "{file}:{}\t{target}", reason.pattern);
        }
        Some(_) => {
            let _ = writeln!(text, "{target}");
        }
        None if args.non_matching => {
            let _ = writeln!(text, "::\t{target}");
        }
        None => {}
    }
    output::print(&text)?;
    Ok(reason.is_some())
}
