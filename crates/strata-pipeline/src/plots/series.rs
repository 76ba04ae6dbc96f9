//! Columns of the rows of a plot, as DVC matches `x` and `y`.

use indexmap::IndexMap;

use super::data::Row;
use crate::value::{Key, Map, Value};

/// The field of rows that have none for `x`: their number.
pub const STEP: &str = "step";

/// Pairs of values that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The file of `y`, without the folders that all files of the plot share.
    pub file: String,
    /// The field of `y`.
    pub field: String,
    /// Values of `x` and `y`, in the order of the file. A row without one of them has none.
    pub pairs: Vec<(Value, Value)>,
}

/// The labels of the axes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// Of the horizontal one.
    pub x: String,
    /// Of the vertical one.
    pub y: String,
}

/// The series of a plot with a name and properties, from the rows of its files.
///
/// Without `y` the last field of the first row is drawn, without `x` the number of the row.
///
/// # Errors
/// A field that no row has; `x` and `y` of several files that do not match.
pub fn series(
    id: &str,
    properties: &Map,
    files: &IndexMap<String, Vec<Row>>,
) -> Result<(Vec<Series>, Labels), String> {
    let ys = vertical(id, properties, files);
    let xs = horizontal(id, properties, &ys);
    if xs.len() > 1 && xs.len() != ys.len() {
        return Err(format!(
            "Cannot have different number of x and y data sources. Found {} x and {} y data sources.",
            xs.len(),
            ys.len()
        ));
    }
    let names: Vec<&str> = ys.iter().map(|(file, _)| file.as_str()).collect();
    let shared = shared_folders(&names);
    let mut found = Vec::new();
    for (index, (file, field)) in ys.iter().enumerate() {
        check_field(files, file, field)?;
        let rows = files.get(file).map(Vec::as_slice).unwrap_or_default();
        let horizontal = xs.get(index).or(xs.first());
        let xs = match horizontal {
            None => (0..rows.len())
                .map(|row| Some(Value::Int(row as i128)))
                .collect(),
            Some((x_file, x_field)) => {
                check_field(files, x_file, x_field)?;
                column(files, x_file, x_field)
            }
        };
        if xs.len() != rows.len() {
            let (x_file, x_field) = horizontal.cloned().unwrap_or_default();
            return Err(format!(
                "Cannot join '{x_field}' from '{x_file}' and '{field}' from '{file}'. They have to have same length."
            ));
        }
        let pairs = xs.into_iter().zip(rows);
        let pairs = pairs.filter_map(|(x, row)| Some((x?, row.get(field)?.clone())));
        found.push(Series {
            file: file[shared..].trim_start_matches('/').to_owned(),
            field: field.clone(),
            pairs: pairs.collect(),
        });
    }
    Ok((found, labels(properties, &xs, &ys)))
}

/// Files with fields, one after the other.
type Fields = Vec<(String, String)>;

fn fields_of(axis: &Value, default_file: &str) -> Fields {
    let with_file = |file: &str, fields: &Value| -> Fields {
        let fields = match fields {
            Value::List(fields) => fields.clone(),
            one => vec![one.clone()],
        };
        let fields = fields
            .iter()
            .map(|field| (file.to_owned(), field.python_str()));
        fields.collect()
    };
    match axis {
        Value::Map(files) => files
            .iter()
            .flat_map(|(file, fields)| with_file(&file.python_str(), fields))
            .collect(),
        fields => with_file(default_file, fields),
    }
}

fn vertical(id: &str, properties: &Map, files: &IndexMap<String, Vec<Row>>) -> Fields {
    if let Some(axis) = properties.get(&Key::from("y")) {
        return fields_of(axis, id);
    }
    let last = files.get(id).and_then(|rows| rows.first()?.keys().last());
    last.map(|field| (id.to_owned(), field.clone()))
        .into_iter()
        .collect()
}

/// A field alone is one of each file of `y`.
fn horizontal(id: &str, properties: &Map, ys: &Fields) -> Fields {
    match properties.get(&Key::from("x")) {
        None => Fields::new(),
        Some(axis @ Value::Map(_)) => fields_of(axis, id),
        Some(field) => {
            let field = field.python_str();
            ys.iter()
                .map(|(file, _)| (file.clone(), field.clone()))
                .collect()
        }
    }
}

fn column(files: &IndexMap<String, Vec<Row>>, file: &str, field: &str) -> Vec<Option<Value>> {
    let rows = files.get(file).map(Vec::as_slice).unwrap_or_default();
    rows.iter().map(|row| row.get(field).cloned()).collect()
}

fn check_field(files: &IndexMap<String, Vec<Row>>, file: &str, field: &str) -> Result<(), String> {
    let Some(first) = files.get(file).and_then(|rows| rows.first()) else {
        return Ok(());
    };
    if first.contains_key(field) {
        return Ok(());
    }
    let names: Vec<&str> = first.keys().map(String::as_str).collect();
    let closest = strata_diag::closest(field, names.iter().copied());
    let closest = closest.map_or_else(String::new, |name| format!(" Did you mean '{name}'?"));
    Err(format!(
        "Could not find provided field ('{field}') in data fields ('{}').{closest}",
        names.join(", ")
    ))
}

fn labels(properties: &Map, xs: &Fields, ys: &Fields) -> Labels {
    let given = |key: &str| {
        let label = properties.get(&Key::from(key));
        label.map(Value::python_str)
    };
    let inferred = |fields: &Fields, none: &str, many: &str| {
        let mut names: Vec<&str> = fields.iter().map(|(_, field)| field.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        match names[..] {
            [] => none.to_owned(),
            [one] => one.to_owned(),
            _ => many.to_owned(),
        }
    };
    Labels {
        x: given("x_label").unwrap_or_else(|| inferred(xs, STEP, "x")),
        y: given("y_label").unwrap_or_else(|| inferred(ys, "y", "y")),
    }
}

/// The length of the folders that several paths have in common.
fn shared_folders(paths: &[&str]) -> usize {
    let Some(first) = paths.first() else { return 0 };
    if paths.iter().all(|path| path == first) {
        return 0;
    }
    let mut shared = 0;
    for (end, _) in first.match_indices('/') {
        if paths.iter().all(|path| path.starts_with(&first[..=end])) {
            shared = end;
        }
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::json;

    fn rows(text: &str) -> Vec<Row> {
        let value = json(text);
        let rows = value.as_list().unwrap_or_default().iter();
        let row = |row: &Value| {
            let map = row.as_map().cloned().unwrap_or_default();
            map.into_iter()
                .map(|(key, value)| (key.python_str(), value))
                .collect()
        };
        rows.map(row).collect()
    }

    fn found(properties: &str) -> Result<String, String> {
        let files = IndexMap::from_iter([
            (
                "d/a.csv".to_owned(),
                rows(r#"[{"s": 1, "u": 5, "v": 2}, {"s": 2, "u": 6, "v": 3}]"#),
            ),
            (
                "d/b.csv".to_owned(),
                rows(r#"[{"s": 1, "w": 8}, {"s": 2, "w": 9}]"#),
            ),
        ]);
        let properties = json(properties).as_map().cloned().unwrap_or_default();
        let (series, labels) = series("d/a.csv", &properties, &files)?;
        let line = |series: &Series| {
            let pairs = series.pairs.iter();
            let pairs = pairs.map(|(x, y)| format!("{},{}", x.python_str(), y.python_str()));
            format!(
                "{}:{} {}",
                series.file,
                series.field,
                pairs.collect::<Vec<_>>().join(" ")
            )
        };
        let lines: Vec<String> = series.iter().map(line).collect();
        Ok(format!("{} | {} {}", lines.join("; "), labels.x, labels.y))
    }

    #[test]
    fn axes_are_inferred_as_in_dvc() {
        assert_eq!(found("{}").as_deref(), Ok("d/a.csv:v 0,2 1,3 | step v"));
        assert_eq!(
            found(r#"{"x": "s"}"#).as_deref(),
            Ok("d/a.csv:v 1,2 2,3 | s v")
        );
        assert_eq!(
            found(r#"{"x": "s", "y": ["u", "v"], "x_label": "q"}"#).as_deref(),
            Ok("d/a.csv:u 1,5 2,6; d/a.csv:v 1,2 2,3 | q y")
        );
        assert_eq!(
            found(r#"{"x": {"d/a.csv": "s"}, "y": {"d/a.csv": "v", "d/b.csv": "w"}}"#).as_deref(),
            Ok("a.csv:v 1,2 2,3; b.csv:w 1,8 2,9 | s y")
        );
    }

    #[test]
    fn a_field_that_is_not_there_is_an_error_with_the_nearest_one() {
        let error = found(r#"{"x": "s", "y": "vv"}"#).expect_err("no such field");
        assert!(error.contains("('vv')") && error.contains("'v'"), "{error}");
        let error = found(r#"{"x": {"d/a.csv": ["s", "u"]}, "y": "v"}"#);
        assert!(
            error
                .expect_err("two and one")
                .contains("Found 2 x and 1 y")
        );
    }
}
