//! `strata wandb`: what there is to be settled with W&B.

use std::io::{BufRead, IsTerminal};

use anyhow::{Context, anyhow};
use clap::{Args, Subcommand};
use strata_track::wandb::{ApiKey, NetRc, Session, Settings, host_of};

use crate::exit::{Ended, Failure};

#[derive(Debug, Args)]
pub(crate) struct WandbArgs {
    #[command(subcommand)]
    command: WandbCommand,
}

#[derive(Debug, Subcommand)]
enum WandbCommand {
    /// Keep the key to a W&B account in ~/.netrc, where wandb keeps it too
    Login(LoginArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata wandb login                         asks for the key, which is not shown
  strata wandb login < key.txt
  strata wandb login --host https://wandb.example.org

The key is shown at https://wandb.ai/authorize. It is checked with the server before it is kept.")]
struct LoginArgs {
    /// The key; better typed when asked for, as commands are kept in the shell's history
    key: Option<String>,

    /// A server of one's own [default: `WANDB_BASE_URL`, else `https://api.wandb.ai`]
    #[arg(long, value_name = "URL")]
    host: Option<String>,

    /// Ask again though there is a key
    #[arg(long)]
    relogin: bool,
}

pub(crate) fn run(args: &WandbArgs) -> Result<Ended, Failure> {
    match &args.command {
        WandbCommand::Login(args) => login(args),
    }
}

fn login(args: &LoginArgs) -> Result<Ended, Failure> {
    let mut environment: std::collections::HashMap<String, String> = std::env::vars().collect();
    if let Some(host) = &args.host {
        environment.insert("WANDB_BASE_URL".to_owned(), host.clone());
    }
    let here = std::env::current_dir().context("the working directory")?;
    let settings = Settings::load(&environment, &here).map_err(anyhow::Error::from)?;
    let netrc = NetRc::of(&environment).map_err(anyhow::Error::from)?;
    let host = host_of(settings.base_url());
    let known = if args.relogin || args.key.is_some() {
        None
    } else {
        netrc.key(host).map_err(anyhow::Error::from)?
    };
    let is_new = known.is_none();
    let key = match known {
        Some(key) => key,
        None => {
            ApiKey::new(typed_key(args)?.trim()).map_err(|error| Failure::Usage(error.into()))?
        }
    };
    let session = Session::with_key(&settings, &key);
    let (user, team) = session.user().map_err(anyhow::Error::from)?;
    if is_new {
        netrc.set_key(host, &key).map_err(anyhow::Error::from)?;
    }
    let path = netrc.path().display();
    anstream::println!("logged in at {host} as {user}, runs go to {team}; the key is in {path}");
    if args.host.is_some() {
        anstream::println!(
            "runs are sent there with WANDB_BASE_URL={}",
            settings.base_url()
        );
    }
    Ok(Ended::Done)
}

/// The key from the command line, from whoever sits at the terminal, or from standard input.
fn typed_key(args: &LoginArgs) -> Result<String, Failure> {
    if let Some(key) = &args.key {
        return Ok(key.clone());
    }
    let mut key = String::new();
    if std::io::stdin().is_terminal() {
        anstream::eprint!("API key (https://wandb.ai/authorize): ");
        key = console::Term::stderr()
            .read_secure_line()
            .context("cannot read the key")?;
    } else {
        let mut input = std::io::stdin().lock();
        input.read_line(&mut key).context("cannot read the key")?;
    }
    if key.trim().is_empty() {
        return Err(Failure::Usage(anyhow!("no key was given")));
    }
    Ok(key)
}
