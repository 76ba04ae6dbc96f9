//! `strata remote …`.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Args, Subcommand};
use strata_pipeline::config::{ConfigFiles, OptionName};

use super::config::{LevelArgs, warn_of_secret};
use super::volume::Volume;
use crate::exit::{Ended, Failure};
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct RemoteArgs {
    #[command(subcommand)]
    command: RemoteCommand,
    #[command(flatten)]
    volume: Volume,
}

#[derive(Debug, Subcommand)]
enum RemoteCommand {
    /// Add a remote: a folder or a bucket
    #[command(after_help = "\
Examples:
  strata remote add -d storage /mnt/shared/storage
  strata remote add -d storage s3://bucket/prefix")]
    Add {
        /// Make it the default
        #[arg(short, long)]
        default: bool,
        /// Replace a remote of the same name
        #[arg(short, long)]
        force: bool,
        /// Its name
        name: String,
        /// Where it is: a folder, or `s3://BUCKET/PREFIX`
        url: String,
        #[command(flatten)]
        level: LevelArgs,
    },
    /// List the remotes
    List {
        #[command(flatten)]
        level: LevelArgs,
    },
    /// Set or remove an option of a remote
    #[command(after_help = "\
Examples:
  strata remote modify storage endpointurl http://localhost:9000
  strata remote modify --local storage profile me
  strata remote modify storage --unset region")]
    Modify {
        /// Its name
        name: String,
        /// The option
        option: String,
        /// Its new value
        #[arg(required_unless_present = "unset")]
        value: Option<String>,
        /// Remove the option
        #[arg(short, long)]
        unset: bool,
        #[command(flatten)]
        level: LevelArgs,
    },
    /// Print or set the default remote
    #[command(after_help = "\
Examples:
  strata remote default
  strata remote default storage
  strata remote default --unset")]
    Default {
        /// The remote that becomes the default
        name: Option<String>,
        /// Have none
        #[arg(short, long)]
        unset: bool,
        #[command(flatten)]
        level: LevelArgs,
    },
    /// Give a remote another name
    Rename {
        /// Its name
        name: String,
        /// Its new name
        new: String,
        #[command(flatten)]
        level: LevelArgs,
    },
    /// Remove a remote from the settings; what it holds stays
    Remove {
        /// Its name
        name: String,
        #[command(flatten)]
        level: LevelArgs,
    },
}

pub(crate) fn run(args: &RemoteArgs) -> Result<Ended, Failure> {
    args.volume.apply();
    let files = ConfigFiles::around(Path::new("."))?;
    match &args.command {
        RemoteCommand::Add {
            default,
            force,
            name,
            url,
            level,
        } => {
            files.add_remote(name, url, *default, *force, level.level())?;
            if *default {
                output::print(&format!(
                    "Setting '{}' as a default remote.\n",
                    name.to_lowercase()
                ))?;
            }
        }
        RemoteCommand::List { level } => {
            let default = files.default_remote(level.level())?;
            let mut text = String::new();
            for (name, url) in files.remotes(level.level())? {
                let mark = if default.as_ref() == Some(&name) {
                    "\t(default)"
                } else {
                    ""
                };
                let _ = writeln!(text, "{name}\t{url}{mark}");
            }
            output::print(&text)?;
        }
        RemoteCommand::Modify {
            name,
            option,
            value,
            unset,
            level,
        } => {
            let level = level.level();
            let value = value.as_deref().filter(|_| !unset);
            files.modify_remote(name, option, value, level)?;
            if value.is_some()
                && let Some(option) = OptionName::parse(&format!("remote.{name}.{option}"))
            {
                warn_of_secret(&option, level);
            }
        }
        RemoteCommand::Default {
            name: None,
            unset: false,
            level,
        } => {
            let Some(name) = files.default_remote(level.level())? else {
                output::print("No default remote set\n")?;
                return Ok(Ended::Differs);
            };
            output::print(&format!("{name}\n"))?;
        }
        RemoteCommand::Default { name, unset, level } => {
            files.set_default_remote(name.as_deref().filter(|_| !unset), level.level())?;
        }
        RemoteCommand::Rename { name, new, level } => {
            files.rename_remote(name, new, level.level())?;
        }
        RemoteCommand::Remove { name, level } => files.remove_remote(name, level.level())?,
    }
    Ok(Ended::Done)
}
