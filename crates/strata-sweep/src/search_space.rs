//! What a search varies, between the language of overrides and that of studies.

use std::sync::Arc;

use indexmap::IndexMap;
use strata_config::{Composition, Distribution as Declared, Value};
use strata_json::{Json, float_text};
use strata_study::{Condition, Distribution, InvalidSpace, Parameter, SearchSpace, Trial};

use crate::error::SweepError;

/// What a search varies, and what it leaves as it is.
pub(crate) struct Space {
    space: SearchSpace,
    /// The canonical texts of a categorical parameter's choices.
    texts: IndexMap<String, Vec<String>>,
    fixed: IndexMap<String, String>,
}

impl Space {
    /// The space of a composition, with the conditions of `hydra.sweeper.when`.
    pub(crate) fn of(composition: &Composition) -> Result<Self, SweepError> {
        let declared = composition.search_space()?;
        let mut conditions = conditions(composition)?;
        let mut texts = IndexMap::new();
        let mut parameters = Vec::new();
        for (name, distribution) in &declared.distributions {
            let studied = match distribution {
                Declared::Categorical { choices } => {
                    let of_choices = choices.iter().map(|(_, text)| text.clone());
                    texts.insert(name.clone(), of_choices.collect());
                    Distribution::categorical(
                        choices.iter().map(|(value, _)| json(value)).collect(),
                    )
                }
                Declared::Int {
                    low,
                    high,
                    step,
                    log,
                } => Distribution::int(*low, *high, *log, *step),
                Declared::Float {
                    low,
                    high,
                    step,
                    log,
                } => Distribution::float(*low, *high, *log, *step),
            };
            let distribution = studied.map_err(|problem| InvalidSpace::Distribution {
                name: name.clone(),
                problem,
            })?;
            parameters.push(Parameter {
                name: name.clone(),
                distribution: Arc::new(distribution),
                when: conditions.shift_remove(name),
            });
        }
        if let Some((name, _)) = conditions.first() {
            let title = format!("`hydra.sweeper.when` is about `{name}`, which is not varied");
            return Err(composition
                .error_at("hydra.sweeper.when", &title, None)
                .into());
        }
        Ok(Self {
            space: SearchSpace::new(parameters)?,
            texts,
            fixed: declared.fixed,
        })
    }

    pub(crate) fn space(&self) -> &SearchSpace {
        &self.space
    }

    pub(crate) fn distributions(&self) -> &[Parameter] {
        self.space.parameters()
    }

    /// What all jobs share, as attributes of their trials.
    pub(crate) fn fixed(&self) -> &IndexMap<String, String> {
        &self.fixed
    }

    /// The overrides of a job: what is searched first, then what is fixed, as Hydra's Optuna sweeper has it.
    pub(crate) fn overrides(&self, values: &IndexMap<String, Json>, trial: &Trial) -> Vec<String> {
        let searched = values.iter().map(|(name, value)| {
            let text = match (self.texts.get(name), trial.params.get(name)) {
                (Some(texts), Some(param)) => texts[param.internal as usize].clone(),
                _ => text_of(value),
            };
            format!("{name}={text}")
        });
        let fixed = self.fixed.iter().map(|(name, text)| {
            if name.starts_with('~') && text == "null" {
                name.clone()
            } else {
                format!("{name}={text}")
            }
        });
        searched.chain(fixed).collect()
    }

    /// Every value of every parameter.
    pub(crate) fn grid(&self) -> Result<Vec<(String, Vec<Json>)>, InvalidSpace> {
        let parameters = self.space.parameters().iter();
        let columns = parameters.map(|parameter| {
            let distribution = &parameter.distribution;
            let Some(count) = distribution.count() else {
                return Err(InvalidSpace::Shape(format!(
                    "the grid sampler cannot try all values of `{}`; give a choice or a range",
                    parameter.name
                )));
            };
            let values = (0..count).map(|i| match **distribution {
                Distribution::Float { low, step, .. } => {
                    Json::Float(low + i as f64 * step.unwrap_or(0.0))
                }
                Distribution::Int { low, step, .. } => Json::Int(low + i as i64 * step),
                Distribution::Categorical { ref choices } => choices[i as usize].clone(),
            });
            Ok((parameter.name.clone(), values.collect()))
        });
        columns.collect()
    }
}

/// The conditions of `hydra.sweeper.when`: `{key: {param: other.key, in: [a, b]}}` or `{param: …, ge: 2}`.
fn conditions(composition: &Composition) -> Result<IndexMap<String, Condition>, SweepError> {
    let Some(node) = composition.select("hydra.sweeper.when")? else {
        return Ok(IndexMap::new());
    };
    if matches!(node.value, Value::Null) {
        return Ok(IndexMap::new());
    }
    let conditions: serde_json::Value = composition.extract("hydra.sweeper.when")?;
    let fields = conditions.as_object().into_iter().flatten();
    let read = fields.map(|(name, condition)| {
        let condition = Condition::from_json(&json(condition))?;
        Ok((name.clone(), condition))
    });
    read.collect()
}

/// A number as an override.
fn text_of(value: &Json) -> String {
    match value {
        Json::Float(number) => float_text(*number),
        Json::Int(number) => number.to_string(),
        Json::Bool(truth) => truth.to_string(),
        Json::Str(text) => text.clone(),
        _ => "null".to_owned(),
    }
}

fn json(value: &serde_json::Value) -> Json {
    match value {
        serde_json::Value::Null => Json::Null,
        serde_json::Value::Bool(truth) => Json::Bool(*truth),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(whole) => Json::Int(whole),
            None => Json::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        serde_json::Value::String(text) => Json::Str(text.clone()),
        serde_json::Value::Array(items) => Json::List(items.iter().map(json).collect()),
        serde_json::Value::Object(fields) => {
            let fields = fields.iter();
            Json::Map(
                fields
                    .map(|(name, value)| (name.clone(), json(value)))
                    .collect(),
            )
        }
    }
}
