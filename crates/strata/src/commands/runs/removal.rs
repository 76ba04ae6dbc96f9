//! Removing what `rm` and `gc` have chosen: told, asked for, and looked at once more just before.

use std::collections::BTreeSet;
use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;
use strata_track::runs::RunFacts;

use super::size;
use crate::exit::{Ended, Failure};

#[derive(Debug, Args)]
pub(super) struct ConsentArgs {
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

/// A folder to be removed, and the run it belongs to.
pub(super) struct Doomed {
    run: RunFacts,
    folder: PathBuf,
}

impl Doomed {
    /// The whole directory of a run.
    pub(super) fn whole(run: RunFacts) -> Self {
        let folder = run.path.clone();
        Self { run, folder }
    }

    /// The checkpoints of a run, if it has a folder of its own for them.
    pub(super) fn checkpoints(run: RunFacts) -> Option<Self> {
        let folder = run.path.join("checkpoints");
        let is_folder = fs_err::symlink_metadata(&folder).is_ok_and(|it| it.is_dir());
        is_folder.then_some(Self { run, folder })
    }

    /// A run in this folder that is not to be removed itself.
    fn bystander(&self, all: &BTreeSet<PathBuf>) -> Option<PathBuf> {
        let mut within = self.run.runs_within().into_iter();
        within.find(|path| path.starts_with(&self.folder) && !all.contains(path))
    }
}

/// Those whose folders hold no run that is to stay; the others with that run.
pub(super) fn without_bystanders(doomed: Vec<Doomed>) -> (Vec<Doomed>, Vec<(Doomed, PathBuf)>) {
    let all: BTreeSet<PathBuf> = doomed.iter().map(|it| it.folder.clone()).collect();
    let (mut alone, mut refused) = (Vec::new(), Vec::new());
    for one in doomed {
        match one.bystander(&all) {
            None => alone.push(one),
            Some(stays) => refused.push((one, stays)),
        }
    }
    (alone, refused)
}

/// Why a run with another one in its folder stays.
pub(super) fn holds_another(doomed: &Doomed, stays: &Path) -> anyhow::Error {
    anyhow!(
        "`{}` holds the run `{}`, which would go with it; move that one away first",
        doomed.folder.display(),
        stays.display()
    )
}

/// Prints folders with their sizes; gives the sum.
pub(super) fn list(doomed: &[Doomed]) -> u64 {
    let mut total = 0;
    for one in doomed {
        let bytes = bytes_below(&one.folder);
        total += bytes;
        let (folder, state) = (one.folder.display(), one.run.state());
        anstream::println!("{:>9}  {state:<11}  {folder}", size(bytes));
    }
    anstream::println!("{:>9}  in {}", size(total), folders(doomed.len()));
    total
}

/// Removes folders if the user agrees; one that cannot be removed keeps no other from it.
pub(super) fn remove(doomed: &[Doomed], consent: &ConsentArgs) -> Result<Ended, Failure> {
    if doomed.is_empty() {
        anstream::println!("nothing to remove");
        return Ok(Ended::Done);
    }
    let total = list(doomed);
    if !consent.yes && !asked(doomed.len(), total)? {
        return Ok(Ended::Differs);
    }
    let mut removed = 0;
    for one in doomed {
        let folder = one.folder.display();
        // It may have been resumed while the user thought about it.
        if one.run.goes_on_now() {
            anstream::eprintln!("error: `{folder}` goes on meanwhile, it stays");
        } else if let Err(error) = remove_folder(&one.folder) {
            anstream::eprintln!("error: {error}");
        } else {
            removed += 1;
        }
    }
    anstream::println!("removed {}", folders(removed));
    Ok(if removed == doomed.len() {
        Ended::Done
    } else {
        Ended::Differs
    })
}

/// Links in it are removed, not followed. One that went with the folder around it is gone already.
fn remove_folder(folder: &Path) -> std::io::Result<()> {
    match fs_err::remove_dir_all(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

fn folders(count: usize) -> String {
    match count {
        1 => "1 folder".to_owned(),
        count => format!("{count} folders"),
    }
}

fn asked(count: usize, bytes: u64) -> Result<bool, Failure> {
    let folders = folders(count);
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage(anyhow!(
            "nobody can be asked whether to remove {folders}; say --yes"
        )));
    }
    anstream::eprint!("remove {folders}, {}? [y/N] ", size(bytes));
    let mut answer = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut answer)
        .context("cannot read the answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn bytes_below(folder: &Path) -> u64 {
    let Ok(entries) = fs_err::read_dir(folder) else {
        return 0;
    };
    let sizes = entries.flatten().map(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => bytes_below(&entry.path()),
        _ => entry.metadata().map_or(0, |metadata| metadata.len()),
    });
    sizes.sum()
}
