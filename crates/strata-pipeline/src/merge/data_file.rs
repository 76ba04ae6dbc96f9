//! `.dvc` files, key by key.

use std::collections::BTreeMap;

use super::{Merged, Side, Versions, changed_side, conflict};
use crate::cache::{Cache, CacheError};
use crate::definition::DataFile;
use crate::error::PipelineError;
use crate::hash::{HashInfo, Tree, is_missing};
use crate::project::data_file::entry;
use crate::value::{Key, Map, Value};
use crate::yaml::Document;

/// What is known of a path's content; it is written at once.
const OF_CONTENT: [&str; 5] = ["md5", "size", "nfiles", "isexec", "hash"];

/// Merges three versions of a `.dvc` file, which errors call `file`.
///
/// Where both sides have changed a folder, its files are merged: the list of the merged folder goes to `cache`,
/// which must have those of all versions. The size is left out if the cache lacks one of the files.
///
/// # Errors
/// A version is no `.dvc` file, or the cache cannot be written.
pub fn data_file(
    file: &str,
    versions: Versions<'_>,
    cache: &Cache,
) -> Result<Merged, PipelineError> {
    let read = |text: &str, whose: &str| read(&format!("{file} ({whose})"), text);
    let base = read(versions.base, "base")?;
    let mut document = read(versions.ours, "ours")?;
    let theirs = read(versions.theirs, "theirs")?;
    let empty = Map::new();
    let [base, ours, theirs] =
        [&base, &document, &theirs].map(|document| document.value().as_map().unwrap_or(&empty));
    let mut merge = Merge {
        cache,
        conflicts: Vec::new(),
    };
    let outs = Key::from("outs");
    let mut merged = merge.keys([base, ours, theirs], "", &|key| *key != outs);
    let entries = merge.outs([base, ours, theirs].map(|map| map.get(&outs)))?;
    merged.insert(outs, Value::List(entries));
    if !merge.conflicts.is_empty() {
        return Ok(Merged::Conflicts {
            text: None,
            conflicts: merge.conflicts,
        });
    }
    document.update(&[], &Value::Map(merged));
    Ok(Merged::Clean(document.to_text()))
}

fn read(file: &str, text: &str) -> Result<Document, PipelineError> {
    if text.trim().is_empty() {
        return Ok(Document::new());
    }
    let document = Document::parse(file, text).map_err(|source| PipelineError::Syntax {
        file: file.to_owned(),
        source,
    })?;
    DataFile::from_value(document.value(), file)?;
    Ok(document)
}

struct Merge<'a> {
    cache: &'a Cache,
    conflicts: Vec<String>,
}

impl Merge<'_> {
    /// Merges those keys of three mappings that `belongs` picks; `of` names the mapping in conflicts.
    fn keys(
        &mut self,
        [base, ours, theirs]: [&Map; 3],
        of: &str,
        belongs: &dyn Fn(&Key) -> bool,
    ) -> Map {
        let mut merged = Map::new();
        for key in ours.keys().chain(theirs.keys()).filter(|key| belongs(key)) {
            if merged.contains_key(key) {
                continue;
            }
            let (base, ours, theirs) = (base.get(key), ours.get(key), theirs.get(key));
            let value = match changed_side(base, ours, theirs) {
                Side::Ours => ours,
                Side::Theirs => theirs,
                Side::Neither => {
                    let what = format!("'{}'{of}", key.python_str());
                    self.conflicts.push(conflict(&what, ours, theirs));
                    ours
                }
            };
            if let Some(value) = value {
                merged.insert(key.clone(), value.clone());
            }
        }
        merged
    }

    fn outs(
        &mut self,
        [base, ours, theirs]: [Option<&Value>; 3],
    ) -> Result<Vec<Value>, PipelineError> {
        let mut paths: Vec<&str> = Vec::new();
        for path in [ours, theirs]
            .into_iter()
            .flat_map(entries)
            .filter_map(path_of)
        {
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        let mut merged = Vec::new();
        for path in paths {
            let of_path = |outs| entries(outs).find(|entry| path_of(entry) == Some(path));
            let (base, ours, theirs) = (of_path(base), of_path(ours), of_path(theirs));
            match (changed_side(base, ours, theirs), ours, theirs) {
                (Side::Ours, ours, _) => merged.extend(ours.cloned()),
                (Side::Theirs, _, theirs) => merged.extend(theirs.cloned()),
                (Side::Neither, Some(ours), Some(theirs)) => {
                    merged.push(self.out(path, [base.unwrap_or(&Value::Null), ours, theirs])?);
                }
                (Side::Neither, ours, theirs) => {
                    self.conflicts
                        .push(conflict(&format!("'{path}'"), ours, theirs));
                }
            }
        }
        Ok(merged)
    }

    /// One path that both sides have changed.
    fn out(&mut self, path: &str, versions: [&Value; 3]) -> Result<Value, PipelineError> {
        let empty = Map::new();
        let maps = versions.map(|entry| entry.as_map().unwrap_or(&empty));
        let of_content = |key: &Key| key.as_str().is_some_and(|key| OF_CONTENT.contains(&key));
        let mut merged = self.keys(maps, &format!(" of '{path}'"), &|key| !of_content(key));
        let contents = maps.map(|map| {
            let known = map.iter().filter(|(key, _)| of_content(key));
            Value::Map(
                known
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect(),
            )
        });
        let [base, ours, theirs] = &contents;
        let info = match changed_side(Some(base), Some(ours), Some(theirs)) {
            Side::Ours => HashInfo::from_entry(ours),
            Side::Theirs => HashInfo::from_entry(theirs),
            Side::Neither => {
                let infos = [base, ours, theirs].map(HashInfo::from_entry);
                self.content(path, infos)?
            }
        };
        // Keys of the content stand where they stood in our version.
        let ours = maps[1]
            .iter()
            .filter(|(key, _)| of_content(key) || merged.contains_key(*key));
        let mut known: Map = ours
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        known.append(&mut merged);
        Ok(Value::Map(entry(
            Some(&Value::Map(known)),
            path,
            info.as_ref(),
        )))
    }

    /// The content of a path that both sides have changed.
    fn content(
        &mut self,
        path: &str,
        [base, ours, theirs]: [Option<HashInfo>; 3],
    ) -> Result<Option<HashInfo>, PipelineError> {
        let is_folder = |info: &&HashInfo| info.is_folder() && !info.is_legacy;
        let (Some(ours), Some(theirs)) = (
            ours.as_ref().filter(is_folder),
            theirs.as_ref().filter(is_folder),
        ) else {
            let what = format!("the content of '{path}' was changed on both sides");
            self.conflicts.push(what);
            return Ok(ours);
        };
        let base = base.as_ref().filter(is_folder);
        let tree = |info: Option<&HashInfo>| {
            info.map_or(Ok(Tree::default()), |info| self.cache.tree(&info.md5))
        };
        let trees = match (tree(base), tree(Some(ours)), tree(Some(theirs))) {
            (Ok(base), Ok(ours), Ok(theirs)) => [base, ours, theirs],
            (Err(CacheError::Io(error)), ..)
            | (_, Err(CacheError::Io(error)), _)
            | (.., Err(CacheError::Io(error))) => return Err(error.into()),
            (Err(error), ..) | (_, Err(error), _) | (.., Err(error)) => {
                let what = format!("the folder '{path}' was changed on both sides, and {error}");
                self.conflicts.push(what);
                return Ok(Some(ours.clone()));
            }
        };
        match folder(&trees) {
            Ok(tree) => {
                self.cache.add_tree(&tree)?;
                Ok(Some(HashInfo {
                    size: self.size(&tree)?,
                    nfiles: Some(tree.entries().len() as u64),
                    md5: tree.md5(),
                    ..HashInfo::default()
                }))
            }
            Err(files) => {
                let files = files
                    .iter()
                    .map(|file| format!("'{path}/{file}' was changed on both sides"));
                self.conflicts.extend(files);
                Ok(Some(ours.clone()))
            }
        }
    }

    /// Bytes of all files, if the cache has them all.
    fn size(&self, tree: &Tree) -> Result<Option<u64>, PipelineError> {
        let mut size = 0;
        for (_, md5) in tree.entries() {
            match fs_err::metadata(self.cache.path(md5)) {
                Ok(metadata) => size += metadata.len(),
                Err(error) if is_missing(&error) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Some(size))
    }
}

fn entries(outs: Option<&Value>) -> impl Iterator<Item = &Value> {
    outs.and_then(Value::as_list).unwrap_or_default().iter()
}

fn path_of(entry: &Value) -> Option<&str> {
    entry.get("path")?.as_str()
}

/// The files of three versions of a folder merged, or those that cannot be.
fn folder([base, ours, theirs]: &[Tree; 3]) -> Result<Tree, Vec<String>> {
    let mut merged: BTreeMap<&str, &str> = BTreeMap::new();
    let mut conflicts = Vec::new();
    let all = ours.entries().iter().chain(theirs.entries());
    for (path, _) in all {
        let (base, ours, theirs) = (base.get(path), ours.get(path), theirs.get(path));
        let md5 = if ours == theirs || base == theirs {
            ours
        } else if base == ours {
            theirs
        } else {
            conflicts.push(path.clone());
            None
        };
        merged.extend(md5.map(|md5| (path.as_str(), md5)));
    }
    // A file of one side may stand where the other has a folder.
    for path in merged.keys() {
        let mut parents = path.match_indices('/').map(|(at, _)| &path[..at]);
        conflicts.extend(
            parents
                .find(|parent| merged.contains_key(parent))
                .map(str::to_owned),
        );
    }
    conflicts.sort();
    conflicts.dedup();
    if !conflicts.is_empty() {
        return Err(conflicts);
    }
    let entries = merged.into_iter();
    Ok(Tree::new(
        entries
            .map(|(path, md5)| (path.to_owned(), md5.to_owned()))
            .collect(),
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use strata_fs::md5_of_bytes;

    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        let entry =
            |(path, content): &(&str, &str)| ((*path).to_owned(), md5_of_bytes(content.as_bytes()));
        Tree::new(files.iter().map(entry).collect())
    }

    fn names(md5: &str) -> String {
        format!("outs:\n- md5: {md5}\n  size: 1\n  nfiles: 1\n  hash: md5\n  path: data\n")
    }

    fn merged(cache: &Cache, base: &str, ours: &str, theirs: &str) -> Merged {
        let versions = Versions { base, ours, theirs };
        data_file("data.dvc", versions, cache).unwrap()
    }

    #[test]
    fn the_files_of_a_folder_are_merged() {
        let base = tree(&[("a", "1"), ("b", "1"), ("c/d", "1")]);
        let ours = tree(&[("a", "2"), ("b", "1"), ("c/d", "1"), ("e", "3")]);
        let theirs = tree(&[("a", "1"), ("c/d", "4")]);
        let merged = tree(&[("a", "2"), ("c/d", "4"), ("e", "3")]);
        assert_eq!(folder(&[base.clone(), ours.clone(), theirs]), Ok(merged));
        let theirs = tree(&[("a", "5"), ("b", "1"), ("c", "1"), ("e/f", "1")]);
        let conflicts = folder(&[base, ours, theirs]);
        assert_eq!(conflicts, Err(vec!["a".to_owned(), "e".to_owned()]));
    }

    #[test]
    fn the_merged_folder_is_named_in_the_file_and_kept_in_the_cache() {
        let scratch = tempfile::tempdir().unwrap();
        let cache = Cache::new(scratch.path().join("cache"));
        for content in ["1", "22"] {
            let file = scratch.path().join("file");
            fs_err::write(&file, content).unwrap();
            cache
                .add_file(&file, &md5_of_bytes(content.as_bytes()))
                .unwrap();
        }
        let trees = [
            tree(&[("a", "1")]),
            tree(&[("a", "1"), ("b", "22")]),
            tree(&[("a", "1"), ("c", "22")]),
        ];
        for tree in &trees {
            cache.add_tree(tree).unwrap();
        }
        let [base, ours, theirs] = trees.map(|tree| names(&tree.md5()));
        let whole = tree(&[("a", "1"), ("b", "22"), ("c", "22")]);
        let expected = names(&whole.md5())
            .replace("size: 1", "size: 5")
            .replace("nfiles: 1", "nfiles: 3");
        let ours = format!("# mine\n{ours}");
        let theirs = format!("{theirs}desc: told there\n");
        assert_eq!(
            merged(&cache, &base, &ours, &theirs),
            Merged::Clean(format!("# mine\n{expected}desc: told there\n"))
        );
        assert_eq!(cache.tree(&whole.md5()).unwrap(), whole);
    }

    #[test]
    fn conflicts_are_named() {
        let scratch = tempfile::tempdir().unwrap();
        let cache = Cache::new(scratch.path().join("cache"));
        let file =
            |md5: &str, desc: &str| format!("outs:\n- md5: {md5}\n  path: a\ndesc: {desc}\n");
        let result = merged(&cache, &file("aa", "x"), &file("bb", "y"), &file("cc", "z"));
        let Merged::Conflicts {
            text: None,
            conflicts,
        } = result
        else {
            panic!("there are conflicts")
        };
        assert_eq!(
            conflicts,
            [
                "'desc' was changed on both sides",
                "the content of 'a' was changed on both sides"
            ]
        );
        let folders = ["aa.dir", "bb.dir", "cc.dir"].map(names);
        let result = merged(&cache, &folders[0], &folders[1], &folders[2]);
        assert!(
            matches!(result, Merged::Conflicts { conflicts, .. } if conflicts[0].contains("strata pull"))
        );
    }
}
