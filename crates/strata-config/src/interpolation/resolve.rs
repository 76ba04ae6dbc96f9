//! Evaluating interpolations against the whole tree.

use super::resolvers::{self, Context};
use super::template::{self, Part};
use crate::error::ConfigError;
use crate::node::{Map, Node, Value, parts};
use crate::overrides::ast::Element;
use crate::overrides::element::{node_of, typed};
use crate::overrides::parser::parse_element;
use crate::python;

/// Longer chains of references than this are cycles that grow.
const LONGEST_CHAIN: usize = 64;

/// Resolves nodes of one tree.
pub(crate) struct Resolver<'a> {
    pub(crate) root: &'a Node,
    pub(crate) context: &'a Context,
}

/// The interpolations that are being resolved, outermost first.
type Chain = Vec<String>;

impl Resolver<'_> {
    /// The node at `path`, all interpolations resolved; none if there is no such node.
    pub(crate) fn select(&self, path: &str) -> Result<Option<Node>, ConfigError> {
        let path: Vec<String> = parts(path).map(str::to_owned).collect();
        self.get(&path, &mut Chain::new())
    }

    /// A copy of `node`, which stands at `path`, without interpolations. `???` stays.
    pub(crate) fn resolve(&self, node: &Node, path: &[String]) -> Result<Node, ConfigError> {
        self.deep(node, path, &mut Chain::new())
    }

    fn deep(&self, node: &Node, path: &[String], chain: &mut Chain) -> Result<Node, ConfigError> {
        let below = |key: String| {
            let mut path = path.to_vec();
            path.push(key);
            path
        };
        let value = match &node.value {
            Value::Map(map) => {
                let entries = map.iter().map(|(key, node)| {
                    Ok((
                        key.clone(),
                        self.deep(node, &below(key.to_string()), chain)?,
                    ))
                });
                Value::Map(entries.collect::<Result<Map, ConfigError>>()?)
            }
            Value::List(items) => {
                let items = items.iter().enumerate();
                let items =
                    items.map(|(index, node)| self.deep(node, &below(index.to_string()), chain));
                Value::List(items.collect::<Result<_, _>>()?)
            }
            Value::Str(text) if node.is_interpolation() => {
                self.evaluate(node, text, path, chain)?.value
            }
            value => value.clone(),
        };
        Ok(Node::at(value, node.origin.clone()))
    }

    /// Follows `path` from the root, through interpolations where there are any on the way.
    fn get(&self, path: &[String], chain: &mut Chain) -> Result<Option<Node>, ConfigError> {
        // As long as the way leads through the tree itself nothing is copied; behind an interpolation
        // it goes on in the value that this one has.
        let mut current = self.root;
        let mut behind: Option<Node> = None;
        for (index, key) in path.iter().enumerate() {
            let Some(child) = behind.as_ref().unwrap_or(current).child(key) else {
                return Ok(None);
            };
            if behind.is_some() {
                behind = Some(child.clone());
                continue;
            }
            match child.as_str() {
                Some(text) if child.is_interpolation() => {
                    behind = Some(self.evaluate(child, text, &path[..=index], chain)?);
                }
                _ => {
                    current = self
                        .root
                        .descend_keys(&path[..=index])
                        .expect("the child was found just now");
                }
            }
        }
        match behind {
            Some(node) => Ok(Some(node)),
            None => self.deep(current, path, chain).map(Some),
        }
    }

    /// The value of a text with interpolations, which stands at `path`.
    fn evaluate(
        &self,
        node: &Node,
        text: &str,
        path: &[String],
        chain: &mut Chain,
    ) -> Result<Node, ConfigError> {
        let place = path.join(".");
        let here = format!("{place}={text}");
        if chain.contains(&here) || chain.len() > LONGEST_CHAIN {
            let title = format!(
                "recursive interpolation: `{place}` refers to itself through {}",
                chain.join(", ")
            );
            return Err(ConfigError::at(
                title,
                node.origin.as_ref(),
                "in this value",
            ));
        }
        chain.push(here);
        let result = self.evaluate_text(text, path, chain);
        chain.pop();
        let result = result.map_err(|error| {
            let error = error.or_at(node.origin.as_ref(), "in this value");
            if error.diagnostic().notes.is_empty() {
                error.note(format!("full_key: {place}"))
            } else {
                error
            }
        })?;
        Ok(Node::at(result.value, node.origin.clone()))
    }

    fn evaluate_text(
        &self,
        text: &str,
        path: &[String],
        chain: &mut Chain,
    ) -> Result<Node, ConfigError> {
        let parts = template::parse(text)
            .map_err(|malformed| ConfigError::message(format!("{} in `{text}`", malformed.0)))?;
        if let [part] = parts.as_slice() {
            return self.part(part, path, chain);
        }
        let mut joined = String::new();
        for part in &parts {
            joined.push_str(&python::str_of(&self.part(part, path, chain)?));
        }
        Ok(Node::new(Value::Str(joined)))
    }

    fn part(&self, part: &Part, path: &[String], chain: &mut Chain) -> Result<Node, ConfigError> {
        match part {
            Part::Text(text) => Ok(Node::new(Value::Str(text.clone()))),
            Part::Reference(reference) => {
                let reference = self.text(reference, path, chain)?;
                let target = target_of(&reference, path);
                match self.get(&target, chain)? {
                    None => Err(ConfigError::message(format!(
                        "Interpolation key '{reference}' not found"
                    ))),
                    Some(node) if node.is_missing() => Err(ConfigError::message(format!(
                        "Interpolation to missing key: `{}` is `???`, a value that must be given",
                        target.join(".")
                    ))
                    .help(format!("give it: `{}=VALUE`", target.join(".")))),
                    Some(node) => Ok(node),
                }
            }
            Part::Call { name, arguments } => {
                let name = self.text(name, path, chain)?;
                if name == "oc.select"
                    || name == "oc.deprecated"
                    || name.starts_with("oc.dict.")
                    || name == "hydra"
                {
                    return self.call_on_tree(&name, arguments, path, chain);
                }
                let arguments = self.arguments(arguments, path, chain)?;
                resolvers::call(&name, &arguments, self.context)
            }
        }
    }

    /// The resolvers that look into the tree.
    fn call_on_tree(
        &self,
        name: &str,
        arguments: &[String],
        path: &[String],
        chain: &mut Chain,
    ) -> Result<Node, ConfigError> {
        let values = self.arguments(arguments, path, chain)?;
        let key = values.first().map(python::str_of).unwrap_or_default();
        let target = if name == "hydra" {
            let mut target = vec!["hydra".to_owned()];
            target.extend(parts(&key).map(str::to_owned));
            target
        } else {
            target_of(&key, path)
        };
        let found = self.get(&target, chain)?;
        match name {
            "oc.select" => {
                let present = found.filter(|node| !node.is_missing());
                Ok(present
                    .or_else(|| values.get(1).cloned())
                    .unwrap_or(Node::new(Value::Null)))
            }
            "oc.dict.keys" | "oc.dict.values" => {
                let Some(node) = found else {
                    return Err(ConfigError::message(format!(
                        "`{name}`: there is no key `{key}`"
                    )));
                };
                let Value::Map(map) = node.value else {
                    return Err(ConfigError::message(format!(
                        "`{name}` cannot be applied to `{key}`, which is no mapping"
                    )));
                };
                let items = if name == "oc.dict.keys" {
                    map.into_keys()
                        .map(|key| Node::new(Value::Str(key.to_string())))
                        .collect()
                } else {
                    map.into_values().collect()
                };
                Ok(Node::new(Value::List(items)))
            }
            _ => found.filter(|node| !node.is_missing()).ok_or_else(|| {
                ConfigError::message(format!(
                    "Interpolation key '{}' not found",
                    target.join(".")
                ))
            }),
        }
    }

    fn arguments(
        &self,
        arguments: &[String],
        path: &[String],
        chain: &mut Chain,
    ) -> Result<Vec<Node>, ConfigError> {
        arguments
            .iter()
            .map(|argument| self.argument(argument, path, chain))
            .collect()
    }

    /// An argument: quoted, a list or dictionary, or text with the types of the override grammar.
    fn argument(
        &self,
        argument: &str,
        path: &[String],
        chain: &mut Chain,
    ) -> Result<Node, ConfigError> {
        let empty = strata_diag::Span::new(
            &strata_diag::Source::new("argument", argument),
            0..argument.len(),
        );
        let plain = |element: &Element| Node::new(node_of(element, &empty).value);
        if argument.starts_with(['\'', '"', '[', '{']) {
            let node = plain(&parse_element(argument)?);
            return self.deep(&node, path, chain);
        }
        if argument.contains("${") {
            return self.evaluate_text(argument, path, chain);
        }
        Ok(plain(&typed(argument)))
    }

    fn text(&self, text: &str, path: &[String], chain: &mut Chain) -> Result<String, ConfigError> {
        if !text.contains("${") {
            return Ok(text.to_owned());
        }
        self.evaluate_text(text, path, chain)
            .map(|node| python::str_of(&node))
    }
}

/// The path that a reference at `path` means: `a.b[0]`, or `.x` from its container, `..x` one level up.
fn target_of(reference: &str, path: &[String]) -> Vec<String> {
    let dots = reference.len() - reference.trim_start_matches('.').len();
    let mut target: Vec<String> = match dots {
        0 => Vec::new(),
        _ => path[..path.len().saturating_sub(dots)].to_vec(),
    };
    let keys = reference[dots..]
        .split(['.', '[', ']'])
        .filter(|key| !key.is_empty());
    target.extend(keys.map(str::to_owned));
    target
}

impl Node {
    fn descend_keys(&self, path: &[String]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.child(key))
    }
}
