//! `dvc.lock`, stage by stage.

use super::{Merged, Side, Versions, changed_side, conflict};
use crate::error::PipelineError;
use crate::project::lock_file::{new_document, parse};
use crate::value::{Key, Map, Value};
use crate::yaml::{Document, to_text};

/// Merges three versions of a lock file, which errors call `file`.
///
/// The text is what the commands would write: our text with the entries of their stages in their places, new
/// ones at the end. A stage that both sides have changed stands between markers, with both entries whole.
///
/// # Errors
/// A version is no lock file.
pub fn lock_file(file: &str, versions: Versions<'_>) -> Result<Merged, PipelineError> {
    let read = |text: &str, whose: &str| read(&format!("{file} ({whose})"), text);
    let base = read(versions.base, "base")?;
    let ours = read(versions.ours, "ours")?;
    let theirs = read(versions.theirs, "theirs")?;
    let mut merge = Merge {
        document: ours.clone(),
        unsettled: Vec::new(),
        conflicts: Vec::new(),
    };
    for name in keys(&[&ours, &theirs], &["stages"]) {
        merge.stage(&name, &base, &ours, &theirs);
    }
    let mut settled = true;
    for key in keys(&[&ours, &theirs], &[])
        .iter()
        .filter(|key| *key != "stages")
    {
        settled &= merge.section(key, &base, &ours, &theirs);
    }
    if merge.conflicts.is_empty() {
        return Ok(Merged::Clean(merge.document.to_text()));
    }
    Ok(Merged::Conflicts {
        text: settled.then(|| merge.text_with_markers()).flatten(),
        conflicts: merge.conflicts,
    })
}

fn read(file: &str, text: &str) -> Result<Document, PipelineError> {
    if text.trim().is_empty() {
        return Ok(new_document());
    }
    let document = parse(file, text)?;
    let stages = document.get(&["stages"]).and_then(Value::as_map);
    let nameless = stages.and_then(|stages| stages.keys().find(|key| key.as_str().is_none()));
    match nameless {
        Some(key) => Err(PipelineError::LockFile {
            file: file.to_owned(),
            why: format!(
                "`{}` is no name of a stage, it needs quotes",
                key.python_str()
            ),
        }),
        None => Ok(document),
    }
}

/// The keys of a mapping in all of some documents, each once.
fn keys(documents: &[&Document], path: &[&str]) -> Vec<String> {
    let maps = documents
        .iter()
        .filter_map(|document| document.get(path)?.as_map());
    let mut keys: Vec<String> = Vec::new();
    for key in maps.flat_map(Map::keys).filter_map(Key::as_str) {
        if !keys.iter().any(|known| known == key) {
            keys.push(key.to_owned());
        }
    }
    keys
}

struct Merge {
    document: Document,
    unsettled: Vec<Unsettled>,
    conflicts: Vec<String>,
}

/// A stage that both sides have changed; the document has a mark in its place.
struct Unsettled {
    name: String,
    mark: String,
    ours: Option<Value>,
    theirs: Option<Value>,
}

impl Merge {
    fn stage(&mut self, name: &str, base: &Document, ours: &Document, theirs: &Document) {
        let path = ["stages", name];
        let (base, ours, theirs) = (base.get(&path), ours.get(&path), theirs.get(&path));
        match (changed_side(base, ours, theirs), theirs) {
            (Side::Ours, _) => {}
            (Side::Theirs, Some(entry)) => self.document.set(&path, entry.clone()),
            (Side::Theirs, None) => {
                self.document.remove(&path);
            }
            (Side::Neither, _) => {
                let mark = format!("<<<<<<< {}", self.unsettled.len());
                self.document.set(&path, Value::from(mark.as_str()));
                self.conflicts
                    .push(conflict(&format!("stage '{name}'"), ours, theirs));
                self.unsettled.push(Unsettled {
                    name: name.to_owned(),
                    mark,
                    ours: ours.cloned(),
                    theirs: theirs.cloned(),
                });
            }
        }
    }

    /// What is no stage is merged as a whole; returns whether it could be.
    fn section(&mut self, key: &str, base: &Document, ours: &Document, theirs: &Document) -> bool {
        let path = [key];
        let (base, ours, theirs) = (base.get(&path), ours.get(&path), theirs.get(&path));
        match (changed_side(base, ours, theirs), theirs) {
            (Side::Ours, _) => {}
            (Side::Theirs, Some(value)) => self.document.set(&path, value.clone()),
            (Side::Theirs, None) => {
                self.document.remove(&path);
            }
            (Side::Neither, _) => {
                self.conflicts
                    .push(conflict(&format!("'{key}'"), ours, theirs));
                return false;
            }
        }
        true
    }

    /// The document with both entries of each unsettled stage, if every stage has lines of its own.
    fn text_with_markers(&self) -> Option<String> {
        let mut text = self.document.to_text();
        for stage in &self.unsettled {
            let mark = Value::from(stage.mark.as_str());
            let place = lines_of_stage(&stage.name, Some(&mark));
            let at = text.find(&place)?;
            let both = format!(
                "<<<<<<< ours\n{}=======\n{}>>>>>>> theirs\n",
                lines_of_stage(&stage.name, stage.ours.as_ref()),
                lines_of_stage(&stage.name, stage.theirs.as_ref()),
            );
            text.replace_range(at..at + place.len(), &both);
        }
        Some(text)
    }
}

/// An entry as it is written below `stages:`.
fn lines_of_stage(name: &str, entry: Option<&Value>) -> String {
    let Some(entry) = entry else {
        return String::new();
    };
    let stages = Map::from_iter([(Key::from(name), entry.clone())]);
    let text = to_text(&Value::Map(Map::from_iter([(
        Key::from("stages"),
        Value::Map(stages),
    )])));
    text.strip_prefix("stages:\n").unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lock file of stages with commands.
    fn lock(stages: &[(&str, &str)]) -> String {
        let entry = |(name, cmd): &(&str, &str)| format!("  {name}:\n    cmd: {cmd}\n");
        let entries: String = stages.iter().map(entry).collect();
        format!("schema: '2.0'\nstages:\n{entries}")
    }

    fn merged(base: &str, ours: &str, theirs: &str) -> Merged {
        let versions = Versions { base, ours, theirs };
        lock_file("dvc.lock", versions).expect("they are lock files")
    }

    #[test]
    fn stages_that_one_side_has_changed_are_merged() {
        let base = lock(&[("a", "a"), ("b", "b"), ("c", "c"), ("d", "d")]);
        let ours = lock(&[("a", "A"), ("b", "b"), ("c", "c"), ("e", "e")]);
        let theirs = lock(&[("a", "a"), ("b", "B"), ("d", "d"), ("f", "f")]);
        let expected = lock(&[("a", "A"), ("b", "B"), ("e", "e"), ("f", "f")]);
        assert_eq!(merged(&base, &ours, &theirs), Merged::Clean(expected));
    }

    #[test]
    fn a_stage_that_both_have_changed_stands_between_markers() {
        let base = lock(&[("a", "a"), ("b", "b"), ("c", "c")]);
        let ours = lock(&[("a", "x"), ("b", "b"), ("c", "C")]);
        let theirs = lock(&[("a", "y"), ("b", "B")]);
        let Merged::Conflicts {
            text: Some(text),
            conflicts,
        } = merged(&base, &ours, &theirs)
        else {
            panic!("there are conflicts")
        };
        assert_eq!(
            text,
            "schema: '2.0'\nstages:\n<<<<<<< ours\n  a:\n    cmd: x\n=======\n  a:\n    cmd: y\n>>>>>>> theirs\n  \
             b:\n    cmd: B\n<<<<<<< ours\n  c:\n    cmd: C\n=======\n>>>>>>> theirs\n"
        );
        assert_eq!(
            conflicts,
            [
                "stage 'a' was changed on both sides",
                "stage 'c' was changed here and removed there"
            ]
        );
    }

    #[test]
    fn both_sides_may_begin_the_file() {
        let merged = merged("", &lock(&[("a", "a")]), &lock(&[("b", "b")]));
        assert_eq!(merged, Merged::Clean(lock(&[("a", "a"), ("b", "b")])));
    }

    #[test]
    fn what_is_no_lock_file_is_refused_with_its_side() {
        let versions = Versions {
            base: "",
            ours: &lock(&[("a", "a")]),
            theirs: "stages: 1\n",
        };
        let error = lock_file("dvc.lock", versions).expect_err("it is none");
        assert!(error.to_string().contains("dvc.lock (theirs)"), "{error}");
    }

    #[test]
    fn stages_between_braces_have_no_lines_for_markers() {
        let flow = |cmd: &str| format!("schema: '2.0'\nstages: {{a: {{cmd: {cmd}}}}}\n");
        let merged = merged(&flow("a"), &flow("b"), &flow("c"));
        assert!(matches!(merged, Merged::Conflicts { text: None, .. }));
    }
}
