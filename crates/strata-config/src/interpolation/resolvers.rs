//! The functions of interpolations: `OmegaConf`'s, Hydra's, and those a program registers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::ZonedDateTime;

use super::resolve::{Chain, Foreign, Found, Resolver, absolute, keys_of, malformed_error};
use super::template::parse_element;
use crate::error::ConfigError;
use crate::node::{Key, Map, Node, Value};
use crate::python;
use crate::yaml::from_named_yaml;

/// The names that every composition knows.
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

/// The Python on which Hydra's behaviour was measured: what `python_version` gives, as there is none here.
const PYTHON_VERSION: [&str; 3] = ["3", "11", "0"];

type Function = dyn Fn(&[Node]) -> Result<Value, String> + Send + Sync;

/// Functions of a program's own, for `${name:arguments}`.
///
/// ```
/// use strata_config::{Resolvers, Value};
///
/// let mut resolvers = Resolvers::default();
/// resolvers.register("double", |arguments| match arguments {
///     [node] => match node.value {
///         Value::Int(number) => Ok(Value::Int(2 * number)),
///         _ => Err("takes an integer".to_owned()),
///     },
///     _ => Err("takes one argument".to_owned()),
/// });
/// ```
#[derive(Clone, Default)]
pub struct Resolvers {
    functions: BTreeMap<String, Arc<Function>>,
}

impl Resolvers {
    /// Adds a function, or replaces the one of that name; the names of `OmegaConf` and Hydra come first.
    ///
    /// It is called each time a value that names it is resolved. Its error is a few words that go
    /// behind its name: `takes one argument`.
    pub fn register(
        &mut self,
        name: &str,
        function: impl Fn(&[Node]) -> Result<Value, String> + Send + Sync + 'static,
    ) {
        self.functions.insert(name.to_owned(), Arc::new(function));
    }
}

impl fmt::Debug for Resolvers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.functions.keys()).finish()
    }
}

/// What resolvers know of the world outside the tree; fixed for one composition.
#[derive(Debug)]
pub(crate) struct Context {
    /// The time that `now` gives.
    pub(crate) now: ZonedDateTime,
    pub(crate) resolvers: Resolvers,
    /// Variables that `oc.env` sees before those of the process.
    pub(crate) variables: BTreeMap<String, String>,
    /// What `oc.deprecated` has to say: what was said already, and what not.
    warnings: Mutex<(BTreeSet<String>, Vec<String>)>,
}

impl Context {
    pub(crate) fn new(now: ZonedDateTime, resolvers: Resolvers) -> Self {
        Self {
            now,
            resolvers,
            variables: BTreeMap::new(),
            warnings: Mutex::default(),
        }
    }

    fn warn(&self, warning: String) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        let (said, waiting) = &mut *warnings;
        if said.insert(warning.clone()) {
            waiting.push(warning);
        }
    }

    pub(crate) fn take_warnings(&self) -> Vec<String> {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut warnings.1)
    }
}

/// Calls a resolver for the node at `path`.
pub(crate) fn call<'a>(
    resolver: &Resolver<'a>,
    name: &str,
    arguments: &[Node],
    path: &[String],
    chain: &mut Chain,
) -> Result<Found<'a>, ConfigError> {
    let plain = |value: Value| Found::own(value, path);
    let on_tree = OnTree {
        resolver,
        name,
        path,
    };
    match (name, arguments) {
        ("oc.env", [variable]) => env(resolver.context, variable, None).map(plain),
        ("oc.env", [variable, default]) => {
            env(resolver.context, variable, Some(default)).map(plain)
        }
        ("oc.decode", [value]) => decode(resolver, value, path, chain),
        ("oc.create", [value]) => create(value).map(plain),
        ("oc.select", [key]) => on_tree.select(key, None, chain),
        ("oc.select", [key, default]) => on_tree.select(key, Some(default), chain),
        ("oc.dict.keys", [key]) => on_tree.keys(key, chain),
        ("oc.dict.values", [key]) => on_tree.values(key, chain),
        ("oc.deprecated", [key]) => on_tree.deprecated(key, None, chain),
        ("oc.deprecated", [key, message]) => on_tree.deprecated(key, Some(message), chain),
        ("hydra", [key]) => on_tree.hydra(key, chain),
        ("now", [_, ..]) => {
            // Commas of the pattern separate arguments, too.
            let pattern: Vec<String> = arguments.iter().map(python::str_of).collect();
            now(&pattern.join(","), resolver.context).map(plain)
        }
        ("python_version", []) => Ok(plain(Value::Str(PYTHON_VERSION[..2].join(".")))),
        ("python_version", [level]) => python_version(level).map(plain),
        _ if NAMES.contains(&name) => Err(ConfigError::message(format!(
            "`{name}` does not take {} arguments",
            arguments.len()
        ))),
        _ => registered(resolver.context, name, arguments).map(plain),
    }
}

fn registered(context: &Context, name: &str, arguments: &[Node]) -> Result<Value, ConfigError> {
    if let Some(function) = context.resolvers.functions.get(name) {
        return function(arguments)
            .map_err(|problem| ConfigError::message(format!("`{name}` {problem}")));
    }
    let own = context.resolvers.functions.keys().map(String::as_str);
    let known: Vec<&str> = NAMES.into_iter().chain(own).collect();
    let error = ConfigError::message(format!("Unsupported interpolation type {name}"));
    let error = match strata_diag::closest(name, known.iter().copied()) {
        Some(meant) => error.help(format!("did you mean `{meant}`?")),
        None => error,
    };
    Err(error.help(format!("resolvers: {}", known.join(", "))))
}

fn env(context: &Context, variable: &Node, default: Option<&Node>) -> Result<Value, ConfigError> {
    let Some(variable) = variable.as_str() else {
        return Err(ConfigError::message(format!(
            "`oc.env` takes the name of a variable, not {}",
            variable.kind()
        )));
    };
    let set = context.variables.get(variable).cloned();
    if let Some(value) = set.or_else(|| std::env::var(variable).ok()) {
        return Ok(Value::Str(value));
    }
    match default {
        None => Err(
            ConfigError::message(format!("Environment variable '{variable}' not found")).help(
                format!("set it, or give a default: `${{oc.env:{variable},DEFAULT}}`"),
            ),
        ),
        Some(Node {
            value: Value::Null, ..
        }) => Ok(Value::Null),
        Some(default) => Ok(Value::Str(python::str_of(default))),
    }
}

/// A mapping or a list becomes part of the configuration; a text is read as YAML, in which a lone text
/// is a key without a value.
fn create(value: &Node) -> Result<Value, ConfigError> {
    let text = match &value.value {
        Value::Map(_) | Value::List(_) | Value::Null => return Ok(value.value.clone()),
        Value::Str(text) => text,
        _ => {
            return Err(ConfigError::message(format!(
                "`oc.create` takes a mapping, a list or YAML, not {}",
                value.kind()
            )));
        }
    };
    match from_named_yaml("oc.create", text)?.value {
        Value::Null => Ok(Value::Map(Map::new())),
        Value::Str(text) => {
            let entry = (Key::Str(text), Node::new(Value::Null));
            Ok(Value::Map([entry].into_iter().collect()))
        }
        value @ (Value::Map(_) | Value::List(_)) => Ok(value),
        _ => Err(ConfigError::message(format!(
            "`oc.create` makes a mapping or a list, not `{text}`"
        ))),
    }
}

fn decode<'a>(
    resolver: &Resolver<'a>,
    value: &Node,
    path: &[String],
    chain: &mut Chain,
) -> Result<Found<'a>, ConfigError> {
    match &value.value {
        Value::Null => Ok(Found::own(Value::Null, path)),
        Value::Str(text) => {
            let expression =
                parse_element(text).map_err(|malformed| malformed_error(text, &malformed))?;
            let node = resolver.expression(&expression, path, chain)?;
            let foreign = matches!(node.value, Value::Map(_) | Value::List(_));
            Ok(Found {
                foreign,
                ..Found::own(node.value, path)
            })
        }
        _ => Err(ConfigError::message(format!(
            "`oc.decode` takes a string, not {}",
            value.kind()
        ))),
    }
}

fn now(pattern: &str, context: &Context) -> Result<Value, ConfigError> {
    let text = jiff::fmt::strtime::format(pattern, &context.now).map_err(|error| {
        ConfigError::message(format!(
            "`now` does not know the pattern `{pattern}`: {error}"
        ))
    })?;
    Ok(Value::Str(text))
}

fn python_version(level: &Node) -> Result<Value, ConfigError> {
    let levels = ["major", "minor", "micro"];
    let level = python::str_of(level);
    match levels.iter().position(|known| *known == level) {
        Some(index) => Ok(Value::Str(PYTHON_VERSION[..=index].join("."))),
        None => Err(ConfigError::message(format!(
            "`python_version` takes major, minor or micro, not `{level}`"
        ))),
    }
}

/// The resolvers that look into the tree.
struct OnTree<'a, 'b> {
    resolver: &'b Resolver<'a>,
    name: &'b str,
    path: &'b [String],
}

impl<'a> OnTree<'a, '_> {
    /// Where a key leads; one that begins with points starts at the node that holds the call.
    fn target(&self, key: &Node) -> Result<(Vec<String>, String), ConfigError> {
        let Some(key) = key.as_str() else {
            return Err(ConfigError::message(format!(
                "`{}` takes a key, a string, not {}",
                self.name,
                key.kind()
            )));
        };
        let points = key.len() - key.trim_start_matches('.').len();
        let target = absolute(keys_of(&key[points..]), points, self.path).ok_or_else(|| {
            ConfigError::message(format!(
                "`{}`: the key `{key}` leads out of the configuration",
                self.name
            ))
        })?;
        Ok((target, key.to_owned()))
    }

    fn select(
        &self,
        key: &Node,
        default: Option<&Node>,
        chain: &mut Chain,
    ) -> Result<Found<'a>, ConfigError> {
        let (target, _) = self.target(key)?;
        let found = self.resolver.get(&target, chain)?;
        if let Some(found) = found.filter(|found| !found.node.is_missing()) {
            return Ok(found);
        }
        let value = default.map_or(Value::Null, |default| default.value.clone());
        let foreign = matches!(value, Value::Map(_) | Value::List(_));
        Ok(Found {
            foreign,
            ..Found::own(value, self.path)
        })
    }

    fn keys(&self, key: &Node, chain: &mut Chain) -> Result<Found<'a>, ConfigError> {
        let (found, _) = self.mapping(key, chain)?;
        let keys = found.node.as_map().into_iter().flat_map(|map| map.keys());
        let keys = keys.map(|key| Node::new(key.clone().into()));
        Ok(Found::own(Value::List(keys.collect()), self.path))
    }

    /// References to the values, so that each is resolved where it stands.
    fn values(&self, key: &Node, chain: &mut Chain) -> Result<Found<'a>, ConfigError> {
        let (found, typed) = self.mapping(key, chain)?;
        // The list that holds the references is one level more.
        let point = if typed.starts_with('.') { "." } else { "" };
        let keys = found.node.as_map().into_iter().flat_map(|map| map.keys());
        let references =
            keys.map(|key| Node::new(Value::Str(format!("${{{point}{typed}.{key}}}"))));
        Ok(Found::own(Value::List(references.collect()), self.path))
    }

    fn mapping(&self, key: &Node, chain: &mut Chain) -> Result<(Found<'a>, String), ConfigError> {
        let (target, typed) = self.target(key)?;
        let Some(found) = self.resolver.get(&target, chain)? else {
            return Err(ConfigError::message(format!(
                "`{}`: Key not found: '{typed}'",
                self.name
            )));
        };
        if found.node.as_map().is_none() {
            return Err(ConfigError::message(format!(
                "`{}` cannot be applied to `{typed}`, which is {}, not a mapping",
                self.name,
                found.node.kind()
            )));
        }
        Ok((found, typed))
    }

    fn deprecated(
        &self,
        key: &Node,
        message: Option<&Node>,
        chain: &mut Chain,
    ) -> Result<Found<'a>, ConfigError> {
        let (target, typed) = self.target(key)?;
        let (old, new) = (self.path.join("."), target.join("."));
        let message = match message.map(|message| (message, message.as_str())) {
            None => "'$OLD_KEY' is deprecated. Change your code and config to use '$NEW_KEY'",
            Some((_, Some(text))) => text,
            Some((other, None)) => {
                return Err(ConfigError::message(format!(
                    "`oc.deprecated` takes a message, not {}",
                    other.kind()
                )));
            }
        };
        let Some(found) = self.resolver.get(&target, chain)? else {
            return Err(ConfigError::message(format!(
                "In oc.deprecated resolver at '{old}': Key not found: '{typed}'"
            )));
        };
        let warning = message.replace("$OLD_KEY", &old).replace("$NEW_KEY", &new);
        self.resolver.context.warn(warning);
        Ok(found)
    }

    /// The value below the hydra node; null where there is none.
    fn hydra(&self, key: &Node, chain: &mut Chain) -> Result<Found<'a>, ConfigError> {
        let mut target = vec!["hydra".to_owned()];
        target.extend(keys_of(&python::str_of(key)));
        let found = self.resolver.get(&target, chain)?;
        if let Some(found) = &found
            && found.node.is_missing()
        {
            return Err(ConfigError::message(format!(
                "`{}` is `???`, a value that is not known yet",
                target.join(".")
            )));
        }
        match found {
            None => Ok(Found::own(Value::Null, self.path)),
            Some(found) => {
                let node = self.resolver.finish(found, Foreign::Taken, chain)?;
                Ok(Found::own(node.value, self.path))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `OmegaConf` 2.3.1 makes of `${oc.create:…}`.
    #[test]
    fn create_makes_containers_and_reads_yaml() {
        let of = |text: &str| create(&Node::new(Value::Str(text.to_owned())));
        let yaml = |text: &str| from_named_yaml("x", text).map(|node| node.value);
        assert_eq!(of("a b").ok(), yaml("a b: null").ok());
        assert_eq!(of("a: 1").ok(), yaml("a: 1").ok());
        assert_eq!(of("").ok(), Some(Value::Map(Map::new())));
        assert!(of("017").is_err() && create(&Node::new(Value::Int(1))).is_err());
    }
}
