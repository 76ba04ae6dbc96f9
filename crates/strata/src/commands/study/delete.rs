//! `strata study delete`.

use std::io::{IsTerminal, Write};

use anyhow::anyhow;
use clap::Args;

use super::opened::{StudyChoice, work};
use crate::exit::{Ended, Failure};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata study delete sqlite:///study.db --study-name mlp")]
pub(super) struct DeleteArgs {
    #[command(flatten)]
    study: StudyChoice,

    /// Do not ask
    #[arg(short, long)]
    force: bool,
}

pub(super) fn run(args: &DeleteArgs) -> Result<Ended, Failure> {
    let study = args.study.open()?;
    let what = format!(
        "study `{}` with {} trials",
        study.record.name,
        study.trials.len()
    );
    if !args.force && !confirmed(&what)? {
        return Ok(Ended::Done);
    }
    study.storage.delete_study(study.record.id).map_err(work)?;
    anstream::eprintln!("removed {what}");
    Ok(Ended::Done)
}

fn confirmed(what: &str) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage(anyhow!(
            "nobody can be asked whether to remove {what}; --force removes it"
        )));
    }
    anstream::eprint!("Remove {what}? [y/N] ");
    std::io::stderr().flush().map_err(anyhow::Error::from)?;
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(anyhow::Error::from)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
