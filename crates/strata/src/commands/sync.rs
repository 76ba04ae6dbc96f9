//! `strata sync`: runs that lie in folders go to W&B.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use anyhow::{Context, anyhow};
use clap::Args;
use strata_track::wandb::{Session, Settings, SyncOptions, SyncOutcome, find_runs};

use crate::exit::{Ended, Failure};
use crate::interrupt;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata sync                                     what is not sent yet, below this folder
  strata sync wandb/offline-run-20260131_140509-x3k9a2bc
  strata sync runs/ --project mlp-coursework1

Runs of ours and of the real wandb are sent, offline ones and those that were cut off. What the server has
already is not sent again, and a sync that broke off goes on where it was.")]
pub(crate) struct SyncArgs {
    /// Runs' folders, .wandb files, or folders above them [default: wandb, runs and multirun]
    paths: Vec<PathBuf>,

    /// The team that gets the runs, instead of the one they name
    #[arg(short, long)]
    entity: Option<String>,

    /// The project that gets the runs, instead of the one they name
    #[arg(short, long)]
    project: Option<String>,

    /// The id that the run gets on the server; for one run
    #[arg(long)]
    id: Option<String>,

    /// Also runs that were sent already
    #[arg(long)]
    include_synced: bool,

    /// Print what would be sent, and send nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub(crate) fn run(args: &SyncArgs) -> Result<Ended, Failure> {
    let paths = args.paths()?;
    let logs = find_runs(&paths, args.include_synced);
    if args.id.is_some() && logs.len() != 1 {
        return Err(Failure::Usage(anyhow!(
            "--id names one run, and there are {}",
            logs.len()
        )));
    }
    if logs.is_empty() {
        anstream::println!("nothing to send");
        return Ok(Ended::Done);
    }
    if args.dry_run {
        for log in &logs {
            anstream::println!("{}", log.display());
        }
        return Ok(Ended::Done);
    }
    let environment = std::env::vars().collect();
    let here = std::env::current_dir().context("the working directory")?;
    let settings = Settings::load(&environment, &here).map_err(anyhow::Error::from)?;
    let session = Session::new(&settings).map_err(anyhow::Error::from)?;
    let options = SyncOptions {
        entity: args.entity.clone(),
        project: args.project.clone(),
        id: args.id.clone(),
    };
    let interrupted = interrupt::flag()?;
    let mut failed = 0;
    for log in &logs {
        if interrupted.load(Ordering::Relaxed) {
            return Ok(Ended::Interrupted);
        }
        match session.sync(log, &options) {
            Ok(outcome) => failed += usize::from(!tell(log, &outcome)),
            Err(error) => {
                failed += 1;
                anstream::eprintln!("error: {error}");
            }
        }
    }
    if failed > 0 {
        let all = logs.len();
        return Err(Failure::Work(anyhow!(
            "{failed} of {all} runs are not on the server as a whole; another `strata sync` goes on"
        )));
    }
    Ok(Ended::Done)
}

impl SyncArgs {
    fn paths(&self) -> Result<Vec<PathBuf>, Failure> {
        if self.paths.is_empty() {
            let usual = ["wandb", ".wandb", "runs", "multirun"].map(PathBuf::from);
            return Ok(usual.into_iter().filter(|path| path.exists()).collect());
        }
        match self.paths.iter().find(|path| !path.exists()) {
            Some(missing) => Err(Failure::Usage(anyhow!(
                "there is no `{}`",
                missing.display()
            ))),
            None => Ok(self.paths.clone()),
        }
    }
}

/// Says how a run fared; whether all of it is on the server.
fn tell(log: &std::path::Path, outcome: &SyncOutcome) -> bool {
    anstream::println!("{} → {}", log.display(), outcome.address);
    if outcome.ends_within_a_record {
        anstream::eprintln!(
            "warning: `{}` ends within a record: its writer was killed; all before that is sent",
            log.display()
        );
    }
    for problem in &outcome.problems {
        anstream::eprintln!("error: {}: {problem}", log.display());
    }
    outcome.problems.is_empty()
}
