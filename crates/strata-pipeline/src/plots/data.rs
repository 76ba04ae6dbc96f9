//! The files of plots.

use std::path::Path;

use indexmap::IndexMap;

use super::separated::records;
use crate::params::from_json;
use crate::value::{Key, Value};
use crate::yaml;

/// Suffixes of images.
pub const IMAGES: [&str; 5] = ["png", "jpg", "jpeg", "gif", "svg"];

/// One point of data: fields by name.
pub type Row = IndexMap<String, Value>;

/// What a file of a plot holds.
#[derive(Debug, Clone)]
pub enum Content {
    /// Data.
    Rows(Vec<Row>),
    /// An image, as it is.
    Image(Vec<u8>),
}

/// Whether a path is one of an image, by its suffix.
pub fn is_image(path: &str) -> bool {
    IMAGES.contains(&suffix(path))
}

fn suffix(path: &str) -> &str {
    Path::new(path)
        .extension()
        .and_then(|suffix| suffix.to_str())
        .unwrap_or_default()
}

/// Reads a file of a plot by the suffix of its name. `has_header` says whether the first record of a table names its
/// fields; without it they are called `0`, `1` and so on.
///
/// # Errors
/// What is wrong, in words: another suffix, no UTF-8, or not what the suffix says.
pub fn read(path: &str, bytes: Vec<u8>, has_header: bool) -> Result<Content, String> {
    if is_image(path) {
        return Ok(Content::Image(bytes));
    }
    let suffix = suffix(path);
    if !["json", "yaml", "yml", "csv", "tsv"].contains(&suffix) {
        return Err(format!(
            "'{path}' - file type error\nOnly JSON, YAML, CSV and TSV formats are supported."
        ));
    }
    let text = String::from_utf8(bytes).map_err(|_| format!("'{path}' is not valid UTF-8"))?;
    let value = match suffix {
        "csv" => return Ok(Content::Rows(table(&text, ',', has_header))),
        "tsv" => return Ok(Content::Rows(table(&text, '\t', has_header))),
        "json" => serde_json::from_str(&text)
            .map(|json| from_json(&json))
            .map_err(|error| format!("'{path}' is no JSON: {error}"))?,
        _ => yaml::read(path, &text).map_err(|error| error.to_string())?,
    };
    Ok(Content::Rows(rows_of(&value)))
}

fn table(text: &str, separator: char, has_header: bool) -> Vec<Row> {
    let mut records = records(text, separator).into_iter();
    let Some(first) = records.next() else {
        return Vec::new();
    };
    let (names, first) = if has_header {
        (first, None)
    } else {
        let names = (0..first.len()).map(|index| index.to_string());
        (names.collect::<Vec<_>>(), Some(first))
    };
    let row = |record: Vec<String>| {
        let fields = names
            .iter()
            .cloned()
            .zip(record.into_iter().map(Value::Str));
        fields.collect::<Row>()
    };
    first.into_iter().chain(records).map(row).collect()
}

/// The rows of a value: its lists of mappings with the same keys, side by side.
fn rows_of(value: &Value) -> Vec<Row> {
    let mut lists = Vec::new();
    collect_lists(value, &mut lists);
    let mut rows: Vec<Row> = Vec::new();
    for list in lists {
        let Some(entries) = as_rows(list) else {
            continue;
        };
        for (index, entry) in entries.into_iter().enumerate() {
            if rows.len() <= index {
                rows.push(Row::new());
            }
            rows[index].extend(entry);
        }
    }
    rows
}

fn collect_lists<'v>(value: &'v Value, lists: &mut Vec<&'v [Value]>) {
    match value {
        Value::List(items) => lists.push(items),
        Value::Map(map) => {
            for value in map.values() {
                collect_lists(value, lists);
            }
        }
        _ => {}
    }
}

/// The mappings of a list, if it has some, nothing else, and all of them have the keys of the first.
fn as_rows(list: &[Value]) -> Option<Vec<Row>> {
    let first = list.first()?.as_map()?;
    let rows = list.iter().map(|item| {
        let map = item.as_map()?;
        let has_all = map.keys().all(|key| first.contains_key(key));
        let fields = map
            .iter()
            .map(|(key, value)| (Key::python_str(key), value.clone()));
        has_all.then(|| fields.collect::<Row>())
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(path: &str, text: &str, has_header: bool) -> String {
        match read(path, text.as_bytes().to_vec(), has_header) {
            Ok(Content::Rows(rows)) => {
                let row = |row: &Row| {
                    let fields = row
                        .iter()
                        .map(|(key, value)| format!("{key}={}", value.python_str()));
                    fields.collect::<Vec<_>>().join(",")
                };
                rows.iter().map(row).collect::<Vec<_>>().join(" ")
            }
            Ok(Content::Image(_)) => "an image".to_owned(),
            Err(error) => error,
        }
    }

    #[test]
    fn all_formats_become_rows() {
        assert_eq!(rows("a.csv", "x,y\n1,2\n3,4\n", true), "x=1,y=2 x=3,y=4");
        assert_eq!(rows("a.tsv", "1\t2\n", false), "0=1,1=2");
        let nested =
            r#"{"a": {"train": [{"x": 1}, {"x": 2}]}, "b": [{"y": 3}], "c": [4], "d": []}"#;
        assert_eq!(rows("a.json", nested, true), "x=1,y=3 x=2");
        assert_eq!(rows("a.yaml", "- {x: 1}\n- {x: 2.5}\n", true), "x=1 x=2.5");
        assert_eq!(rows("a.png", "", true), "an image");
        assert!(rows("a.txt", "", true).contains("file type error"));
        assert!(rows("a.json", "{", true).contains("a.json"));
    }
}
