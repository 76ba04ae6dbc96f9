//! `strata lock merge`, `lock install`, and `git-hook merge-driver`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use strata_fs::write_atomically;
use strata_pipeline::merge::{Merged, Versions, data_file, lock_file};
use strata_pipeline::{Git, PipelineError, Repository};

use super::volume::Volume;
use super::warn;
use crate::exit::{Ended, Failure};
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct LockArgs {
    #[command(subcommand)]
    command: LockCommand,
    #[command(flatten)]
    volume: Volume,
}

#[derive(Debug, Subcommand)]
enum LockCommand {
    /// Merge three versions of a dvc.lock or .dvc file, for Git
    #[command(after_help = "\
Examples:
  strata lock install                                      let Git call it
  strata lock merge %O %A %B --path %P                     as Git does
  strata lock merge base.lock ours.lock theirs.lock        by hand, into ours.lock

A dvc.lock is merged stage by stage: an entry is the record of one run and is never mixed with another. Of a .dvc file
the keys are merged, and the files of the folders that it names. Exit codes: 0 merged, 1 there are conflicts, which
stand between Git's markers.")]
    Merge(MergeArgs),
    /// Let Git merge dvc.lock and .dvc files in this clone
    #[command(after_help = "\
Examples:
  strata lock install           adds lines to .gitattributes, to be committed, and a driver to this clone's settings")]
    Install,
}

#[derive(Debug, Args)]
struct MergeArgs {
    /// The version of the last common commit
    base: PathBuf,
    /// The version of this branch; the result goes here
    ours: PathBuf,
    /// The version of the branch that is merged
    theirs: PathBuf,
    /// The file that is merged, if the versions have other names
    #[arg(long)]
    path: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct GitHookArgs {
    #[command(subcommand)]
    command: GitHookCommand,
    #[command(flatten)]
    volume: Volume,
}

#[derive(Debug, Subcommand)]
enum GitHookCommand {
    /// Merge three versions of a .dvc file
    MergeDriver {
        /// The version of the last common commit
        #[arg(long)]
        ancestor: PathBuf,
        /// The version of this branch; the result goes here
        #[arg(long)]
        our: PathBuf,
        /// The version of the branch that is merged
        #[arg(long)]
        their: PathBuf,
    },
}

pub(crate) fn run(args: &LockArgs) -> Result<Ended, Failure> {
    args.volume.apply();
    match &args.command {
        LockCommand::Merge(args) => {
            let path = args
                .path
                .clone()
                .unwrap_or_else(|| args.ours.display().to_string());
            let files = Files {
                base: &args.base,
                ours: &args.ours,
                theirs: &args.theirs,
            };
            Ok(files.merge(
                &path,
                Path::new(&path)
                    .extension()
                    .is_some_and(|suffix| suffix == "dvc"),
            )?)
        }
        LockCommand::Install => install(),
    }
}

pub(crate) fn git_hook(args: &GitHookArgs) -> Result<Ended, Failure> {
    args.volume.apply();
    let GitHookCommand::MergeDriver {
        ancestor,
        our,
        their,
    } = &args.command;
    let files = Files {
        base: ancestor,
        ours: our,
        theirs: their,
    };
    Ok(files.merge(&our.display().to_string(), true)?)
}

/// Where the three versions are.
struct Files<'a> {
    base: &'a Path,
    ours: &'a Path,
    theirs: &'a Path,
}

impl Files<'_> {
    /// Merges into the file of our version; `path` is the file that is merged.
    fn merge(&self, path: &str, is_data_file: bool) -> Result<Ended, PipelineError> {
        let merged = self.merged(path, is_data_file);
        let conflicts = match merged {
            Ok(Merged::Clean(text)) => {
                write_atomically(self.ours, text.as_bytes())?;
                return Ok(Ended::Done);
            }
            Ok(Merged::Conflicts { text, conflicts }) => {
                match text {
                    Some(text) => write_atomically(self.ours, text.as_bytes())?,
                    None => drop(Git::merge_lines(self.base, self.ours, self.theirs)?),
                }
                conflicts
            }
            Err(error) => {
                // Nothing is worse than without the driver.
                anstream::eprintln!("WARNING: merging '{path}' line by line: {error}");
                let is_clean = Git::merge_lines(self.base, self.ours, self.theirs)?;
                return Ok(if is_clean {
                    Ended::Done
                } else {
                    Ended::Differs
                });
            }
        };
        for conflict in conflicts {
            anstream::eprintln!("CONFLICT in {path}: {conflict}");
        }
        anstream::eprintln!(
            "hint: keep one side of each conflict in {path}, then `git add {path}`; `strata repro` runs what does not fit"
        );
        Ok(Ended::Differs)
    }

    fn merged(&self, path: &str, is_data_file: bool) -> Result<Merged, PipelineError> {
        let [base, ours, theirs] = [self.base, self.ours, self.theirs].map(fs_err::read_to_string);
        let (base, ours, theirs) = (base?, ours?, theirs?);
        let versions = Versions {
            base: &base,
            ours: &ours,
            theirs: &theirs,
        };
        if !is_data_file {
            return lock_file(path, versions);
        }
        // Git starts drivers at the top of the work tree, the project may lie below.
        let folder = Path::new(path).parent().unwrap_or(Path::new(""));
        let folder = Path::new(".").join(folder);
        let repository = Repository::open(&folder)?;
        data_file(path, versions, &repository.cache)
    }
}

/// The files that the driver is for.
const PATTERNS: [&str; 2] = ["dvc.lock", "*.dvc"];

/// Git takes a driver that ends with 1 to 128 for one that left conflicts in the file, also where the shell did not find
/// the program, and our side would stand there without markers: then, and after an error, the lines are merged.
const DRIVER: &str = "strata lock merge %O %A %B --path %P; code=$?; \
test $code -le 1 || { git merge-file -L ours -L base -L theirs %A %O %B; code=$?; }; exit $code";

fn install() -> Result<Ended, Failure> {
    let folder = std::env::current_dir().map_err(PipelineError::from)?;
    let Some(git) = Git::around(&folder) else {
        return Err(Failure::from(PipelineError::NotAGitRepository {
            folder: folder.display().to_string(),
        }));
    };
    let said = install_in(&git).map_err(PipelineError::from)?;
    output::print(&said)?;
    if !is_on_path("strata") {
        warn(
            "Git will not find the program: `strata` is in no folder of PATH. Until it is, these files are merged line by line.",
        );
    }
    Ok(Ended::Done)
}

/// Whether the shell that Git starts finds a program, if its PATH is the one of this process.
fn is_on_path(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| {
        fs_err::metadata(folder.join(program))
            .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
    })
}

/// Returns what was done.
fn install_in(git: &Git) -> std::io::Result<String> {
    let file = git.top()?.join(".gitattributes");
    let mut text = match fs_err::read_to_string(&file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        read => read?,
    };
    let mut said = String::new();
    for pattern in PATTERNS {
        let line = format!("{pattern} merge=strata");
        if text.lines().any(|known| known.trim() == line) {
            continue;
        }
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text = text + &line + "\n";
        said = said + "Added '" + &line + "' to .gitattributes.\n";
    }
    if !said.is_empty() {
        write_atomically(&file, text.as_bytes())?;
        said.push_str("To share it, commit .gitattributes.\n");
    }
    git.set("merge.strata.name", "dvc.lock by stages, .dvc by files")?;
    git.set("merge.strata.driver", DRIVER)?;
    said.push_str("Set merge.strata.driver in this clone's Git settings; other clones need `strata lock install` too.\n");
    Ok(said)
}
