//! A composed configuration: taken apart, printed, made into jobs.
//!
//! * [`show`]: the parts that `--cfg` prints, and the tree's own help. [`info`]: what `--info` prints.
//! * [`job`]: the folders and files of a job, the jobs of a sweep.

mod info;
mod job;
mod show;

use std::sync::{Mutex, PoisonError};

use serde::de::DeserializeOwned;

use crate::compose::ComposeRequest;
use crate::de;
use crate::defaults::file::ConfigFile;
use crate::defaults::list::Placed;
use crate::defaults::tree::Expansion;
use crate::error::ConfigError;
use crate::hydra_node::is_group_of_hydra;
use crate::interpolation::resolve::{Foreign, Resolver};
use crate::interpolation::resolvers::Context;
use crate::node::{Node, Value};
use crate::overrides::apply::closest_path;
use crate::overrides::ast::Override;
use crate::search_path::SearchPath;

/// A composed configuration.
pub struct Composition {
    root: Node,
    context: Context,
    expansion: Expansion,
    search_path: SearchPath,
    overrides: Vec<Override>,
    request: ComposeRequest,
    warnings: Mutex<Vec<String>>,
}

impl Composition {
    pub(crate) fn new(
        root: Node,
        context: Context,
        mut expansion: Expansion,
        search_path: SearchPath,
        overrides: Vec<Override>,
        request: ComposeRequest,
    ) -> Self {
        let warnings = Mutex::new(std::mem::take(&mut expansion.warnings));
        Self {
            root,
            context,
            expansion,
            search_path,
            overrides,
            request,
            warnings,
        }
    }

    /// The whole tree, `hydra` included, interpolations unresolved.
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// The part of the tree below the keys of the root that are wanted.
    pub(crate) fn parts_of(&self, wanted: impl Fn(&str) -> bool) -> Node {
        let map = self.root.as_map().expect("the root is a mapping");
        let kept = map.iter().filter(|(key, _)| wanted(&key.to_string()));
        Node::new(Value::Map(
            kept.map(|(key, node)| (key.clone(), node.clone()))
                .collect(),
        ))
    }

    /// What was odd while the tree was composed or resolved, and has not been asked for yet.
    pub fn take_warnings(&self) -> Vec<String> {
        let mut warnings =
            std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner));
        warnings.extend(self.context.take_warnings());
        warnings
    }

    /// The groups of the tree, Hydra's own left out, and their options.
    pub fn groups(&self) -> Vec<(String, Vec<String>)> {
        let groups = self.search_path.groups().into_iter();
        groups
            .filter(|group| !is_group_of_hydra(group))
            .map(|group| {
                let options = self.search_path.options(&group);
                (group, options)
            })
            .collect()
    }

    /// Whether the defaults lists have an entry of that key, so that `group=option` changes it.
    pub fn has_choice(&self, group: &str) -> bool {
        let choices = self.root.descend("hydra.runtime.choices");
        choices.is_some_and(|choices| choices.child(group).is_some())
    }

    pub(crate) fn search_path(&self) -> &SearchPath {
        &self.search_path
    }

    /// The files in the order in which they were merged, and where.
    pub(crate) fn placed_files(&self) -> impl Iterator<Item = (&ConfigFile, &Placed)> {
        let placed = self.expansion.placed.iter();
        placed.filter_map(|placed| {
            let file = self.expansion.files.get(&placed.config_path)?;
            Some((file.as_ref(), placed))
        })
    }

    pub(crate) fn overrides(&self) -> &[Override] {
        &self.overrides
    }

    /// The node at a dotted path, resolved; none if there is none.
    ///
    /// # Errors
    /// An interpolation that cannot be resolved.
    pub fn select(&self, path: &str) -> Result<Option<Node>, ConfigError> {
        match self.resolver().select(path)? {
            None => Ok(None),
            Some(found) => self
                .resolver()
                .finish(found, Foreign::Taken, &mut Vec::new())
                .map(Some),
        }
    }

    /// A typed value from the node at a dotted path; an empty path is the whole job configuration.
    ///
    /// Types with `#[serde(deny_unknown_fields)]` get errors that name the unknown key, the place, and
    /// the closest key that exists.
    ///
    /// # Errors
    /// The path is not there, an interpolation cannot be resolved, or the value does not fit the type.
    pub fn extract<T: DeserializeOwned>(&self, path: &str) -> Result<T, ConfigError> {
        let found = if path.is_empty() {
            let tree = self.parts_of(|key| key != "hydra");
            Some(self.resolver().resolve(&tree, &[], Foreign::Taken)?)
        } else {
            self.select(path)?
        };
        let Some(node) = found else {
            let error = ConfigError::message(format!("the key `{path}` is missing"));
            return Err(match closest_path(&self.root, path) {
                Some(meant) => error.help(format!("did you mean `{meant}`?")),
                None => error,
            });
        };
        de::from_node(&node, path)
    }

    /// An error about the value at `path`, pointing at the place that set it.
    pub fn error_at(&self, path: &str, title: &str, help: Option<&str>) -> ConfigError {
        self.root.error_at(path, title, help)
    }

    pub(crate) fn resolver(&self) -> Resolver<'_> {
        Resolver {
            root: &self.root,
            context: &self.context,
        }
    }
}
