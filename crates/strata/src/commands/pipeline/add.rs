//! `strata add`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use strata_pipeline::{PipelineError, Project};

use super::volume::Volume;
use super::{git_hint, open};
use crate::exit::{Ended, Failure};
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata add data/raw                       track a folder: data/raw.dvc names its contents, the cache keeps them
  strata add a.csv b.csv
  strata add --glob 'data/*.csv'
  strata add /mnt/camera/a.raw -o a.raw     copy a file here, and track the copy")]
pub(crate) struct AddArgs {
    /// Files and folders
    #[arg(required = true)]
    targets: Vec<String>,
    /// Leave the contents out of the cache; `strata commit` puts them there
    #[arg(long)]
    no_commit: bool,
    /// Targets are patterns: `*`, `?`, `[…]`, and `**` for folders
    #[arg(long)]
    glob: bool,
    /// Copy the one target to here, and track the copy
    #[arg(short, long, value_name = "PATH")]
    out: Option<String>,
    /// With --out: replace what is there
    #[arg(short, long, requires = "out")]
    force: bool,
    #[command(flatten)]
    volume: Volume,
}

pub(crate) fn run(args: &AddArgs) -> Result<Ended, Failure> {
    args.volume.apply();
    add(args).map_err(Failure::caught)
}

fn add(args: &AddArgs) -> Result<Ended, Failure> {
    let mut project = open()?;
    let _lock = project.repository.lock()?;
    let mut files = Vec::new();
    let paths = paths(args, &project)?;
    for path in &paths {
        project.check_may_be_added(path)?;
    }
    for path in paths {
        let file = project.add_with(&path, !args.no_commit)?;
        files.push(project.display(&file));
    }
    project.repository.save_state();
    output::print(&git_hint(&project, &files))?;
    Ok(Ended::Done)
}

fn paths(args: &AddArgs, project: &Project) -> Result<Vec<PathBuf>, Failure> {
    if let Some(out) = &args.out {
        return Ok(vec![copied(args, project, out)?]);
    }
    let mut paths = Vec::new();
    for target in &args.targets {
        if args.glob {
            paths.extend(project.paths_like(target)?);
        } else {
            paths.push(project.path(target));
        }
    }
    Ok(paths)
}

/// Brings a file or folder from elsewhere to its place in the project.
fn copied(args: &AddArgs, project: &Project, out: &str) -> Result<PathBuf, Failure> {
    let [target] = &args.targets[..] else {
        return Err(PipelineError::CannotEdit {
            why: "multiple targets can't be used with `--out`".to_owned(),
        }
        .into());
    };
    let (from, to) = (project.path(target), project.path(out));
    if !from.exists() {
        return Err(PipelineError::NoSuchFile {
            path: target.clone(),
        }
        .into());
    }
    if to.exists() {
        if !args.force {
            return Err(PipelineError::CannotEdit {
                why: format!("The file '{out}' already exists locally. To override it, re-run with '--force'."),
            }
            .into());
        }
        strata_pipeline::stage::workspace::remove(&to).context("cannot replace")?;
    }
    copy(&from, &to).with_context(|| format!("cannot copy {target} to {out}"))?;
    Ok(to)
}

fn copy(from: &std::path::Path, to: &std::path::Path) -> std::io::Result<()> {
    if !from.is_dir() {
        return std::fs::copy(from, to).map(drop);
    }
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}
