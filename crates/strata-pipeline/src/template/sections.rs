//! The sections of a `dvc.yaml` beside its stages.

use super::context::Scope;
use super::expression;
use super::interpolate::{Site, resolve};
use super::resolver::Resolver;
use super::text::type_name;
use crate::definition::DefinitionError;
use crate::value::{Key, Map, Value};

/// The sections of a `dvc.yaml` beside its stages, with templates filled in; paths are as they are written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TopLevel {
    /// Files of parameters.
    pub params: Vec<String>,
    /// Files of metrics.
    pub metrics: Vec<String>,
    /// Plots: paths, or mappings from an id to properties.
    pub plots: Vec<Value>,
    /// Artifacts by name.
    pub artifacts: Map,
    /// Datasets.
    pub datasets: Vec<Value>,
}

impl Resolver<'_> {
    /// The other sections of the file.
    ///
    /// # Errors
    /// A template of these sections is wrong.
    pub fn top_level(&self) -> Result<TopLevel, DefinitionError> {
        let mut artifacts = Map::new();
        let section = self.dvcfile.get("artifacts").and_then(Value::as_map);
        for (name, data) in section.into_iter().flatten() {
            let place = format!("artifacts.{}", name.python_str());
            let resolved = self.resolve_top(&place, &name.to_value())?;
            let Value::Str(resolved) = resolved else {
                return Err(self.unfit(place, "str", &resolved));
            };
            artifacts.insert(Key::Str(resolved), self.resolve_top(&place, data)?);
        }
        Ok(TopLevel {
            params: self.section_texts("params")?,
            metrics: self.section_texts("metrics")?,
            plots: self.section("plots")?,
            artifacts,
            datasets: self.section("datasets")?,
        })
    }

    fn section(&self, name: &str) -> Result<Vec<Value>, DefinitionError> {
        let items = self.dvcfile.get(name).and_then(Value::as_list);
        let items = items.unwrap_or_default().iter().enumerate();
        items
            .map(|(index, item)| self.resolve_top(&format!("{name}.{index}"), item))
            .collect()
    }

    fn section_texts(&self, name: &str) -> Result<Vec<String>, DefinitionError> {
        let items = self.section(name)?.into_iter().enumerate();
        let texts = items.map(|(index, item)| match item {
            Value::Str(text) => Ok(text),
            other => Err(self.unfit(format!("{name}.{index}"), "str", &other)),
        });
        texts.collect()
    }

    fn resolve_top(&self, place: &str, value: &Value) -> Result<Value, DefinitionError> {
        let scope = Scope::new(&self.context, Vec::new());
        expression::check(value)
            .and_then(|()| resolve(&scope, Site::Anything, value))
            .map_err(|problem| self.error_at(place, problem))
    }

    fn unfit(&self, key: String, expected: &'static str, found: &Value) -> DefinitionError {
        DefinitionError::Resolved {
            file: self.file.clone(),
            key,
            expected,
            found: type_name(found),
        }
    }
}
