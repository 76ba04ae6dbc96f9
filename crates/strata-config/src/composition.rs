//! A composed configuration: printed, resolved, taken apart.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::de::DeserializeOwned;

use crate::compose::ComposeRequest;
use crate::de;
use crate::defaults::file::ConfigFile;
use crate::defaults::list::{Placed, tree_text};
use crate::defaults::tree::Expansion;
use crate::error::ConfigError;
use crate::hydra_node::is_of_hydra;
use crate::interpolation::resolve::{Foreign, Resolver, keys_of};
use crate::interpolation::resolvers::Context;
use crate::multirun::basic::{self, SweepPlan};
use crate::node::{Key, Map, Node, Value};
use crate::overrides::apply::closest_path;
use crate::overrides::ast::Override;
use crate::python;
use crate::search_path::{ConfigSource, SearchPath};
use crate::yaml::to_yaml;

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
        let is_foreign = found.foreign;
        let node = if resolve {
            self.resolver()
                .finish(found, Foreign::Taken, &mut Vec::new())?
        } else {
            found.node.into_owned()
        };
        match node.value {
            Value::Map(_) | Value::List(_) if !is_foreign => {
                Ok(format!("# @package {path}\n{}", to_yaml(&node)))
            }
            Value::Null => Err(missing().note(format!("`{path}` is null"))),
            // Python's enumerations print their type, too.
            Value::Str(mode) if keys == ["hydra", "mode"] => Ok(format!("RunMode.{mode}\n")),
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
            // Hydra ends the first line with a blank, the others not.
            let end = if index == 0 { " " } else { "" };
            writeln!(out, "| {} |{end}", cells.join(" | ")).expect("a string takes everything");
            if index == 0 {
                out.push_str(&line);
                out.push('\n');
            }
        }
        out + &line + "\n"
    }

    /// `--info defaults-tree`: the tree of defaults lists.
    pub fn defaults_tree_text(&self) -> String {
        let tree = tree_text(&self.expansion.trees);
        format!("\nDefaults Tree\n*************\n{tree}")
    }

    /// The tree's own help: `hydra.help.template` with its variables filled in.
    ///
    /// # Errors
    /// An interpolation that cannot be resolved.
    pub fn help_text(&self, resolve: bool) -> Result<String, ConfigError> {
        let template = self.select("hydra.help.template")?;
        let template = template
            .as_ref()
            .and_then(Node::as_str)
            .unwrap_or_default()
            .to_owned();
        let groups = |of_hydra: bool| {
            let is_of_hydra = |group: &str| group == "hydra" || group.starts_with("hydra/");
            let groups = self.search_path.groups().into_iter();
            let lines = groups.filter(|group| is_of_hydra(group) == of_hydra);
            lines
                .map(|group| format!("{group}: {}\n", self.search_path.options(&group).join(", ")))
                .collect::<String>()
        };
        let mut text = template;
        for (variable, value) in [
            ("FLAGS_HELP", String::new()),
            ("APP_CONFIG_GROUPS", groups(false)),
            ("HYDRA_CONFIG_GROUPS", groups(true)),
            ("CONFIG", self.job_yaml(resolve, None)?),
        ] {
            text = text
                .replace(&format!("${{{variable}}}"), &value)
                .replace(&format!("${variable}"), &value);
        }
        Ok(text + "\n")
    }

    /// `--info searchpath`: where configurations are looked for.
    pub fn search_path_text(&self) -> String {
        let rows = self.search_path.entries.iter().map(|(provider, tree)| {
            let scheme = match tree {
                ConfigSource::Directory(_) => "file",
                ConfigSource::Embedded { .. } => "pkg",
            };
            [
                (*provider).to_owned(),
                format!("{scheme}://{}", tree.name()),
            ]
        });
        let titles = ["Provider", "Search path"].map(str::to_owned);
        let rows: Vec<[String; 2]> = std::iter::once(titles).chain(rows).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
        let widths = [0, 1].map(|column| width(column).unwrap_or(0));
        let line = "-".repeat(widths.iter().sum::<usize>() + 7);
        let mut out = String::from("\nConfig search path\n******************\n");
        for (index, [provider, path]) in rows.iter().enumerate() {
            let (left, right) = (widths[0], widths[1]);
            writeln!(out, "| {provider:left$} | {path:right$} |")
                .expect("a string takes everything");
            if index == 0 {
                out.push_str(&line);
                out.push('\n');
            }
        }
        out + &line + "\n"
    }

    /// `multirun.yaml`: the whole tree, unresolved.
    pub fn multirun_yaml(&self) -> String {
        to_yaml(&self.root)
    }

    /// What was odd while the tree was composed or resolved, and has not been asked for yet.
    pub fn take_warnings(&self) -> Vec<String> {
        let mut warnings =
            std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner));
        warnings.extend(self.context.take_warnings());
        warnings
    }

    /// Lets `oc.env` see the variables of `hydra.job.env_set`, as the job does.
    ///
    /// # Errors
    /// An interpolation that cannot be resolved.
    pub fn apply_env_set(&mut self) -> Result<(), ConfigError> {
        let node = self.select("hydra.job.env_set")?;
        let map = node.as_ref().and_then(Node::as_map);
        let variables = map.into_iter().flatten().map(|(name, value)| {
            let value = (!matches!(value.value, Value::Null)).then(|| python::str_of(value));
            (name.to_string(), value.unwrap_or_default())
        });
        self.context.variables = variables.collect();
        Ok(())
    }

    /// Where the job puts its files: `hydra.run.dir`, or for a job of a sweep `hydra.sweep.subdir` below
    /// `hydra.sweep.dir`.
    ///
    /// # Errors
    /// An interpolation that cannot be resolved.
    pub fn run_dir(&self) -> Result<PathBuf, ConfigError> {
        if self.request.job_number.is_none() {
            return self.extract("hydra.run.dir");
        }
        let subdir: PathBuf = self.extract("hydra.sweep.subdir")?;
        Ok(self.sweep_dir()?.join(subdir))
    }

    /// `hydra.sweep.dir`: the folder of a sweep.
    ///
    /// # Errors
    /// An interpolation that cannot be resolved.
    pub fn sweep_dir(&self) -> Result<PathBuf, ConfigError> {
        self.extract("hydra.sweep.dir")
    }

    /// Whether several jobs are meant: by the request, or by `hydra.mode`.
    ///
    /// # Errors
    /// An interpolation that cannot be resolved.
    pub fn is_multirun(&self) -> Result<bool, ConfigError> {
        if self.request.multirun {
            return Ok(true);
        }
        let mode = self.select("hydra.mode")?;
        Ok(mode.as_ref().and_then(Node::as_str) == Some("MULTIRUN"))
    }

    /// The jobs of the sweep, by `hydra.sweeper.params` and the overrides.
    ///
    /// # Errors
    /// A sweep that cannot be enumerated.
    pub fn sweep_plan(&self) -> Result<SweepPlan, ConfigError> {
        basic::plan(self, &self.overrides, &self.search_path)
    }

    /// What a job of this sweep is composed from; it has the sweep's time.
    pub fn job_request(&self, number: usize, overrides: &[String]) -> ComposeRequest {
        let of_hydra = self.overrides.iter().filter(|o| is_of_hydra(o));
        let of_hydra = of_hydra.map(|override_| override_.text().to_owned());
        ComposeRequest {
            overrides: of_hydra.chain(overrides.iter().cloned()).collect(),
            multirun: false,
            job_number: Some(number),
            ..self.request.clone()
        }
    }

    /// The groups of the tree, Hydra's own left out, and their options.
    pub fn groups(&self) -> Vec<(String, Vec<String>)> {
        let groups = self.search_path.groups().into_iter();
        groups
            .filter(|group| group != "hydra" && !group.starts_with("hydra/"))
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

    /// All groups, Hydra's too.
    pub(crate) fn all_groups(&self) -> Vec<String> {
        self.search_path.groups()
    }

    pub(crate) fn options_of(&self, group: &str) -> Vec<String> {
        self.search_path.options(group)
    }

    pub(crate) fn has_options(&self, group: &str) -> bool {
        !self.search_path.options(group).is_empty()
    }

    pub(crate) fn is_group(&self, key: &str) -> bool {
        self.search_path.group_exists(key)
    }

    /// The files in the order in which they were merged, and where.
    pub(crate) fn placed_files(&self) -> impl Iterator<Item = (&ConfigFile, &Placed)> {
        let placed = self.expansion.placed.iter();
        placed.map(|placed| (&self.expansion.files[&placed.config_path], placed))
    }

    pub(crate) fn overrides(&self) -> &[Override] {
        &self.overrides
    }

    /// Whether `hydra.run.dir` changes with the time, so that no two runs mean the same folder. Never of a
    /// job of a sweep, whose folder has a number.
    pub fn run_dir_is_of_its_time(&self) -> Result<bool, ConfigError> {
        if self.request.job_number.is_some() {
            return Ok(false);
        }
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
