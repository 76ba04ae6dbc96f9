//! Where configurations are looked for.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use strata_diag::Source;

use crate::error::ConfigError;

/// A configuration tree.
#[derive(Debug, Clone)]
pub enum ConfigSource {
    /// A folder of YAML files.
    Directory(PathBuf),
    /// Files in the binary: path below the tree's root (`data/emnist.yaml`) and content.
    Embedded {
        /// What to call it in messages.
        name: String,
        /// The files.
        files: &'static [(&'static str, &'static str)],
    },
}

/// The trees in the order in which they are asked, each with the name of who provides it.
#[derive(Debug, Clone)]
pub(crate) struct SearchPath {
    pub(crate) entries: Vec<(&'static str, ConfigSource)>,
}

/// The name of the tree that comes with Hydra, as a source.
pub(crate) const HYDRA_TREE: &str = "hydra.conf";

/// Hydra's own configurations.
pub(crate) const HYDRA_FILES: &[(&str, &str)] = &[
    (
        "hydra/config.yaml",
        include_str!("hydra_conf/hydra/config.yaml"),
    ),
    (
        "hydra/env/default.yaml",
        include_str!("hydra_conf/hydra/env/default.yaml"),
    ),
    (
        "hydra/help/default.yaml",
        include_str!("hydra_conf/hydra/help/default.yaml"),
    ),
    (
        "hydra/hydra_help/default.yaml",
        include_str!("hydra_conf/hydra/hydra_help/default.yaml"),
    ),
    (
        "hydra/hydra_logging/colorlog.yaml",
        include_str!("hydra_conf/hydra/hydra_logging/colorlog.yaml"),
    ),
    (
        "hydra/hydra_logging/default.yaml",
        include_str!("hydra_conf/hydra/hydra_logging/default.yaml"),
    ),
    (
        "hydra/hydra_logging/disabled.yaml",
        include_str!("hydra_conf/hydra/hydra_logging/disabled.yaml"),
    ),
    (
        "hydra/hydra_logging/none.yaml",
        include_str!("hydra_conf/hydra/hydra_logging/none.yaml"),
    ),
    (
        "hydra/job_logging/colorlog.yaml",
        include_str!("hydra_conf/hydra/job_logging/colorlog.yaml"),
    ),
    (
        "hydra/job_logging/default.yaml",
        include_str!("hydra_conf/hydra/job_logging/default.yaml"),
    ),
    (
        "hydra/job_logging/disabled.yaml",
        include_str!("hydra_conf/hydra/job_logging/disabled.yaml"),
    ),
    (
        "hydra/job_logging/none.yaml",
        include_str!("hydra_conf/hydra/job_logging/none.yaml"),
    ),
    (
        "hydra/job_logging/stdout.yaml",
        include_str!("hydra_conf/hydra/job_logging/stdout.yaml"),
    ),
    (
        "hydra/launcher/basic.yaml",
        include_str!("hydra_conf/hydra/launcher/basic.yaml"),
    ),
    (
        "hydra/launcher/joblib.yaml",
        include_str!("hydra_conf/hydra/launcher/joblib.yaml"),
    ),
    (
        "hydra/launcher/submitit_local.yaml",
        include_str!("hydra_conf/hydra/launcher/submitit_local.yaml"),
    ),
    (
        "hydra/launcher/submitit_slurm.yaml",
        include_str!("hydra_conf/hydra/launcher/submitit_slurm.yaml"),
    ),
    (
        "hydra/output/default.yaml",
        include_str!("hydra_conf/hydra/output/default.yaml"),
    ),
    (
        "hydra/sweeper/basic.yaml",
        include_str!("hydra_conf/hydra/sweeper/basic.yaml"),
    ),
    (
        "hydra/sweeper/optuna.yaml",
        include_str!("hydra_conf/hydra/sweeper/optuna.yaml"),
    ),
    (
        "hydra/sweeper/sampler/cmaes.yaml",
        include_str!("hydra_conf/hydra/sweeper/sampler/cmaes.yaml"),
    ),
    (
        "hydra/sweeper/sampler/gp.yaml",
        include_str!("hydra_conf/hydra/sweeper/sampler/gp.yaml"),
    ),
    (
        "hydra/sweeper/sampler/grid.yaml",
        include_str!("hydra_conf/hydra/sweeper/sampler/grid.yaml"),
    ),
    (
        "hydra/sweeper/sampler/motpe.yaml",
        include_str!("hydra_conf/hydra/sweeper/sampler/motpe.yaml"),
    ),
    (
        "hydra/sweeper/sampler/nsgaii.yaml",
        include_str!("hydra_conf/hydra/sweeper/sampler/nsgaii.yaml"),
    ),
    (
        "hydra/sweeper/sampler/qmc.yaml",
        include_str!("hydra_conf/hydra/sweeper/sampler/qmc.yaml"),
    ),
    (
        "hydra/sweeper/sampler/random.yaml",
        include_str!("hydra_conf/hydra/sweeper/sampler/random.yaml"),
    ),
    (
        "hydra/sweeper/sampler/tpe.yaml",
        include_str!("hydra_conf/hydra/sweeper/sampler/tpe.yaml"),
    ),
    (
        "hydra/sweeper/strata.yaml",
        include_str!("hydra_conf/hydra/sweeper/strata.yaml"),
    ),
];

impl SearchPath {
    /// The text of a configuration, from the first tree that has it.
    pub(crate) fn load(&self, config_path: &str) -> Result<Option<Arc<Source>>, ConfigError> {
        for (_, entry) in &self.entries {
            if let Some(source) = entry.load(config_path)? {
                return Ok(Some(source));
            }
        }
        Ok(None)
    }

    /// Whether any tree has a folder of that name.
    pub(crate) fn group_exists(&self, group: &str) -> bool {
        !group.is_empty()
            && self
                .entries
                .iter()
                .any(|(_, entry)| entry.group_exists(group))
    }

    /// The configurations of a group in all trees, sorted.
    pub(crate) fn options(&self, group: &str) -> Vec<String> {
        let mut options = BTreeSet::new();
        for (_, entry) in &self.entries {
            options.extend(
                entry
                    .children(group)
                    .into_iter()
                    .filter_map(|(name, is_group)| (!is_group).then_some(name)),
            );
        }
        options.into_iter().collect()
    }

    /// All groups that hold configurations, sorted.
    pub(crate) fn groups(&self) -> Vec<String> {
        let mut groups = BTreeSet::new();
        let mut waiting = vec![String::new()];
        while let Some(group) = waiting.pop() {
            for (_, entry) in &self.entries {
                for (name, is_group) in entry.children(&group) {
                    if is_group {
                        waiting.push(if group.is_empty() {
                            name
                        } else {
                            format!("{group}/{name}")
                        });
                    } else if !group.is_empty() {
                        groups.insert(group.clone());
                    }
                }
            }
        }
        groups.into_iter().collect()
    }
}

impl ConfigSource {
    /// The tree that an item of `hydra.searchpath` names: `pkg://hydra.conf`, `file://folder`, a folder.
    pub(crate) fn of_search_path(path: &str) -> Self {
        match path.strip_prefix("pkg://") {
            Some("hydra.conf") => Self::Embedded {
                name: "hydra.conf".to_owned(),
                files: HYDRA_FILES,
            },
            // There are no Python packages here.
            Some(package) => Self::Embedded {
                name: package.to_owned(),
                files: &[],
            },
            None => Self::Directory(path.strip_prefix("file://").unwrap_or(path).into()),
        }
    }

    /// Whether there is anything to be found in it.
    pub(crate) fn is_available(&self) -> bool {
        match self {
            Self::Directory(folder) => folder.is_dir(),
            Self::Embedded { files, .. } => !files.is_empty(),
        }
    }

    /// The tree in words.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Directory(folder) => folder.display().to_string(),
            Self::Embedded { name, .. } => name.clone(),
        }
    }

    fn load(&self, config_path: &str) -> Result<Option<Arc<Source>>, ConfigError> {
        let file = format!("{config_path}.yaml");
        match self {
            Self::Embedded { name, files } => {
                let found = files.iter().find(|(path, _)| *path == file);
                Ok(found.map(|(path, text)| Source::new(format!("{name}/{path}"), *text)))
            }
            Self::Directory(folder) => {
                let path = folder.join(&file);
                if !path.is_file() {
                    return Ok(None);
                }
                let bytes =
                    fs_err::read(&path).map_err(|error| ConfigError::message(error.to_string()))?;
                let text = String::from_utf8(bytes).map_err(|error| {
                    let at = error.utf8_error().valid_up_to();
                    ConfigError::message(format!("{} is not UTF-8 at byte {at}", path.display()))
                })?;
                Ok(Some(Source::new(path.display().to_string(), text)))
            }
        }
    }

    fn group_exists(&self, group: &str) -> bool {
        match self {
            Self::Directory(folder) => folder.join(group).is_dir(),
            Self::Embedded { files, .. } => files.iter().any(|(path, _)| {
                path.strip_prefix(group)
                    .is_some_and(|rest| rest.starts_with('/'))
            }),
        }
    }

    /// Names in a group: configurations without their ending, and groups.
    fn children(&self, group: &str) -> Vec<(String, bool)> {
        match self {
            Self::Directory(folder) => children_on_disk(&folder.join(group)),
            Self::Embedded { files, .. } => files
                .iter()
                .filter_map(|(path, _)| {
                    let rest = if group.is_empty() {
                        path
                    } else {
                        path.strip_prefix(group)?.strip_prefix('/')?
                    };
                    Some(match rest.split_once('/') {
                        Some((name, _)) => (name.to_owned(), true),
                        None => (rest.trim_end_matches(".yaml").to_owned(), false),
                    })
                })
                .collect(),
        }
    }
}

fn children_on_disk(folder: &Path) -> Vec<(String, bool)> {
    let Ok(entries) = fs_err::read_dir(folder) else {
        return Vec::new();
    };
    let named = entries.flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        if entry.path().is_dir() {
            return (!name.starts_with(['.', '_'])).then_some((name, true));
        }
        name.strip_suffix(".yaml")
            .map(|name| (name.to_owned(), false))
    });
    named.collect()
}
