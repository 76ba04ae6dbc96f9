//! Tables as W&B's pages read them: an artifact of type `run_table` with the columns' types.

use super::WandbError;
use super::run_folder::random_client_id;
use crate::python_json::python_json;
use crate::{Fields, Value};

/// The artifact of a logged table.
#[derive(Debug)]
pub(super) struct TableArtifact {
    /// Of the artifact, within the project.
    pub(super) name: String,
    /// Of the file within the artifact.
    pub(super) entry: String,
    /// Content of the file.
    pub(super) json: String,
    pub(super) client_id: String,
    pub(super) sequence_client_id: String,
}

impl TableArtifact {
    /// Of a table logged under `key` by the run `run_id`.
    pub(super) fn new(
        run_id: &str,
        key: &str,
        columns: &[String],
        data: &[Vec<Value>],
    ) -> Result<Self, WandbError> {
        Ok(Self {
            name: format!("run-{run_id}-{}", collection_name(key)),
            entry: format!("{key}.table.json"),
            json: content(columns, data),
            client_id: random_client_id()?,
            sequence_client_id: random_client_id()?,
        })
    }

    /// How a row refers to this version of the table.
    pub(super) fn address(&self) -> String {
        format!("wandb-client-artifact://{}/{}", self.client_id, self.entry)
    }

    /// How a row refers to the newest version of the table.
    pub(super) fn latest_address(&self) -> String {
        let sequence = &self.sequence_client_id;
        format!("wandb-client-artifact://{sequence}:latest/{}", self.entry)
    }
}

/// Names of artifacts are letters, digits, `_`, `-` and `.`; where others are left out, a digest keeps names apart.
fn collection_name(key: &str) -> String {
    let allowed = |c: &char| c.is_ascii_alphanumeric() || "_-.".contains(*c);
    let kept: String = key.chars().filter(allowed).collect();
    if kept == key {
        kept
    } else {
        let digest = strata_fs::md5_of_bytes(key.as_bytes());
        format!("{kept}-{}", &digest[..8])
    }
}

/// The file as wandb 0.31.0 writes it, keys sorted.
fn content(columns: &[String], data: &[Vec<Value>]) -> String {
    let names: Vec<Value> = columns.iter().cloned().map(Value::String).collect();
    let mut types: Vec<(String, Value)> = columns
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let column = data.iter().filter_map(|row| row.get(index));
            (name.clone(), column_type(column))
        })
        .collect();
    types.sort_by(|a, b| a.0.cmp(&b.0));
    let type_map = map([("type_map", Value::Map(types.into_iter().collect()))]);
    let rows = data.iter().map(|row| Value::List(row.clone())).collect();
    let table = map([
        ("_type", text("table")),
        (
            "column_types",
            map([("params", type_map), ("wb_type", text("typedDict"))]),
        ),
        ("columns", Value::List(names)),
        ("data", Value::List(rows)),
        ("log_mode", text("IMMUTABLE")),
        ("ncols", Value::Integer(columns.len() as i64)),
        ("nrows", Value::Integer(data.len() as i64)),
    ]);
    python_json(&table)
}

/// Nothing or the kind of the values, if they are all of one.
fn column_type<'a>(values: impl Iterator<Item = &'a Value>) -> Value {
    let kind = |value: &Value| match value {
        Value::Null => None,
        Value::Bool(_) => Some("boolean"),
        Value::Integer(_) | Value::Number(_) => Some("number"),
        Value::String(_) | Value::Text(_) => Some("string"),
        _ => Some("any"),
    };
    let mut kinds: Vec<&str> = values.filter_map(kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let of = |kind: &str| map([("wb_type", text(kind))]);
    match kinds.as_slice() {
        [] => of("none"),
        [kind] if *kind != "any" => {
            let mut allowed = ["none", *kind];
            allowed.sort_unstable();
            let allowed = allowed.map(of).to_vec();
            map([
                ("params", map([("allowed_types", Value::List(allowed))])),
                ("wb_type", text("union")),
            ])
        }
        _ => of("any"),
    }
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn map<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let fields = fields.into_iter();
    Value::Map(
        fields
            .map(|(name, value)| (name.to_owned(), value))
            .collect::<Fields>(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of `conformance/tracking/golden/media.wandb.json`, whose digest stands there.
    #[test]
    fn the_file_is_that_of_wandb() {
        let columns = ["letter", "p", "right"].map(str::to_owned);
        let row = |letter: &str, p, right| vec![text(letter), p, Value::Bool(right)];
        let data = [
            row("a", Value::Number(0.5), true),
            row("b", Value::Number(0.25), false),
            row("c", Value::Null, true),
        ];
        let json = content(&columns, &data);
        assert_eq!(json.len(), 555);
        assert_eq!(
            strata_fs::md5_of_bytes(json.as_bytes()),
            "64a89bb71640c7bd03417c70dc442446"
        );
    }

    #[test]
    fn names_are_those_that_the_server_takes() {
        assert_eq!(collection_name("table"), "table");
        let name = collection_name("a/table");
        assert!(name.starts_with("atable-") && name.len() == 15, "{name}");
        assert_ne!(name, collection_name("at/able"));
    }
}
