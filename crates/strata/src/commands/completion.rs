//! Shell completion: the scripts, and the question they ask.
//!
//! A script gives the line typed so far in `COMP_LINE` to `strata train --shell-completion query=SHELL`,
//! as Hydra's scripts do, and shows the words that come back, one a line.

use std::env;
use std::path::Path;

use anyhow::anyhow;
use clap::{Arg, Command, CommandFactory, Parser, ValueEnum};

use crate::cli::{Cli, Command as Typed, ConfigCommand, DataCommand, Shell};
use crate::compose_args::ComposeArgs;
use crate::exit::{Ended, Failure};
use crate::{hydra_flags, output};

const BASH: &str = include_str!("../../completion/strata.bash");
const ZSH: &str = include_str!("../../completion/strata.zsh");
const FISH: &str = include_str!("../../completion/strata.fish");

/// Prints the script of a shell.
pub(crate) fn print_script(shell: Shell) -> Result<Ended, Failure> {
    output::print(match shell {
        Shell::Bash => BASH,
        Shell::Zsh => ZSH,
        Shell::Fish => FISH,
    })?;
    Ok(Ended::Done)
}

/// `install=SHELL`, `uninstall=SHELL` or `query=SHELL`, as Hydra's flag takes them.
pub(crate) fn run(words: &[String]) -> Result<Ended, Failure> {
    let wrong = || {
        Failure::Usage(anyhow!(
            "--shell-completion takes install=SHELL, uninstall=SHELL or query=SHELL; SHELL is bash, zsh or fish"
        ))
    };
    let [word] = words else {
        return Err(wrong());
    };
    let (what, shell) = word.split_once('=').ok_or_else(wrong)?;
    let shell = Shell::from_str(shell, false).map_err(|_| wrong())?;
    match (what, shell) {
        ("install", shell) => return print_script(shell),
        ("uninstall", Shell::Bash) => output::print("complete -r strata\nunset -f _strata\n")?,
        ("uninstall", Shell::Zsh) => output::print("compdef -d strata\nunfunction _strata\n")?,
        ("uninstall", Shell::Fish) => {
            output::print("complete -e -c strata\nfunctions -e __strata_complete\n")?;
        }
        ("query", _) => {
            let line = env::var("COMP_LINE").unwrap_or_default();
            let end = env::var("COMP_POINT").ok().and_then(|end| end.parse().ok());
            let line = line.get(..end.unwrap_or(line.len())).unwrap_or(&line);
            let mut seen = std::collections::HashSet::new();
            let mut candidates = candidates(line);
            candidates.retain(|word| seen.insert(word.clone()));
            output::print(
                &candidates
                    .iter()
                    .map(|word| format!("{word}\n"))
                    .collect::<String>(),
            )?;
        }
        _ => return Err(wrong()),
    }
    Ok(Ended::Done)
}

/// The words that the last word of a line can become.
fn candidates(line: &str) -> Vec<String> {
    let mut words: Vec<&str> = line.split([' ', '\t']).collect();
    let current = words.pop().unwrap_or_default();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let mut root = Cli::command();
    root.build();
    let mut command = &root;
    for word in words.iter().skip(1) {
        if let Some(below) = command.find_subcommand(word) {
            command = below;
        }
    }
    if let Some(flag) = words.last().and_then(|word| flag_with_value(command, word)) {
        return values_of(flag, current);
    }
    if current.starts_with('-') {
        return flags(command, current);
    }
    if command.has_subcommands() {
        let names = command.get_subcommands().map(Command::get_name);
        return starting_with(names, current);
    }
    match composing(&words) {
        Some(compose) => overrides(&compose, current, &words),
        None => positional(command, current),
    }
}

fn starting_with<'a>(names: impl Iterator<Item = &'a str>, typed: &str) -> Vec<String> {
    names
        .filter(|name| name.starts_with(typed))
        .map(str::to_owned)
        .collect()
}

/// The flag that a word is, if a value must follow it.
fn flag_with_value<'a>(command: &'a Command, word: &str) -> Option<&'a Arg> {
    let spelled = hydra_flags::long_form(word).unwrap_or_else(|| word.to_owned());
    command.get_arguments().find(|arg| {
        let long = arg
            .get_long()
            .is_some_and(|long| spelled == format!("--{long}"));
        let short = arg
            .get_short()
            .is_some_and(|short| spelled == format!("-{short}"));
        (long || short) && arg.get_action().takes_values()
    })
}

fn values_of(flag: &Arg, typed: &str) -> Vec<String> {
    let values = flag.get_possible_values();
    if values.is_empty() {
        return paths("", typed);
    }
    starting_with(
        values.iter().map(clap::builder::PossibleValue::get_name),
        typed,
    )
}

fn flags(command: &Command, typed: &str) -> Vec<String> {
    let longs = command.get_arguments().filter_map(Arg::get_long);
    let longs: Vec<String> = longs.map(|long| format!("--{long}")).collect();
    starting_with(longs.iter().map(String::as_str), typed)
}

fn positional(command: &Command, typed: &str) -> Vec<String> {
    let values: Vec<String> = command
        .get_positionals()
        .flat_map(Arg::get_possible_values)
        .map(|value| value.get_name().to_owned())
        .collect();
    if values.is_empty() {
        paths("", typed)
    } else {
        starting_with(values.iter().map(String::as_str), typed)
    }
}

/// The tree that the words before the cursor compose; none for a command that composes nothing.
fn composing(words: &[&str]) -> Option<ComposeArgs> {
    let spelled = hydra_flags::spelled_out(words.iter().map(Into::into));
    // What is half typed need not parse; then the tree alone is asked.
    let with_key = spelled.iter().cloned().chain(["key".into()]);
    let whole = Cli::try_parse_from(&spelled)
        .or_else(|_| Cli::try_parse_from(with_key))
        .ok()
        .map(|cli| cli.command);
    let bare = || {
        let depth = usize::from(matches!(words.get(1), Some(&("data" | "config")))) + 2;
        let words = words.get(..depth)?.iter();
        Cli::try_parse_from(words).ok().map(|cli| cli.command)
    };
    match whole.or_else(bare)? {
        Typed::Train(args) => Some(args.compose),
        Typed::Data(args) => match args.command {
            DataCommand::Info { compose, .. }
            | DataCommand::Show { compose, .. }
            | DataCommand::Fetch { compose } => Some(compose),
            DataCommand::Status { .. } => None,
        },
        Typed::Config(args) => match args.command? {
            ConfigCommand::Validate { compose, .. } | ConfigCommand::Explain { compose, .. } => {
                Some(compose)
            }
            _ => None,
        },
        _ => None,
    }
}

fn overrides(compose: &ComposeArgs, typed: &str, words: &[&str]) -> Vec<String> {
    if let Some((key, value)) = typed.split_once('=')
        && value.starts_with(['.', '/', '~'])
    {
        return paths(&format!("{key}="), value);
    }
    let mut request = compose.request("train");
    request.multirun = true;
    let composed = strata_config::compose(&request).or_else(|_| {
        // One of the other overrides is wrong; the tree is still worth asking.
        request.overrides.clear();
        strata_config::compose(&request)
    });
    let Ok(composition) = composed else {
        return Vec::new();
    };
    let mut words_found = composition.complete_override(typed);
    if words.last() == Some(&"explain") {
        for word in &mut words_found {
            word.truncate(word.trim_end_matches('=').len());
        }
    }
    words_found
}

/// Files and folders whose path begins as typed; folders end with `/`.
fn paths(prefix: &str, typed: &str) -> Vec<String> {
    let (folder, name) = match typed.rfind('/') {
        Some(at) => typed.split_at(at + 1),
        None => ("", typed),
    };
    let home = env::var("HOME").unwrap_or_default();
    let place = match folder.strip_prefix("~/") {
        Some(below) => Path::new(&home).join(below),
        None if folder.is_empty() => Path::new(".").to_owned(),
        None => Path::new(folder).to_owned(),
    };
    let Ok(entries) = std::fs::read_dir(place) else {
        return Vec::new();
    };
    let mut found: Vec<String> = entries
        .flatten()
        .filter_map(|entry| {
            let entry_name = entry.file_name().into_string().ok()?;
            let hidden = entry_name.starts_with('.') && !name.starts_with('.');
            let fits = entry_name.starts_with(name) && !hidden;
            let end = if entry.path().is_dir() { "/" } else { "" };
            fits.then(|| format!("{prefix}{folder}{entry_name}{end}"))
        })
        .collect();
    found.sort();
    found
}
