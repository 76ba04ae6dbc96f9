//! The files of a folder.

use serde::Deserialize;
use strata_fs::md5_of_bytes;
use thiserror::Error;

use super::info::HashInfo;
use crate::value::write_json_string;

/// Files of a folder by their paths below it, sorted by code points as DVC sorts them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    entries: Vec<(String, String)>,
}

/// One file in the object's text.
#[derive(Deserialize)]
struct Item {
    md5: String,
    relpath: String,
}

/// Why a text is no list of a folder's files.
#[derive(Debug, Error)]
pub enum TreeError {
    /// It is not JSON, or JSON of something else.
    #[error("`{object}` is not the list of a folder's files: {why}")]
    Malformed {
        /// Name of the object.
        object: String,
        /// What is wrong.
        why: String,
    },
}

impl Tree {
    /// From paths below the folder, with `/` between their parts, and the MD5 of each file.
    pub fn new(mut entries: Vec<(String, String)>) -> Self {
        entries.sort();
        Self { entries }
    }

    /// Paths and MD5s, in order.
    pub fn entries(&self) -> &[(String, String)] {
        &self.entries
    }

    /// The MD5 of a file.
    pub fn get(&self, path: &str) -> Option<&str> {
        let found = self
            .entries
            .binary_search_by(|(entry, _)| entry.as_str().cmp(path));
        found.ok().map(|index| self.entries[index].1.as_str())
    }

    /// The files below a path: the file itself, or all files of a folder.
    pub fn below(&self, path: &str) -> impl Iterator<Item = &(String, String)> {
        let folder = format!("{path}/");
        self.entries.iter().filter(move |(entry, _)| {
            path.is_empty() || entry == path || entry.starts_with(&folder)
        })
    }

    /// The object's text: `json.dumps` of `[{"md5": …, "relpath": …}, …]`.
    pub fn to_json(&self) -> String {
        let mut text = String::from("[");
        for (index, (path, md5)) in self.entries.iter().enumerate() {
            if index > 0 {
                text.push_str(", ");
            }
            text.push_str("{\"md5\": ");
            write_json_string(md5, &mut text);
            text.push_str(", \"relpath\": ");
            write_json_string(path, &mut text);
            text.push('}');
        }
        text.push(']');
        text
    }

    /// The name of the object.
    pub fn md5(&self) -> String {
        format!("{}.dir", md5_of_bytes(self.to_json().as_bytes()))
    }

    /// What a lock file says of the folder, with the sum of its files' sizes.
    pub fn info(&self, size: u64) -> HashInfo {
        HashInfo {
            md5: self.md5(),
            size: Some(size),
            nfiles: Some(self.entries.len() as u64),
            ..HashInfo::default()
        }
    }

    /// Reads an object named `object`.
    ///
    /// # Errors
    /// It is not what [`Tree::to_json`] writes, or a path leads out of the folder.
    pub fn from_json(object: &str, text: &str) -> Result<Self, TreeError> {
        let malformed = |why: &str| TreeError::Malformed {
            object: object.to_owned(),
            why: why.to_owned(),
        };
        let items: Vec<Item> =
            serde_json::from_str(text).map_err(|error| malformed(&error.to_string()))?;
        let entry = |item: Item| {
            let is_proper = stays_inside(&item.relpath) && is_md5(&item.md5);
            is_proper.then_some((item.relpath, item.md5))
        };
        let entries: Option<Vec<_>> = items.into_iter().map(entry).collect();
        let entries = entries.ok_or_else(|| malformed("an entry has no proper path and MD5"))?;
        Ok(Self::new(entries))
    }
}

/// Whether a relative path has only ordinary parts.
fn stays_inside(path: &str) -> bool {
    !path.is_empty() && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

fn is_md5(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_folder_has_the_name_that_dvc_gives_it() {
        assert_eq!(
            Tree::default().md5(),
            "d751713988987e9331980363e24189ce.dir"
        );
    }

    #[test]
    fn a_tree_survives_its_text_and_is_sorted_by_whole_paths() {
        let md5 = "0123456789abcdef0123456789abcdef".to_owned();
        let tree = Tree::new(vec![
            ("a/b".to_owned(), md5.clone()),
            ("a.txt".to_owned(), md5.clone()),
            ("é".to_owned(), md5.clone()),
        ]);
        let text = tree.to_json();
        assert!(text.starts_with(&format!(
            "[{{\"md5\": \"{md5}\", \"relpath\": \"a.txt\"}}, "
        )));
        assert!(text.contains("\\u00e9"));
        assert_eq!(Tree::from_json("x.dir", &text).unwrap(), tree);
        assert_eq!(tree.get("a/b"), Some(md5.as_str()));
    }

    #[test]
    fn paths_that_lead_out_of_the_folder_are_refused() {
        for path in ["../x", "/x", "a//b", ""] {
            let text =
                format!(r#"[{{"md5": "0123456789abcdef0123456789abcdef", "relpath": "{path}"}}]"#);
            assert!(Tree::from_json("x.dir", &text).is_err(), "{path}");
        }
        assert!(Tree::from_json("x.dir", "{}").is_err());
        assert!(Tree::from_json("x.dir", "nonsense").is_err());
    }
}
