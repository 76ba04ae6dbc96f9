//! `foreach` and `matrix`: one definition, several stages.

use indexmap::IndexMap;

use super::context::{MOST_BYTES, Scope, bytes_of};
use super::expression::is_whole;
use super::interpolate::{Site, resolve};
use super::problem::TemplateProblem;
use super::text::{scalar_text, type_name};
use crate::value::{Key, Map, Value};

/// More than any project can list, let alone run.
const MOST_STAGES: usize = 100_000;

/// The stages of a group.
#[derive(Debug, Clone)]
pub(super) struct Expansion {
    /// What hides variables in each stage, by the key behind `@`.
    pub(super) members: IndexMap<String, Vec<(&'static str, Value)>>,
    /// Variables that are hidden.
    pub(super) warning: Option<String>,
}

/// One value for each variable of a matrix.
#[derive(Debug, Clone, Default)]
struct Combination {
    /// Its parts of the stage's name.
    fragments: Vec<String>,
    item: Map,
}

/// Why a group has no stages.
#[derive(Debug)]
pub(super) enum GroupProblem {
    Template(TemplateProblem),
    NotIterable {
        /// The variable of `matrix`.
        variable: Option<String>,
        found: &'static str,
    },
}

impl From<TemplateProblem> for GroupProblem {
    fn from(problem: TemplateProblem) -> Self {
        Self::Template(problem)
    }
}

/// `foreach`: a list of scalars is keyed by their texts, a list with any composite by index, a mapping by its keys.
pub(super) fn foreach(
    scope: &Scope<'_>,
    name: &str,
    data: &Value,
) -> Result<Expansion, GroupProblem> {
    let (members, inserted): (_, &[&str]) = match resolve(scope, Site::Anything, data)? {
        Value::List(items) => {
            let composite = items.iter().any(is_composite);
            let texts = member_texts(data, &items);
            let members = items.into_iter().zip(texts).enumerate();
            let members = members.map(|(index, (item, text))| {
                let key = if composite { index.to_string() } else { text };
                (key, vec![("item", item)])
            });
            (members.collect(), &["item"])
        }
        Value::Map(map) => {
            let members = map.into_iter().map(|(key, item)| {
                let key = scalar_text(&key.to_value());
                (key.clone(), vec![("item", item), ("key", Value::Str(key))])
            });
            (members.collect(), &["item", "key"])
        }
        other => {
            return Err(GroupProblem::NotIterable {
                variable: None,
                found: type_name(&other),
            });
        }
    };
    Ok(Expansion {
        members,
        warning: warning(scope, name, inserted),
    })
}

/// `matrix`: all combinations, the last variable changing fastest, keyed by their texts joined by `-`.
pub(super) fn matrix(
    scope: &Scope<'_>,
    name: &str,
    data: &Value,
) -> Result<Expansion, GroupProblem> {
    let variables = data.as_map().into_iter().flatten();
    let variables: Vec<_> = variables
        .map(|(variable, raw)| Ok((variable, matrix_values(scope, variable, raw)?)))
        .collect::<Result<_, GroupProblem>>()?;
    check_size(&variables)?;
    let mut combinations = vec![Combination::default()];
    for (variable, values) in &variables {
        combinations = combinations
            .into_iter()
            .flat_map(|combination| {
                values.iter().map(move |(fragment, value)| {
                    let mut longer = combination.clone();
                    longer.fragments.push(fragment.clone());
                    longer.item.insert((*variable).clone(), value.clone());
                    longer
                })
            })
            .collect();
    }
    let members = combinations.into_iter().map(|combination| {
        let key = combination.fragments.join("-");
        let item = Value::Map(combination.item);
        (key.clone(), vec![("key", Value::Str(key)), ("item", item)])
    });
    Ok(Expansion {
        members: members.collect(),
        warning: warning(scope, name, &["key", "item"]),
    })
}

/// A few lists of a few values have more combinations than there is memory.
fn check_size(variables: &[(&Key, Vec<(String, Value)>)]) -> Result<(), TemplateProblem> {
    let counts = variables.iter().map(|(_, values)| values.len());
    let too_many = TemplateProblem::TooManyStages { most: MOST_STAGES };
    // An empty list leaves no stages, but those before it are made.
    let stages = counts.fold(1_usize, |stages, count| stages.saturating_mul(count.max(1)));
    if stages > MOST_STAGES {
        return Err(too_many);
    }
    let bytes = variables.iter().map(|(_, values)| {
        let of_value = |(text, value): &(String, Value)| text.len() + bytes_of(value);
        let of_all: usize = values.iter().map(of_value).sum();
        of_all.saturating_mul(stages / values.len().max(1))
    });
    if bytes.fold(0, usize::saturating_add) > MOST_BYTES {
        return Err(too_many);
    }
    Ok(())
}

/// The values of a variable, each with its part of the stage's name.
fn matrix_values(
    scope: &Scope<'_>,
    variable: &Key,
    raw: &Value,
) -> Result<Vec<(String, Value)>, GroupProblem> {
    let items = match resolve(scope, Site::Anything, raw)? {
        Value::List(items) => items,
        // Python iterates over the keys.
        Value::Map(map) => map.keys().map(Key::to_value).collect(),
        other => {
            return Err(GroupProblem::NotIterable {
                variable: Some(variable.python_str()),
                found: type_name(&other),
            });
        }
    };
    let texts = member_texts(raw, &items);
    let named = texts.into_iter().zip(items).enumerate();
    let named = named.map(|(index, (text, value))| {
        if is_composite(&value) {
            (format!("{}{index}", variable.python_str()), value)
        } else {
            (text, value)
        }
    });
    Ok(named.collect())
}

/// Texts of the items in names of stages.
///
/// DVC prints what is written in `dvc.yaml` as it prints it in texts, and what a template brings as Python does:
/// `true` from a literal list, `True` from `${flags}`.
fn member_texts(raw: &Value, items: &[Value]) -> Vec<String> {
    let from_template = |index: usize| match raw {
        Value::List(raw) => raw.get(index).is_some_and(is_whole),
        Value::Map(_) => false,
        _ => true,
    };
    let text = |(index, item): (usize, &Value)| {
        if from_template(index) {
            item.python_str()
        } else {
            scalar_text(item)
        }
    };
    items.iter().enumerate().map(text).collect()
}

fn is_composite(value: &Value) -> bool {
    matches!(value, Value::List(_) | Value::Map(_))
}

fn warning(scope: &Scope<'_>, name: &str, inserted: &[&str]) -> Option<String> {
    let hidden: Vec<&str> = inserted
        .iter()
        .filter(|key| scope.context.contains(key))
        .copied()
        .collect();
    if hidden.is_empty() {
        return None;
    }
    let verb = if hidden.len() == 1 { "is" } else { "are" };
    Some(format!(
        "{} {verb} already specified, will be overwritten for stages generated from '{name}'",
        hidden.join(" and ")
    ))
}
