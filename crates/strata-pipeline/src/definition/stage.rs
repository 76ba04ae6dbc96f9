//! A resolved stage with typed fields.

use indexmap::IndexMap;

use super::error::DefinitionError;
use super::path::normalise;
use super::schema::PLOT_PROPERTIES;
use super::tracked::TrackedPath;
use crate::template::type_name;
use crate::value::{Key, Map, Value};

/// The file of parameters where none is named.
const DEFAULT_PARAMS_FILE: &str = "params.yaml";

/// A stage of a `dvc.yaml` after its templates are filled in.
///
/// Paths are normalised and relative to the stage's folder, as they stand in `dvc.lock`.
#[derive(Debug, Clone, PartialEq)]
pub struct StageDefinition {
    /// The name in the file, `name@key` for a stage of a group.
    pub name: String,
    /// What is run.
    pub cmd: Command,
    /// The stage's folder, from the folder of the `dvc.yaml`; nothing where they are the same.
    pub wdir: Option<String>,
    /// Paths that are read, each once, in the order of the file.
    pub deps: Vec<String>,
    /// Parameters that are read, one request per file.
    pub params: Vec<ParamsRequest>,
    /// Paths that are written: outs, then metrics, then plots.
    pub outs: Vec<OutDefinition>,
    /// Not run again, whatever changes.
    pub frozen: bool,
    /// Run again each time.
    pub always_changed: bool,
    /// A description.
    pub desc: Option<String>,
    /// What the user wants to keep with the stage.
    pub meta: Option<Value>,
}

/// What a stage runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// One text, each line of it a command.
    Text(String),
    /// One command after the other.
    List(Vec<String>),
}

impl Command {
    /// As it stands in `dvc.lock`.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Text(text) => Value::Str(text.clone()),
            Self::List(list) => Value::List(list.iter().map(|text| text.as_str().into()).collect()),
        }
    }
}

/// The parameters that a stage reads from one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParamsRequest {
    /// The file, relative to the stage's folder.
    pub path: String,
    /// Keys joined by dots, each once; nothing for the whole file.
    pub keys: Option<Vec<String>>,
}

/// A path that a stage writes.
#[derive(Debug, Clone, PartialEq)]
pub struct OutDefinition {
    /// The path and how it is kept.
    pub tracked: TrackedPath,
    /// The section it is listed in.
    pub kind: OutKind,
    /// Properties of a plot: `template`, `x`, `y`, `x_label`, `y_label`, `title`, `header`.
    pub plot: Map,
}

/// The section that an output is listed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutKind {
    /// `outs`.
    Out,
    /// `metrics`.
    Metric,
    /// `plots`.
    Plot,
}

impl StageDefinition {
    /// Takes the data of a stage apart; `file` is the path of its `dvc.yaml`, for messages.
    ///
    /// # Errors
    /// A template has brought something that is of no use where it stands, such as a number for a path.
    pub fn from_value(name: &str, value: &Value, file: &str) -> Result<Self, DefinitionError> {
        let reader = Reader {
            file,
            place: format!("stages.{name}"),
        };
        let truth = |key| matches!(value.get(key), Some(Value::Bool(true)));
        let mut outs = Vec::new();
        for (section, kind) in [
            ("outs", OutKind::Out),
            ("metrics", OutKind::Metric),
            ("plots", OutKind::Plot),
        ] {
            outs.extend(reader.outs(section, kind, value.get(section))?);
        }
        let mut deps = reader.paths("deps", value.get("deps"))?;
        let mut seen = std::collections::HashSet::new();
        deps.retain(|dep| seen.insert(dep.clone()));
        Ok(Self {
            name: name.to_owned(),
            cmd: reader.command(value.get("cmd"))?,
            wdir: reader.wdir(value.get("wdir"))?,
            deps,
            params: reader.params(value.get("params"))?,
            outs,
            frozen: truth("frozen"),
            always_changed: truth("always_changed"),
            desc: value.get("desc").map(Value::python_str),
            meta: value.get("meta").cloned(),
        })
    }
}

/// Reads values at places that messages name.
struct Reader<'a> {
    file: &'a str,
    place: String,
}

impl Reader<'_> {
    fn unfit(&self, key: &str, expected: &'static str, found: &Value) -> DefinitionError {
        DefinitionError::Resolved {
            file: self.file.to_owned(),
            key: format!("{}.{key}", self.place),
            expected,
            found: type_name(found),
        }
    }

    fn text(&self, key: &str, value: &Value) -> Result<String, DefinitionError> {
        let text = value
            .as_str()
            .ok_or_else(|| self.unfit(key, "str", value))?;
        Ok(text.to_owned())
    }

    fn texts(&self, key: &str, value: &Value) -> Result<Vec<String>, DefinitionError> {
        let items = value
            .as_list()
            .ok_or_else(|| self.unfit(key, "a list", value))?;
        let items = items.iter().enumerate();
        items
            .map(|(index, item)| self.text(&format!("{key}.{index}"), item))
            .collect()
    }

    fn command(&self, value: Option<&Value>) -> Result<Command, DefinitionError> {
        match value {
            Some(Value::Str(text)) => Ok(Command::Text(text.clone())),
            Some(list @ Value::List(_)) => Ok(Command::List(self.texts("cmd", list)?)),
            other => Err(self.unfit("cmd", "str or a list", other.unwrap_or(&Value::Null))),
        }
    }

    fn wdir(&self, value: Option<&Value>) -> Result<Option<String>, DefinitionError> {
        let Some(value) = value else {
            return Ok(None);
        };
        let path = normalise(&self.text("wdir", value)?);
        Ok((path != ".").then_some(path))
    }

    fn paths(&self, key: &str, value: Option<&Value>) -> Result<Vec<String>, DefinitionError> {
        let texts = value.map_or(Ok(Vec::new()), |value| self.texts(key, value))?;
        Ok(texts.iter().map(|text| normalise(text)).collect())
    }

    /// One request per file. A file that is listed whole anywhere loses its keys.
    fn params(&self, value: Option<&Value>) -> Result<Vec<ParamsRequest>, DefinitionError> {
        let items = value.and_then(Value::as_list).unwrap_or_default();
        let mut files: IndexMap<String, Option<Vec<String>>> = IndexMap::new();
        for (index, item) in items.iter().enumerate() {
            match item {
                Value::Str(key) => add_key(&mut files, DEFAULT_PARAMS_FILE, key.clone()),
                Value::Map(map) => {
                    for (path, keys) in map {
                        let place = format!("params.{index}.{}", path.python_str());
                        let path = normalise(&self.text(&place, &path.to_value())?);
                        self.add_file(&mut files, path, &place, keys)?;
                    }
                }
                other => {
                    let place = format!("params.{index}");
                    return Err(self.unfit(&place, "str or a dictionary", other));
                }
            }
        }
        let requests = files.into_iter();
        Ok(requests
            .map(|(path, keys)| ParamsRequest { path, keys })
            .collect())
    }

    fn add_file(
        &self,
        files: &mut IndexMap<String, Option<Vec<String>>>,
        path: String,
        place: &str,
        keys: &Value,
    ) -> Result<(), DefinitionError> {
        let keys = match keys {
            Value::Null => Vec::new(),
            other => self.texts(place, other)?,
        };
        if keys.is_empty() {
            files.insert(path, None);
        } else {
            for key in keys {
                add_key(files, &path, key);
            }
        }
        Ok(())
    }

    /// The outputs of one section. A path that is listed twice gathers the flags of both.
    fn outs(
        &self,
        section: &str,
        kind: OutKind,
        value: Option<&Value>,
    ) -> Result<Vec<OutDefinition>, DefinitionError> {
        let items = value.and_then(Value::as_list).unwrap_or_default();
        let mut merged: IndexMap<String, Map> = IndexMap::new();
        for (index, item) in items.iter().enumerate() {
            let place = format!("{section}.{index}");
            match item {
                Value::Map(map) => {
                    for (path, flags) in map {
                        let path = self.text(&place, &path.to_value())?;
                        let Value::Map(flags) = flags else {
                            let place = format!("{place}.{path}");
                            return Err(self.unfit(&place, "a dictionary", flags));
                        };
                        merged.entry(path).or_default().extend(flags.clone());
                    }
                }
                other => {
                    merged.entry(self.text(&place, other)?).or_default();
                }
            }
        }
        let outs = merged.into_iter();
        outs.map(|(path, flags)| {
            OutDefinition::from_flags(&path, kind, &flags, |key, value| {
                self.text(&format!("{section}.{path}.{key}"), value)
            })
        })
        .collect()
    }
}

fn add_key(files: &mut IndexMap<String, Option<Vec<String>>>, path: &str, key: String) {
    let keys = files
        .entry(path.to_owned())
        .or_insert_with(|| Some(Vec::new()));
    if let Some(keys) = keys
        && !keys.contains(&key)
    {
        keys.push(key);
    }
}

impl OutDefinition {
    fn from_flags(
        path: &str,
        kind: OutKind,
        flags: &Map,
        text: impl Fn(&str, &Value) -> Result<String, DefinitionError>,
    ) -> Result<Self, DefinitionError> {
        let property = |key: &Key| {
            let key = key.as_str();
            PLOT_PROPERTIES.iter().any(|(name, _)| key == Some(*name))
        };
        let plot = flags.iter().filter(|(key, _)| property(key));
        Ok(Self {
            tracked: TrackedPath::from_flags(path, flags, text)?,
            kind,
            plot: plot
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::json;

    fn stage(text: &str) -> StageDefinition {
        StageDefinition::from_value("s", &json(text), "dvc.yaml").expect("it is a stage")
    }

    #[test]
    fn paths_are_normal_and_dependencies_are_listed_once() {
        let stage =
            stage(r#"{"cmd": "x", "wdir": "./w/", "deps": ["./a", "b/", "a"], "outs": ["./o/"]}"#);
        assert_eq!(stage.wdir.as_deref(), Some("w"));
        assert_eq!(stage.deps, ["a", "b"]);
        assert_eq!(stage.outs[0].tracked.path, "o");
    }

    #[test]
    fn a_file_that_is_listed_whole_loses_its_keys() {
        let stage = stage(
            r#"{"cmd": "x", "params": ["lr", {"p.yaml": ["a", "b"]}, {"params.yaml": null}, "wd", {"p.yaml": ["a"], "q.yaml": []}]}"#,
        );
        let request = |path: &str, keys: Option<&[&str]>| ParamsRequest {
            path: path.to_owned(),
            keys: keys.map(|keys| keys.iter().map(|key| (*key).to_owned()).collect()),
        };
        assert_eq!(
            stage.params,
            [
                request("params.yaml", None),
                request("p.yaml", Some(&["a", "b"])),
                request("q.yaml", None)
            ]
        );
    }

    #[test]
    fn outputs_have_kinds_flags_and_properties() {
        let stage = stage(
            r#"{"cmd": ["x", "y"], "plots": [{"p.csv": {"x": "step", "header": true, "cache": false}}], "metrics": ["m.json"],
                "outs": ["o", {"o": {"persist": true}}, {"q": {"push": false, "remote": "r", "desc": "d", "type": "t", "labels": ["l"], "meta": [1]}}]}"#,
        );
        let kinds: Vec<_> = stage
            .outs
            .iter()
            .map(|out| (out.tracked.path.as_str(), out.kind))
            .collect();
        assert_eq!(
            kinds,
            [
                ("o", OutKind::Out),
                ("q", OutKind::Out),
                ("m.json", OutKind::Metric),
                ("p.csv", OutKind::Plot)
            ]
        );
        let o = &stage.outs[0].tracked;
        assert!(o.persist && o.cache && o.push);
        let q = &stage.outs[1].tracked;
        assert_eq!(
            (q.push, q.remote.as_deref(), q.desc.as_deref()),
            (false, Some("r"), Some("d"))
        );
        assert_eq!(
            (q.type_.as_deref(), q.labels.as_slice()),
            (Some("t"), &["l".to_owned()][..])
        );
        let plot = &stage.outs[3];
        assert!(!plot.tracked.cache);
        assert_eq!(
            Value::Map(plot.plot.clone()),
            json(r#"{"x": "step", "header": true}"#)
        );
        assert_eq!(stage.cmd.to_value(), json(r#"["x", "y"]"#));
    }

    #[test]
    fn a_number_is_no_path() {
        let error =
            StageDefinition::from_value("s", &json(r#"{"cmd": "x", "outs": [3]}"#), "dvc.yaml");
        assert_eq!(
            error.expect_err("a number").to_string(),
            "'stages.s.outs.0' in 'dvc.yaml' is resolved to int, expected str"
        );
    }
}
