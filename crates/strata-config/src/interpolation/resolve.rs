//! Evaluating interpolations against the whole tree.
//!
//! [`Resolver::select`] follows a path and evaluates what stands there, one level deep, as an access in
//! `OmegaConf` does; [`Resolver::resolve`] goes on until no interpolation is left.

use std::borrow::Cow;

use super::resolvers::{self, Context};
use super::template::{self, Call, Expression, Part, Reference};
use crate::error::ConfigError;
use crate::node::{Map, Node, Value, parts};
use crate::overrides::element::{key_of, value_of};
use crate::python;

/// Longer chains of references than this are cycles that grow.
const LONGEST_CHAIN: usize = 64;

/// Resolves nodes of one tree.
pub(crate) struct Resolver<'a> {
    pub(crate) root: &'a Node,
    pub(crate) context: &'a Context,
}

/// What stands at a path, evaluated one level deep.
#[derive(Debug, Clone)]
pub(crate) struct Found<'a> {
    pub(crate) node: Cow<'a, Node>,
    /// Where it stands: what relative references within it start from.
    pub(crate) path: Vec<String>,
    /// A list or dictionary that a resolver made and that is no part of a configuration. `OmegaConf`
    /// gives it out on access but refuses to put it into a resolved tree.
    pub(crate) foreign: bool,
}

/// The interpolations that are being resolved, outermost first.
pub(crate) type Chain = Vec<String>;

/// What becomes of foreign lists and dictionaries in a resolved tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Foreign {
    /// They become part of it.
    Taken,
    /// They are refused, as by `--resolve`.
    Refused,
}

impl<'a> Resolver<'a> {
    /// The node at `path`, evaluated one level deep; none if there is no such node.
    pub(crate) fn select(&self, path: &str) -> Result<Option<Found<'a>>, ConfigError> {
        let path: Vec<String> = keys_of(path);
        self.get(&path, &mut Chain::new())
    }

    /// A copy of `node`, which stands at `path`, without interpolations. `???` stays.
    pub(crate) fn resolve(
        &self,
        node: &Node,
        path: &[String],
        foreign: Foreign,
    ) -> Result<Node, ConfigError> {
        self.deep(node, path, foreign, &mut Chain::new())
    }

    /// What was found, without interpolations.
    pub(crate) fn finish(
        &self,
        found: Found<'_>,
        foreign: Foreign,
        chain: &mut Chain,
    ) -> Result<Node, ConfigError> {
        // A text is evaluated already, and `${` in it is meant literally.
        if found.foreign || found.node.as_str().is_some() {
            return Ok(found.node.into_owned());
        }
        self.deep(&found.node, &found.path, foreign, chain)
    }

    fn deep(
        &self,
        node: &Node,
        path: &[String],
        foreign: Foreign,
        chain: &mut Chain,
    ) -> Result<Node, ConfigError> {
        let below = |key: String| {
            let mut path = path.to_vec();
            path.push(key);
            path
        };
        let value = match &node.value {
            Value::Map(map) => {
                let entries = map.iter().map(|(key, node)| {
                    let node = self.deep(node, &below(key.to_string()), foreign, chain)?;
                    Ok((key.clone(), node))
                });
                Value::Map(entries.collect::<Result<Map, ConfigError>>()?)
            }
            Value::List(items) => {
                let items = items.iter().enumerate();
                let items = items.map(|(index, node)| {
                    self.deep(node, &below(index.to_string()), foreign, chain)
                });
                Value::List(items.collect::<Result<_, _>>()?)
            }
            Value::Str(text) if node.is_interpolation() => {
                let found = self.evaluate(node, text, path, chain)?;
                if found.foreign && foreign == Foreign::Refused {
                    let title = format!(
                        "`{}` is {} that a resolver made, which cannot stand in a resolved tree",
                        path.join("."),
                        found.node.kind()
                    );
                    return Err(
                        ConfigError::at(title, node.origin.as_ref(), "in this value")
                            .help("wrap it: `${oc.create:${…}}`"),
                    );
                }
                Self::step(path, node, chain, |chain| {
                    self.finish(found, foreign, chain)
                })?
                .value
            }
            value => value.clone(),
        };
        Ok(Node::at(value, node.origin.clone()))
    }

    /// Follows `path` from the root, through interpolations where there are any on the way.
    pub(crate) fn get(
        &self,
        path: &[String],
        chain: &mut Chain,
    ) -> Result<Option<Found<'a>>, ConfigError> {
        let mut found = Found {
            node: Cow::Borrowed(self.root),
            path: Vec::new(),
            foreign: false,
        };
        for key in path {
            let child = match &found.node {
                Cow::Borrowed(node) => node.child(key).map(Cow::Borrowed),
                Cow::Owned(node) => node.child(key).cloned().map(Cow::Owned),
            };
            let Some(child) = child else {
                return Ok(None);
            };
            found.node = child;
            found.path.push(key.clone());
            found.foreign = false;
            if found.node.is_interpolation() {
                let node = found.node.clone();
                let text = node.as_str().unwrap_or_default();
                found = self.evaluate(&node, text, &found.path, chain)?;
            }
        }
        Ok(Some(found))
    }

    /// The value of a text with interpolations, which stands at `path`.
    fn evaluate(
        &self,
        node: &Node,
        text: &str,
        path: &[String],
        chain: &mut Chain,
    ) -> Result<Found<'a>, ConfigError> {
        Self::step(path, node, chain, |chain| self.text(text, path, chain))
    }

    /// One more link of the chain; errors name the place where it began.
    fn step<T>(
        path: &[String],
        node: &Node,
        chain: &mut Chain,
        work: impl FnOnce(&mut Chain) -> Result<T, ConfigError>,
    ) -> Result<T, ConfigError> {
        let place = path.join(".");
        if chain.contains(&place) || chain.len() > LONGEST_CHAIN {
            let way = chain.join("` → `");
            let title =
                format!("Recursive interpolation: `{way}` → `{place}` leads back to itself");
            return Err(ConfigError::at(
                title,
                node.origin.as_ref(),
                "in this value",
            ));
        }
        chain.push(place.clone());
        let result = work(chain);
        chain.pop();
        result.map_err(|error| {
            let error = error.or_at(node.origin.as_ref(), "in this value");
            if error.diagnostic().notes.is_empty() {
                error.note(format!("full_key: {place}"))
            } else {
                error
            }
        })
    }

    fn text(
        &self,
        text: &str,
        path: &[String],
        chain: &mut Chain,
    ) -> Result<Found<'a>, ConfigError> {
        let parts = template::parse(text).map_err(|malformed| malformed_error(text, &malformed))?;
        self.joined(&parts, path, chain)
    }

    /// A part alone keeps its type; several become a text.
    fn joined(
        &self,
        parts: &[Part],
        path: &[String],
        chain: &mut Chain,
    ) -> Result<Found<'a>, ConfigError> {
        if let [part] = parts {
            return self.part(part, path, chain);
        }
        let mut joined = String::new();
        for part in parts {
            joined.push_str(&python::str_of(&self.part(part, path, chain)?.node));
        }
        Ok(Found::own(Value::Str(joined), path))
    }

    fn part(
        &self,
        part: &Part,
        path: &[String],
        chain: &mut Chain,
    ) -> Result<Found<'a>, ConfigError> {
        match part {
            Part::Text(text) => Ok(Found::own(Value::Str(text.clone()), path)),
            Part::Reference(reference) => self.reference(reference, path, chain),
            Part::Call(call) => self.call(call, path, chain),
        }
    }

    fn reference(
        &self,
        reference: &Reference,
        path: &[String],
        chain: &mut Chain,
    ) -> Result<Found<'a>, ConfigError> {
        let mut keys = Vec::new();
        let mut typed = ".".repeat(reference.points);
        for (index, key) in reference.keys.iter().enumerate() {
            let name = self.name(&key.name, path, chain)?;
            if key.bracketed {
                typed.extend(["[", &name, "]"]);
            } else {
                typed.push_str(if index > 0 { "." } else { "" });
                typed.push_str(&name);
            }
            keys.extend(keys_of(&name));
        }
        let target = absolute(keys, reference.points, path).ok_or_else(|| {
            ConfigError::message(format!(
                "Interpolation key '{typed}' not found: it leads out of the configuration"
            ))
        })?;
        match self.get(&target, chain)? {
            None => Err(self.not_found(&typed, &target)),
            Some(found) if found.node.is_missing() => Err(ConfigError::message(format!(
                "Interpolation to missing key: `{}` is `???`, a value that must be given",
                target.join(".")
            ))
            .help(format!("give it: `{}=VALUE`", target.join(".")))),
            Some(found) => Ok(found),
        }
    }

    fn not_found(&self, typed: &str, target: &[String]) -> ConfigError {
        let error = ConfigError::message(format!("Interpolation key '{typed}' not found"));
        match crate::overrides::apply::closest_path(self.root, &target.join(".")) {
            Some(meant) => error.help(format!("did you mean `${{{meant}}}`?")),
            None => error,
        }
    }

    /// A name that may come from an interpolation, which must then give a text.
    fn name(&self, part: &Part, path: &[String], chain: &mut Chain) -> Result<String, ConfigError> {
        if let Part::Text(text) = part {
            return Ok(text.clone());
        }
        let found = self.part(part, path, chain)?;
        match found.node.as_str() {
            Some(text) => Ok(text.to_owned()),
            None => Err(ConfigError::message(format!(
                "an interpolation within another must give a string, not {} (`{}`)",
                found.node.kind(),
                python::str_of(&found.node)
            ))
            .help("quote the value where it is set, so that it is a string")),
        }
    }

    fn call(
        &self,
        call: &Call,
        path: &[String],
        chain: &mut Chain,
    ) -> Result<Found<'a>, ConfigError> {
        let names = call.name.iter().map(|part| self.name(part, path, chain));
        let name = names.collect::<Result<Vec<_>, _>>()?.join(".");
        let mut arguments = Vec::new();
        for argument in &call.arguments {
            arguments.push(self.expression(argument, path, chain)?);
        }
        resolvers::call(self, &name, &arguments, path, chain)
    }

    /// The value of an argument, or of a text given to `oc.decode`.
    pub(crate) fn expression(
        &self,
        expression: &Expression,
        path: &[String],
        chain: &mut Chain,
    ) -> Result<Node, ConfigError> {
        let value = match expression {
            Expression::Element(element) => value_of(element, None),
            Expression::Parts(parts) => {
                let found = self.joined(parts, path, chain)?;
                return self.finish(found, Foreign::Taken, chain);
            }
            Expression::Quoted(parts) => {
                let mut text = String::new();
                for part in parts {
                    text.push_str(&python::str_of(&self.part(part, path, chain)?.node));
                }
                Value::Str(text)
            }
            Expression::List(items) => {
                let items = items.iter().map(|item| self.expression(item, path, chain));
                Value::List(items.collect::<Result<_, _>>()?)
            }
            Expression::Dict(entries) => {
                let entries = entries
                    .iter()
                    .map(|(key, value)| Ok((key_of(key), self.expression(value, path, chain)?)));
                Value::Map(entries.collect::<Result<Map, ConfigError>>()?)
            }
        };
        Ok(Node::new(value))
    }
}

impl Found<'_> {
    /// A value made for the node at `path`.
    pub(crate) fn own(value: Value, path: &[String]) -> Self {
        Self {
            node: Cow::Owned(Node::new(value)),
            path: path.to_vec(),
            foreign: false,
        }
    }
}

/// The place that `points` points and `keys` mean at `path`; none if it lies outside the tree.
pub(crate) fn absolute(keys: Vec<String>, points: usize, path: &[String]) -> Option<Vec<String>> {
    let mut target: Vec<String> = match points {
        0 => Vec::new(),
        _ => path[..path.len().checked_sub(points)?].to_vec(),
    };
    target.extend(keys);
    Some(target)
}

/// The keys of `a.b[0]`.
pub(crate) fn keys_of(path: &str) -> Vec<String> {
    let parts = parts(path).flat_map(|part| part.split(['[', ']']));
    parts
        .filter(|key| !key.is_empty())
        .map(str::to_owned)
        .collect()
}

pub(crate) fn malformed_error(text: &str, malformed: &template::Malformed) -> ConfigError {
    let column = text[..malformed.at.min(text.len())].chars().count() + 1;
    ConfigError::message(format!(
        "{} in `{text}`, at its character {column}",
        malformed.what
    ))
}
