//! `.dvc` files: data that are tracked without a command.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use ignore::gitignore::GitignoreBuilder;
use strata_fs::write_atomically;

use super::index::{PIPELINE_FILE, Project};
use super::lock_file;
use crate::definition::DataFile;
use crate::error::PipelineError;
use crate::hash::HashInfo;
use crate::ignore::IGNORE_FILE;
use crate::stage::Stage;
use crate::value::{Key, Map, Value};
use crate::yaml::Document;

/// Writes what a `.dvc` file says of its outputs; comments, descriptions and all else in it stay.
pub(super) fn write(project: &Project, stage: &Stage) -> Result<(), PipelineError> {
    let file = &stage.address.file;
    let shown = project.display(file);
    let mut document = if file.exists() {
        let text = fs_err::read_to_string(file)?;
        Document::parse(&shown, &text).map_err(|source| PipelineError::Syntax {
            file: shown,
            source,
        })?
    } else {
        Document::new()
    };
    let present = document
        .get(&["outs"])
        .and_then(Value::as_list)
        .unwrap_or_default();
    let entries = stage.outs.iter().map(|out| {
        let known = present
            .iter()
            .find(|entry| entry.get("path").and_then(Value::as_str) == Some(out.path.as_str()));
        Value::Map(entry(known, &out.path, out.locked.as_ref()))
    });
    let entries = Value::List(entries.collect());
    document.update(&["outs"], &entries);
    write_atomically(file, document.to_text().as_bytes())?;
    let changed = std::slice::from_ref(file);
    Ok(project.repository.stage_in_git(changed)?)
}

/// An entry with the present hash; other keys keep their places.
pub(crate) fn entry(known: Option<&Value>, path: &str, info: Option<&HashInfo>) -> Map {
    let mut hash = info.map(HashInfo::to_data_entry).unwrap_or_default();
    let Some(known) = known.and_then(Value::as_map) else {
        hash.insert(Key::from("path"), Value::from(path));
        return hash;
    };
    let of_hash = ["md5", "size", "nfiles", "isexec", "hash"].map(Key::from);
    let mut entry = Map::new();
    for (key, value) in known {
        if !of_hash.contains(key) {
            entry.insert(key.clone(), value.clone());
        } else if let Some(value) = hash.shift_remove(key) {
            entry.insert(key.clone(), value);
        }
    }
    // New keys stand where DVC writes them: with the others of the hash, before the path.
    for (key, value) in hash {
        let before_path = entry
            .get_index_of(&Key::from("path"))
            .unwrap_or(entry.len());
        entry.shift_insert(before_path, key, value);
    }
    entry
}

impl Project {
    /// Tracks a file or folder: its contents go to the cache, and a `.dvc` file beside it names them. Gives that file.
    ///
    /// A file within a tracked folder updates the folder.
    ///
    /// # Errors
    /// It is not there, is the output of a stage, or is tracked by Git.
    pub fn add(&mut self, path: &Path) -> Result<PathBuf, PipelineError> {
        self.add_with(path, true)
    }

    /// The same; without `commit` the cache does not get the contents.
    ///
    /// # Errors
    /// As [`Project::add`].
    pub fn add_with(&mut self, path: &Path, commit: bool) -> Result<PathBuf, PipelineError> {
        self.check_may_be_added(path)?;
        if !commit && path.is_dir() {
            self.repository.ignore.all_files_below(path)?;
        }
        let around = |stage: &Stage| stage.outs.iter().any(|out| path.starts_with(&out.at));
        if let Some(index) = self.stages.iter().position(around) {
            let stage = self.stages[index].clone();
            if !stage.is_data() {
                return Err(PipelineError::IsOutput {
                    path: self.display(path),
                    stage: self.display_address(&stage.address),
                });
            }
            return self
                .save_data(stage, commit)
                .map(|stage| stage.address.file);
        }
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let mut data = DataFile::default();
        let entry = Map::from_iter([(Key::from("path"), Value::from(name))]);
        let outs = Value::Map(Map::from_iter([(
            Key::from("outs"),
            Value::List(vec![Value::Map(entry)]),
        )]));
        let file = path.with_file_name(format!("{name}.dvc"));
        data.outs = DataFile::from_value(&outs, name)?.outs;
        let stage = self.save_data(Stage::of_data(file, data), commit)?;
        let file = stage.address.file.clone();
        self.stages.push(stage);
        Ok(file)
    }

    /// Whether a path can be tracked at all; nothing is written.
    ///
    /// # Errors
    /// It is not there; it is one of DVC's own files, or a folder that holds the project.
    pub fn check_may_be_added(&self, path: &Path) -> Result<(), PipelineError> {
        let root = &self.repository.root;
        let name = path.file_name().unwrap_or_default();
        let is_of_dvc = path.extension().is_some_and(|suffix| suffix == "dvc")
            || [PIPELINE_FILE, lock_file::NAME, IGNORE_FILE, ".dvc"]
                .map(OsStr::new)
                .contains(&name)
            || path.starts_with(root.join(".dvc"));
        let cannot = |why: String| Err(PipelineError::CannotEdit { why });
        if is_of_dvc {
            let name = name.display();
            return cannot(format!("DVC file '{name}' cannot be an output."));
        }
        if root.starts_with(path) {
            let shown = self.display(path);
            return cannot(format!(
                "'{shown}' cannot be an output: the project lies in it. Name the files and folders to be tracked."
            ));
        }
        if !path.exists() {
            return Err(PipelineError::MissingOutput {
                path: self.display(path),
            });
        }
        Ok(())
    }

    /// Files and folders below the current folder that a pattern of a shell names: `*`, `?` and `[…]` within a name,
    /// `**` for folders. A folder that matches stands for all that is in it.
    ///
    /// # Errors
    /// It is no pattern; nothing matches; those of reading.
    pub fn paths_like(&self, pattern: &str) -> Result<Vec<PathBuf>, PipelineError> {
        let current = &self.repository.current;
        let mut builder = GitignoreBuilder::new(current);
        let anchored = format!("/{}", pattern.trim_start_matches("./"));
        let matcher = builder
            .add_line(None, &anchored)
            .and_then(|builder| builder.build())
            .map_err(io::Error::other)?;
        let matches = |path: &Path, is_folder: bool| matcher.matched(path, is_folder).is_ignore();
        let is_wanted = |file: &Path| {
            let is_of_dvc = file.extension().is_some_and(|suffix| suffix == "dvc");
            matches(file, false) && !is_of_dvc
        };
        let mut found = Vec::new();
        let mut folders = vec![current.clone()];
        while let Some(folder) = folders.pop() {
            let (files, inner) = self.repository.ignore.children(&folder, is_wanted)?;
            found.extend(files);
            let (whole, others): (Vec<_>, Vec<_>) =
                inner.into_iter().partition(|folder| matches(folder, true));
            found.extend(whole);
            folders.extend(others);
        }
        found.sort();
        if found.is_empty() {
            return Err(PipelineError::NoSuchFile {
                path: pattern.to_owned(),
            });
        }
        Ok(found)
    }

    fn save_data(&self, mut stage: Stage, commit: bool) -> Result<Stage, PipelineError> {
        if commit {
            stage.take_in_outs(self)?;
        }
        let saved = stage.save_outs(self, false)?;
        if commit {
            stage.commit(self, &saved)?;
        }
        write(self, &stage)?;
        Ok(stage)
    }
}
