//! The plots of several revisions with their data.

use std::collections::HashMap;

use std::io;

use indexmap::IndexMap;
use strata_pipeline::plots::data::{Content, is_image, read};
use strata_pipeline::plots::definition::Definition;
use strata_pipeline::value::{Key, Map, Value};
use strata_pipeline::{PipelineError, Project};

use super::super::{open, open_at, warn};

/// The revision that is none yet.
pub(super) const WORKSPACE: &str = "workspace";

/// A plot with its data of all revisions that have some.
pub(super) struct Plot {
    /// Its name; with the file that defines it where several do.
    pub(super) id: String,
    /// The name alone: for most a path.
    pub(super) own_id: String,
    /// Of the first revision, and what was typed.
    pub(super) properties: Map,
    /// Revisions and their files.
    pub(super) versions: Vec<(String, IndexMap<String, Content>)>,
}

impl Plot {
    /// A property that is a text.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.properties.get(&Key::from(key)).map(Value::python_str)
    }
}

/// The plots of revisions, in the order in which they are defined.
pub(super) fn gather(
    revisions: &[String],
    targets: &[String],
    typed: &Map,
) -> Result<Vec<Plot>, PipelineError> {
    let mut plots: IndexMap<String, Plot> = IndexMap::new();
    for revision in revisions {
        let project = if revision == WORKSPACE {
            open()?
        } else {
            open_at(revision)?
        };
        for (id, definition) in by_id(project.plots(targets)?) {
            let plot = plots.entry(id.clone()).or_insert_with(|| Plot {
                id,
                own_id: definition.id.clone(),
                properties: Map::new(),
                versions: Vec::new(),
            });
            for (key, value) in typed.iter().chain(&definition.properties) {
                plot.properties
                    .entry(key.clone())
                    .or_insert_with(|| value.clone());
            }
            let files = contents(&project, revision, &definition, typed)?;
            if !files.is_empty() {
                plot.versions.push((revision.clone(), files));
            }
        }
    }
    Ok(plots
        .into_values()
        .filter(|plot| !plot.versions.is_empty())
        .collect())
}

/// Definitions by their names; where files define several of one name, by file and name.
fn by_id(definitions: Vec<Definition>) -> IndexMap<String, Definition> {
    let mut files: HashMap<String, Vec<String>> = HashMap::new();
    for definition in &definitions {
        let of_id = files.entry(definition.id.clone()).or_default();
        if !of_id.contains(&definition.file) {
            of_id.push(definition.file.clone());
        }
    }
    let mut named: IndexMap<String, Definition> = IndexMap::new();
    for definition in definitions {
        let is_shared = files[&definition.id].len() > 1 && !definition.file.is_empty();
        let id = if is_shared {
            format!("{}::{}", definition.file, definition.id)
        } else {
            definition.id.clone()
        };
        match named.get_mut(&id) {
            Some(known) => known.properties.extend(definition.properties),
            None => {
                named.insert(id, definition);
            }
        }
    }
    named
}

/// The files of a plot; those that cannot be read are told.
fn contents(
    project: &Project,
    revision: &str,
    definition: &Definition,
    typed: &Map,
) -> Result<IndexMap<String, Content>, PipelineError> {
    let header = Key::from("header");
    let header = typed.get(&header).or(definition.properties.get(&header));
    let has_header = header != Some(&Value::Bool(false));
    let mut files = IndexMap::new();
    let sources = if is_image(&definition.id) {
        vec![definition.id.clone()]
    } else {
        definition.sources()
    };
    for source in sources {
        let content = match project.read_data(&project.path(&source)) {
            Ok(Some(bytes)) => read(&source, bytes, has_header),
            Err(PipelineError::Io(error)) if error.kind() != io::ErrorKind::IsADirectory => {
                Err(format!("'{source}' cannot be read: {error}"))
            }
            Ok(None) | Err(PipelineError::Io(_)) => Err(format!("'{source}' does not exist")),
            Err(error) => return Err(error),
        };
        match content {
            Ok(content) => {
                files.insert(source, content);
            }
            Err(why) => warn(&format!("In '{revision}', {why}")),
        }
    }
    Ok(files)
}
