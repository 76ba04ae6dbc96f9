//! A composed configuration: printed, resolved, taken apart.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::de;
use crate::defaults::tree::Expansion;
use crate::error::ConfigError;
use crate::hydra_node::is_of_hydra;
use crate::interpolation::resolve::{Foreign, Found, Resolver, keys_of};
use crate::interpolation::resolvers::Context;
use crate::node::{Key, Map, Node, Value};
use crate::overrides::apply::closest_path;
use crate::overrides::ast::Override;
use crate::python;
use crate::search_path::SearchPath;
use crate::yaml::to_yaml;

/// A composed configuration.
pub struct Composition {
    root: Node,
    context: Context,
    expansion: Expansion,
    search_path: SearchPath,
    overrides: Vec<Override>,
}

impl Composition {
    pub(crate) fn new(
        root: Node,
        context: Context,
        expansion: Expansion,
        search_path: SearchPath,
        overrides: Vec<Override>,
    ) -> Self {
        Self {
            root,
            context,
            expansion,
            search_path,
            overrides,
        }
    }

    /// The whole tree, `hydra` included, interpolations unresolved.
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// `--cfg job`: the tree without the hydra node.
    ///
    /// # Errors
    /// With `resolve`, an interpolation that cannot be resolved; with `package`, one that is not there.
    pub fn job_yaml(&self, resolve: bool, package: Option<&str>) -> Result<String, ConfigError> {
        self.print(self.parts_of(|key| key != "hydra"), resolve, package)
    }

    /// `--cfg hydra`: the hydra node.
    ///
    /// # Errors
    /// As for [`Composition::job_yaml`].
    pub fn hydra_yaml(&self, resolve: bool, package: Option<&str>) -> Result<String, ConfigError> {
        let mut tree = self.parts_of(|key| key == "hydra");
        without_help(&mut tree);
        self.print(tree, resolve, package)
    }

    /// `--cfg all`: the whole tree.
    ///
    /// # Errors
    /// As for [`Composition::job_yaml`].
    pub fn all_yaml(&self, resolve: bool, package: Option<&str>) -> Result<String, ConfigError> {
        let mut tree = self.root.clone();
        without_help(&mut tree);
        self.print(tree, resolve, package)
    }

    fn parts_of(&self, wanted: impl Fn(&str) -> bool) -> Node {
        let map = self.root.as_map().expect("the root is a mapping");
        let kept = map.iter().filter(|(key, _)| wanted(&key.to_string()));
        Node::new(Value::Map(
            kept.map(|(key, node)| (key.clone(), node.clone()))
                .collect(),
        ))
    }

    fn print(
        &self,
        tree: Node,
        resolve: bool,
        package: Option<&str>,
    ) -> Result<String, ConfigError> {
        let Some(path) = package else {
            return Ok(to_yaml(&if resolve {
                self.resolver().resolve(&tree, &[], Foreign::Refused)?
            } else {
                tree
            }));
        };
        let keys = keys_of(path);
        let missing = || {
            let error = ConfigError::message(format!("package '{path}' not found in config"));
            match closest_path(&tree, path) {
                Some(meant) => error.help(format!("did you mean `{meant}`?")),
                None => error,
            }
        };
        let in_tree = keys.first().is_some_and(|key| tree.child(key).is_some());
        let found = if in_tree {
            self.resolver().get(&keys, &mut Vec::new())?
        } else {
            None
        };
        let Some(found) = found else {
            return Err(missing());
        };
        if found.node.is_missing() {
            return Err(ConfigError::message(format!(
                "`{path}` is `???`, a value that must be given"
            ))
            .help(format!("give it: `{path}=VALUE`")));
        }
        let node = if resolve {
            self.resolver()
                .resolve(&found.node, &found.path, Foreign::Taken)?
        } else {
            found.node.into_owned()
        };
        match node.value {
            Value::Map(_) | Value::List(_) if !found.foreign => {
                Ok(format!("# @package {path}\n{}", to_yaml(&node)))
            }
            Value::Null => Err(missing().note(format!("`{path}` is null"))),
            _ => Ok(python::str_of(&node) + "\n"),
        }
    }

    /// `--info defaults`: the flattened defaults list.
    pub fn defaults_list_text(&self) -> String {
        let titles = ["Config path", "Package", "_self_", "Parent"].map(str::to_owned);
        let rows = self.expansion.placed.iter().map(|file| {
            let is_self = if file.is_self { "True" } else { "False" };
            [
                file.config_path.clone(),
                file.package.clone(),
                is_self.to_owned(),
                file.parent.clone(),
            ]
        });
        let rows: Vec<[String; 4]> = std::iter::once(titles).chain(rows).collect();
        let widths: Vec<usize> = (0..4)
            .map(|column| {
                rows.iter()
                    .map(|row| row[column].chars().count())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let line = "-".repeat(widths.iter().sum::<usize>() + 14);
        let mut out = String::from("\nDefaults List\n*************\n");
        for (index, row) in rows.iter().enumerate() {
            let cells: Vec<String> = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:width$}"))
                .collect();
            writeln!(out, "| {} | ", cells.join(" | ")).expect("a string takes everything");
            if index == 0 {
                out.push_str(&line);
                out.push('\n');
            }
        }
        out + &line + "\n"
    }

    /// `--info defaults-tree`: the tree of defaults lists.
    pub fn defaults_tree_text(&self) -> String {
        let mut out = String::from("\nDefaults Tree\n*************\n");
        for line in &self.expansion.tree {
            writeln!(out, "{:indent$}{}", "", line.text, indent = 2 * line.depth)
                .expect("a string takes everything");
        }
        out
    }

    /// The tree's own help: `hydra.help.template` with its variables filled in.
    ///
    /// # Errors
    /// An interpolation of the help that cannot be resolved.
    pub fn help_text(&self) -> Result<String, ConfigError> {
        let template = self.select("hydra.help.template")?;
        let template = template
            .as_ref()
            .and_then(Node::as_str)
            .unwrap_or_default()
            .to_owned();
        let groups = |of_hydra: bool| {
            let groups = self.search_path.groups().into_iter();
            let lines = groups.filter(|group| group.starts_with("hydra/") == of_hydra);
            lines
                .map(|group| format!("{group}: {}\n", self.search_path.options(&group).join(", ")))
                .collect::<String>()
        };
        Ok(template
            .replace("$APP_CONFIG_GROUPS", &groups(false))
            .replace("$HYDRA_CONFIG_GROUPS", &groups(true))
            .replace("$CONFIG", &self.job_yaml(false, None)?))
    }

    /// The run directory: `hydra.run.dir`, resolved.
    ///
    /// # Errors
    /// An interpolation that cannot be resolved.
    pub fn run_dir(&self) -> Result<PathBuf, ConfigError> {
        self.extract("hydra.run.dir")
    }

    /// Whether `hydra.run.dir` changes with the time, so that no two runs mean the same folder.
    pub fn run_dir_is_of_its_time(&self) -> Result<bool, ConfigError> {
        let later = &self.context.now + jiff::Span::new().days(400).hours(1).minutes(1).seconds(1);
        let context = Context::new(later, self.context.resolvers.clone());
        let resolver = Resolver {
            root: &self.root,
            context: &context,
        };
        let dir = resolver
            .select("hydra.run.dir")?
            .map(|found| python::str_of(&found.node))
            .unwrap_or_default();
        Ok(Path::new(&dir) != self.run_dir()?)
    }

    /// The folder below the run directory for [`Composition::hydra_files`]; none for none.
    ///
    /// # Errors
    /// An interpolation that cannot be resolved.
    pub fn output_subdir(&self) -> Result<Option<String>, ConfigError> {
        self.extract("hydra.output_subdir")
    }

    /// Sets `hydra.runtime.output_dir`.
    pub fn set_output_dir(&mut self, folder: &Path) {
        let text = Value::Str(folder.display().to_string());
        *self.root.descend_or_insert("hydra.runtime.output_dir") = Node::new(text);
    }

    /// Sets `hydra.runtime.output_dir` to the folder that the job would get if it started now, for a
    /// check before there is one.
    ///
    /// # Errors
    /// An interpolation that cannot be resolved.
    pub fn assume_output_dir(&mut self) -> Result<(), ConfigError> {
        let folder = self.run_dir()?;
        self.set_output_dir(&folder);
        Ok(())
    }

    /// The files of `.hydra/`: name and content.
    ///
    /// # Errors
    /// None in practice: nothing is resolved.
    pub fn hydra_files(&self) -> Result<[(&'static str, String); 3], ConfigError> {
        let overrides = self
            .task_overrides()
            .into_iter()
            .map(|text| Node::new(Value::Str(text)));
        Ok([
            ("config.yaml", self.job_yaml(false, None)?),
            ("hydra.yaml", to_yaml(&self.parts_of(|key| key == "hydra"))),
            (
                "overrides.yaml",
                to_yaml(&Node::new(Value::List(overrides.collect()))),
            ),
        ])
    }

    /// The overrides of the job, without those of the hydra node, as typed.
    pub fn task_overrides(&self) -> Vec<String> {
        let of_task = self
            .overrides
            .iter()
            .filter(|override_| !is_of_hydra(override_));
        of_task
            .map(|override_| override_.text().to_owned())
            .collect()
    }

    /// The node at a dotted path, resolved; none if there is none.
    ///
    /// # Errors
    /// An interpolation that cannot be resolved.
    pub fn select(&self, path: &str) -> Result<Option<Node>, ConfigError> {
        match self.resolver().select(path)? {
            None => Ok(None),
            Some(Found { node, path, .. }) => self
                .resolver()
                .resolve(&node, &path, Foreign::Taken)
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
        let mut place = path;
        let origin = loop {
            match self
                .root
                .descend(place)
                .and_then(|node| node.origin.as_ref())
            {
                Some(origin) => break Some(origin),
                None => match place.rsplit_once('.') {
                    Some((above, _)) => place = above,
                    None => break None,
                },
            }
        };
        let error = ConfigError::at(title, origin, "this value");
        match help {
            Some(help) => error.help(help),
            None => error,
        }
    }

    fn resolver(&self) -> Resolver<'_> {
        Resolver {
            root: &self.root,
            context: &self.context,
        }
    }
}

/// Hydra leaves the help out of what it prints.
fn without_help(tree: &mut Node) {
    if let Some(hydra) = tree.child_mut("hydra").and_then(Node::as_map_mut) {
        let keep = |map: &mut Map, name: &str| map.shift_remove(&Key::Str(name.to_owned()));
        keep(hydra, "help");
        keep(hydra, "hydra_help");
    }
}
