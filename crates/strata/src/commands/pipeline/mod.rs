//! DVC's commands, one file each.

pub(crate) mod add;
mod bar;
pub(crate) mod check_ignore;
pub(crate) mod checkout;
pub(crate) mod commit;
mod compare;
pub(crate) mod config;
pub(crate) mod dag;
pub(crate) mod data_status;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod edit;
mod extent;
pub(crate) mod gc;
pub(crate) mod init;
pub(crate) mod lock;
pub(crate) mod metrics;
pub(crate) mod params;
pub(crate) mod plots;
pub(crate) mod remote;
pub(crate) mod repro;
pub(crate) mod root;
pub(crate) mod stage;
pub(crate) mod status;
mod table;
pub(crate) mod transfer;
mod volume;

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use strata_pipeline::{PipelineError, Project, Repository};

use crate::output;
use bar::DataBar;

/// The repository around the current folder; in a terminal long work on data shows how far it has come.
fn repository() -> Result<Repository, PipelineError> {
    let mut repository = Repository::open(Path::new("."))?;
    if std::io::stderr().is_terminal() && !output::is_silent() {
        repository.progress = Box::new(DataBar::default());
    }
    Ok(repository)
}

/// The project around the current folder with all of its stages; warnings go to stderr.
fn open() -> Result<Project, PipelineError> {
    Project::load(repository()?, Box::new(warn))
}

/// Warnings are no errors: `--quiet` silences them.
fn warn(text: &str) {
    if !output::is_silent() {
        anstream::eprintln!("WARNING: {text}");
    }
}

/// The stages of some targets alone, whatever the others are like.
fn open_only(targets: &[String]) -> Result<Project, PipelineError> {
    Project::load_only(repository()?, targets, Box::new(warn))
}

/// The same as it was at a commit.
fn open_at(revision: &str) -> Result<Project, PipelineError> {
    Project::load_at(repository()?, revision, Box::new(|_| ()))
}

/// What Git has to be told of files that a command has written, unless that has been done.
fn git_hint(project: &Project, files: &[String]) -> String {
    let repository = &project.repository;
    if repository.git.is_none() || repository.config.is_true("core", "autostage") {
        return String::new();
    }
    format!(
        "\nTo track the changes with git, run:\n\n\tgit add {}\n\nTo enable auto staging, run:\n\n\tstrata config core.autostage true\n",
        files.join(" ")
    )
}

/// The command line, for other processes that have to wait.
fn command_line() -> String {
    let words: Vec<String> = std::env::args().skip(1).collect();
    format!("strata {}", words.join(" "))
}

/// Asks in a terminal; anywhere else the answer is no.
fn confirmed(question: &str) -> bool {
    if !std::io::stdin().is_terminal() {
        return false;
    }
    let mut stderr = std::io::stderr();
    let _ = write!(stderr, "{question} [y/n]: ");
    let _ = stderr.flush();
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}
