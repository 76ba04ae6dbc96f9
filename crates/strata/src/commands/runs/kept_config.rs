//! The configuration that Hydra's files hold, of runs whose record has none.

use std::path::Path;

use serde_json::{Value as Json, json};
use strata_config::{Node, Value};

/// `.hydra/config.yaml` of a run; interpolations stay as they were written. None if there is no such file.
pub(super) fn read(run: &Path) -> Result<Option<Json>, String> {
    Ok(node(&run.join(".hydra/config.yaml"))?.map(|node| json_of(&node)))
}

/// What was overridden, one a line of `.hydra/overrides.yaml`; nothing if it cannot be read.
pub(super) fn overrides(run: &Path) -> Vec<String> {
    let node = node(&run.join(".hydra/overrides.yaml"));
    match node.ok().flatten().map(|node| node.value) {
        Some(Value::List(items)) => {
            let texts = items.iter().filter_map(Node::as_str);
            texts.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

fn node(path: &Path) -> Result<Option<Node>, String> {
    let name = path.display().to_string();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("cannot read `{name}`: {error}")),
    };
    let node = strata_config::from_named_yaml(&name, &text);
    node.map(Some).map_err(|error| error.to_string())
}

fn json_of(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(bool) => json!(bool),
        Value::Int(number) => json!(number),
        Value::BigInt(text) | Value::Str(text) => json!(text),
        Value::Float(number) => json!(number),
        Value::List(items) => items.iter().map(json_of).collect(),
        Value::Map(map) => {
            let entries = map
                .iter()
                .map(|(key, node)| (key.to_string(), json_of(node)));
            Json::Object(entries.collect())
        }
    }
}
