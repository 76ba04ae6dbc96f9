//! `dvc.lock`: what each stage ran with, and what it made.

use std::path::Path;

use strata_fs::write_atomically;

use super::index::{Project, with_dot};
use crate::error::PipelineError;
use crate::stage::Stage;
use crate::value::{Key, Map, Value};
use crate::yaml::Document;

/// Its name.
pub(super) const NAME: &str = "dvc.lock";

/// Reads a lock file; nothing if there is none.
pub(super) fn read(project: &Project, path: &Path) -> Result<Option<Document>, PipelineError> {
    let Some(text) = project.source.read(path)? else {
        return Ok(None);
    };
    parse(&with_dot(&project.display(path)), &text).map(Some)
}

/// Checks the text of a lock file, which errors call `file`.
pub(crate) fn parse(file: &str, text: &str) -> Result<Document, PipelineError> {
    let file = file.to_owned();
    if text.lines().any(|line| line.starts_with("<<<<<<<")) {
        return Err(PipelineError::LockFile {
            why: format!("'{file}' is invalid (possible merge conflicts)."),
            file,
        });
    }
    let document = Document::parse(&file, text).map_err(|source| PipelineError::Syntax {
        file: file.clone(),
        source,
    })?;
    match problem(document.value()) {
        Some(why) => Err(PipelineError::LockFile { file, why }),
        None => Ok(document),
    }
}

/// What is wrong with the data of a lock file.
fn problem(value: &Value) -> Option<String> {
    let Some(map) = value.as_map() else {
        return Some("required key not provided, in schema".to_owned());
    };
    match map.get(&Key::from("schema")) {
        None => return Some("required key not provided, in schema".to_owned()),
        Some(schema) if schema.as_str() != Some("2.0") => {
            return Some(format!("invalid schema version {}", schema.python_str()));
        }
        Some(_) => {}
    }
    let known = ["schema", "stages", "datasets"];
    let extra = map
        .keys()
        .find(|key| !key.as_str().is_some_and(|key| known.contains(&key)));
    if let Some(key) = extra {
        return Some(format!("extra keys not allowed, in {}", key.python_str()));
    }
    let stages = match map.get(&Key::from("stages")) {
        None => return None,
        Some(Value::Map(stages)) => stages,
        Some(_) => return Some("expected a dictionary, in stages".to_owned()),
    };
    stages.iter().find_map(|(name, entry)| {
        let problem = problem_of_entry(entry)?;
        Some(format!("{problem}, in stages -> {}", name.python_str()))
    })
}

fn problem_of_entry(entry: &Value) -> Option<String> {
    let Some(map) = entry.as_map() else {
        return Some("expected a dictionary".to_owned());
    };
    if !map.contains_key(&Key::from("cmd")) {
        return Some("required key not provided: cmd".to_owned());
    }
    for (key, value) in map {
        let is_right = match key.as_str() {
            Some("cmd") => matches!(value, Value::Str(_) | Value::List(_)),
            Some("params") => value.as_map().is_some(),
            Some("deps" | "outs") => value.as_list().is_some_and(|items| {
                items
                    .iter()
                    .all(|item| item.get("path").and_then(Value::as_str).is_some())
            }),
            _ => return Some(format!("extra keys not allowed: {}", key.python_str())),
        };
        if !is_right {
            return Some(format!("unexpected value of {}", key.python_str()));
        }
    }
    None
}

/// Writes the entry of a stage that has run, a new one before those of the stages `later`; `say` is told what is done.
/// Gives whether the entry is a new one.
pub(super) fn write(
    project: &Project,
    stage: &Stage,
    later: &[&str],
    say: &mut dyn FnMut(&str),
) -> Result<bool, PipelineError> {
    let Some(name) = &stage.address.name else {
        super::data_file::write(project, stage)?;
        return Ok(false);
    };
    let path = stage.address.file.with_file_name(NAME);
    let shown = project.display(&path);
    let (mut document, is_new) = match read(project, &path)? {
        Some(document) => (document, false),
        None => (new_document(), true),
    };
    let entry = stage.to_lock_entry();
    if is_new {
        say(&format!("Generating lock file '{shown}'"));
    }
    let present = document.get(&["stages", name.as_str()]);
    let is_new_entry = present.is_none();
    if present != Some(&entry) {
        say(&format!("Updating lock file '{shown}'"));
    }
    if is_new_entry {
        document.insert_before(&["stages", name.as_str()], later, entry);
    } else {
        document.set(&["stages", name.as_str()], entry);
    }
    write_atomically(&path, document.to_text().as_bytes())?;
    project.repository.stage_in_git(&[path])?;
    Ok(is_new_entry)
}

/// A lock file without stages.
pub(crate) fn new_document() -> Document {
    let mut document = Document::new();
    document.set(&["schema"], Value::from("2.0"));
    document.set(&["stages"], Value::Map(Map::new()));
    document
}
