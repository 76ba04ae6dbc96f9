//! What a lock file or a `.dvc` file holds of one path.

use super::reading::Algorithm;
use crate::value::{Key, Map, Value};

/// MD5 and size of a file or folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HashInfo {
    /// 32 hex digits; those of a folder end in `.dir`.
    pub md5: String,
    /// Bytes; of a folder the sum over its files.
    pub size: Option<u64>,
    /// Number of files of a folder.
    pub nfiles: Option<u64>,
    /// Whether the owner may execute the file.
    pub is_executable: bool,
    /// Whether the entry has no `hash: md5`: DVC 2 wrote it, and hashed texts with CRLF as with LF.
    pub is_legacy: bool,
}

impl HashInfo {
    /// Whether this names a folder.
    pub fn is_folder(&self) -> bool {
        self.md5.strip_suffix(".dir").is_some()
    }

    /// How the contents were hashed.
    pub fn algorithm(&self) -> Algorithm {
        if self.is_legacy {
            Algorithm::Md5Dos2Unix
        } else {
            Algorithm::Md5
        }
    }

    /// Whether both name the same contents, hashed the same way.
    pub fn same_contents(&self, other: &Self) -> bool {
        self.md5 == other.md5 && self.is_legacy == other.is_legacy
    }

    /// Takes what an entry of a lock file or of a `.dvc` file says; none without `md5`.
    pub fn from_entry(entry: &Value) -> Option<Self> {
        let number = |key| match entry.get(key) {
            Some(Value::Int(number)) => u64::try_from(*number).ok(),
            _ => None,
        };
        Some(Self {
            md5: entry.get("md5")?.as_str()?.to_owned(),
            size: number("size"),
            nfiles: number("nfiles"),
            is_executable: entry.get("isexec") == Some(&Value::Bool(true)),
            is_legacy: entry.get("hash").and_then(Value::as_str) != Some("md5"),
        })
    }

    /// The entry of a lock file: `path`, `hash`, `md5`, `size`, then `nfiles` or `isexec`.
    pub fn to_lock_entry(&self, path: &str) -> Value {
        let mut entry = Map::new();
        entry.insert(Key::from("path"), Value::from(path));
        if !self.is_legacy {
            entry.insert(Key::from("hash"), Value::from("md5"));
        }
        entry.insert(Key::from("md5"), Value::from(self.md5.as_str()));
        self.insert_numbers(&mut entry);
        Value::Map(entry)
    }

    /// What begins the entry of a `.dvc` file: `md5`, `size`, `nfiles` or `isexec`, `hash`.
    pub fn to_data_entry(&self) -> Map {
        let mut entry = Map::new();
        entry.insert(Key::from("md5"), Value::from(self.md5.as_str()));
        self.insert_numbers(&mut entry);
        if !self.is_legacy {
            entry.insert(Key::from("hash"), Value::from("md5"));
        }
        entry
    }

    fn insert_numbers(&self, entry: &mut Map) {
        let numbers = [("size", self.size), ("nfiles", self.nfiles)];
        for (key, number) in numbers {
            if let Some(number) = number {
                entry.insert(Key::from(key), Value::Int(i128::from(number)));
            }
        }
        if self.is_executable {
            entry.insert(Key::from("isexec"), Value::Bool(true));
        }
    }
}
