//! `strata params diff`, `strata metrics show` and `diff`.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use strata_pipeline::project::revisions::{Values, flatten};
use strata_pipeline::value::Value;
use strata_pipeline::{PipelineError, Project};

use super::{open, open_at, table};
use crate::exit::{Ended, Failure};
use crate::output;
use crate::pipeline_cli::{MetricsArgs, MetricsCommand, ParamsArgs, ParamsCommand, ValuesDiffArgs};

pub(crate) fn params(args: &ParamsArgs) -> Result<Ended, Failure> {
    let ParamsCommand::Diff(args) = &args.command;
    let values = |project: &Project| project.parameters(args.all);
    show_diff(args, &["Path", "Param"], &values, &Value::python_str)
}

pub(crate) fn metrics(args: &MetricsArgs) -> Result<Ended, Failure> {
    match &args.command {
        MetricsCommand::Diff(args) => show_diff(args, &["Path", "Metric"], &metrics_of, &rounded),
        MetricsCommand::Show { json, md } => show_metrics(*json, *md),
    }
}

/// The leaves of all metrics.
fn metrics_of(project: &Project) -> Result<Values, PipelineError> {
    let files = project.metrics()?.into_iter().map(|(path, value)| {
        let mut leaves = Vec::new();
        flatten("", &value, &mut leaves);
        (path, leaves)
    });
    Ok(files.collect())
}

fn show_metrics(as_json: bool, md: bool) -> Result<Ended, Failure> {
    let project = open()?;
    if as_json {
        let files = project
            .metrics()?
            .into_iter()
            .map(|(path, value)| (path, json!({"data": to_json(&value)})));
        let files = Json::Object(files.collect());
        output::print(&format!("{}\n", json!({"": {"data": files}})))?;
        return Ok(Ended::Done);
    }
    let files: Vec<(String, BTreeMap<String, Value>)> = project
        .metrics()?
        .into_iter()
        .map(|(path, value)| {
            let mut leaves = Vec::new();
            flatten("", &value, &mut leaves);
            (path, leaves.into_iter().collect())
        })
        .collect();
    let mut names: Vec<&str> = files
        .iter()
        .flat_map(|(_, leaves)| leaves.keys().map(String::as_str))
        .collect();
    names.sort_unstable();
    names.dedup();
    let rows: Vec<Vec<String>> = files
        .iter()
        .map(|(path, leaves)| {
            let cells = names
                .iter()
                .map(|name| leaves.get(*name).map_or("-".to_owned(), rounded));
            std::iter::once(path.clone()).chain(cells).collect()
        })
        .collect();
    let header: Vec<&str> = std::iter::once("Path")
        .chain(names.iter().copied())
        .collect();
    print_table(md, &header, &rows)
}

fn print_table(md: bool, header: &[&str], rows: &[Vec<String>]) -> Result<Ended, Failure> {
    let text = if md {
        table::markdown(header, rows)
    } else if rows.is_empty() {
        String::new()
    } else {
        table::plain(header, rows)
    };
    output::print(&text)?;
    Ok(Ended::Done)
}

/// One leaf at two times.
struct Pair {
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

fn show_diff(
    args: &ValuesDiffArgs,
    titles: &[&'static str; 2],
    values: &dyn Fn(&Project) -> Result<Values, PipelineError>,
    show: &dyn Fn(&Value) -> String,
) -> Result<Ended, Failure> {
    let mut before = values(&open_at(&args.a_rev)?)?;
    let mut after = match &args.b_rev {
        Some(revision) => values(&open_at(revision)?)?,
        None => values(&open()?)?,
    };
    let mut pairs = pairs(&mut before, &mut after);
    pairs.retain(|pair| args.all || pair.is_changed());
    if args.json {
        output::print(&format!("{}\n", pairs_to_json(&pairs)))?;
        return Ok(Ended::Done);
    }
    let cell = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), show);
    let with_change = titles[1] == "Metric";
    let rows: Vec<Vec<String>> = pairs
        .iter()
        .map(|pair| {
            let mut row = vec![
                pair.file.clone(),
                pair.key.clone(),
                cell(&pair.old),
                cell(&pair.new),
            ];
            if with_change {
                row.push(cell(&pair.change()));
            }
            row
        })
        .collect();
    let later = args.b_rev.as_deref().unwrap_or("workspace");
    let mut header = vec![titles[0], titles[1], args.a_rev.as_str(), later];
    if with_change {
        header.push("Change");
    }
    print_table(args.md, &header, &rows)
}

fn pairs(before: &mut Values, after: &mut Values) -> Vec<Pair> {
    let mut files: Vec<String> = before.keys().chain(after.keys()).cloned().collect();
    files.sort();
    files.dedup();
    let mut pairs = Vec::new();
    for file in files {
        let old: BTreeMap<String, Value> = before
            .remove(&file)
            .unwrap_or_default()
            .into_iter()
            .collect();
        let new: BTreeMap<String, Value> = after
            .remove(&file)
            .unwrap_or_default()
            .into_iter()
            .collect();
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
    pairs
}

fn pairs_to_json(pairs: &[Pair]) -> Json {
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

fn to_json(value: &Value) -> Json {
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

/// Floats to five significant digits, as DVC shows metrics.
fn rounded(value: &Value) -> String {
    let Value::Float(number) = value else {
        return value.python_str();
    };
    let rounded: f64 = format!("{number:.4e}").parse().unwrap_or(*number);
    // `%g` has no decimals where none are needed.
    let text = Value::Float(rounded).python_str();
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}
