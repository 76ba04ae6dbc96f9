//! From the primary configuration to the ordered list of placed files.
//!
//! Children are visited from the last to the first, so that an `override` reaches the entries before it
//! and an outer one is found before an inner one; the list is then put into reading order again.

use std::collections::HashMap;

use super::choices::Choices;
use super::entry::{Choice, Entry, What};
use super::file::ConfigFile;
use crate::error::ConfigError;
use crate::search_path::SearchPath;

/// A file of the final list and where its content goes.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) config_path: String,
    pub(crate) package: String,
    pub(crate) parent: String,
    /// Whether the place was said by `_self_`, in the list or at its end.
    pub(crate) is_self: bool,
    /// Key of the group, if the file is an option of one.
    key: Option<String>,
    choice: String,
}

/// The expansion: files in order, and the tree they came from.
pub(crate) struct Expansion {
    pub(crate) placed: Vec<Placed>,
    pub(crate) tree: Vec<TreeLine>,
    pub(crate) files: HashMap<String, ConfigFile>,
}

/// A line of the printed tree.
#[derive(Debug, Clone)]
pub(crate) struct TreeLine {
    pub(crate) depth: usize,
    pub(crate) text: String,
}

/// Deeper than any study, shallower than the stack.
const DEEPEST: usize = 60;

/// Expands `hydra/config` and the primary configuration.
pub(crate) fn expand(
    search_path: &SearchPath,
    primary: &str,
    choices: &mut Choices,
    skip_missing: bool,
) -> Result<Expansion, ConfigError> {
    let mut expander = Expander {
        search_path,
        choices,
        skip_missing,
        files: HashMap::new(),
        path: Vec::new(),
    };
    let user = expander.config(primary, true)?;
    let hydra = expander.config("hydra/config", false)?;
    expander.choices.check_used()?;
    let Expander { files, .. } = expander;
    let mut placed = Vec::new();
    let mut tree = vec![TreeLine {
        depth: 0,
        text: "<root>:".to_owned(),
    }];
    for branch in [hydra, user] {
        placed.extend(branch.placed);
        tree.extend(branch.tree.into_iter().map(|line| TreeLine {
            depth: line.depth + 1,
            ..line
        }));
    }
    check_duplicates(&placed)?;
    Ok(Expansion {
        placed,
        tree,
        files,
    })
}

struct Expander<'a> {
    search_path: &'a SearchPath,
    choices: &'a mut Choices,
    skip_missing: bool,
    files: HashMap<String, ConfigFile>,
    path: Vec<String>,
}

#[derive(Default)]
struct Branch {
    placed: Vec<Placed>,
    tree: Vec<TreeLine>,
}

/// An entry and the configuration that holds it.
struct Site<'a> {
    entry: &'a Entry,
    base: &'a str,
    parent_package: &'a str,
    parent: &'a str,
}

impl Expander<'_> {
    fn config(&mut self, path: &str, is_primary: bool) -> Result<Branch, ConfigError> {
        let entry = Entry::new(What::Config(path.to_owned()));
        let site = Site {
            entry: &entry,
            base: "",
            parent_package: "",
            parent: "<root>",
        };
        self.file(&site, path, None, is_primary)
    }

    /// A file and everything below it.
    fn file(
        &mut self,
        site: &Site,
        config_path: &str,
        key: Option<(String, String)>,
        is_primary: bool,
    ) -> Result<Branch, ConfigError> {
        if self.path.len() > DEEPEST || self.path.iter().any(|above| above == config_path) {
            let title = format!(
                "the defaults lists of {} and '{config_path}' include each other",
                self.path.join(", ")
            );
            return Err(ConfigError::at(title, site.entry.origin.as_ref(), "here"));
        }
        let Some(file) = self.load(config_path)? else {
            return if site.entry.optional {
                Ok(Branch::default())
            } else {
                Err(self.not_found(site, config_path, is_primary))
            };
        };
        let package = site.final_package(file.header.as_deref());
        let base = match config_path.rsplit_once('/') {
            Some((folder, _)) => folder.to_owned(),
            None => String::new(),
        };
        let mut entries = file.defaults.clone();
        check_self(&entries, config_path)?;
        let self_given = entries.iter().any(|entry| entry.what == What::OwnContent);
        if !self_given {
            entries.push(Entry::new(What::OwnContent));
        }
        if is_primary {
            entries.extend(self.choices.appended.clone());
        }
        self.collect_overrides(&entries, config_path, &base, &package)?;

        self.path.push(config_path.to_owned());
        let (option_key, choice) = key.unzip();
        let own = Placed {
            config_path: config_path.to_owned(),
            package: package.clone(),
            parent: site.parent.to_owned(),
            is_self: !file.defaults.is_empty() || is_primary || config_path == "hydra/config",
            key: option_key,
            choice: choice.unwrap_or_default(),
        };
        let mut branches: Vec<Branch> = Vec::with_capacity(entries.len());
        let mut deferred = Vec::new();
        for entry in entries.iter().rev() {
            let site = Site {
                entry,
                base: &base,
                parent_package: &package,
                parent: config_path,
            };
            if matches!(&entry.what, What::Group(_, Choice::One(name)) if name.contains("${"))
                && !entry.is_override
            {
                deferred.push((branches.len(), entry));
                branches.push(Branch::default());
                continue;
            }
            branches.push(self.entry(&site, &own)?);
        }
        for (at, entry) in deferred {
            let entry = self.with_choices_filled_in(entry)?;
            let site = Site {
                entry: &entry,
                base: &base,
                parent_package: &package,
                parent: config_path,
            };
            branches[at] = self.entry(&site, &own)?;
        }
        self.path.pop();

        let mut branch = Branch::default();
        for child in branches.into_iter().rev() {
            branch.placed.extend(child.placed);
            branch.tree.extend(child.tree);
        }
        let lonely = file.defaults.is_empty() && !is_primary;
        let label = site.label(&own.choice);
        if lonely {
            branch.tree = vec![TreeLine {
                depth: 0,
                text: label,
            }];
        } else {
            for line in &mut branch.tree {
                line.depth += 1;
            }
            branch.tree.insert(
                0,
                TreeLine {
                    depth: 0,
                    text: format!("{label}:"),
                },
            );
        }
        Ok(branch)
    }

    fn entry(&mut self, site: &Site, own: &Placed) -> Result<Branch, ConfigError> {
        match &site.entry.what {
            _ if site.entry.is_override => Ok(Branch::default()),
            What::OwnContent => {
                let line = TreeLine {
                    depth: 0,
                    text: "_self_".to_owned(),
                };
                Ok(Branch {
                    placed: vec![own.clone()],
                    tree: vec![line],
                })
            }
            What::Config(path) => {
                let path = joined(site.base, path);
                self.file(site, &path, None, false)
            }
            What::Group(group, choice) => self.group(site, group, choice),
        }
    }

    fn group(&mut self, site: &Site, group: &str, choice: &Choice) -> Result<Branch, ConfigError> {
        let group_path = joined(site.base, group);
        let key = site.override_key(&group_path);
        let choice = match self.choices.take(&key) {
            Some(choice) if !site.entry.appended => choice,
            _ => choice.clone(),
        };
        if self.choices.take_deletion(&key, &choice) {
            return Ok(Branch::default());
        }
        if !matches!(choice, Choice::Several(_)) {
            self.choices
                .known
                .entry(key.clone())
                .or_insert_with(|| choice.clone());
        }
        match choice {
            Choice::Nothing => {
                let text = site.label("null");
                Ok(Branch {
                    placed: Vec::new(),
                    tree: vec![TreeLine { depth: 0, text }],
                })
            }
            Choice::Missing if self.skip_missing => Ok(Branch::default()),
            Choice::Missing => {
                let options = self.search_path.options(&group_path).join("\n\t");
                let title = format!("You must specify '{key}', e.g, {key}=<OPTION>");
                Err(
                    ConfigError::at(title, site.entry.origin.as_ref(), "`???` stands here")
                        .note(format!("Available options:\n\t{options}")),
                )
            }
            Choice::One(name) => {
                let path = joined(&group_path, &name);
                self.file(site, &path, Some((key, name)), false)
            }
            Choice::Several(names) => {
                let mut branches = Vec::new();
                for name in names.iter().rev() {
                    let path = joined(&group_path, name);
                    branches.push(self.file(site, &path, None, false)?);
                }
                let mut all = Branch::default();
                for branch in branches.into_iter().rev() {
                    all.placed.extend(branch.placed);
                    all.tree.extend(branch.tree);
                }
                Ok(all)
            }
        }
    }

    /// Registers the `override` entries of a file, which must come after all others.
    fn collect_overrides(
        &mut self,
        entries: &[Entry],
        config_path: &str,
        base: &str,
        package: &str,
    ) -> Result<(), ConfigError> {
        let mut before: Option<&Entry> = None;
        for entry in entries
            .iter()
            .filter(|entry| entry.what != What::OwnContent && !entry.appended)
        {
            let What::Group(group, choice) = &entry.what else {
                if let Some(before) = before {
                    return Err(misplaced(before, entry, config_path));
                }
                continue;
            };
            if !entry.is_override {
                if let Some(before) = before {
                    return Err(misplaced(before, entry, config_path));
                }
                continue;
            }
            before = Some(entry);
            let site = Site {
                entry,
                base,
                parent_package: package,
                parent: config_path,
            };
            let key = site.override_key(&joined(base, group));
            self.choices
                .add(key, choice.clone(), entry.origin.clone(), config_path);
        }
        Ok(())
    }

    /// The entry with `${key}` in its option replaced by what was chosen for that key.
    fn with_choices_filled_in(&self, entry: &Entry) -> Result<Entry, ConfigError> {
        let What::Group(group, Choice::One(name)) = &entry.what else {
            return Ok(entry.clone());
        };
        let mut filled = name.clone();
        while let Some(start) = filled.find("${") {
            let end = filled[start..]
                .find('}')
                .map_or(filled.len(), |end| start + end);
            let key = filled.get(start + 2..end).unwrap_or_default().to_owned();
            let Some(choice) = self.choices.known.get(&key) else {
                let known: Vec<&str> = self.choices.known.keys().map(String::as_str).collect();
                let title =
                    format!("the option `{name}` refers to `{key}`, for which nothing was chosen");
                return Err(
                    ConfigError::at(title, entry.origin.as_ref(), "in this item")
                        .note(format!("chosen are: {}", known.join(", "))),
                );
            };
            filled.replace_range(start..(end + 1).min(filled.len()), &choice.in_words());
        }
        Ok(Entry {
            what: What::Group(group.clone(), Choice::One(filled)),
            ..entry.clone()
        })
    }

    fn load(&mut self, config_path: &str) -> Result<Option<ConfigFile>, ConfigError> {
        if let Some(file) = self.files.get(config_path) {
            return Ok(Some(file.clone()));
        }
        let Some(source) = self.search_path.load(config_path)? else {
            return Ok(None);
        };
        let file = ConfigFile::read(&source)?;
        self.files.insert(config_path.to_owned(), file.clone());
        Ok(Some(file))
    }

    fn not_found(&self, site: &Site, config_path: &str, is_primary: bool) -> ConfigError {
        let trees: Vec<String> = self
            .search_path
            .entries
            .iter()
            .map(|(_, tree)| tree.name())
            .collect();
        let origin = site.entry.origin.as_ref();
        let looked_in = format!("Config search path:\n\t{}", trees.join("\n\t"));
        if is_primary {
            let title = format!(
                "Cannot find primary config '{config_path}'. Check that it's in your config search path."
            );
            return ConfigError::message(title).note(looked_in);
        }
        let (group, name) = config_path.rsplit_once('/').unwrap_or(("", config_path));
        if !matches!(site.entry.what, What::Group(..)) {
            let title = format!("In '{}': Could not load '{config_path}'.", site.parent);
            return ConfigError::at(title, origin, "named here").note(looked_in);
        }
        let options = self.search_path.options(group);
        let title = format!("In '{}': Could not find '{config_path}'", site.parent);
        let error = ConfigError::at(title, origin, "named here");
        let error = match strata_diag::closest(name, options.iter().map(String::as_str)) {
            Some(meant) => error.help(format!("did you mean `{group}={meant}`?")),
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

impl Site<'_> {
    /// Where the content goes: the package in the list, the file's header, or the group's name.
    fn final_package(&self, header: Option<&str>) -> String {
        let given = self.entry.package.clone().or_else(|| {
            header.map(|header| match header {
                "_global_" => header.to_owned(),
                header => format!("_global_.{header}"),
            })
        });
        self.placed_package(given)
    }

    fn placed_package(&self, given: Option<String>) -> String {
        let package = match given {
            None => self.relative_package(),
            Some(package) if package == "_here_" => String::new(),
            Some(package) if package.split('.').any(|part| part == "_group_") => {
                format!(
                    "_global_.{}",
                    package.replace("_group_", &self.group_package())
                )
            }
            Some(package) => package,
        };
        if package == "_global_" {
            return String::new();
        }
        if let Some(absolute) = package.strip_prefix("_global_.") {
            return absolute.to_owned();
        }
        match (self.parent_package, package.as_str()) {
            ("", _) => package,
            (parent, "") => parent.to_owned(),
            (parent, package) => format!("{parent}.{package}"),
        }
    }

    fn relative_package(&self) -> String {
        let path = match &self.entry.what {
            What::Group(group, _) => group.trim_start_matches('/'),
            What::Config(path) => path
                .trim_start_matches('/')
                .rsplit_once('/')
                .map_or("", |(folder, _)| folder),
            What::OwnContent => "",
        };
        path.replace('/', ".")
    }

    fn group_package(&self) -> String {
        match &self.entry.what {
            What::Group(group, _) => joined(self.base, group).replace('/', "."),
            _ => self.relative_package(),
        }
    }

    /// The name by which an override reaches the entry: the group, and its package if it is another.
    fn override_key(&self, group_path: &str) -> String {
        let package = self.placed_package(self.entry.package.clone());
        if package == group_path.replace('/', ".") {
            return group_path.to_owned();
        }
        let package = if package.is_empty() {
            "_global_"
        } else {
            &package
        };
        format!("{group_path}@{package}")
    }

    fn label(&self, choice: &str) -> String {
        match &self.entry.what {
            What::Group(group, Choice::Several(_)) => joined(self.base, group),
            What::Group(group, _) => {
                let package = self
                    .entry
                    .package
                    .as_ref()
                    .map(|package| format!("@{package}"))
                    .unwrap_or_default();
                format!("{}{package}: {choice}", joined(self.base, group))
            }
            What::Config(path) => joined(self.base, path),
            What::OwnContent => "_self_".to_owned(),
        }
    }
}

fn joined(base: &str, path: &str) -> String {
    match (base, path.strip_prefix('/')) {
        (_, Some(absolute)) => absolute.to_owned(),
        ("", None) => path.to_owned(),
        (base, None) => format!("{base}/{path}"),
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
    match entries
        .iter()
        .filter(|entry| entry.what == What::OwnContent)
        .nth(1)
    {
        None => Ok(()),
        Some(second) => {
            let title = format!("Duplicate _self_ defined in {config_path}");
            Err(ConfigError::at(
                title,
                second.origin.as_ref(),
                "given again here",
            ))
        }
    }
}

fn check_duplicates(placed: &[Placed]) -> Result<(), ConfigError> {
    let mut seen: HashMap<&str, &Placed> = HashMap::new();
    for file in placed {
        let Some(key) = file.key.as_deref() else {
            continue;
        };
        let Some(before) = seen.insert(key, file) else {
            continue;
        };
        return Err(ConfigError::message(if before.choice == file.choice {
            format!("{key} appears more than once in the final defaults list")
        } else {
            format!(
                "Multiple values for {key}. To override a value use 'override {key}: {}'",
                file.choice
            )
        }));
    }
    Ok(())
}
