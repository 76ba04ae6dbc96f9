//! The parts of a configuration that `--cfg` prints, and its help.

use crate::composition::Composition;
use crate::error::ConfigError;
use crate::hydra_node::is_group_of_hydra;
use crate::interpolation::resolve::{Foreign, keys_of};
use crate::node::{Key, Map, Node, Value};
use crate::overrides::apply::closest_path;
use crate::python;
use crate::yaml::to_yaml;

impl Composition {
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

    /// `multirun.yaml`: the whole tree, unresolved.
    pub fn multirun_yaml(&self) -> String {
        to_yaml(&self.root)
    }

    /// The tree's own help: `hydra.help.template` with its variables filled in; `flags` is what
    /// `$FLAGS_HELP` stands for.
    ///
    /// # Errors
    /// An interpolation that cannot be resolved.
    pub fn help_text(&self, resolve: bool, flags: &str) -> Result<String, ConfigError> {
        let template = self.select("hydra.help.template")?;
        let mut text = template
            .map(|node| python::str_of(&node))
            .unwrap_or_default();
        let groups = |of_hydra: bool| {
            let groups = self.search_path.groups().into_iter();
            let lines = groups.filter(|group| is_group_of_hydra(group) == of_hydra);
            lines
                .map(|group| format!("{group}: {}\n", self.search_path.options(&group).join(", ")))
                .collect::<String>()
        };
        for (variable, value) in [
            ("FLAGS_HELP", flags.to_owned()),
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
}

/// Hydra leaves the help out of what it prints.
fn without_help(tree: &mut Node) {
    if let Some(hydra) = tree.child_mut("hydra").and_then(Node::as_map_mut) {
        let keep = |map: &mut Map, name: &str| map.shift_remove(&Key::Str(name.to_owned()));
        keep(hydra, "help");
        keep(hydra, "hydra_help");
    }
}
