//! From the primary configuration to the tree of defaults lists.
//!
//! Children are visited from the last to the first, so that an `override` reaches the entries before it
//! and an outer one is found before an inner one; they are then put into reading order again.

use std::sync::Arc;

use super::choices::Choices;
use super::entry::{Choice, Entry, What};
use super::file::{ConfigFile, Files};
use super::item::Item;
use super::list::{self, Placed};
use crate::error::ConfigError;
use crate::node::Value;
use crate::search_path::SearchPath;

/// An item and what its defaults list expanded to.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) item: Item,
    /// In reading order; none for a configuration without a list, and for `_self_`.
    pub(crate) children: Vec<Tree>,
}

/// The expansion of `hydra/config` and the primary configuration.
pub(crate) struct Expansion {
    /// The files in the order in which they are merged.
    pub(crate) placed: Vec<Placed>,
    /// The trees of the two.
    pub(crate) trees: Vec<Tree>,
    pub(crate) files: Files,
    pub(crate) warnings: Vec<String>,
}

/// Deeper than any study, shallower than the stack.
const DEEPEST: usize = 60;

/// Expands `hydra/config` and the primary configuration; `files` are those that were read before.
pub(crate) fn expand(
    search_path: &SearchPath,
    primary: &str,
    choices: &mut Choices,
    skip_missing: bool,
    files: Files,
) -> Result<Expansion, ConfigError> {
    let mut expander = Expander {
        search_path,
        choices,
        skip_missing,
        files,
        path: Vec::new(),
        warnings: Vec::new(),
    };
    let root = |path: &str| Item::at_root(Entry::new(What::Config(path.to_owned())));
    let user = expander.tree(root(primary).into_primary(), None, false)?;
    let hydra = expander.tree(root("hydra/config"), None, false)?;
    let Expander {
        files, warnings, ..
    } = expander;
    let trees = vec![hydra, user];
    let placed = list::placed(&trees);
    list::check_duplicates(&placed)?;
    choices.check_used()?;
    Ok(Expansion {
        placed,
        trees,
        files,
        warnings,
    })
}

struct Expander<'a> {
    search_path: &'a SearchPath,
    choices: &'a mut Choices,
    skip_missing: bool,
    files: Files,
    /// The configurations whose lists are being expanded, outermost first.
    path: Vec<String>,
    warnings: Vec<String>,
}

impl Expander<'_> {
    /// Expands an item; `parent` is the path of the configuration that holds it.
    fn tree(
        &mut self,
        mut item: Item,
        parent: Option<&str>,
        interpolated: bool,
    ) -> Result<Tree, ConfigError> {
        let file = if item.is_missing() {
            None
        } else {
            self.load(&item)?
        };
        item.set_header(file.as_ref().and_then(|file| file.header.as_deref()));
        if self.choices.take_deletion(&item) {
            item.deleted = true;
            return Ok(Tree::leaf(item));
        }
        self.choices.add_known(&item)?;
        if item.name().is_none() {
            return Ok(Tree::leaf(item));
        }
        if item.is_missing() {
            if self.skip_missing {
                return Ok(Tree::leaf(item));
            }
            return Err(self.must_be_chosen(&item));
        }
        let Some(file) = file else {
            if item.entry.optional {
                item.deleted = true;
                return Ok(Tree::leaf(item));
            }
            return Err(self.not_found(&item, parent));
        };
        let config_path = item.config_path();
        if self.path.len() > DEEPEST || self.path.contains(&config_path) {
            let title = format!(
                "the defaults lists of {} and '{config_path}' include each other",
                self.path.join(", ")
            );
            return Err(ConfigError::at(title, item.entry.origin.as_ref(), "here"));
        }
        let entries = self.entries(&item, &file, &config_path)?;
        let (base, package) = (item.group_path(), item.final_package());
        self.collect_overrides(&entries, &base, &package, &config_path, interpolated)?;
        self.path.push(config_path.clone());
        let children = self.children(&item, entries, &config_path, interpolated)?;
        self.path.pop();
        Ok(Tree { item, children })
    }

    /// The defaults list, with `_self_` where it is not said and with what the command line appends.
    fn entries(
        &mut self,
        item: &Item,
        file: &ConfigFile,
        config_path: &str,
    ) -> Result<Vec<Entry>, ConfigError> {
        let mut entries = file.defaults.clone();
        let appended = if item.primary {
            self.choices.appended.clone()
        } else {
            Vec::new()
        };
        if !entries.is_empty() || !appended.is_empty() {
            check_self(&entries, config_path)?;
            let has_self = entries.iter().any(|entry| entry.what == What::OwnContent);
            let only_overrides = entries.iter().all(|entry| entry.is_override);
            if !has_self && (!only_overrides || entries.is_empty()) {
                if item.primary && !entries.is_empty() && file.has_content() {
                    self.warnings.push(format!(
                        "In '{config_path}': the defaults list is missing `_self_`; the file's own content is taken last"
                    ));
                }
                entries.push(Entry::new(What::OwnContent));
            }
        }
        entries.extend(appended);
        Ok(entries)
    }

    fn children(
        &mut self,
        item: &Item,
        entries: Vec<Entry>,
        config_path: &str,
        interpolated: bool,
    ) -> Result<Vec<Tree>, ConfigError> {
        let (base, package) = (item.group_path(), item.final_package());
        let mut children: Vec<Tree> = Vec::with_capacity(entries.len());
        for entry in entries.into_iter().rev() {
            if entry.what == What::OwnContent {
                let own = Item::within(entry, &item.base, &item.parent_package);
                children.push(Tree::leaf(own));
                continue;
            }
            if entry.is_override {
                continue;
            }
            let mut child = Item::within(entry, &base, &package);
            if let Some((choice, origin)) = self.choices.take(&child)
                && let What::Group(_, option) = &mut child.entry.what
            {
                *option = choice;
                child.entry.origin = origin;
            }
            if let What::Group(group, Choice::Several(names)) = &child.entry.what {
                for name in names.iter().rev() {
                    if name.contains("${") {
                        let title = format!(
                            "In '{config_path}': interpolation is not supported in the items of a list of options"
                        );
                        let origin = child.entry.origin.as_ref();
                        return Err(ConfigError::at(title, origin, "in this item"));
                    }
                    let option = Entry {
                        what: What::Config(format!("{group}/{name}")),
                        ..child.entry.clone()
                    };
                    let option = Item::within(option, &base, &package);
                    children.push(self.tree(option, Some(config_path), interpolated)?);
                }
            } else if child.is_interpolation() {
                children.push(Tree::leaf(child));
            } else {
                children.push(self.tree(child, Some(config_path), interpolated)?);
            }
        }
        // What refers to other choices comes after all of them are made.
        for child in &mut children {
            if child.item.is_interpolation() {
                let item = self.with_choices_filled_in(&child.item)?;
                *child = self.tree(item, Some(config_path), true)?;
            }
        }
        children.reverse();
        Ok(children)
    }

    /// Registers the `override` entries of a file, which must come after all others.
    fn collect_overrides(
        &mut self,
        entries: &[Entry],
        base: &str,
        package: &str,
        config_path: &str,
        interpolated: bool,
    ) -> Result<(), ConfigError> {
        let mut before: Option<&Entry> = None;
        for entry in entries {
            if entry.what == What::OwnContent {
                continue;
            }
            if !entry.is_override {
                if let (Some(before), false) = (before, entry.appended) {
                    return Err(misplaced(before, entry, config_path));
                }
                continue;
            }
            let item = Item::within(entry.clone(), base, package);
            if interpolated {
                let title = format!(
                    "In '{config_path}': overrides are not allowed below an option that is an interpolation (override {})",
                    entry.in_words()
                );
                return Err(ConfigError::at(
                    title,
                    entry.origin.as_ref(),
                    "this override",
                ));
            }
            if let What::Group(_, choice) = &entry.what {
                let origin = entry.origin.clone();
                self.choices
                    .add(item.override_key(), choice.clone(), origin, config_path);
                before = Some(entry);
            }
        }
        Ok(())
    }

    /// The item with `${key}` in its option replaced by what was chosen for that key.
    fn with_choices_filled_in(&self, item: &Item) -> Result<Item, ConfigError> {
        let mut filled = item.clone();
        let (What::Group(_, Choice::One(text)) | What::Config(text)) = &mut filled.entry.what
        else {
            return Ok(filled);
        };
        while let Some(start) = text.find("${") {
            let end = text[start..]
                .find('}')
                .map_or(text.len(), |end| start + end);
            let key = text
                .get(start + 2..end)
                .unwrap_or_default()
                .trim()
                .to_owned();
            let Some(choice) = self.choices.known.get(&key) else {
                let known: Vec<&str> = self.choices.known.keys().map(String::as_str).collect();
                let title = format!(
                    "Error resolving interpolation '{text}': nothing was chosen for `{key}`"
                );
                let origin = item.entry.origin.as_ref();
                return Err(ConfigError::at(title, origin, "in this item")
                    .note(format!("possible interpolation keys: {}", known.join(", "))));
            };
            text.replace_range(start..(end + 1).min(text.len()), &choice.in_words());
        }
        Ok(filled)
    }

    fn load(&mut self, item: &Item) -> Result<Option<Arc<ConfigFile>>, ConfigError> {
        if item.name().is_none() {
            return Ok(None);
        }
        let config_path = item.config_path();
        let file = self.files.load(self.search_path, &config_path)?;
        if let Some(file) = &file
            && !item.primary
            && config_path != "hydra/config"
        {
            refuse_search_path(file, &config_path)?;
        }
        Ok(file)
    }

    fn must_be_chosen(&self, item: &Item) -> ConfigError {
        let key = item.override_key();
        let options = self.search_path.options(&item.group_path()).join("\n\t");
        let title = format!("You must specify '{key}', e.g, {key}=<OPTION>");
        ConfigError::at(title, item.entry.origin.as_ref(), "`???` stands here")
            .note(format!("Available options:\n\t{options}"))
    }

    fn not_found(&self, item: &Item, parent: Option<&str>) -> ConfigError {
        let config_path = item.config_path();
        let trees: Vec<String> = self
            .search_path
            .entries
            .iter()
            .map(|(_, tree)| tree.name())
            .collect();
        let origin = item.entry.origin.as_ref();
        let looked_in = format!("Config search path:\n\t{}", trees.join("\n\t"));
        let Some(parent) = parent else {
            let title = format!(
                "Cannot find primary config '{config_path}'. Check that it's in your config search path."
            );
            let names = self.search_path.options("");
            let error = ConfigError::message(title).note(looked_in);
            return match strata_diag::closest(&config_path, names.iter().map(String::as_str)) {
                Some(meant) => error.help(format!("did you mean `--config-name {meant}`?")),
                None => error,
            };
        };
        let group = item.group_path();
        if group.is_empty() {
            let title = format!("In '{parent}': Could not load '{config_path}'.");
            return ConfigError::at(title, origin, "named here").note(looked_in);
        }
        let name = item.name().unwrap_or_default();
        let options = self.search_path.options(&group);
        let what = if item.is_group() { "find" } else { "load" };
        let title = format!("In '{parent}': Could not {what} '{config_path}'.");
        let error = ConfigError::at(title, origin, "named here");
        let error = match strata_diag::closest(&name, options.iter().map(String::as_str)) {
            Some(meant) => error.help(format!("did you mean `{}={meant}`?", item.override_key())),
            None => error,
        };
        error
            .note(format!(
                "Available options in '{group}':\n\t{}",
                options.join("\n\t")
            ))
            .note(looked_in)
    }
}

impl Tree {
    fn leaf(item: Item) -> Self {
        Self {
            item,
            children: Vec::new(),
        }
    }
}

fn refuse_search_path(file: &ConfigFile, config_path: &str) -> Result<(), ConfigError> {
    let found = file.content.descend("hydra.searchpath");
    match found.filter(|node| !matches!(node.value, Value::Null)) {
        None => Ok(()),
        Some(node) => {
            let title = format!(
                "In '{config_path}': Overriding hydra.searchpath is only supported from the primary config"
            );
            Err(ConfigError::at(title, node.origin.as_ref(), "set here"))
        }
    }
}

fn misplaced(override_: &Entry, entry: &Entry, config_path: &str) -> ConfigError {
    let title = format!(
        "In '{config_path}': Override '{}' is defined before '{}'.",
        override_.in_words(),
        entry.in_words()
    );
    ConfigError::at(
        title,
        override_.origin.as_ref(),
        "overrides must be at the end of the defaults list",
    )
}

fn check_self(entries: &[Entry], config_path: &str) -> Result<(), ConfigError> {
    let mut of_self = entries
        .iter()
        .filter(|entry| entry.what == What::OwnContent);
    match of_self.nth(1) {
        None => Ok(()),
        Some(second) => {
            let title = format!("Duplicate _self_ defined in {config_path}");
            let origin = second.origin.as_ref();
            Err(ConfigError::at(title, origin, "given again here"))
        }
    }
}
