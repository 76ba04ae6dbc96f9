//! Values of parameters and metrics at two times, side by side.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::{Map, Value as Json, json};
use strata_pipeline::project::revisions::Values;
use strata_pipeline::value::Value;
use strata_pipeline::{PipelineError, Project};

use super::{open, open_at, table};
use crate::exit::{Ended, Failure};
use crate::output;

/// The two times that are compared.
#[derive(Debug, Args)]
pub(super) struct Revisions {
    /// The earlier commit
    #[arg(default_value = "HEAD")]
    a_rev: String,
    /// The later commit; without it the workspace
    b_rev: Option<String>,
}

impl Revisions {
    /// Their names.
    pub(super) fn names(&self) -> [&str; 2] {
        [&self.a_rev, self.b_rev.as_deref().unwrap_or("workspace")]
    }

    /// Whether the later one is the workspace.
    pub(super) fn with_workspace(&self) -> bool {
        self.b_rev.is_none()
    }

    /// The projects at both times.
    pub(super) fn open(&self) -> Result<[Project; 2], PipelineError> {
        let before = open_at(&self.a_rev)?;
        let after = match &self.b_rev {
            Some(revision) => open_at(revision)?,
            None => open()?,
        };
        Ok([before, after])
    }
}

/// One leaf at two times.
pub(super) struct Pair {
    file: String,
    key: String,
    old: Option<Value>,
    new: Option<Value>,
}

impl Pair {
    fn is_changed(&self) -> bool {
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => !old.python_eq(new),
            _ => true,
        }
    }

    /// New minus old, where both are numbers.
    fn change(&self) -> Option<Value> {
        match (self.old.as_ref()?, self.new.as_ref()?) {
            (Value::Int(old), Value::Int(new)) => Some(Value::Int(new - old)),
            (old, new) => Some(Value::Float(number(new)? - number(old)?)),
        }
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}

/// The leaves of both sides, those that are equal only if all are asked for.
pub(super) fn pairs(before: Values, after: Values, all: bool) -> Vec<Pair> {
    let (mut before, mut after) = (before, after);
    let mut files: Vec<String> = before.keys().chain(after.keys()).cloned().collect();
    files.sort();
    files.dedup();
    let mut pairs = Vec::new();
    for file in files {
        let leaves = |values: &mut Values| -> BTreeMap<String, Value> {
            values
                .remove(&file)
                .unwrap_or_default()
                .into_iter()
                .collect()
        };
        let (old, new) = (leaves(&mut before), leaves(&mut after));
        let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
        keys.sort();
        keys.dedup();
        for key in keys {
            pairs.push(Pair {
                file: file.clone(),
                key: key.clone(),
                old: old.get(key).cloned(),
                new: new.get(key).cloned(),
            });
        }
    }
    pairs.retain(|pair| all || pair.is_changed());
    pairs
}

/// How pairs are shown as a table.
pub(super) struct Columns<'a> {
    /// `Param` or `Metric`.
    pub(super) title: &'a str,
    /// Names of the sides.
    pub(super) sides: [&'a str; 2],
    pub(super) with_path: bool,
    pub(super) with_change: bool,
    pub(super) markdown: bool,
}

/// Prints pairs as a table; `show` makes a text of a value.
pub(super) fn print_pairs(
    pairs: &[Pair],
    columns: &Columns,
    show: &dyn Fn(&Value) -> String,
) -> Result<Ended, Failure> {
    let cell = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), show);
    let mut header = vec![
        "Path",
        columns.title,
        columns.sides[0],
        columns.sides[1],
        "Change",
    ];
    let rows = pairs.iter().map(|pair| {
        vec![
            pair.file.clone(),
            pair.key.clone(),
            cell(&pair.old),
            cell(&pair.new),
            cell(&pair.change()),
        ]
    });
    let mut rows: Vec<Vec<String>> = rows.collect();
    if !columns.with_change {
        header.pop();
        for row in &mut rows {
            row.pop();
        }
    }
    if !columns.with_path {
        header.remove(0);
        for row in &mut rows {
            row.remove(0);
        }
    }
    print_table(columns.markdown, &header, &rows)
}

/// Prints a table; one for people only if it has rows.
pub(super) fn print_table(
    markdown: bool,
    header: &[&str],
    rows: &[Vec<String>],
) -> Result<Ended, Failure> {
    let text = if markdown {
        table::markdown(header, rows)
    } else if rows.is_empty() {
        String::new()
    } else {
        table::plain(header, rows)
    };
    output::print(&text)?;
    Ok(Ended::Done)
}

/// `{file: {key: {old, new, diff}}}`.
pub(super) fn pairs_to_json(pairs: &[Pair]) -> Json {
    let mut files = Map::new();
    for pair in pairs {
        let mut entry = Map::new();
        let leaf = |value: &Option<Value>| value.as_ref().map_or(Json::Null, leaf_to_json);
        entry.insert("old".to_owned(), leaf(&pair.old));
        entry.insert("new".to_owned(), leaf(&pair.new));
        if let Some(change) = pair.change() {
            entry.insert("diff".to_owned(), to_json(&change));
        }
        let file = files.entry(pair.file.clone()).or_insert_with(|| json!({}));
        if let Some(file) = file.as_object_mut() {
            file.insert(pair.key.clone(), Json::Object(entry));
        }
    }
    Json::Object(files)
}

/// A list is compared as its text.
fn leaf_to_json(value: &Value) -> Json {
    match value {
        Value::List(_) => json!(value.python_str()),
        other => to_json(other),
    }
}

pub(super) fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(truth) => json!(truth),
        Value::Int(number) => match i64::try_from(*number) {
            Ok(number) => json!(number),
            Err(_) => json!(*number as f64),
        },
        Value::Float(number) => json!(number),
        Value::Str(text) => json!(text),
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Map(map) => {
            let entries = map
                .iter()
                .map(|(key, value)| (key.python_str(), to_json(value)));
            Json::Object(entries.collect())
        }
    }
}

/// Floats with so many digits after the point at most, as DVC shows metrics.
pub(super) fn rounded(value: &Value, digits: usize) -> String {
    let Value::Float(number) = value else {
        return value.python_str();
    };
    let rounded = format!("{number:.digits$}").parse().unwrap_or(*number);
    Value::Float(rounded).python_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_counted_behind_the_point() {
        let shown = |number: f64, digits: usize| rounded(&Value::Float(number), digits);
        assert_eq!(shown(12345.678, 5), "12345.678");
        assert_eq!(shown(0.123_456_789, 5), "0.12346");
        assert_eq!(shown(0.376_543_211, 2), "0.38");
        assert_eq!(shown(1e-9, 5), "0.0");
        assert_eq!(shown(0.0, 5), "0.0");
    }
}
