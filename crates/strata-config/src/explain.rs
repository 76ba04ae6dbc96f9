//! Where a value came from: every file and override that had a say in it.

use std::fmt::Write as _;

use crate::composition::Composition;
use crate::error::ConfigError;
use crate::interpolation::resolve::keys_of;
use crate::interpolation::template::{self, Part};
use crate::node::{Node, Value};
use crate::overrides::apply::closest_path;
use crate::overrides::ast::OverrideKind;
use crate::overrides::element::node_of;

/// How a value came to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The key asked for.
    pub key: String,
    /// What was set, in the order in which it was applied.
    pub steps: Vec<ExplanationStep>,
    /// The value as it stands in the tree, interpolations unresolved; none if it was deleted.
    pub value: Option<String>,
    /// What the value is resolved, where that is something else.
    pub resolved: Option<String>,
    /// The references within the value: what they resolve to, and the places that set their targets.
    pub references: Vec<ExplainedReference>,
}

/// One file or override that set the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplanationStep {
    /// `file:line:column`, or the override.
    pub place: String,
    /// What it set.
    pub value: String,
    /// Why the file is part of the configuration: the entry of a defaults list, or the override.
    pub chosen_by: Option<String>,
    /// Whether the value in force is this one.
    pub wins: bool,
}

/// A `${…}` within a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedReference {
    /// As written.
    pub text: String,
    /// What it resolves to, or why it does not.
    pub value: String,
    /// The place that set its target, if it refers to a key.
    pub place: Option<String>,
}

impl Composition {
    /// Every file and override that set the value at a key, in order.
    ///
    /// # Errors
    /// There is and was no such key.
    pub fn explain(&self, key: &str) -> Result<Explanation, ConfigError> {
        let keys = keys_of(key);
        let mut steps = self.file_steps(&keys);
        steps.extend(self.override_steps(&keys));
        let node = self.root().descend(&keys.join("."));
        if node.is_none() && steps.is_empty() {
            let error = ConfigError::message(format!("there is no key `{key}`"));
            return Err(match closest_path(self.root(), key) {
                Some(meant) => error.help(format!("did you mean `{meant}`?")),
                None => error,
            });
        }
        if steps.is_empty()
            && let Some(node) = node
        {
            steps.push(ExplanationStep {
                place: "filled in when the program starts".to_owned(),
                value: node.in_words(),
                chosen_by: None,
                wins: true,
            });
        }
        // A value that must be given does not replace one that is there.
        let winner = steps
            .iter()
            .rposition(|step| step.value != "???")
            .or(steps.len().checked_sub(1));
        if let (Some(winner), Some(_)) = (winner, node) {
            steps[winner].wins = true;
        }
        let value = node.map(Node::in_words);
        let resolved = match node {
            Some(node) if holds_interpolation(node) => Some(match self.select(key) {
                Ok(Some(node)) => node.in_words(),
                Ok(None) => "nothing".to_owned(),
                Err(error) => format!("cannot be resolved: {}", error.diagnostic().title),
            }),
            _ => None,
        };
        Ok(Explanation {
            key: key.to_owned(),
            steps,
            references: node.map_or_else(Vec::new, |node| self.references(node, &keys)),
            value,
            resolved,
        })
    }

    fn file_steps(&self, keys: &[String]) -> Vec<ExplanationStep> {
        let mut steps = Vec::new();
        for (file, placed) in self.placed_files() {
            let package: Vec<String> = placed.package.split('.').map(str::to_owned).collect();
            let package = if placed.package.is_empty() {
                &[][..]
            } else {
                &package[..]
            };
            let Some(below) = keys.strip_prefix(package) else {
                continue;
            };
            if let Some(node) = set_by(&file.content, below) {
                let place = node.origin.as_ref().map(ToString::to_string);
                steps.push(ExplanationStep {
                    place: place.unwrap_or_else(|| placed.config_path.clone()),
                    value: node.in_words(),
                    chosen_by: placed.origin.as_ref().map(|origin| {
                        let entry = origin.text().split('\n').next().unwrap_or_default();
                        // In a flow list the span of an entry takes the comma with it.
                        let entry = entry.trim_end_matches([',', ' ']);
                        format!("`{entry}`, {origin}")
                    }),
                    wins: false,
                });
            }
        }
        steps
    }

    fn override_steps(&self, keys: &[String]) -> Vec<ExplanationStep> {
        let mut steps = Vec::new();
        for override_ in self.overrides() {
            let at = keys_of(&override_.key);
            let Some(below) = keys.strip_prefix(&at[..]) else {
                continue;
            };
            if self.search_path().group_exists(&override_.key) || override_.sweep().is_some() {
                continue;
            }
            let value = if override_.kind == OverrideKind::Delete {
                "deleted".to_owned()
            } else {
                let element = override_.element();
                let node = element.map(|element| node_of(element, &override_.span()));
                match node.as_ref().and_then(|node| set_by(node, below)) {
                    Some(node) => node.in_words(),
                    None => continue,
                }
            };
            steps.push(ExplanationStep {
                place: format!("{} `{}`", override_.source.name, override_.text()),
                value,
                chosen_by: None,
                wins: false,
            });
        }
        steps
    }

    fn references(&self, node: &Node, keys: &[String]) -> Vec<ExplainedReference> {
        let Some(text) = node.as_str().filter(|_| node.is_interpolation()) else {
            return Vec::new();
        };
        let parts = template::parse(text).unwrap_or_default();
        let mut references = Vec::new();
        for part in &parts {
            let Part::Reference(reference) = part else {
                continue;
            };
            let names = reference.keys.iter().map(|key| match &key.name {
                Part::Text(name) => Some(name.clone()),
                _ => None,
            });
            let Some(names) = names.collect::<Option<Vec<String>>>() else {
                continue;
            };
            let Some(target) =
                crate::interpolation::resolve::absolute(names, reference.points, keys)
            else {
                continue;
            };
            let path = target.join(".");
            let value = match self.select(&path) {
                Ok(Some(node)) => node.in_words(),
                Ok(None) => "not found".to_owned(),
                Err(error) => error.diagnostic().title.clone(),
            };
            let origin = self
                .root()
                .descend(&path)
                .and_then(|node| node.origin.as_ref());
            references.push(ExplainedReference {
                text: format!("${{{path}}}"),
                value,
                place: origin.map(ToString::to_string),
            });
        }
        references
    }
}

/// What laying `content` over the tree sets the key below it to; none if it leaves it as it is.
fn set_by<'a>(content: &'a Node, below: &[String]) -> Option<&'a Node> {
    let mut node = content;
    for key in below {
        match &node.value {
            Value::Map(_) | Value::List(_) => match node.child(key) {
                Some(child) => node = child,
                None => return None,
            },
            // A scalar where the key's mapping stood.
            _ => return Some(node),
        }
    }
    Some(node)
}

fn holds_interpolation(node: &Node) -> bool {
    match &node.value {
        Value::Map(map) => map.values().any(holds_interpolation),
        Value::List(items) => items.iter().any(holds_interpolation),
        _ => node.is_interpolation(),
    }
}

impl Explanation {
    /// As `strata config explain` prints it; the step in force is marked with `*`.
    pub fn to_text(&self) -> String {
        let mut text = format!(
            "{}: {}\n",
            self.key,
            self.value.as_deref().unwrap_or("deleted")
        );
        let width = self
            .steps
            .iter()
            .map(|step| step.place.chars().count())
            .max();
        let width = width.unwrap_or(0);
        for step in &self.steps {
            let mark = if step.wins { '*' } else { ' ' };
            let chosen_by = step.chosen_by.as_ref();
            let chosen_by = chosen_by.map_or(String::new(), |by| format!("   chosen by {by}"));
            writeln!(
                text,
                "{mark} {:width$}   {}{chosen_by}",
                step.place, step.value
            )
            .expect("a string takes everything");
        }
        if let Some(resolved) = &self.resolved {
            writeln!(text, "resolved: {resolved}").expect("a string takes everything");
        }
        for reference in &self.references {
            let place = reference.place.as_ref();
            let place = place.map_or(String::new(), |place| format!("   set at {place}"));
            writeln!(text, "  {} is {}{place}", reference.text, reference.value)
                .expect("a string takes everything");
        }
        text
    }
}
