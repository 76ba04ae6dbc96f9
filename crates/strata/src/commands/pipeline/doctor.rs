//! `strata doctor`, with DVC's other name for it, `version`.

use std::path::Path;

use clap::Args;
use strata_pipeline::Repository;
use strata_pipeline::config::ConfigFiles;

use super::volume::Volume;
use crate::exit::{Ended, Failure};
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    volume: Volume,
}

pub(crate) fn run(args: &DoctorArgs) -> Result<Ended, Failure> {
    args.volume.apply();
    let mut lines = vec![
        format!("strata version: {}", env!("CARGO_PKG_VERSION")),
        "Files, cache and commands as in DVC 3.67.1".to_owned(),
        format!(
            "Platform: {}, {}",
            std::env::consts::OS,
            std::env::consts::ARCH
        ),
    ];
    match Repository::open(Path::new(".")) {
        Ok(repository) => lines.extend(of_project(&repository)),
        Err(error) => lines.push(format!("No project: {error}")),
    }
    output::print(&(lines.join("\n") + "\n"))?;
    Ok(Ended::Done)
}

fn of_project(repository: &Repository) -> Vec<String> {
    let remotes = ConfigFiles::around(&repository.root).and_then(|files| files.remotes(None));
    let names: Vec<String> = remotes
        .into_iter()
        .flatten()
        .map(|(name, _)| name)
        .collect();
    let remotes = if names.is_empty() {
        "None".to_owned()
    } else {
        names.join(", ")
    };
    let links: Vec<String> = repository
        .link_types
        .iter()
        .map(|link| format!("{link:?}").to_lowercase())
        .collect();
    vec![
        format!("Root: {}", repository.root.display()),
        format!("Cache directory: {}", repository.cache.folder().display()),
        format!("Cache types: {}", links.join(", ")),
        format!("Remotes: {remotes}"),
        format!(
            "Repo: {}",
            if repository.git.is_some() {
                "dvc, git"
            } else {
                "dvc (no_scm)"
            }
        ),
    ]
}
