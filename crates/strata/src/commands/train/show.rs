//! What `--cfg`, `--info` and `--help` print in place of running. Any tree composes here, whether or not
//! a job could use it.

use clap::CommandFactory;
use strata_config::Composition;

use crate::cli::{CfgPart, Cli, InfoPart, TrainArgs};
use crate::exit::Failure;

/// The text to print; none if a job is to run.
pub(crate) fn instead(
    args: &TrainArgs,
    composition: &Composition,
) -> Result<Option<String>, Failure> {
    let package = args.package.as_deref();
    let text = match (args.help, args.cfg, args.info) {
        (true, ..) => composition.help_text(args.resolve, &flags())?,
        (_, Some(CfgPart::Job), _) => composition.job_yaml(args.resolve, package)?,
        (_, Some(CfgPart::Hydra), _) => composition.hydra_yaml(args.resolve, package)?,
        (_, Some(CfgPart::All), _) => composition.all_yaml(args.resolve, package)?,
        (_, None, Some(part)) => info(part, composition)?,
        (false, None, None) => return Ok(None),
    };
    Ok(Some(text))
}

fn info(part: InfoPart, composition: &Composition) -> Result<String, Failure> {
    Ok(match part {
        InfoPart::Defaults => composition.defaults_list_text(),
        InfoPart::DefaultsTree => composition.defaults_tree_text(),
        InfoPart::Searchpath => composition.search_path_text(),
        InfoPart::Plugins => plugins(),
        InfoPart::Config => [
            composition.search_path_text(),
            composition.defaults_tree_text(),
            composition.defaults_list_text(),
            titled("Config", &composition.job_yaml(false, None)?),
        ]
        .concat(),
        InfoPart::All => [
            titled(
                "Hydra",
                &format!(
                    "the language of Hydra {}, spoken by strata {}\n",
                    strata_config::HYDRA_VERSION,
                    env!("CARGO_PKG_VERSION")
                ),
            ),
            plugins(),
            info(InfoPart::Config, composition)?,
        ]
        .concat(),
    })
}

fn titled(title: &str, text: &str) -> String {
    format!("\n{title}\n{}\n{text}", "*".repeat(title.len()))
}

/// There is nothing to install: what Hydra has as plugins is built in.
fn plugins() -> String {
    titled(
        "Installed Hydra Plugins",
        "\tCompletionPlugin: bash, fish, zsh\n\tLauncher: basic, joblib\n\tSweeper: basic, optuna, strata\n",
    )
}

/// The flags, where `--help` shows the tree.
pub(crate) fn hydra_help() -> String {
    format!(
        "{}\nThe language of Hydra {} is spoken.\n",
        flags(),
        strata_config::HYDRA_VERSION
    )
}

fn flags() -> String {
    let mut cli = Cli::command();
    cli.build();
    let train = cli.find_subcommand_mut("train");
    train.map_or_else(String::new, |train| train.render_long_help().to_string())
}
