//! `strata config SECTION.OPTION [VALUE]`: the settings of a project.

use std::fmt::Write as _;
use std::path::Path;

use clap::Args;
use strata_pipeline::config::{ConfigFiles, Level, OptionName};
use strata_pipeline::{PipelineError, config};

use super::volume::Volume;
use super::warn;
use crate::exit::{Ended, Failure};
use crate::output;

pub(crate) const PROJECT_CONFIG_EXAMPLES: &str = "\
Examples:
  strata config core.remote                        print a setting of the project
  strata config core.remote storage                set it
  strata config --local remote.storage.profile me  in .dvc/config.local, which Git does not see
  strata config --unset core.remote
  strata config --list --show-origin
  strata config explain model.dropout              the configuration of `strata train`

Exit code 251: no such option, or a value that it does not take.";

#[derive(Debug, Args)]
pub(crate) struct ProjectConfigArgs {
    /// A setting of the project: section.option or remote.NAME.option
    pub(crate) name: Option<String>,
    /// Its new value
    pub(crate) value: Option<String>,
    /// Remove the setting
    #[arg(short, long)]
    pub(crate) unset: bool,
    /// Print all settings
    #[arg(short, long)]
    pub(crate) list: bool,
    /// Print the file of each setting as well
    #[arg(long)]
    pub(crate) show_origin: bool,
    #[command(flatten)]
    pub(crate) level: LevelArgs,
    #[command(flatten)]
    pub(crate) volume: Volume,
}

/// Where a setting stands.
#[derive(Debug, Args)]
#[group(id = "level", multiple = false)]
pub(crate) struct LevelArgs {
    /// The settings of the user
    #[arg(long)]
    global: bool,
    /// The settings of the machine
    #[arg(long)]
    system: bool,
    /// The settings of the project, .dvc/config
    #[arg(long)]
    project: bool,
    /// The settings of this copy of the project, .dvc/config.local
    #[arg(long)]
    local: bool,
}

impl LevelArgs {
    pub(crate) fn level(&self) -> Option<Level> {
        let levels = [
            (self.global, Level::Global),
            (self.system, Level::System),
            (self.project, Level::Project),
            (self.local, Level::Local),
        ];
        levels
            .into_iter()
            .find_map(|(is_set, level)| is_set.then_some(level))
    }
}

pub(crate) fn run(args: &ProjectConfigArgs) -> Result<Ended, Failure> {
    args.volume.apply();
    let changes = args.unset || args.value.is_some();
    if args.show_origin && changes {
        return Err(refused(
            "--show-origin can't be used together with any of these options: -u/--unset, value",
        ));
    }
    let files = ConfigFiles::around(Path::new("."))?;
    let level = args.level.level();
    if args.list {
        if changes || args.name.is_some() {
            return Err(refused(
                "-l/--list can't be used together with any of these options: -u/--unset, name, value",
            ));
        }
        return list(&files, level, args.show_origin);
    }
    let Some(name) = &args.name else {
        return Err(refused("name argument is required"));
    };
    let name = OptionName::parse(name).ok_or_else(|| PipelineError::Usage {
        why: "argument name: name argument should look like remote.name.option or db.name.option or section.option"
            .to_owned(),
    })?;
    match &args.value {
        None if args.unset => files.unset(&name, level)?,
        None => return get(&files, &name, level, args.show_origin),
        Some(value) => {
            files.set(&name, value, level)?;
            warn_of_secret(&name, level);
            if (name.section.as_str(), name.option.as_str()) == ("cache", "type") {
                warn(
                    "You have changed the 'cache.type' option. This doesn't update any existing workspace file links.",
                );
            }
        }
    }
    Ok(Ended::Done)
}

fn get(
    files: &ConfigFiles,
    name: &OptionName,
    level: Option<Level>,
    show_origin: bool,
) -> Result<Ended, Failure> {
    match files.get(name, level)? {
        Some((value, file)) if show_origin => {
            output::print(&format!("{}\t{value}\n", files.origin(&file)))?;
        }
        Some((value, _)) => output::print(&format!("{value}\n"))?,
        // DVC says nothing here, and ends with 0.
        None => {
            if let Some(closest) = files.closest(name) {
                anstream::eprintln!(
                    "WARNING: there is no option '{name}'; did you mean '{closest}'?"
                );
            }
        }
    }
    Ok(Ended::Done)
}

fn list(files: &ConfigFiles, level: Option<Level>, show_origin: bool) -> Result<Ended, Failure> {
    let mut text = String::new();
    for (name, value, file) in files.list(level)? {
        if show_origin {
            let _ = write!(text, "{}\t", files.origin(&file));
        }
        let _ = writeln!(text, "{name}={value}");
    }
    output::print(&text)?;
    Ok(Ended::Done)
}

/// Says where a key that was just put into a file that Git sees belongs.
pub(crate) fn warn_of_secret(name: &OptionName, level: Option<Level>) {
    let is_shared = matches!(level, None | Some(Level::Project));
    if is_shared && name.kind == Some("remote") && config::is_secret(&name.option) {
        anstream::eprintln!(
            "WARNING: '{name}' is now in .dvc/config, which others get with the project. With --local it is in .dvc/config.local, \
             for this copy alone."
        );
    }
}

fn refused(why: &str) -> Failure {
    let error = PipelineError::Usage {
        why: why.to_owned(),
    };
    Failure::Pipeline(Box::new(error), 1)
}
