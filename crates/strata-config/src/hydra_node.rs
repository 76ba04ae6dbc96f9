//! What only the running program knows of the hydra node: `hydra.job`, `hydra.runtime`, `hydra.overrides`.

use indexmap::IndexMap;

use crate::compose::ComposeRequest;
use crate::defaults::entry::Choice;
use crate::node::{Key, Map, Node, Value};
use crate::overrides::ast::Override;
use crate::search_path::{ConfigSource, SearchPath};

/// The version of Hydra whose language is spoken.
pub const HYDRA_VERSION: &str = "1.3.8";

/// Fills in what a file cannot say.
pub(crate) fn fill_in(
    root: &mut Node,
    request: &ComposeRequest,
    overrides: &[Override],
    search_path: &SearchPath,
    choices: &IndexMap<String, Choice>,
) {
    let (of_hydra, of_task): (Vec<&Override>, Vec<&Override>) =
        overrides.iter().partition(|o| is_of_hydra(o));
    let texts =
        |overrides: &[&Override]| list(overrides.iter().map(|override_| text(override_.text())));
    set(root, "hydra.overrides.hydra", texts(&of_hydra));
    set(root, "hydra.overrides.task", texts(&of_task));

    let dirname = override_dirname(root, &of_task);
    set_if_missing(root, "hydra.job.name", text(&request.job_name));
    set_if_missing(root, "hydra.job.override_dirname", text(&dirname));
    set_if_missing(
        root,
        "hydra.job.config_name",
        text(request.config_name.trim_end_matches(".yaml")),
    );

    if let Some(number) = request.job_number {
        set(root, "hydra.job.num", Node::new(Value::Int(number as i64)));
        set(root, "hydra.job.id", text(&number.to_string()));
    }

    set(root, "hydra.runtime.version", text(HYDRA_VERSION));
    set(root, "hydra.runtime.version_base", text("1.3"));
    set(
        root,
        "hydra.runtime.cwd",
        text(&request.cwd.display().to_string()),
    );
    set(
        root,
        "hydra.runtime.config_sources",
        list(search_path.entries.iter().map(|(provider, tree)| {
            let schema = if matches!(tree, ConfigSource::Directory(_)) {
                "file"
            } else {
                "pkg"
            };
            map([
                ("path", text(&tree.name())),
                ("schema", text(schema)),
                ("provider", text(provider)),
            ])
        })),
    );
    let choices = choices.iter().map(|(key, choice)| {
        let value = match choice {
            Choice::Nothing => Value::Null,
            choice => Value::Str(choice.in_words()),
        };
        (key.as_str(), Node::new(value))
    });
    set(root, "hydra.runtime.choices", map(choices));
}

/// Whether a group is one of Hydra's own.
pub(crate) fn is_group_of_hydra(group: &str) -> bool {
    group == "hydra" || group.starts_with("hydra/")
}

/// Whether an override is about the hydra node.
pub(crate) fn is_of_hydra(override_: &Override) -> bool {
    override_.key.starts_with("hydra.") || override_.key.starts_with("hydra/")
}

/// The task's overrides as typed, without excluded keys, sorted and joined.
fn override_dirname(root: &Node, overrides: &[&Override]) -> String {
    let setting = |name: &str| root.descend(&format!("hydra.job.config.override_dirname.{name}"));
    let separator = |name: &str, default: &str| {
        setting(name)
            .and_then(Node::as_str)
            .unwrap_or(default)
            .to_owned()
    };
    let excluded: Vec<&str> = match setting("exclude_keys").map(|node| &node.value) {
        Some(Value::List(items)) => items.iter().filter_map(Node::as_str).collect(),
        _ => Vec::new(),
    };
    let mut texts: Vec<String> = overrides
        .iter()
        .filter(|override_| !excluded.contains(&override_.key_or_group().as_str()))
        .map(|override_| override_.text().to_owned())
        .collect();
    texts.sort();
    texts
        .join(&separator("item_sep", ","))
        .replace('=', &separator("kv_sep", "="))
}

fn set(root: &mut Node, path: &str, node: Node) {
    *root.descend_or_insert(path) = node;
}

fn set_if_missing(root: &mut Node, path: &str, node: Node) {
    if root.descend(path).is_none_or(Node::is_missing) {
        set(root, path, node);
    }
}

fn text(text: &str) -> Node {
    Node::new(Value::Str(text.to_owned()))
}

fn list(items: impl Iterator<Item = Node>) -> Node {
    Node::new(Value::List(items.collect()))
}

fn map<'a>(entries: impl IntoIterator<Item = (&'a str, Node)>) -> Node {
    let entries = entries
        .into_iter()
        .map(|(key, node)| (Key::Str(key.to_owned()), node));
    Node::new(Value::Map(entries.collect::<Map>()))
}
