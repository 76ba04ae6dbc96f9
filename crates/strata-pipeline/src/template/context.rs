//! Variables and where they come from.

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::Arc;

use indexmap::IndexMap;

use super::problem::TemplateProblem;
use super::text::type_name;
use super::{Files, expression};
use crate::definition::path::join;
use crate::value::{Key, Map, Value};

/// A variable, which remembers the source that has set it.
#[derive(Debug, Clone)]
struct Node {
    source: Arc<str>,
    content: Content,
}

/// Mappings from several sources are merged; everything else is a leaf.
#[derive(Debug, Clone)]
enum Content {
    Leaf(Value),
    Map(IndexMap<String, Node>),
}

impl Node {
    fn new(value: &Value, source: &Arc<str>) -> Self {
        let content = match value {
            Value::Map(map) => Content::Map(nodes(map, source)),
            _ => Content::Leaf(with_text_keys(value)),
        };
        Self {
            source: Arc::clone(source),
            content,
        }
    }

    fn value(&self) -> Value {
        match &self.content {
            Content::Leaf(value) => value.clone(),
            Content::Map(entries) => Value::Map(
                entries
                    .iter()
                    .map(|(key, node)| (Key::Str(key.clone()), node.value()))
                    .collect(),
            ),
        }
    }
}

fn nodes(map: &Map, source: &Arc<str>) -> IndexMap<String, Node> {
    map.iter()
        .filter_map(|(key, value)| Some((key.as_str()?.to_owned(), Node::new(value, source))))
        .collect()
}

/// The value without the entries that no expression can name.
fn with_text_keys(value: &Value) -> Value {
    match value {
        Value::List(items) => Value::List(items.iter().map(with_text_keys).collect()),
        Value::Map(map) => Value::Map(
            map.iter()
                .filter(|(key, _)| key.as_str().is_some())
                .map(|(key, value)| (key.clone(), with_text_keys(value)))
                .collect(),
        ),
        _ => value.clone(),
    }
}

fn merge(
    into: &mut IndexMap<String, Node>,
    from: IndexMap<String, Node>,
    path: &str,
) -> Result<(), TemplateProblem> {
    for (key, node) in from {
        let path = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
        match into.get_mut(&key) {
            None => {
                into.insert(key, node);
            }
            Some(existing) => match (&mut existing.content, node.content) {
                (Content::Map(existing), Content::Map(entries)) => merge(existing, entries, &path)?,
                _ => {
                    return Err(TemplateProblem::Redefined {
                        key: path,
                        source_name: node.source.to_string(),
                        existing: existing.source.to_string(),
                    });
                }
            },
        }
    }
    Ok(())
}

/// The variables of a file.
#[derive(Debug, Clone, Default)]
pub(super) struct Context {
    entries: IndexMap<String, Node>,
    /// Files that are loaded: whole, or the keys that are.
    imports: IndexMap<String, Option<Vec<String>>>,
}

/// Where the entries of `vars` are looked for, and how sources are called in messages.
pub(super) struct Origin<'a> {
    pub(super) files: &'a dyn Files,
    /// Of the `dvc.yaml`, from the current folder.
    pub(super) directory: &'a str,
    /// Of the stage, from the folder of the `dvc.yaml`.
    pub(super) wdir: &'a str,
    /// Empty at the top of the file.
    pub(super) stage: &'a str,
}

impl Context {
    /// Whether a variable of this name is at the top.
    pub(super) fn contains(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// `params.yaml`, if it is there.
    pub(super) fn load_default(&mut self, origin: &Origin<'_>) -> Result<(), TemplateProblem> {
        match self.load_file(origin, "params.yaml", &[]) {
            Err(TemplateProblem::FileMissing { .. }) => Ok(()),
            other => other,
        }
    }

    /// The entries of `vars`; `reserved` are the names that none of them may set.
    pub(super) fn load(
        &mut self,
        origin: &Origin<'_>,
        vars: &[Value],
        reserved: &[&str],
    ) -> Result<(), TemplateProblem> {
        for (index, item) in vars.iter().enumerate() {
            match item {
                Value::Str(item) => self.load_file(origin, item, reserved)?,
                Value::Map(map) => {
                    let joiner = if origin.stage.is_empty() { "" } else { "." };
                    let source = format!("{}{joiner}vars[{index}]", origin.stage);
                    self.update(nodes(map, &source.into()), reserved, None)?;
                }
                // The schema lets nothing else through.
                _ => {}
            }
        }
        Ok(())
    }

    fn load_file(
        &mut self,
        origin: &Origin<'_>,
        item: &str,
        reserved: &[&str],
    ) -> Result<(), TemplateProblem> {
        let (path, keys) = item.split_once(':').unwrap_or((item, ""));
        let keys: Vec<String> = keys
            .split(',')
            .filter(|key| !key.is_empty())
            .map(str::to_owned)
            .collect();
        let path = join(origin.wdir, path);
        if let Some(loaded) = self.imports.get(&path) {
            match loaded {
                None if keys.is_empty() => return Ok(()),
                None => {
                    return Err(TemplateProblem::WhollyLoaded {
                        item: item.to_owned(),
                    });
                }
                Some(loaded) if keys.is_empty() || keys.iter().any(|key| loaded.contains(key)) => {
                    return Err(TemplateProblem::PartiallyLoaded {
                        item: item.to_owned(),
                    });
                }
                Some(_) => {}
            }
        }
        let shown = join(origin.directory, &path);
        let map = read(origin.files, &path, &shown)?;
        let map = if keys.is_empty() {
            map
        } else {
            chosen(&map, &keys, &shown)?
        };
        self.update(nodes(&map, &shown.into()), reserved, Some(item))?;
        if keys.is_empty() {
            self.imports.insert(path, None);
        } else {
            let loaded = self.imports.entry(path).or_insert_with(|| Some(Vec::new()));
            loaded.get_or_insert_default().extend(keys);
        }
        Ok(())
    }

    fn update(
        &mut self,
        entries: IndexMap<String, Node>,
        reserved: &[&str],
        source: Option<&str>,
    ) -> Result<(), TemplateProblem> {
        let taken = |key: &&&str| entries.contains_key(**key);
        let keys: Vec<String> = reserved
            .iter()
            .filter(taken)
            .map(|key| (*key).to_owned())
            .collect();
        if !keys.is_empty() {
            return Err(TemplateProblem::Reserved {
                keys,
                source_name: source.map(str::to_owned),
            });
        }
        merge(&mut self.entries, entries, "")
    }
}

fn read(files: &dyn Files, path: &str, shown: &str) -> Result<Map, TemplateProblem> {
    let path_shown = || shown.to_owned();
    match files.read_value(path) {
        Ok(Some(Value::Map(map))) => Ok(map),
        // An empty file has no variables.
        Ok(Some(Value::Null)) => Ok(Map::new()),
        Ok(Some(other)) => Err(TemplateProblem::NotAMapping {
            path: path_shown(),
            found: type_name(&other),
        }),
        Ok(None) => Err(TemplateProblem::FileMissing { path: path_shown() }),
        Err(reason) => Err(TemplateProblem::Unreadable {
            path: path_shown(),
            reason,
        }),
    }
}

fn chosen(map: &Map, keys: &[String], path: &str) -> Result<Map, TemplateProblem> {
    let choose = |name: &String| {
        let key = Key::Str(name.clone());
        let value = map.get(&key).ok_or_else(|| TemplateProblem::KeyMissing {
            key: name.clone(),
            path: path.to_owned(),
            closest: strata_diag::closest(name, map.keys().filter_map(Key::as_str))
                .map(str::to_owned),
        })?;
        Ok((key, value.clone()))
    };
    keys.iter().map(choose).collect()
}

/// The variables of one stage: those of the file, its own, and `item` and `key` of a group.
#[derive(Debug, Clone)]
pub(super) struct Scope<'a> {
    pub(super) context: Cow<'a, Context>,
    /// `item` and `key`, which hide variables of the same name.
    shadows: Vec<(&'static str, Value)>,
    /// What has been filled in so far, in bytes.
    filled_in: Cell<usize>,
}

/// A short text names a long value as often as it likes; far more than any command line takes.
pub(super) const MOST_BYTES: usize = 64 << 20;

/// About the memory that a value takes.
pub(super) fn bytes_of(value: &Value) -> usize {
    let parts: usize = match value {
        Value::Str(text) => text.len(),
        Value::List(items) => items.iter().map(bytes_of).sum(),
        Value::Map(map) => map
            .iter()
            .map(|(key, value)| key.as_str().map_or(0, str::len) + bytes_of(value))
            .sum(),
        _ => 0,
    };
    size_of::<Value>() + parts
}

impl<'a> Scope<'a> {
    /// A scope of the variables and what hides them.
    pub(super) fn new(context: &'a Context, shadows: Vec<(&'static str, Value)>) -> Self {
        let shadows = shadows
            .into_iter()
            .map(|(name, value)| (name, with_text_keys(&value)))
            .collect();
        Self {
            context: Cow::Borrowed(context),
            shadows,
            filled_in: Cell::new(0),
        }
    }

    /// Names that may not be set.
    pub(super) fn reserved(&self) -> Vec<&'static str> {
        self.shadows.iter().map(|(name, _)| *name).collect()
    }

    /// The value of an expression.
    pub(super) fn select(&self, inner: &str) -> Result<Value, TemplateProblem> {
        let path = expression::path(inner)?;
        let mut segments = path.split('.').map(str::trim);
        let first = segments.next().unwrap_or_default();
        let rest: Vec<&str> = segments.collect();
        let shadow = self.shadows.iter().find(|(name, _)| *name == first);
        let found = match shadow {
            Some((_, value)) => select_value(value, &rest).cloned(),
            None => match self.context.entries.get(first) {
                Some(node) => select_node(node, &rest),
                None => None,
            },
        };
        let found = found.ok_or_else(|| TemplateProblem::KeyNotFound {
            closest: self.closest(first, &rest),
            // DVC takes expressions of groups as they are written.
            key: if self.shadows.is_empty() {
                path.clone()
            } else {
                inner.to_owned()
            },
        })?;
        self.filled_in
            .set(self.filled_in.get().saturating_add(bytes_of(&found)));
        if self.filled_in.get() > MOST_BYTES {
            return Err(TemplateProblem::TooLong { key: path });
        }
        Ok(found)
    }

    fn closest(&self, first: &str, rest: &[&str]) -> Option<String> {
        let [before @ .., last] = rest else {
            let names = self.context.entries.keys().map(String::as_str);
            let shadows = self.shadows.iter().map(|(name, _)| *name);
            return strata_diag::closest(first, names.chain(shadows)).map(str::to_owned);
        };
        let shadow = self.shadows.iter().find(|(name, _)| *name == first);
        let parent = match shadow {
            Some((_, value)) => select_value(value, before).cloned(),
            None => select_node(self.context.entries.get(first)?, before),
        }?;
        let names = parent.as_map()?.keys().filter_map(Key::as_str);
        let name = strata_diag::closest(last, names)?;
        let path: Vec<&str> = [first].into_iter().chain(before.iter().copied()).collect();
        Some(format!("{}.{name}", path.join(".")))
    }
}

fn select_node(mut node: &Node, path: &[&str]) -> Option<Value> {
    for (depth, segment) in path.iter().enumerate() {
        match &node.content {
            Content::Map(entries) => node = entries.get(*segment)?,
            Content::Leaf(value) => return select_value(value, &path[depth..]).cloned(),
        }
    }
    Some(node.value())
}

fn select_value<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, segment| match value {
        Value::Map(map) => map.get(&Key::from(*segment)),
        Value::List(items) => {
            // Python's lists are counted from the end too.
            let index: i64 = segment.parse().ok()?;
            let index = if index < 0 {
                items
                    .len()
                    .checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?
            } else {
                usize::try_from(index).ok()?
            };
            items.get(index)
        }
        _ => None,
    })
}
