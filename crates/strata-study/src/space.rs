//! The parameters that a trial has, and under which conditions.

use std::sync::Arc;

use indexmap::IndexMap;
use strata_json::Json;

use crate::{ActiveTrial, Distribution, InvalidDistribution, StorageError};

/// The parameters of a search, in the order in which they are drawn.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SearchSpace {
    parameters: Vec<Parameter>,
}

/// A parameter of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What its values are drawn from.
    pub distribution: Arc<Distribution>,
    /// When it exists; always without a condition.
    pub when: Option<Condition>,
}

/// When a parameter exists: if another one exists and has certain values.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// `{param: opt, in: [sgd, adam]}`: it has one of the values.
    In {
        /// The other parameter.
        param: String,
        /// Its values.
        values: Vec<Json>,
    },
    /// `{param: n_layers, ge: 2}`: it has at least this value.
    AtLeast {
        /// The other parameter.
        param: String,
        /// The least value.
        least: f64,
    },
}

/// Why something is no search space.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSpace {
    /// It is not written as one.
    #[error("{0}")]
    Shape(String),
    /// A parameter has no valid distribution.
    #[error("parameter `{name}`: {problem}")]
    Distribution {
        /// The parameter.
        name: String,
        /// What is wrong.
        problem: InvalidDistribution,
    },
    /// Two parameters share a name.
    #[error("there are two parameters `{0}`")]
    Duplicate(String),
    /// A condition names a parameter that does not come before it.
    #[error("the condition of `{name}` is about `{parent}`, which is no parameter before it{hint}")]
    UnknownParent {
        /// The parameter with the condition.
        name: String,
        /// What it names.
        parent: String,
        /// The closest name that would do.
        hint: String,
    },
}

impl Condition {
    /// The parameter that it is about.
    pub fn parent(&self) -> &str {
        match self {
            Self::In { param, .. } | Self::AtLeast { param, .. } => param,
        }
    }

    /// Whether it holds, given the values of the parameters that exist.
    pub fn holds(&self, values: &IndexMap<String, Json>) -> bool {
        match self {
            Self::In {
                param,
                values: wanted,
            } => values
                .get(param)
                .is_some_and(|value| wanted.contains(value)),
            Self::AtLeast { param, least } => {
                let value = values.get(param).and_then(Json::as_f64);
                value.is_some_and(|value| value >= *least)
            }
        }
    }

    /// Reads `{"param": …, "in": […]}` or `{"param": …, "ge": …}`.
    ///
    /// # Errors
    /// It is neither.
    pub fn from_json(json: &Json) -> Result<Self, InvalidSpace> {
        let param = json.get("param").and_then(Json::as_str).map(str::to_owned);
        let values = json.get("in").and_then(Json::as_list).map(<[Json]>::to_vec);
        let least = json.get("ge").and_then(Json::as_f64);
        match (param, values, least) {
            (Some(param), Some(values), None) => Ok(Self::In { param, values }),
            (Some(param), None, Some(least)) => Ok(Self::AtLeast { param, least }),
            _ => Err(InvalidSpace::Shape(
                "a condition is `{param: NAME, in: [VALUES]}` or `{param: NAME, ge: NUMBER}`"
                    .to_owned(),
            )),
        }
    }
}

impl SearchSpace {
    /// A space of these parameters.
    ///
    /// # Errors
    /// Two share a name, or a condition is about none before it.
    pub fn new(parameters: Vec<Parameter>) -> Result<Self, InvalidSpace> {
        for (i, parameter) in parameters.iter().enumerate() {
            let before = &parameters[..i];
            if before.iter().any(|other| other.name == parameter.name) {
                return Err(InvalidSpace::Duplicate(parameter.name.clone()));
            }
            let Some(condition) = &parameter.when else {
                continue;
            };
            let names = || before.iter().map(|other| other.name.as_str());
            if !names().any(|name| name == condition.parent()) {
                let closest = strata_diag::closest(condition.parent(), names());
                return Err(InvalidSpace::UnknownParent {
                    name: parameter.name.clone(),
                    parent: condition.parent().to_owned(),
                    hint: closest
                        .map_or_else(String::new, |name| format!("; did you mean `{name}`?")),
                });
            }
        }
        Ok(Self { parameters })
    }

    /// The parameters, in the order in which they are drawn.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Whether every parameter exists in every trial.
    pub fn is_unconditional(&self) -> bool {
        self.parameters
            .iter()
            .all(|parameter| parameter.when.is_none())
    }

    /// Draws the parameters of a trial that exist.
    ///
    /// # Errors
    /// The storage fails.
    pub fn suggest(
        &self,
        trial: &mut ActiveTrial<'_>,
    ) -> Result<IndexMap<String, Json>, StorageError> {
        let mut values = IndexMap::new();
        for parameter in &self.parameters {
            let exists = parameter
                .when
                .as_ref()
                .is_none_or(|when| when.holds(&values));
            if exists {
                let value = trial.suggest(&parameter.name, &parameter.distribution)?;
                values.insert(parameter.name.clone(), value);
            }
        }
        Ok(values)
    }

    /// Reads a list of `{"name": …, "type": "float"|"int"|"categorical", …, "when": …}`.
    ///
    /// # Errors
    /// It is no such list.
    pub fn from_json(json: &Json) -> Result<Self, InvalidSpace> {
        let list = json.as_list();
        let list = list.ok_or_else(|| InvalidSpace::Shape("a space is a list".to_owned()))?;
        let parameters: Result<Vec<Parameter>, InvalidSpace> =
            list.iter().map(parameter_from_json).collect();
        Self::new(parameters?)
    }
}

fn parameter_from_json(json: &Json) -> Result<Parameter, InvalidSpace> {
    let shape = |problem: String| InvalidSpace::Shape(problem);
    let name = json.get("name").and_then(Json::as_str);
    let name = name.ok_or_else(|| shape("a parameter has no `name`".to_owned()))?;
    let number = |key: &str| {
        let value = json.get(key).and_then(Json::as_f64);
        value.ok_or_else(|| shape(format!("parameter `{name}` has no number `{key}`")))
    };
    let whole = |key: &str| {
        let value = json.get(key).and_then(Json::as_i64);
        value.ok_or_else(|| shape(format!("parameter `{name}` has no whole number `{key}`")))
    };
    let log = json.get("log") == Some(&Json::Bool(true));
    let has_step = json.get("step").is_some_and(|step| *step != Json::Null);
    let distribution = match json.get("type").and_then(Json::as_str) {
        Some("float") => {
            let step = has_step.then(|| number("step")).transpose()?;
            Distribution::float(number("low")?, number("high")?, log, step)
        }
        Some("int") => {
            let step = if has_step { whole("step")? } else { 1 };
            Distribution::int(whole("low")?, whole("high")?, log, step)
        }
        Some("categorical") => {
            let choices = json.get("choices").and_then(Json::as_list);
            Distribution::categorical(choices.unwrap_or_default().to_vec())
        }
        _ => {
            return Err(shape(format!(
                "parameter `{name}` needs a `type`: float, int or categorical"
            )));
        }
    };
    let distribution = distribution.map_err(|problem| InvalidSpace::Distribution {
        name: name.to_owned(),
        problem,
    })?;
    let when = json.get("when").map(Condition::from_json).transpose()?;
    Ok(Parameter {
        name: name.to_owned(),
        distribution: Arc::new(distribution),
        when,
    })
}
