//! `strata status`.

use std::fmt::Write as _;

use clap::Args;
use serde_json::{Map, Value};
use strata_pipeline::PipelineError;
use strata_pipeline::project::targets::Extent;
use strata_pipeline::remote::Cloud;
use strata_pipeline::stage::changes::{Change, Changes};

use super::extent::ExtentArgs;
use super::volume::Volume;
use super::{open, open_only};
use crate::exit::{Ended, Failure};
use crate::interrupt;
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata status                 what has changed since the stages ran
  strata status --json train    of one stage, for programs
  strata status -q              exit code 1 if anything has changed
  strata status -c              cache against remote")]
pub(crate) struct StatusArgs {
    /// Stages, .dvc or dvc.yaml files, outputs; without any the whole project
    targets: Vec<String>,
    /// Compare the cache with the remote, not the workspace with the cache
    #[arg(short, long)]
    cloud: bool,
    /// With --cloud: the remote
    #[arg(short, long)]
    remote: Option<String>,
    #[command(flatten)]
    extent: ExtentArgs,
    /// Taken for the sake of scripts: imports are not looked after
    #[arg(long, hide = true)]
    no_updates: bool,
    /// With --cloud: questions at a time [default: `jobs` of the remote, or 4 for each core]
    #[arg(short, long, value_name = "N")]
    jobs: Option<std::num::NonZeroUsize>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    volume: Volume,
}

pub(crate) fn run(args: &StatusArgs) -> Result<Ended, Failure> {
    args.volume.apply();
    if args.cloud || args.remote.is_some() {
        return of_remote(args);
    }
    let (changed, is_empty) = match changed_stages(args) {
        Ok(found) => found,
        // DVC catches the errors of this command itself.
        Err(error) => {
            let code = if error.exit_code() == 255 && is_in_a_file(&error) {
                1
            } else {
                error.exit_code()
            };
            return Err(Failure::Pipeline(Box::new(error), code));
        }
    };
    if args.volume.quiet {
        return Ok(if changed.is_empty() {
            Ended::Done
        } else {
            Ended::Differs
        });
    }
    if args.json {
        let entries = changed
            .iter()
            .map(|(name, changes)| (name.clone(), changes.to_json()));
        let json = Value::Object(entries.collect::<Map<_, _>>());
        output::print(&format!("{json}\n"))?;
        return Ok(Ended::Done);
    }
    let text = if !changed.is_empty() {
        table(&changed)
    } else if is_empty {
        "There are no data or pipelines tracked in this project yet.\nSee <https://dvc.org/doc/start> to get started!\n".to_owned()
    } else {
        "Data and pipelines are up to date.\n".to_owned()
    };
    output::print(&text)?;
    Ok(Ended::Done)
}

/// What cache and remote do not share.
fn of_remote(args: &StatusArgs) -> Result<Ended, Failure> {
    let project = open()?;
    let _lock = project.repository.lock()?;
    let targets = project.select(&args.targets, args.extent.into())?;
    let jobs = args.jobs.map(std::num::NonZeroUsize::get);
    let stop = interrupt::flag()?;
    let cloud = Cloud::open(&project, args.remote.as_deref(), jobs, &*stop)?;
    let status = cloud.status(&targets)?;
    let entries = status.as_object().into_iter().flatten();
    if args.volume.quiet {
        let is_empty = entries.count() == 0;
        return Ok(if is_empty {
            Ended::Done
        } else {
            Ended::Differs
        });
    }
    if args.json {
        output::print(&format!("{status}\n"))?;
        return Ok(Ended::Done);
    }
    let mut text = String::new();
    for (path, word) in entries {
        let word = word.as_str().unwrap_or_default();
        let _ = writeln!(text, "\t{:<20}{path}", format!("{word}:"));
    }
    if text.is_empty() {
        text.push_str("Cache and remote are in sync.\n");
    }
    output::print(&text)?;
    Ok(Ended::Done)
}

/// Whether a file of the project is to blame, and not what was found when stages were looked at.
fn is_in_a_file(error: &PipelineError) -> bool {
    matches!(
        error,
        PipelineError::Syntax { .. }
            | PipelineError::Definition(_)
            | PipelineError::LockFile { .. }
    )
}

/// Stages with their changes, and whether the project has no stages at all.
fn changed_stages(args: &StatusArgs) -> Result<(Vec<(String, Changes)>, bool), PipelineError> {
    let Extent {
        with_deps,
        recursive,
    } = args.extent.into();
    let is_alone = !args.targets.is_empty() && !with_deps && !recursive;
    let alone = Some(&args.targets).filter(|_| is_alone);
    let project = match alone.map(|targets| open_only(targets)) {
        Some(Ok(project)) => project,
        // What is wrong with a target is told as part of the whole.
        Some(Err(_)) | None => open()?,
    };
    let _lock = project.repository.lock()?;
    let stages = project.select(&args.targets, args.extent.into())?;
    let mut changed = Vec::new();
    for index in stages {
        let stage = &project.stages[index];
        let changes = stage.changes(&project)?;
        if !changes.is_empty() {
            changed.push((project.display_address(&stage.address), changes));
        }
    }
    project.repository.save_state();
    Ok((changed, project.stages.is_empty()))
}

fn table(changed: &[(String, Changes)]) -> String {
    let mut text = String::new();
    for (name, changes) in changed {
        let _ = writeln!(text, "{name}:");
        for (title, paths) in [
            ("changed deps", &changes.deps),
            ("changed outs", &changes.outs),
        ] {
            if !paths.is_empty() {
                let _ = writeln!(text, "\t{title}:");
            }
            for (path, change) in paths {
                if let Change::Params(keys) = change {
                    let _ = writeln!(text, "\t\t{path}:");
                    for (key, word) in keys {
                        let _ = writeln!(text, "\t\t\t{:<20}{key}", format!("{word}:"));
                    }
                } else {
                    let _ = writeln!(text, "\t\t{:<20}{path}", format!("{}:", change.word()));
                }
            }
        }
        if changes.always {
            text.push_str("\talways changed\n");
        }
        if changes.command {
            text.push_str("\tchanged command\n");
        }
    }
    text
}
