//! `strata runs`: the runs that lie in directories.

mod compare;
mod gc;
mod kept_config;
mod ls;
mod reading;
mod removal;
mod rm;
mod show;
mod tail;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::exit::{Ended, Failure};

#[derive(Debug, Args)]
pub(crate) struct RunsArgs {
    #[command(subcommand)]
    command: RunsCommand,
}

#[derive(Debug, Subcommand)]
enum RunsCommand {
    /// List runs with their state and figures
    Ls(ls::LsArgs),
    /// Show one run
    Show(show::ShowArgs),
    /// Compare runs: where their configurations differ, and their figures
    Compare(compare::CompareArgs),
    /// Print the last rows of a run, and those to come
    Tail(tail::TailArgs),
    /// Remove runs
    Rm(rm::RmArgs),
    /// Remove runs that came to nothing, or checkpoints that nobody needs
    Gc(gc::GcArgs),
}

pub(crate) fn run(args: &RunsArgs) -> Result<Ended, Failure> {
    match &args.command {
        RunsCommand::Ls(args) => ls::run(args),
        RunsCommand::Show(args) => show::run(args),
        RunsCommand::Compare(args) => compare::run(args),
        RunsCommand::Tail(args) => tail::run(args),
        RunsCommand::Rm(args) => rm::run(args),
        RunsCommand::Gc(args) => gc::run(args),
    }
}

/// As the directories of runs are named: the local time, to the second.
fn local_time(time: Timestamp) -> String {
    let local = time.to_zoned_datetime(TimeZone::system());
    local.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Two significant units of a time.
fn duration(seconds: f64) -> String {
    let whole = seconds as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, _) => format!("{seconds:.1} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// Bytes in the unit that suits them.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    let mut value = bytes as f64;
    let mut unit = "B";
    for next in UNITS {
        if value < 1000.0 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    if unit == "B" {
        format!("{bytes} B")
    } else {
        format!("{value:.1} {unit}")
    }
}
