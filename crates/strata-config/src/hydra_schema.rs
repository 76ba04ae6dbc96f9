//! The types of the hydra node, as Hydra 1.3's `HydraConf` and its plugins declare them.

use strata_diag::closest;

use crate::error::ConfigError;
use crate::node::{Map, Node, Value};
use crate::python;

/// A type, and whether null is one of its values.
#[derive(Debug, Clone, Copy)]
struct Field {
    kind: Kind,
    nullable: bool,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Any,
    Str,
    Int,
    Float,
    Bool,
    /// One of these names.
    Enum(&'static [&'static str]),
    List(&'static Kind),
    Dict(&'static Kind),
    Object(&'static Object),
    /// The object whose name ends the text at `_target_`.
    Plugin(&'static [Object]),
}

#[derive(Debug)]
struct Object {
    name: &'static str,
    /// The object whose fields it has, too.
    base: Option<&'static Object>,
    fields: &'static [(&'static str, Field)],
}

impl Object {
    fn all_fields(&self) -> impl Iterator<Item = &'static (&'static str, Field)> + Clone + use<> {
        let of_base = self.base.map_or(&[][..], |base| base.fields);
        of_base.iter().chain(self.fields)
    }
}

const fn one(kind: Kind) -> Field {
    Field {
        kind,
        nullable: false,
    }
}

const fn or_null(kind: Kind) -> Field {
    Field {
        kind,
        nullable: true,
    }
}

use Kind::{Any, Bool, Dict, Enum, Float, Int, List, Plugin, Str};

const HYDRA: Object = Object {
    name: "HydraConf",
    base: None,
    fields: &[
        ("mode", or_null(Enum(&["RUN", "MULTIRUN"]))),
        ("searchpath", one(List(&Str))),
        ("run", one(Kind::Object(&RUN))),
        ("sweep", one(Kind::Object(&SWEEP))),
        ("hydra_logging", one(Dict(&Any))),
        ("job_logging", one(Dict(&Any))),
        ("sweeper", or_null(Plugin(SWEEPERS))),
        ("launcher", or_null(Plugin(LAUNCHERS))),
        ("callbacks", one(Dict(&Any))),
        ("help", one(Kind::Object(&HELP))),
        ("hydra_help", one(Kind::Object(&HYDRA_HELP))),
        ("output_subdir", or_null(Str)),
        ("overrides", one(Kind::Object(&OVERRIDES))),
        ("job", one(Kind::Object(&JOB))),
        ("runtime", one(Kind::Object(&RUNTIME))),
        ("verbose", or_null(Any)),
        ("env", or_null(Any)),
    ],
};

const RUN: Object = Object {
    name: "RunDir",
    base: None,
    fields: &[("dir", one(Str))],
};

const SWEEP: Object = Object {
    name: "SweepDir",
    base: None,
    fields: &[("dir", one(Str)), ("subdir", one(Str))],
};

const HELP: Object = Object {
    name: "HelpConf",
    base: None,
    fields: &[
        ("app_name", one(Str)),
        ("header", one(Str)),
        ("footer", one(Str)),
        ("template", one(Str)),
    ],
};

const HYDRA_HELP: Object = Object {
    name: "HydraHelpConf",
    base: None,
    fields: &[("hydra_help", one(Str)), ("template", one(Str))],
};

const OVERRIDES: Object = Object {
    name: "OverridesConf",
    base: None,
    fields: &[("hydra", one(List(&Str))), ("task", one(List(&Str)))],
};

const JOB: Object = Object {
    name: "JobConf",
    base: None,
    fields: &[
        ("name", one(Str)),
        ("chdir", or_null(Bool)),
        ("override_dirname", one(Str)),
        ("id", one(Str)),
        ("num", one(Int)),
        ("config_name", or_null(Str)),
        ("env_set", one(Dict(&Str))),
        ("env_copy", one(List(&Str))),
        ("config", one(Kind::Object(&JOB_CONFIG))),
    ],
};

const JOB_CONFIG: Object = Object {
    name: "JobConfig",
    base: None,
    fields: &[("override_dirname", one(Kind::Object(&OVERRIDE_DIRNAME)))],
};

const OVERRIDE_DIRNAME: Object = Object {
    name: "OverrideDirname",
    base: None,
    fields: &[
        ("kv_sep", one(Str)),
        ("item_sep", one(Str)),
        ("exclude_keys", one(List(&Str))),
    ],
};

const RUNTIME: Object = Object {
    name: "RuntimeConf",
    base: None,
    fields: &[
        ("version", one(Str)),
        ("version_base", one(Str)),
        ("cwd", one(Str)),
        ("config_sources", one(List(&Any))),
        ("output_dir", one(Str)),
        ("choices", one(Dict(&Any))),
    ],
};

const SWEEPERS: &[Object] = &[
    Object {
        name: "BasicSweeper",
        base: None,
        fields: &[
            ("_target_", one(Str)),
            ("max_batch_size", or_null(Int)),
            ("params", or_null(Dict(&Str))),
        ],
    },
    Object {
        name: "OptunaSweeper",
        base: None,
        fields: SEARCH_FIELDS,
    },
    Object {
        name: "StrataSweeper",
        base: None,
        fields: SEARCH_FIELDS,
    },
];

const SEARCH_FIELDS: &[(&str, Field)] = &[
    ("_target_", one(Str)),
    ("sampler", or_null(Any)),
    ("direction", or_null(Any)),
    ("storage", or_null(Any)),
    ("study_name", or_null(Str)),
    ("n_trials", one(Int)),
    ("n_jobs", one(Int)),
    ("max_failure_rate", one(Float)),
    ("search_space", or_null(Dict(&Any))),
    ("params", or_null(Dict(&Str))),
    ("custom_search_space", or_null(Str)),
    ("pruner", or_null(Any)),
    ("timeout", or_null(Float)),
    ("when", or_null(Dict(&Any))),
];

/// Keys that Hydra's sweeper has not: they are not printed unless they are set, and set without a `+`.
const UNSEEN: [&str; 3] = [
    "hydra.sweeper.pruner",
    "hydra.sweeper.timeout",
    "hydra.sweeper.when",
];

/// Whether a key may be set that no file has.
pub(crate) fn is_unseen(key: &str) -> bool {
    UNSEEN.iter().any(|unseen| {
        key.strip_prefix(unseen)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

/// What all of submitit's launchers have.
const QUEUE: Object = Object {
    name: "BaseQueueConf",
    base: None,
    fields: &[
        ("_target_", one(Str)),
        ("submitit_folder", one(Str)),
        ("timeout_min", one(Int)),
        ("cpus_per_task", or_null(Int)),
        ("gpus_per_node", or_null(Int)),
        ("tasks_per_node", one(Int)),
        ("mem_gb", or_null(Int)),
        ("nodes", one(Int)),
        ("name", one(Str)),
        ("stderr_to_stdout", one(Bool)),
    ],
};

const LAUNCHERS: &[Object] = &[
    Object {
        name: "BasicLauncher",
        base: None,
        fields: &[("_target_", one(Str))],
    },
    Object {
        name: "JoblibLauncher",
        base: None,
        fields: &[
            ("_target_", one(Str)),
            ("n_jobs", one(Int)),
            ("backend", or_null(Str)),
            ("prefer", one(Str)),
            ("require", or_null(Str)),
            ("verbose", one(Int)),
            ("timeout", or_null(Float)),
            ("pre_dispatch", one(Str)),
            ("batch_size", one(Str)),
            ("temp_folder", or_null(Str)),
            ("max_nbytes", or_null(Str)),
            ("mmap_mode", one(Str)),
        ],
    },
    Object {
        name: "LocalLauncher",
        base: Some(&QUEUE),
        fields: &[],
    },
    Object {
        name: "SlurmLauncher",
        base: Some(&QUEUE),
        fields: &[
            ("partition", or_null(Str)),
            ("qos", or_null(Str)),
            ("comment", or_null(Str)),
            ("constraint", or_null(Str)),
            ("exclude", or_null(Str)),
            ("gres", or_null(Str)),
            ("cpus_per_gpu", or_null(Int)),
            ("gpus_per_task", or_null(Int)),
            ("mem_per_gpu", or_null(Str)),
            ("mem_per_cpu", or_null(Str)),
            ("account", or_null(Str)),
            ("signal_delay_s", one(Int)),
            ("max_num_timeout", one(Int)),
            ("additional_parameters", one(Dict(&Any))),
            ("array_parallelism", one(Int)),
            ("setup", or_null(List(&Str))),
        ],
    },
];

/// Checks the hydra node, and converts values as `OmegaConf` does: `hydra.job.id=77` is a text.
///
/// # Errors
/// A key that is not there, or a value that does not fit, with its place.
pub(crate) fn check(root: &mut Node) -> Result<(), ConfigError> {
    match root.child_mut("hydra") {
        Some(hydra) => field(hydra, "hydra", one(Kind::Object(&HYDRA))),
        None => Ok(()),
    }
}

fn field(node: &mut Node, path: &str, field: Field) -> Result<(), ConfigError> {
    if node.is_missing() || node.is_interpolation() {
        return Ok(());
    }
    if matches!(node.value, Value::Null) {
        if field.nullable {
            return Ok(());
        }
        let title = format!("field '{path}' is not Optional: it cannot be null");
        return Err(ConfigError::at(title, node.origin.as_ref(), "null"));
    }
    match field.kind {
        Kind::Any => Ok(()),
        Kind::Object(object) => self::object(node, path, object),
        Kind::Plugin(objects) => {
            let target = node.child("_target_").and_then(Node::as_str);
            let name = target.and_then(|target| target.rsplit('.').next());
            match objects.iter().find(|object| Some(object.name) == name) {
                Some(object) => self::object(node, path, object),
                None => Ok(()),
            }
        }
        Kind::Dict(kind) => {
            for (key, child) in mapping(node, path)? {
                self::field(child, &format!("{path}.{key}"), or_null(*kind))?;
            }
            Ok(())
        }
        Kind::List(kind) => list(node, path, *kind),
        scalar => {
            node.value = converted(&node.value, scalar).ok_or_else(|| wrong(node, path, scalar))?;
            Ok(())
        }
    }
}

fn object(node: &mut Node, path: &str, object: &Object) -> Result<(), ConfigError> {
    for (key, child) in mapping(node, path)? {
        let key = key.to_string();
        let known = object.all_fields().find(|(name, _)| *name == key);
        let Some((_, kind)) = known else {
            let title = format!("Key '{key}' not in '{}': `{path}.{key}`", object.name);
            let error = ConfigError::at(title, child.origin.as_ref(), "unknown key");
            let names = object.all_fields().map(|(name, _)| *name);
            let error = match closest(&key, names.clone()) {
                Some(meant) => error.help(format!("did you mean `{path}.{meant}`?")),
                None => error,
            };
            return Err(error.note(format!(
                "keys of `{path}`: {}",
                names.collect::<Vec<_>>().join(", ")
            )));
        };
        field(child, &format!("{path}.{key}"), *kind)?;
    }
    Ok(())
}

fn mapping<'a>(node: &'a mut Node, path: &str) -> Result<&'a mut Map, ConfigError> {
    let (words, origin) = (node.kind(), node.origin.clone());
    node.as_map_mut().ok_or_else(|| {
        let title = format!("`{path}` must be a mapping, not {words}");
        ConfigError::at(title, origin.as_ref(), "this value")
    })
}

fn list(node: &mut Node, path: &str, kind: Kind) -> Result<(), ConfigError> {
    let words = node.kind();
    let Value::List(items) = &mut node.value else {
        let title = format!("`{path}` must be a list, not {words}");
        return Err(ConfigError::at(title, node.origin.as_ref(), "this value"));
    };
    for (index, item) in items.iter_mut().enumerate() {
        field(item, &format!("{path}.{index}"), one(kind))?;
    }
    Ok(())
}

/// The value in that type, if `OmegaConf` would take it.
fn converted(value: &Value, kind: Kind) -> Option<Value> {
    let text = match value {
        Value::Map(_) | Value::List(_) | Value::Null => return None,
        Value::Str(text) => Some(text.as_str()),
        _ => None,
    };
    match kind {
        Kind::Str => Some(Value::Str(match value {
            Value::Str(text) => text.clone(),
            other => python::str_of(&Node::new(other.clone())),
        })),
        Kind::Bool => match (value, text.map(str::to_lowercase).as_deref()) {
            (Value::Bool(truth), _) => Some(Value::Bool(*truth)),
            (Value::Int(number), _) => Some(Value::Bool(*number != 0)),
            (_, Some("yes" | "y" | "on" | "true" | "1")) => Some(Value::Bool(true)),
            (_, Some("no" | "n" | "off" | "false" | "0")) => Some(Value::Bool(false)),
            _ => None,
        },
        Kind::Int => match value {
            Value::Int(_) | Value::BigInt(_) => Some(value.clone()),
            Value::Str(text) => text.trim().parse().ok().map(Value::Int),
            _ => None,
        },
        Kind::Float => match value {
            Value::Float(_) => Some(value.clone()),
            Value::Int(number) => Some(Value::Float(*number as f64)),
            Value::Str(text) => text.trim().parse().ok().map(Value::Float),
            _ => None,
        },
        Kind::Enum(names) => match value {
            Value::Str(text) => {
                let name = text.rsplit('.').next().unwrap_or(text);
                let known = names.iter().find(|known| **known == name)?;
                Some(Value::Str((*known).to_owned()))
            }
            Value::Int(number) => {
                let index = usize::try_from(*number).ok()?.checked_sub(1)?;
                Some(Value::Str((*names.get(index)?).to_owned()))
            }
            _ => None,
        },
        _ => Some(value.clone()),
    }
}

fn wrong(node: &Node, path: &str, kind: Kind) -> ConfigError {
    let wanted = match kind {
        Kind::Str => "string".to_owned(),
        Kind::Bool => "bool".to_owned(),
        Kind::Int => "integer".to_owned(),
        Kind::Float => "float".to_owned(),
        Kind::Enum(names) => format!("one of {}", names.join(", ")),
        _ => "value".to_owned(),
    };
    let value = python::str_of(node);
    let title = match kind {
        Kind::Enum(_) => format!("Invalid value '{value}' at `{path}`, expected {wanted}"),
        _ => format!("Value '{value}' is not a valid {wanted}: `{path}`"),
    };
    let error = ConfigError::at(title, node.origin.as_ref(), "this value");
    match kind {
        Kind::Enum(names) => match closest(&value, names.iter().copied()) {
            Some(meant) => error.help(format!("did you mean `{path}={meant}`?")),
            None => error,
        },
        _ => error,
    }
}
