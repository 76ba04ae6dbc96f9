//! `strata runs rm`.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;

use super::reading::run_at;
use super::removal::{ConsentArgs, Doomed, holds_another, remove, without_bystanders};
use crate::exit::{Ended, Failure};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata runs rm runs/first
  strata runs rm runs/2026-01-* --yes")]
pub(super) struct RmArgs {
    /// The runs' directories
    #[arg(required = true)]
    runs: Vec<PathBuf>,

    #[command(flatten)]
    consent: ConsentArgs,
}

pub(super) fn run(args: &RmArgs) -> Result<Ended, Failure> {
    let mut paths = Vec::new();
    for path in &args.runs {
        let path = own_path(path)?;
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    let mut doomed = Vec::new();
    for path in paths {
        let run = run_at(&path)?;
        if run.is_alive || run.goes_on_now() {
            let path = path.display();
            return Err(Failure::Work(anyhow!(
                "`{path}` is going on; stop it first"
            )));
        }
        doomed.push(Doomed::whole(run));
    }
    let (doomed, refused) = without_bystanders(doomed);
    if let Some((run, stays)) = refused.first() {
        return Err(Failure::Work(holds_another(run, stays)));
    }
    remove(&doomed, &args.consent)
}

/// The path without what hides that it is a link: a slash behind it leads into what it names.
fn own_path(path: &Path) -> Result<PathBuf, Failure> {
    let path: PathBuf = path.components().collect();
    match fs_err::read_link(&path) {
        Ok(target) => Err(Failure::Usage(anyhow!(
            "`{}` is a link to `{}`; name the run's own directory",
            path.display(),
            target.display()
        ))),
        Err(_) => Ok(path),
    }
}
