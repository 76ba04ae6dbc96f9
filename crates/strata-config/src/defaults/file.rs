//! A configuration file: header, defaults list, content.

use std::collections::HashMap;
use std::sync::Arc;

use strata_diag::{Source, Span};

use super::entry::Entry;
use crate::error::ConfigError;
use crate::interpolation::check_interpolations;
use crate::node::{Key, Node, Value};
use crate::search_path::SearchPath;
use crate::yaml;

/// A file, its defaults list taken out.
#[derive(Debug, Clone)]
pub(crate) struct ConfigFile {
    /// `# @package X`: where the content goes.
    pub(crate) header: Option<String>,
    pub(crate) defaults: Vec<Entry>,
    pub(crate) content: Node,
}

/// The files read so far, by path; each is read once.
#[derive(Debug, Default)]
pub(crate) struct Files {
    read: HashMap<String, Arc<ConfigFile>>,
}

impl Files {
    /// A file from the first tree that has it.
    pub(crate) fn load(
        &mut self,
        search_path: &SearchPath,
        config_path: &str,
    ) -> Result<Option<Arc<ConfigFile>>, ConfigError> {
        if let Some(file) = self.get(config_path) {
            return Ok(Some(Arc::clone(file)));
        }
        let Some(source) = search_path.load(config_path)? else {
            return Ok(None);
        };
        let file = Arc::new(ConfigFile::read(&source)?);
        self.read.insert(config_path.to_owned(), Arc::clone(&file));
        Ok(Some(file))
    }

    /// A file that was read.
    pub(crate) fn get(&self, config_path: &str) -> Option<&Arc<ConfigFile>> {
        self.read.get(config_path)
    }
}

/// Hydra reads no further for the header.
const HEADER_CHARACTERS: usize = 512;

impl ConfigFile {
    pub(crate) fn read(source: &Arc<Source>) -> Result<Self, ConfigError> {
        let mut content = yaml::from_yaml(source)?;
        check_interpolations(&content)?;
        match &content.value {
            Value::Null => content.value = Value::Map(Default::default()),
            // `OmegaConf` reads a lone text as a key without a value.
            Value::Str(text) => {
                let key = Key::Str(text.clone());
                let null = Node::at(Value::Null, content.origin.clone());
                content.value = Value::Map([(key, null)].into_iter().collect());
            }
            _ => {}
        }
        let defaults = if let Some(map) = content.as_map_mut() {
            map.shift_remove(&Key::Str("defaults".to_owned()))
        } else {
            let title = format!(
                "{} must hold a mapping, not {}",
                source.name,
                content.kind()
            );
            return Err(ConfigError::at(
                title,
                Some(&Span::new(source, 0..1)),
                "here",
            ));
        };
        let defaults = match defaults {
            None => Vec::new(),
            Some(Node {
                value: Value::List(items),
                ..
            }) => items
                .iter()
                .map(Entry::from_node)
                .collect::<Result<_, _>>()?,
            Some(other) => {
                let title = format!("the defaults list must be a list, not {}", other.kind());
                return Err(ConfigError::at(title, other.origin.as_ref(), "here"));
            }
        };
        Ok(Self {
            header: header(source)?,
            defaults,
            content,
        })
    }
}

impl ConfigFile {
    /// Whether it holds more than a defaults list and values that must be given.
    pub(crate) fn has_content(&self) -> bool {
        let map = self.content.as_map();
        map.is_some_and(|map| map.values().any(|node| !node.is_missing()))
    }
}

/// The package of the leading lines that begin with `# @`.
fn header(source: &Arc<Source>) -> Result<Option<String>, ConfigError> {
    let mut package = None;
    let head: String = source.text.chars().take(HEADER_CHARACTERS).collect();
    for line in head.lines() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let Some(directive) = line
            .strip_prefix('#')
            .map(str::trim_start)
            .and_then(|rest| rest.strip_prefix('@'))
        else {
            break;
        };
        let words: Vec<&str> = directive.split_whitespace().collect();
        match words.as_slice() {
            ["package", name] => package = Some((*name).to_owned()),
            ["package", ..] => {
                let at = source.text.find(line).unwrap_or(0);
                let span = Span::new(source, at..at + line.len());
                return Err(ConfigError::at(
                    "`# @package` takes one word",
                    Some(&span),
                    "this header",
                ));
            }
            _ => {}
        }
    }
    Ok(package)
}
