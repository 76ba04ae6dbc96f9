//! `strata remote add|list|remove`.

use std::fmt::Write as _;
use std::path::Path;

use strata_pipeline::{PipelineError, Repository};

use crate::exit::{Ended, Failure};
use crate::output;
use crate::pipeline_cli::{RemoteArgs, RemoteCommand};

pub(crate) fn run(args: &RemoteArgs) -> Result<Ended, Failure> {
    let repository = Repository::open(Path::new("."))?;
    match &args.command {
        RemoteCommand::Add {
            default,
            force,
            name,
            url,
        } => {
            repository.add_remote(name, url, *default, *force)?;
            if *default {
                output::print(&format!("Setting '{name}' as a default remote.\n"))?;
            }
        }
        RemoteCommand::List => {
            let mut text = String::new();
            for (name, url) in repository.remotes() {
                let _ = writeln!(text, "{name}\t{url}");
            }
            output::print(&text)?;
        }
        RemoteCommand::Remove { name } => {
            if !repository.remove_remote(name)? {
                return Err(PipelineError::Config {
                    why: format!("remote '{name}' doesn't exist."),
                }
                .into());
            }
        }
    }
    Ok(Ended::Done)
}
