//! Values of a logged row: objects with `_type` are pictures, histograms, tables and texts.

use std::path::PathBuf;

use super::LineError;
use super::object::Object;
use crate::{Fields, Histogram, Image, Value};

/// What `_type` may be.
const TYPES: [&str; 5] = ["image", "images", "histogram", "table", "text"];

/// W&B's number of bins if none is given.
const DEFAULT_BINS: u64 = 64;

/// The row with its typed objects read.
pub(super) fn read_fields(fields: Fields) -> Result<Fields, LineError> {
    let read = |(name, value)| Ok((name, read(value)?));
    fields.into_iter().map(read).collect()
}

fn read(value: Value) -> Result<Value, LineError> {
    match value {
        Value::List(items) => {
            let items = items.into_iter().map(read);
            items.collect::<Result<_, _>>().map(Value::List)
        }
        Value::Map(mut fields) => match fields.shift_remove("_type") {
            None => read_fields(fields).map(Value::Map),
            Some(Value::String(kind)) => typed(&kind, Value::Map(fields)),
            Some(other) => Err(LineError::wrong_type("_type", "a string", &other)),
        },
        plain => Ok(plain),
    }
}

fn typed(kind: &str, value: Value) -> Result<Value, LineError> {
    match kind {
        "image" => image(value).map(Value::Image),
        "images" => images(value).map(Value::Images),
        "histogram" => histogram(value).map(Value::Histogram),
        "table" => table(value),
        "text" => {
            let mut object = Object::new("text", value)?;
            let text = object.required_text("text")?;
            object.end(&["text"])?;
            Ok(Value::Text(text))
        }
        unknown => Err(LineError::UnknownType {
            name: unknown.to_owned(),
            known: &TYPES,
        }),
    }
}

fn image(value: Value) -> Result<Image, LineError> {
    let mut object = Object::new("image", value)?;
    let image = Image {
        file: PathBuf::from(object.required_text("file")?),
        caption: object.text("caption")?,
    };
    object.end(&["file", "caption"])?;
    Ok(image)
}

fn images(value: Value) -> Result<Vec<Image>, LineError> {
    let mut object = Object::new("images", value)?;
    let items = object.list("items")?;
    object.end(&["items"])?;
    let item = |value| match value {
        Value::Map(mut fields) => {
            fields.shift_remove("_type");
            image(Value::Map(fields))
        }
        other => image(other),
    };
    items.into_iter().map(item).collect()
}

fn histogram(value: Value) -> Result<Histogram, LineError> {
    let mut object = Object::new("histogram", value)?;
    if object.has("values") {
        let values = object.numbers("values")?;
        let bins = object.step("bins")?.unwrap_or(DEFAULT_BINS);
        object.end(&["values", "bins"])?;
        if !(1..=512).contains(&bins) {
            return Err(LineError::Invalid {
                place: "histogram.bins".to_owned(),
                problem: "it must be from 1 to 512",
            });
        }
        let bins = bins as usize;
        return Ok(Histogram::Values { values, bins });
    }
    let counts = object.numbers("counts")?;
    let edges = object.numbers("edges")?;
    object.end(&["counts", "edges"])?;
    let invalid = |place: &str, problem| LineError::Invalid {
        place: place.to_owned(),
        problem,
    };
    if counts.is_empty() || counts.len() + 1 != edges.len() {
        let problem = "there must be one more edge than counts";
        return Err(invalid("histogram.edges", problem));
    }
    if !edges.iter().all(|edge| edge.is_finite()) || !edges.is_sorted_by(|a, b| a < b) {
        let problem = "edges must be finite and ascending";
        return Err(invalid("histogram.edges", problem));
    }
    if !counts
        .iter()
        .all(|count| count.is_finite() && *count >= 0.0)
    {
        let problem = "counts must be finite and not negative";
        return Err(invalid("histogram.counts", problem));
    }
    Ok(Histogram::Counts { counts, edges })
}

fn table(value: Value) -> Result<Value, LineError> {
    let mut object = Object::new("table", value)?;
    let columns = object.texts("columns")?.unwrap_or_default();
    let rows = object.list("data")?;
    object.end(&["columns", "data"])?;
    let row = |row| match row {
        Value::List(cells) if cells.len() == columns.len() => cells.into_iter().map(read).collect(),
        _ => Err(LineError::Invalid {
            place: "table.data".to_owned(),
            problem: "every row must be a list with a value for each column",
        }),
    };
    let data = rows.into_iter().map(row).collect::<Result<_, _>>()?;
    Ok(Value::Table { columns, data })
}
