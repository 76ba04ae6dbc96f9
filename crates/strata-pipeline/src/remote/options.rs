//! The settings of one remote.

use std::path::PathBuf;

use crate::config::{Config, remote_section};
use crate::error::PipelineError;

/// The settings of a remote, with those of the remotes that its URL builds upon.
///
/// `url = remote://base/folder` stands for the folder `folder` of the remote `base`, whose options hold too.
#[derive(Debug, Clone)]
pub struct RemoteOptions<'a> {
    name: String,
    /// The remote's own section first.
    sections: Vec<String>,
    /// Folders below the first real URL.
    below: Vec<String>,
    config: &'a Config,
}

impl<'a> RemoteOptions<'a> {
    /// Of the remote of a name.
    ///
    /// # Errors
    /// There is none, or its URL leads in a circle.
    pub fn of(config: &'a Config, name: &str) -> Result<Self, PipelineError> {
        let mut options = Self {
            name: name.to_lowercase(),
            sections: Vec::new(),
            below: Vec::new(),
            config,
        };
        let mut next = Some(options.name.clone());
        while let Some(name) = next {
            let section = remote_section(&name);
            if options.sections.contains(&section) {
                return Err(options.wrong(&format!("its URL leads back to remote '{name}'")));
            }
            let url = config.get(&section, "url").map(|(url, _)| url.to_owned());
            let url = url.ok_or_else(|| no_such_remote(config, &name))?;
            options.sections.push(section);
            next = url.strip_prefix("remote://").map(|rest| {
                let (base, below) = rest.split_once('/').unwrap_or((rest, ""));
                options.below.insert(0, below.trim_matches('/').to_owned());
                base.to_owned()
            });
        }
        options.below.retain(|folder| !folder.is_empty());
        Ok(options)
    }

    /// The remote's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is, as it was set.
    pub fn url(&self) -> String {
        let base = self
            .sections
            .last()
            .and_then(|section| self.config.get(section, "url"));
        let url = base
            .map_or("", |(url, _)| url)
            .trim_end_matches('/')
            .to_owned();
        self.below
            .iter()
            .fold(url, |url, folder| format!("{url}/{folder}"))
    }

    /// Where it is, if that is a folder.
    pub fn folder(&self) -> Option<PathBuf> {
        let base = self.config.path_of(self.sections.last()?, "url")?;
        Some(
            self.below
                .iter()
                .fold(base, |path, folder| path.join(folder)),
        )
    }

    /// The value of an option.
    pub fn get(&self, option: &str) -> Option<&str> {
        let mut sections = self.sections.iter();
        sections.find_map(|section| Some(self.config.get(section, option)?.0))
    }

    /// The value of an option that names a file.
    pub fn path(&self, option: &str) -> Option<PathBuf> {
        let mut sections = self.sections.iter();
        sections.find_map(|section| self.config.path_of(section, option))
    }

    /// The value of an option that is true or false.
    pub fn is_true(&self, option: &str) -> Option<bool> {
        Some(self.get(option)?.eq_ignore_ascii_case("true"))
    }

    /// An error of these settings.
    pub fn wrong(&self, why: &str) -> PipelineError {
        PipelineError::Config {
            why: format!("remote '{}': {why}", self.name),
        }
    }
}

fn no_such_remote(config: &Config, name: &str) -> PipelineError {
    let settings = config.merged(|_| true);
    let remotes: Vec<&str> = settings
        .sections()
        .filter_map(|(section, _)| section.strip_prefix("remote \"")?.strip_suffix('"'))
        .collect();
    let why = format!("remote '{name}' doesn't exist.");
    PipelineError::Config {
        why: match strata_diag::closest(name, remotes.iter().copied()) {
            Some(closest) => format!("{why} Did you mean '{closest}'?"),
            None => why,
        },
    }
}
