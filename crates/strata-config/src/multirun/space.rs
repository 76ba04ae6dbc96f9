//! The distributions that overrides describe, as Hydra's Optuna sweeper (1.3, Optuna 2.10) reads them.

use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use crate::composition::Composition;
use crate::error::ConfigError;
use crate::json::element_json;
use crate::node::{Node, Value};
use crate::overrides::ast::{Element, Override, OverrideValue, Range, Sweep};
use crate::overrides::element::text_of;
use crate::overrides::parser::parse_override;
use crate::overrides::sweep::decimal;
use crate::python;

/// What a search varies, and what it leaves as it is.
#[derive(Debug, Clone, Default)]
pub struct SearchSpace {
    /// The distribution of each key, in the order given; a key has its prefix, as in `+x`.
    pub distributions: IndexMap<String, Distribution>,
    /// The canonical text of each fixed key.
    pub fixed: IndexMap<String, String>,
}

/// What a key's values are drawn from.
#[derive(Debug, Clone, PartialEq)]
pub enum Distribution {
    /// One of several values; each with the canonical text that a job's override carries.
    Categorical {
        /// The values: a string, a number or a boolean each.
        choices: Vec<(Json, String)>,
    },
    /// An integer.
    Int {
        /// The least.
        low: i64,
        /// The greatest, included; a whole number of steps above the least.
        high: i64,
        /// The distance between neighbours.
        step: i64,
        /// Drawn on a logarithmic scale.
        log: bool,
    },
    /// A float.
    Float {
        /// The least.
        low: f64,
        /// The greatest; included if there is a step.
        high: f64,
        /// The distance between neighbours; none for any value.
        step: Option<f64>,
        /// Drawn on a logarithmic scale.
        log: bool,
    },
}

impl SearchSpace {
    /// Reads overrides as typed.
    ///
    /// # Errors
    /// What the grammar refuses, and sweeps that are no distribution: `glob(…)`, bounds the wrong way
    /// round, a logarithm of nothing.
    pub fn from_overrides<S: AsRef<str>>(overrides: &[S]) -> Result<Self, ConfigError> {
        let mut space = Self::default();
        for text in overrides {
            space.take(&parse_override(text.as_ref())?)?;
        }
        Ok(space)
    }

    /// What `hydra.sweeper.search_space` says, then `params`, then the overrides that are not about the hydra node;
    /// the last word on a key counts.
    pub(crate) fn of_composition(
        composition: &Composition,
        params: Vec<Override>,
    ) -> Result<Self, ConfigError> {
        let mut space = Self::default();
        if let Some(node) = composition.select("hydra.sweeper.search_space")? {
            for (key, node) in node.as_map().into_iter().flatten() {
                let distribution = declared(node).map_err(|problem| {
                    let title = format!("`hydra.sweeper.search_space.{key}`: {problem}");
                    ConfigError::at(title, node.origin.as_ref(), "this distribution")
                })?;
                space.distributions.insert(key.to_string(), distribution);
            }
        }
        let of_task = composition.overrides().iter();
        let of_task = of_task.filter(|override_| !crate::hydra_node::is_of_hydra(override_));
        let said = params.iter().chain(of_task);
        let said: IndexMap<String, &Override> = said
            .map(|override_| (override_.left_side(), override_))
            .collect();
        for (key, override_) in said {
            space.distributions.shift_remove(&key);
            space.take(override_)?;
        }
        Ok(space)
    }

    fn take(&mut self, override_: &Override) -> Result<(), ConfigError> {
        let key = override_.left_side();
        let fixed = match &override_.value {
            Some(OverrideValue::Sweep(sweep)) => {
                let distribution = distribution(sweep).map_err(|problem| {
                    let title = format!("`{}` is no search space: {problem}", override_.text());
                    ConfigError::at(title, Some(&sweep_span(override_)), "this sweep")
                })?;
                self.distributions.insert(key, distribution);
                return Ok(());
            }
            Some(OverrideValue::Element(element)) => text_of(element),
            None => "null".to_owned(),
        };
        self.fixed.insert(key, fixed);
        Ok(())
    }

    /// The form of `strata config search-space`.
    pub fn to_json(&self) -> Json {
        let space = self.distributions.iter();
        let space: serde_json::Map<String, Json> = space
            .map(|(key, distribution)| (key.clone(), distribution.to_json()))
            .collect();
        json!({"space": space, "fixed": self.fixed})
    }
}

fn sweep_span(override_: &Override) -> strata_diag::Span {
    let text = override_.text();
    let start = text.find('=').map_or(0, |at| at + 1);
    strata_diag::Span::new(&override_.source, start..text.len())
}

impl Distribution {
    fn to_json(&self) -> Json {
        match self {
            Self::Categorical { choices } => {
                let choices: Vec<&Json> = choices.iter().map(|(value, _)| value).collect();
                json!({"type": "categorical", "choices": choices})
            }
            Self::Int {
                low,
                high,
                step,
                log,
            } => json!({"type": "int", "low": low, "high": high, "step": step, "log": log}),
            Self::Float {
                low,
                high,
                step,
                log,
            } => json!({"type": "float", "low": low, "high": high, "step": step, "log": log}),
        }
    }
}

/// The older form: `{type: float, low: 0, high: 1, step: 0.1, log: false}`, `{type: categorical, choices: [a, b]}`.
fn declared(node: &Node) -> Result<Distribution, String> {
    let number = |key: &str| match node.child(key).map(|node| &node.value) {
        Some(Value::Int(number)) => Ok(*number as f64),
        Some(Value::Float(number)) => Ok(*number),
        _ => Err(format!("a number `{key}` is needed")),
    };
    let whole = |key: &str| match node.child(key).map(|node| &node.value) {
        Some(Value::Int(number)) => Ok(*number),
        _ => Err(format!("a whole number `{key}` is needed")),
    };
    let has = |key: &str| {
        node.child(key)
            .is_some_and(|node| !matches!(node.value, Value::Null))
    };
    let log = matches!(
        node.child("log").map(|node| &node.value),
        Some(Value::Bool(true))
    );
    match node.child("type").and_then(Node::as_str) {
        Some("int") => {
            let step = if has("step") { whole("step")? } else { 1 };
            integers(whole("low")?, whole("high")?, step, log)
        }
        Some("float") => {
            let step = has("step").then(|| number("step")).transpose()?;
            floats(number("low")?, number("high")?, step, log)
        }
        Some("categorical") => {
            let choices = match node.child("choices").map(|node| &node.value) {
                Some(Value::List(items)) => items.as_slice(),
                _ => &[],
            };
            if choices.is_empty() {
                return Err("there is nothing to choose from".to_owned());
            }
            let choices = choices.iter().map(|node| {
                let value = match &node.value {
                    Value::Bool(truth) => Json::from(*truth),
                    Value::Int(number) => Json::from(*number),
                    Value::Float(number) => Json::from(*number),
                    _ => Json::from(python::str_of(node)),
                };
                let text = match &node.value {
                    Value::Str(text) => text_of(&Element::Str(text.clone())),
                    _ => value.to_string(),
                };
                (value, text)
            });
            Ok(Distribution::Categorical {
                choices: choices.collect(),
            })
        }
        _ => Err("`type` is one of float, int, categorical".to_owned()),
    }
}

fn distribution(sweep: &Sweep) -> Result<Distribution, String> {
    match sweep {
        Sweep::Choice(_) => categorical(sweep),
        Sweep::Range(range) => of_range(range),
        Sweep::Interval(interval) => {
            let log = interval.tags.contains("log");
            match (&interval.start, &interval.end) {
                (Element::Int(low), Element::Int(high)) => integers(*low, *high, 1, log),
                (low, high) => floats(number(low)?, number(high)?, None, log),
            }
        }
        Sweep::Glob(_) => {
            Err("a glob has no distribution; name the options: `choice(…)`".to_owned())
        }
    }
}

fn categorical(sweep: &Sweep) -> Result<Distribution, String> {
    let values = sweep.values().map_err(|problem| problem.what)?;
    if values.is_empty() {
        return Err("there is nothing to choose from".to_owned());
    }
    let choices = values.iter().map(|element| {
        let text = text_of(element);
        let value = match element {
            Element::Bool(_)
            | Element::Int(_)
            | Element::BigInt(_)
            | Element::Float(_)
            | Element::Str(_) => element_json(element),
            _ => Json::String(text.clone()),
        };
        (value, text)
    });
    Ok(Distribution::Categorical {
        choices: choices.collect(),
    })
}

fn of_range(range: &Range) -> Result<Distribution, String> {
    let is_float = |element: &Element| matches!(element, Element::Float(_));
    if [&range.start, &range.stop, &range.step]
        .into_iter()
        .any(is_float)
    {
        let step = number(&range.step)?;
        let low = number(&range.start)?;
        let high = last_step(range).unwrap_or(number(&range.stop)?);
        let step = (step != 0.0).then_some(step);
        return floats(low, high, step, false);
    }
    let step = match integer(&range.step)? {
        0 => 1,
        step => step,
    };
    integers(integer(&range.start)?, integer(&range.stop)?, step, false)
}

/// The greatest point of a range of floats, counted in decimals so that 0.1 goes ten times into 1.
fn last_step(range: &Range) -> Option<f64> {
    let shortest = |element: &Element| match element {
        Element::Float(number) => format!("{number}").parse::<bigdecimal::BigDecimal>().ok(),
        other => decimal(other).ok(),
    };
    let (low, high, step) = (
        shortest(&range.start)?,
        shortest(&range.stop)?,
        shortest(&range.step)?,
    );
    if step <= 0 {
        return None;
    }
    let steps = ((&high - &low) / &step).with_scale_round(0, bigdecimal::RoundingMode::Down);
    (steps * step + low).to_string().parse().ok()
}

fn integers(low: i64, high: i64, step: i64, log: bool) -> Result<Distribution, String> {
    if low > high {
        return Err(format!(
            "the least value {low} is above the greatest, {high}"
        ));
    }
    if step < 1 {
        return Err(format!("the step {step} must be positive"));
    }
    if log && low < 1 {
        return Err(format!(
            "on a logarithmic scale the least value must be at least 1, not {low}"
        ));
    }
    let span = high
        .checked_sub(low)
        .ok_or_else(|| "the bounds are too far apart".to_owned())?;
    Ok(Distribution::Int {
        low,
        high: low + span / step * step,
        step,
        log,
    })
}

fn floats(low: f64, high: f64, step: Option<f64>, log: bool) -> Result<Distribution, String> {
    if !(low <= high && low.is_finite() && high.is_finite()) {
        return Err(format!(
            "the least value {low} is not below the greatest, {high}"
        ));
    }
    if step.is_some_and(|step| step <= 0.0) {
        return Err("the step must be positive".to_owned());
    }
    if log && low <= 0.0 {
        return Err(format!(
            "on a logarithmic scale the least value must be larger than 0, not {low}"
        ));
    }
    Ok(Distribution::Float {
        low,
        high,
        step,
        log,
    })
}

fn number(element: &Element) -> Result<f64, String> {
    element
        .as_number()
        .ok_or_else(|| format!("`{}` is not a number", text_of(element)))
}

fn integer(element: &Element) -> Result<i64, String> {
    match element {
        Element::Int(number) => Ok(*number),
        Element::Bool(truth) => Ok(i64::from(*truth)),
        other => Err(format!("`{}` is not an integer of 64 bits", text_of(other))),
    }
}
