//! The command line of strata: one file per command below `commands/`, no logic of its own.
//!
//! [`cli`] says what can be typed, [`hydra_flags`] makes Hydra's own short flags fit, [`exit`] how a
//! command ends. Exit codes: 0 done, 1 the work failed, 2 wrong usage, 130 interrupted.

mod cli;
mod commands;
mod compose_args;
mod embedded_conf;
mod exit;
mod hydra_flags;
mod interrupt;
mod load_events;
mod output;
mod warn;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = match Cli::try_parse_from(hydra_flags::spelled_out(std::env::args_os())) {
        Ok(cli) => cli,
        Err(error) => return exit::usage(&error),
    };
    let ended = match &cli.command {
        Command::Train(args) => commands::train::run(args),
        Command::Resume(args) => commands::resume::run(args),
        Command::SweepWorker(args) => commands::sweep_worker::run(args),
        Command::Eval(args) => commands::eval::run(args),
        Command::Predict(args) => commands::predict::run(args),
        Command::Data(args) => commands::data::run(args),
        Command::Synth(args) => commands::synth::run(args),
        Command::Config(args) => commands::config::run(args),
        Command::Init(args) => commands::pipeline::init::run(args),
        Command::Repro(args) => commands::pipeline::repro::run(args),
        Command::Status(args) => commands::pipeline::status::run(args),
        Command::Add(args) => commands::pipeline::add::run(args),
        Command::Checkout(args) => commands::pipeline::checkout::run(args),
        Command::Commit(args) => commands::pipeline::commit::run(args),
        Command::Freeze(args) => commands::pipeline::edit::freeze(args),
        Command::Unfreeze(args) => commands::pipeline::edit::unfreeze(args),
        Command::Remove(args) => commands::pipeline::edit::remove(args),
        Command::Gc(args) => commands::pipeline::gc::run(args),
        Command::Stage(args) => commands::pipeline::stage::run(args),
        Command::Push(args) => commands::pipeline::transfer::push(args),
        Command::Fetch(args) => commands::pipeline::transfer::fetch(args),
        Command::Pull(args) => commands::pipeline::transfer::pull(args),
        Command::Remote(args) => commands::pipeline::remote::run(args),
        Command::Dag(args) => commands::pipeline::dag::run(args),
        Command::Move(args) => commands::pipeline::edit::move_data(args),
        Command::Lock(args) => commands::pipeline::lock::run(args),
        Command::GitHook(args) => commands::pipeline::lock::git_hook(args),
        Command::CheckIgnore(args) => commands::pipeline::check_ignore::run(args),
        Command::Diff(args) => commands::pipeline::diff::run(args),
        Command::Params(args) => commands::pipeline::params::run(args),
        Command::Metrics(args) => commands::pipeline::metrics::run(args),
        Command::Plots(args) => commands::pipeline::plots::run(args),
        Command::Unprotect(args) => commands::pipeline::edit::unprotect(args),
        Command::Root(args) => commands::pipeline::root::run(args),
        Command::Doctor(args) => commands::pipeline::doctor::run(args),
        Command::Runs(args) => commands::runs::run(args),
        Command::Track(args) => commands::track::run(args),
        Command::Study(args) => commands::study::run(args),
        Command::Sync(args) => commands::sync::run(args),
        Command::Wandb(args) => commands::wandb::run(args),
        Command::Completion { shell } => commands::completion::print_script(*shell),
    };
    match ended {
        Ok(ended) => ended.into(),
        Err(failure) => failure.report(),
    }
}
