//! Composition: from a primary configuration and overrides to one tree.
//!
//! 1. [`Choices::split`] parts overrides that choose options from those of keys.
//! 2. [`tree::expand`] makes the ordered list of files.
//! 3. Each file is merged at its package; later wins.
//! 4. Overrides of keys are applied in the order given.
//! 5. The hydra node is filled in.
//!
//! Interpolations stay unresolved here; [`Composition`] resolves them on access. Matches Hydra 1.3.

use std::path::PathBuf;

use jiff::ZonedDateTime;

use crate::composition::Composition;
use crate::defaults::choices::Choices;
use crate::defaults::file::Files;
use crate::defaults::tree::{self, Expansion};
use crate::error::ConfigError;
use crate::interpolation::resolve::{Foreign, Resolver};
use crate::interpolation::resolvers::{Context, Resolvers};
use crate::merge::merge;
use crate::node::{Key, Map, Node, Value};
use crate::overrides::apply::apply;
use crate::overrides::ast::{Override, OverrideValue, Sweep};
use crate::overrides::element::node_of;
use crate::overrides::parser::parse_override;
use crate::search_path::{ConfigSource, HYDRA_FILES, HYDRA_TREE, SearchPath};
use crate::{hydra_node, hydra_schema};

/// What to compose.
#[derive(Debug, Clone)]
pub struct ComposeRequest {
    /// The configuration tree.
    pub source: ConfigSource,
    /// Its primary configuration, with or without `.yaml`.
    pub config_name: String,
    /// Further trees, asked after the first.
    pub config_dirs: Vec<PathBuf>,
    /// Overrides as typed.
    pub overrides: Vec<String>,
    /// `hydra.job.name`, unless overridden.
    pub job_name: String,
    /// `--multirun`: overrides may be sweeps, and groups that must be chosen may be left open.
    /// `hydra.mode: MULTIRUN` in the tree allows sweeps, too.
    pub multirun: bool,
    /// The number of the job in its sweep, from 0; none for a job of its own.
    pub job_number: Option<usize>,
    /// What `${now:…}` gives.
    pub now: ZonedDateTime,
    /// `hydra.runtime.cwd`.
    pub cwd: PathBuf,
    /// Further resolvers for interpolations.
    pub resolvers: Resolvers,
}

impl ComposeRequest {
    /// A tree and its primary configuration; no overrides, job name `train`, the time and folder of now.
    pub fn new(source: ConfigSource, config_name: &str) -> Self {
        Self {
            source,
            config_name: config_name.to_owned(),
            config_dirs: Vec::new(),
            overrides: Vec::new(),
            job_name: "train".to_owned(),
            multirun: false,
            job_number: None,
            now: ZonedDateTime::now(),
            cwd: std::env::current_dir().unwrap_or_default(),
            resolvers: Resolvers::default(),
        }
    }
}

/// Composes a configuration.
///
/// # Errors
/// Whatever is wrong with files, defaults lists or overrides, with the place.
pub fn compose(request: &ComposeRequest) -> Result<Composition, ConfigError> {
    let overrides: Vec<Override> = request
        .overrides
        .iter()
        .map(|text| parse_override(text))
        .collect::<Result<_, _>>()?;
    if let Some(nameless) = overrides.iter().find(|override_| override_.key.is_empty()) {
        let title = format!("the override `{}` names no key", nameless.text());
        return Err(ConfigError::at(
            title,
            Some(&nameless.span()),
            "in this override",
        ));
    }
    let mut search_path = search_path_of(request)?;
    let primary = request.config_name.trim_end_matches(".yaml");
    let context = Context::new(request.now.clone(), request.resolvers.clone());
    let mut files = Files::default();
    let warnings = further_trees(&mut search_path, primary, &overrides, &context, &mut files)?;
    let single: Vec<&Override> = overrides
        .iter()
        .filter(|override_| override_.sweep().is_none())
        .collect();
    let is_sweep = single.len() < overrides.len();
    let (mut choices, of_keys) = Choices::split(&single, &search_path)?;
    let mut expansion = tree::expand(&search_path, primary, &mut choices, request.multirun, files)
        .map_err(|error| with_choices(error, &single, &search_path))?;
    expansion.warnings.splice(0..0, warnings);
    let mut root = merged(&expansion)?;
    for override_ in of_keys {
        apply(&mut root, override_, &context)?;
    }
    hydra_schema::check(&mut root)?;
    hydra_node::fill_in(&mut root, request, &overrides, &search_path, &choices.known);
    let composition = Composition::new(
        root,
        context,
        expansion,
        search_path,
        overrides,
        request.clone(),
    );
    if is_sweep && !composition.is_multirun()? {
        composition.overrides().iter().try_for_each(refuse_sweep)?;
    }
    Ok(composition)
}

fn search_path_of(request: &ComposeRequest) -> Result<SearchPath, ConfigError> {
    if let ConfigSource::Directory(folder) = &request.source
        && !folder.is_dir()
    {
        return Err(ConfigError::message(format!(
            "the configuration folder {} does not exist",
            folder.display()
        )));
    }
    let hydra = ConfigSource::Embedded {
        name: HYDRA_TREE.to_owned(),
        files: HYDRA_FILES,
    };
    let mut entries = vec![("hydra", hydra), ("main", request.source.clone())];
    for folder in &request.config_dirs {
        if !folder.is_dir() {
            let title = format!(
                "Additional config directory '{}' not found",
                folder.display()
            );
            return Err(ConfigError::message(title));
        }
        entries.push(("command-line", ConfigSource::Directory(folder.clone())));
    }
    Ok(SearchPath { entries })
}

/// Names the overrides that choose options: the files alone may be in order.
fn with_choices(
    error: ConfigError,
    overrides: &[&Override],
    search_path: &SearchPath,
) -> ConfigError {
    let chosen: Vec<String> = overrides
        .iter()
        .filter(|override_| search_path.group_exists(&override_.key))
        .map(|override_| format!("`{}`", override_.text()))
        .collect();
    if chosen.is_empty() {
        return error;
    }
    error.note(format!("with the options chosen by {}", chosen.join(", ")))
}

/// Adds the trees of `hydra.searchpath`, of an override or else of the primary configuration; those that
/// are not there give warnings.
fn further_trees(
    search_path: &mut SearchPath,
    primary: &str,
    overrides: &[Override],
    context: &Context,
    files: &mut Files,
) -> Result<Vec<String>, ConfigError> {
    let key = "hydra.searchpath";
    let typed = overrides
        .iter()
        .find(|override_| override_.left_side() == key);
    let (provider, node) = if let Some(override_) = typed {
        let element = override_.element();
        let node = element.map(|element| node_of(element, &override_.span()));
        ("hydra.searchpath in command-line", node)
    } else {
        let Some(file) = files.load(search_path, primary)? else {
            return Ok(Vec::new());
        };
        let resolver = Resolver {
            root: &file.content,
            context,
        };
        let found = resolver.select(key)?;
        let resolved = found.map(|found| resolver.finish(found, Foreign::Taken, &mut Vec::new()));
        ("hydra.searchpath in main", resolved.transpose()?)
    };
    let node = match node {
        None => return Ok(Vec::new()),
        Some(node) if matches!(node.value, Value::Null) => return Ok(Vec::new()),
        Some(node) => node,
    };
    let refused = || {
        let title = format!(
            "hydra.searchpath must be a list of strings. Got: {}",
            crate::python::str_of(&node)
        );
        ConfigError::at(title, node.origin.as_ref(), "this value")
    };
    let Value::List(items) = &node.value else {
        return Err(refused());
    };
    let mut warnings = Vec::new();
    for item in items {
        let path = item.as_str().ok_or_else(refused)?;
        let tree = ConfigSource::of_search_path(path);
        if !tree.is_available() {
            warnings.push(format!(
                "provider={provider}, path={path} is not available."
            ));
        }
        search_path.entries.push((provider, tree));
    }
    Ok(warnings)
}

fn refuse_sweep(override_: &Override) -> Result<(), ConfigError> {
    let Some(OverrideValue::Sweep(sweep)) = &override_.value else {
        return Ok(());
    };
    let (text, span) = (override_.text(), override_.span());
    let key = override_.key_or_group();
    let is_simple = matches!(sweep, Sweep::Choice(choice) if choice.simple);
    Err(if is_simple {
        let value = text.split_once('=').map_or("", |(_, value)| value);
        let error = ConfigError::at(
            format!("Ambiguous value for argument '{text}'"),
            Some(&span),
            "several values",
        );
        error
            .help(format!(
                "to use it as a list, use key=[value1,value2]: `{key}=[{value}]`"
            ))
            .help(format!(
                "to use it as string, quote the value: `{key}='{value}'`"
            ))
            .help("to sweep over it, add --multirun to your command line")
    } else {
        let title = format!("Sweep parameters '{text}' requires --multirun");
        ConfigError::at(title, Some(&span), "a sweep").help("add --multirun")
    })
}

fn merged(expansion: &Expansion) -> Result<Node, ConfigError> {
    let mut root = Node::empty_map();
    for placed in &expansion.placed {
        let Some(file) = expansion.files.get(&placed.config_path) else {
            continue;
        };
        let content = file.content.clone();
        let at = descend_to_package(&mut root, &placed.package);
        merge(at, content).map_err(|error| {
            error.note(format!("while merging the config '{}'", placed.config_path))
        })?;
    }
    Ok(root)
}

/// The node of a package, made of empty mappings where there is none. Unlike in keys, nothing between two
/// points is a name here: a group `../x` gives such packages.
fn descend_to_package<'a>(root: &'a mut Node, package: &str) -> &'a mut Node {
    let mut node = root;
    if package.is_empty() {
        return node;
    }
    for name in package.split('.') {
        if node.as_map().is_none() {
            node.value = Value::Map(Map::new());
        }
        let map = node.as_map_mut().expect("made a mapping above");
        node = map
            .entry(Key::Str(name.to_owned()))
            .or_insert_with(Node::empty_map);
    }
    if matches!(node.value, Value::Null) {
        node.value = Value::Map(Map::new());
    }
    node
}
