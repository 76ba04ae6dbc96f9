//! The functions of interpolations: `oc.env`, `now`, and the others that need no tree.

use jiff::ZonedDateTime;
use strata_diag::{Source, Span};

use crate::error::ConfigError;
use crate::node::{Node, Value};
use crate::overrides::element::node_of;
use crate::overrides::parser::parse_element;
use crate::python;

/// What resolvers know of the world outside the tree; fixed for one composition.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// The time that `now` gives.
    pub(crate) now: ZonedDateTime,
}

/// All names, for an error's list.
const NAMES: [&str; 10] = [
    "hydra",
    "now",
    "oc.create",
    "oc.decode",
    "oc.deprecated",
    "oc.dict.keys",
    "oc.dict.values",
    "oc.env",
    "oc.select",
    "python_version",
];

/// Calls a resolver that does not look into the tree.
pub(crate) fn call(name: &str, arguments: &[Node], context: &Context) -> Result<Node, ConfigError> {
    match (name, arguments) {
        ("oc.env", [variable]) => env(&python::str_of(variable), None),
        ("oc.env", [variable, default]) => env(&python::str_of(variable), Some(default)),
        ("oc.decode", [value]) => decode(value),
        ("oc.create", [value]) => Ok(value.clone()),
        ("now", pattern) => {
            // Commas of the pattern separate arguments, too.
            let pattern: Vec<String> = pattern.iter().map(python::str_of).collect();
            now(&pattern.join(","), context)
        }
        ("python_version", _) => Err(ConfigError::message(
            "`python_version`: there is no Python here",
        )),
        _ if NAMES.contains(&name) => Err(ConfigError::message(format!(
            "`{name}` does not take {} arguments",
            arguments.len()
        ))),
        _ => {
            let error = ConfigError::message(format!("Unsupported interpolation type {name}"));
            Err(error.help(format!("resolvers: {}", NAMES.join(", "))))
        }
    }
}

fn env(variable: &str, default: Option<&Node>) -> Result<Node, ConfigError> {
    if let Ok(value) = std::env::var(variable) {
        return Ok(Node::new(Value::Str(value)));
    }
    match default {
        None => Err(
            ConfigError::message(format!("Environment variable '{variable}' not found")).help(
                format!("set it, or give a default: `${{oc.env:{variable},DEFAULT}}`"),
            ),
        ),
        Some(Node {
            value: Value::Null, ..
        }) => Ok(Node::new(Value::Null)),
        Some(default) => Ok(Node::new(Value::Str(python::str_of(default)))),
    }
}

fn decode(value: &Node) -> Result<Node, ConfigError> {
    match &value.value {
        Value::Null => Ok(Node::new(Value::Null)),
        Value::Str(text) => {
            let span = Span::new(&Source::new("oc.decode", text.clone()), 0..text.len());
            parse_element(text).map(|element| Node::new(node_of(&element, &span).value))
        }
        _ => Err(ConfigError::message(format!(
            "`oc.decode` takes a string, not {}",
            value.kind()
        ))),
    }
}

fn now(pattern: &str, context: &Context) -> Result<Node, ConfigError> {
    let text = jiff::fmt::strtime::format(pattern, &context.now).map_err(|error| {
        ConfigError::message(format!(
            "`now` does not know the pattern `{pattern}`: {error}"
        ))
    })?;
    Ok(Node::new(Value::Str(text)))
}
