//! The options that overrides choose.

use indexmap::IndexMap;
use strata_diag::Span;

use super::entry::{Choice, Entry, What};
use super::item::Item;
use crate::error::ConfigError;
use crate::overrides::ast::{Override, OverrideKind};
use crate::overrides::element::node_of;
use crate::search_path::SearchPath;

/// Overrides of defaults lists, those found first winning.
#[derive(Debug, Default)]
pub(crate) struct Choices {
    chosen: IndexMap<String, Chosen>,
    deleted: IndexMap<String, Deleted>,
    /// Entries added at the end of the primary list.
    pub(crate) appended: Vec<Entry>,
    /// What became of each group, in the order of Hydra's visit.
    pub(crate) known: IndexMap<String, Choice>,
}

#[derive(Debug)]
struct Chosen {
    choice: Choice,
    used: bool,
    origin: Option<Span>,
    /// The file with the `override` entry; none for the command line.
    file: Option<String>,
}

#[derive(Debug)]
struct Deleted {
    option: Option<Choice>,
    used: bool,
    origin: Span,
}

impl Choices {
    /// Takes the overrides that name groups; gives back those of configuration keys.
    pub(crate) fn split<'a>(
        overrides: &[&'a Override],
        search_path: &SearchPath,
    ) -> Result<(Self, Vec<&'a Override>), ConfigError> {
        let mut choices = Self::default();
        let mut of_keys = Vec::new();
        for &override_ in overrides {
            let span = override_.span();
            let node = override_.element().map(|element| node_of(element, &span));
            let is_dict = node.as_ref().is_some_and(|node| node.as_map().is_some());
            if is_dict || !search_path.group_exists(&override_.key) {
                of_keys.push(override_);
                continue;
            }
            let choice = node.as_ref().and_then(Choice::from_override);
            let key = override_.key_or_group();
            match (override_.kind, choice) {
                (OverrideKind::Delete, option)
                    if override_.value.is_none() || matches!(option, Some(Choice::One(_))) =>
                {
                    choices.deleted.insert(
                        key,
                        Deleted {
                            option,
                            used: false,
                            origin: span,
                        },
                    );
                }
                (OverrideKind::Change, Some(choice)) => {
                    choices.chosen.insert(
                        key,
                        Chosen {
                            choice,
                            used: false,
                            origin: Some(span),
                            file: None,
                        },
                    );
                }
                (OverrideKind::Add, Some(choice)) => choices.appended.push(Entry {
                    package: override_.package.clone(),
                    appended: true,
                    origin: Some(span),
                    ..Entry::new(What::Group(override_.key.clone(), choice))
                }),
                (OverrideKind::ForceAdd, _) => {
                    let title = format!("`{}` cannot force-add a group", override_.text());
                    return Err(
                        ConfigError::at(title, Some(&span), "in this override").help(format!(
                            "use `+{}`",
                            override_.text().trim_start_matches('+')
                        )),
                    );
                }
                _ => {
                    let title = format!(
                        "`{}`: an option of the config group `{}` must be a name or a list of names",
                        override_.text(),
                        override_.key
                    );
                    let options = search_path.options(&override_.key);
                    return Err(ConfigError::at(title, Some(&span), "in this override")
                        .note(format!("options: {}", options.join(", ")))
                        .help(format!("to leave the group out use `~{key}`")));
                }
            }
        }
        Ok((choices, of_keys))
    }

    /// An `override` entry of a file; an outer or later one has been found before and wins.
    pub(crate) fn add(&mut self, key: String, choice: Choice, origin: Option<Span>, file: &str) {
        let chosen = Chosen {
            choice,
            used: false,
            origin,
            file: Some(file.to_owned()),
        };
        self.chosen.entry(key).or_insert(chosen);
    }

    /// The option chosen for an item, if an override names it, and the place of that override.
    pub(crate) fn take(&mut self, item: &Item) -> Option<(Choice, Option<Span>)> {
        if !item.is_group() {
            return None;
        }
        let chosen = self.chosen.get_mut(&item.override_key())?;
        chosen.used = true;
        Some((chosen.choice.clone(), chosen.origin.clone()))
    }

    /// Whether an override deletes the item.
    pub(crate) fn take_deletion(&mut self, item: &Item) -> bool {
        if !item.is_group() {
            return false;
        }
        let Some(deleted) = self.deleted.get_mut(&item.override_key()) else {
            return false;
        };
        let option = deleted.option.as_ref().map(Choice::in_words);
        let fits = option.is_none_or(|option| Some(option) == item.name());
        deleted.used |= fits;
        fits
    }

    /// Notes what was chosen for a group; two different options of one key are refused.
    pub(crate) fn add_known(&mut self, item: &Item) -> Result<(), ConfigError> {
        let What::Group(_, choice) = &item.entry.what else {
            return Ok(());
        };
        let key = item.override_key();
        let before = self
            .known
            .entry(key.clone())
            .or_insert_with(|| choice.clone());
        if before == choice {
            return Ok(());
        }
        let title = format!(
            "Multiple values for {key}. To override a value use 'override {key}: {}'",
            before.in_words()
        );
        Err(ConfigError::at(
            title,
            item.entry.origin.as_ref(),
            "one of them",
        ))
    }

    /// Refuses overrides that met no entry.
    pub(crate) fn check_used(&self) -> Result<(), ConfigError> {
        if let Some((key, deleted)) = self.deleted.iter().find(|(_, deleted)| !deleted.used) {
            let option = deleted
                .option
                .as_ref()
                .map(|option| format!("={}", option.in_words()))
                .unwrap_or_default();
            let title = format!("Could not delete '{key}{option}'. No match in the defaults list");
            return Err(ConfigError::at(
                title,
                Some(&deleted.origin),
                "in this override",
            ));
        }
        if let Some((key, chosen)) = self.chosen.iter().find(|(_, chosen)| !chosen.used) {
            let file = chosen
                .file
                .as_ref()
                .map(|file| format!("In '{file}': "))
                .unwrap_or_default();
            let title = format!("{file}Could not override '{key}'. No match in the defaults list.");
            let error = ConfigError::at(title, chosen.origin.as_ref(), "no such entry");
            let group = key.split('@').next().unwrap_or(key);
            let elsewhere: Vec<&str> = self
                .known
                .keys()
                .map(String::as_str)
                .filter(|known| known.split('@').next() == Some(group))
                .collect();
            return Err(match (elsewhere.as_slice(), &chosen.file) {
                ([], Some(_)) => error,
                ([], None) => error.help(format!(
                    "To append to your default list use +{key}={}",
                    chosen.choice.in_words()
                )),
                (keys, _) => error.help(format!(
                    "Did you mean to override one of {}?",
                    keys.join(", ")
                )),
            });
        }
        Ok(())
    }
}
