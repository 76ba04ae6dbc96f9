//! What an override that is being typed can become: keys, values, groups and options.

use crate::composition::Composition;
use crate::hydra_node::is_group_of_hydra;
use crate::node::{Node, Value};
use crate::overrides::ast::Element;
use crate::overrides::element::text_of;
use crate::python;

impl Composition {
    /// The words that `word`, the beginning of an override, can be completed to.
    ///
    /// Keys come level by level: a mapping ends with `.`, a value with `=`. Behind `=` stand the options of
    /// a group (also behind a comma, for a sweep) or the value that the key has now.
    pub fn complete_override(&self, word: &str) -> Vec<String> {
        let bare = word.trim_start_matches(['+', '~']);
        let prefix = &word[..word.len() - bare.len()];
        let mut words = match bare.split_once('=') {
            Some((key, value)) => self.complete_value(key, value),
            None => self.complete_key(bare, prefix == "~"),
        };
        for word in &mut words {
            word.insert_str(0, prefix);
        }
        words
    }

    fn complete_key(&self, typed: &str, to_delete: bool) -> Vec<String> {
        let mut words = self.complete_group(typed, to_delete);
        let (parent, last) = match typed.rsplit_once('.') {
            Some((parent, last)) => (parent, last),
            None => ("", typed),
        };
        let Some(node) = self.root().descend(parent) else {
            return words;
        };
        let names: Vec<(String, &Node)> = match &node.value {
            Value::Map(map) => map
                .iter()
                .map(|(key, node)| (key.to_string(), node))
                .collect(),
            Value::List(items) => {
                let items = items.iter().enumerate();
                items
                    .map(|(index, node)| (index.to_string(), node))
                    .collect()
            }
            _ => Vec::new(),
        };
        for (name, node) in names {
            // Hydra's own node is offered to who begins to type it.
            let hidden = parent.is_empty() && name == "hydra" && last.is_empty();
            if !name.starts_with(last) || hidden {
                continue;
            }
            let path = if parent.is_empty() {
                name
            } else {
                format!("{parent}.{name}")
            };
            let is_container = match &node.value {
                Value::Map(map) => !map.is_empty(),
                Value::List(items) => !items.is_empty(),
                _ => false,
            };
            if is_container && !typed.is_empty() || node.as_map().is_some_and(|map| !map.is_empty())
            {
                words.push(format!("{path}."));
            }
            if node.as_map().is_none() || to_delete {
                words.push(if to_delete { path } else { format!("{path}=") });
            }
        }
        words
    }

    /// Groups, one level at a time: `model=`, `hydra/`.
    fn complete_group(&self, typed: &str, to_delete: bool) -> Vec<String> {
        let depth = typed.matches('/').count();
        let mut words = Vec::new();
        for group in self.search_path().groups() {
            let hidden = is_group_of_hydra(&group) && typed.is_empty();
            if !group.starts_with(typed) || hidden {
                continue;
            }
            let parts: Vec<&str> = group.split('/').collect();
            let end = if to_delete { "" } else { "=" };
            let word = if parts.len() > depth + 1 {
                parts[..=depth].join("/") + "/"
            } else if self.search_path().options(&group).is_empty() {
                continue;
            } else {
                format!("{group}{end}")
            };
            if !words.contains(&word) {
                words.push(word);
            }
        }
        words
    }

    fn complete_value(&self, key: &str, typed: &str) -> Vec<String> {
        let group = key.split('@').next().unwrap_or(key);
        if self.search_path().group_exists(group) {
            let start = typed.rfind([',', '[', '(']).map_or(0, |at| at + 1);
            let (before, last) = typed.split_at(start);
            return self
                .search_path()
                .options(group)
                .into_iter()
                .filter(|option| option.starts_with(last))
                .map(|option| format!("{key}={before}{option}"))
                .collect();
        }
        let Some(node) = self.root().descend(key) else {
            return Vec::new();
        };
        let now = match &node.value {
            Value::Str(text) => text_of(&Element::Str(text.clone())),
            Value::Bool(truth) => truth.to_string(),
            Value::Null => "null".to_owned(),
            Value::List(_) => python::str_of(node).replace(", ", ",").replace('\'', ""),
            Value::Map(_) => return Vec::new(),
            _ => python::str_of(node),
        };
        let mut values = vec![now];
        if let Value::Bool(truth) = &node.value {
            values.push((!truth).to_string());
        }
        values.retain(|value| value.starts_with(typed));
        values
            .into_iter()
            .map(|value| format!("{key}={value}"))
            .collect()
    }
}
