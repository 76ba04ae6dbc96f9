//! The flat list of files that a tree of defaults lists stands for, and the tree as text.

use std::collections::HashSet;

use strata_diag::Span;

use super::tree::Tree;
use crate::error::ConfigError;

/// A file of the final list and where its content goes.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) config_path: String,
    pub(crate) package: String,
    pub(crate) parent: String,
    /// Whether the place was said by `_self_`, in the list or at its end.
    pub(crate) is_self: bool,
    /// The entry of a defaults list, or the override, that names it.
    pub(crate) origin: Option<Span>,
    /// Key of the group, if the file is an option of one and has no list of its own.
    key: Option<String>,
}

const ROOT: &str = "<root>";

/// The files of the trees, in the order in which they are merged.
pub(crate) fn placed(trees: &[Tree]) -> Vec<Placed> {
    let mut list = Vec::new();
    for tree in trees {
        tree.collect(ROOT, &mut list);
    }
    list
}

impl Tree {
    fn collect(&self, parent: &str, list: &mut Vec<Placed>) {
        let config_path = self.item.config_path();
        if self.children.is_empty() {
            if !self.item.deleted && !self.item.is_missing() && self.item.name().is_some() {
                list.push(Placed {
                    package: self.item.final_package(),
                    parent: parent.to_owned(),
                    is_self: false,
                    origin: self.item.entry.origin.clone(),
                    key: self.item.is_group().then(|| self.item.override_key()),
                    config_path,
                });
            }
            return;
        }
        for child in &self.children {
            if child.item.is_self() {
                list.push(Placed {
                    config_path: config_path.clone(),
                    package: self.item.final_package(),
                    parent: parent.to_owned(),
                    is_self: true,
                    origin: self.item.entry.origin.clone(),
                    key: None,
                });
            } else {
                child.collect(&config_path, list);
            }
        }
    }

    fn write(&self, depth: usize, out: &mut String) {
        out.extend(std::iter::repeat_n("  ", depth));
        out.push_str(&self.item.label());
        out.push_str(if self.children.is_empty() {
            "\n"
        } else {
            ":\n"
        });
        for child in &self.children {
            child.write(depth + 1, out);
        }
    }
}

/// The trees as `--info defaults-tree` prints them.
pub(crate) fn tree_text(trees: &[Tree]) -> String {
    let mut out = format!("{ROOT}:\n");
    for tree in trees {
        tree.write(1, &mut out);
    }
    out
}

/// Refuses an option that is there twice.
pub(crate) fn check_duplicates(placed: &[Placed]) -> Result<(), ConfigError> {
    let mut seen = HashSet::new();
    let twice = placed
        .iter()
        .filter_map(|file| Some((file.key.as_deref()?, file.origin.as_ref())))
        .find(|(key, _)| !seen.insert(*key));
    match twice {
        None => Ok(()),
        Some((key, origin)) => Err(ConfigError::at(
            format!("{key} appears more than once in the final defaults list"),
            origin,
            "the second time",
        )
        .help(format!(
            "name it once; to change an entry of another list use `override {key}: OPTION`"
        ))),
    }
}
