//! What a parameter's values are drawn from.

use strata_json::{Json, Style, parse};

/// What a parameter's values are drawn from, as Optuna's distributions.
///
/// Samplers and storages know a value by its internal number: a float or an integer itself, or the index of
/// the choice.
#[derive(Debug, Clone, PartialEq)]
pub enum Distribution {
    /// A float.
    Float {
        /// The least.
        low: f64,
        /// The greatest; included if there is a step or `low == high`.
        high: f64,
        /// Drawn on a logarithmic scale; then `low > 0` and there is no step.
        log: bool,
        /// The distance between neighbours, above 0; `high - low` is a whole number of them.
        step: Option<f64>,
    },
    /// An integer.
    Int {
        /// The least.
        low: i64,
        /// The greatest, included; a whole number of steps above the least.
        high: i64,
        /// Drawn on a logarithmic scale; then `low >= 1` and the step is 1.
        log: bool,
        /// The distance between neighbours, at least 1.
        step: i64,
    },
    /// One of several values.
    Categorical {
        /// Null, booleans, numbers and texts; at least one.
        choices: Vec<Json>,
    },
}

/// Why numbers or a text are no distribution.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidDistribution(String);

fn invalid<T>(problem: impl Into<String>) -> Result<T, InvalidDistribution> {
    Err(InvalidDistribution(problem.into()))
}

impl Distribution {
    /// A float between two bounds.
    ///
    /// With a step, `high` is lowered to a whole number of steps above `low`, counted as Optuna does in decimals.
    ///
    /// # Errors
    /// Bounds that are not finite or the wrong way round, a step of 0 or less, a logarithm of nothing, or of a grid.
    pub fn float(
        low: f64,
        high: f64,
        log: bool,
        step: Option<f64>,
    ) -> Result<Self, InvalidDistribution> {
        if !(low.is_finite() && high.is_finite() && low <= high) {
            return invalid(format!(
                "the least value {low} is not below the greatest, {high}"
            ));
        }
        if log && step.is_some() {
            return invalid("a logarithmic scale and a step exclude each other");
        }
        if log && low <= 0.0 {
            return invalid(format!(
                "on a logarithmic scale the least value must be above 0, not {low}"
            ));
        }
        if step.is_some_and(|step| !(step > 0.0 && step.is_finite())) {
            return invalid("the step must be above 0");
        }
        let high = match step {
            Some(step) => {
                // 1e-8 of a step forgives what decimals like 0.1 lose as binary fractions.
                let steps = ((high - low) / step + 1e-8).floor();
                let lowered = low + steps * step;
                if (lowered - high).abs() <= 1e-8 * step {
                    high
                } else {
                    lowered
                }
            }
            None => high,
        };
        Ok(Self::Float {
            low,
            high,
            log,
            step,
        })
    }

    /// An integer between two bounds, both included; `high` is lowered to a whole number of steps above `low`.
    ///
    /// # Errors
    /// Bounds the wrong way round or too far apart, a step below 1, a logarithm of nothing, or of a grid.
    pub fn int(low: i64, high: i64, log: bool, step: i64) -> Result<Self, InvalidDistribution> {
        if low > high {
            return invalid(format!(
                "the least value {low} is above the greatest, {high}"
            ));
        }
        if step < 1 {
            return invalid(format!("the step must be at least 1, not {step}"));
        }
        if log && step != 1 {
            return invalid("a logarithmic scale and a step exclude each other");
        }
        if log && low < 1 {
            return invalid(format!(
                "on a logarithmic scale the least value must be at least 1, not {low}"
            ));
        }
        let Some(span) = high.checked_sub(low) else {
            return invalid("the bounds are too far apart");
        };
        Ok(Self::Int {
            low,
            high: low + span / step * step,
            log,
            step,
        })
    }

    /// One of several values.
    ///
    /// # Errors
    /// No choices, or one that is a list or an object.
    pub fn categorical(choices: Vec<Json>) -> Result<Self, InvalidDistribution> {
        if choices.is_empty() {
            return invalid("there is nothing to choose from");
        }
        if choices
            .iter()
            .any(|choice| matches!(choice, Json::List(_) | Json::Map(_)))
        {
            return invalid("a choice is null, a truth value, a number or a text");
        }
        Ok(Self::Categorical { choices })
    }

    /// Whether there is only one value.
    pub fn is_single(&self) -> bool {
        match self {
            Self::Float {
                low, high, step, ..
            } => low == high || step.is_some_and(|step| high - low < step),
            Self::Int {
                low, high, step, ..
            } => high - low < *step,
            Self::Categorical { choices } => choices.len() == 1,
        }
    }

    /// Whether an internal number stands for a value; neighbours on a grid are not told apart, as in Optuna.
    pub fn contains(&self, internal: f64) -> bool {
        match self {
            Self::Float { low, high, .. } => *low <= internal && internal <= *high,
            Self::Int { low, high, .. } => *low as f64 <= internal && internal <= *high as f64,
            Self::Categorical { choices } => {
                internal >= 0.0 && internal < choices.len() as f64 && internal.fract() == 0.0
            }
        }
    }

    /// Whether two studies may give a parameter these two: of one kind and scale, or the same choices.
    pub fn is_compatible(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Float { log: a, .. }, Self::Float { log: b, .. })
            | (Self::Int { log: a, .. }, Self::Int { log: b, .. }) => a == b,
            (Self::Categorical { choices: a }, Self::Categorical { choices: b }) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_choice(a, b))
            }
            _ => false,
        }
    }

    /// The value that an internal number stands for.
    pub fn value(&self, internal: f64) -> Json {
        match self {
            Self::Float { .. } => Json::Float(internal),
            Self::Int { .. } => Json::Int(internal as i64),
            Self::Categorical { choices } => choices
                .get(internal as usize)
                .cloned()
                .unwrap_or(Json::Null),
        }
    }

    /// The internal number of a value; none if it is not one of the distribution's kind.
    ///
    /// As in Python `true` is the same choice as `1`, and the first that is equal counts.
    pub fn internal(&self, value: &Json) -> Option<f64> {
        match self {
            Self::Float { .. } | Self::Int { .. } => value.as_f64(),
            Self::Categorical { choices } => {
                let same = |choice: &Json| same_choice(choice, value);
                choices.iter().position(same).map(|index| index as f64)
            }
        }
    }

    /// How many values there are; none if there are as many as there are floats.
    pub fn count(&self) -> Option<u64> {
        match self {
            Self::Float { low, high, .. } if low == high => Some(1),
            Self::Float { step: None, .. } => None,
            Self::Float {
                low,
                high,
                step: Some(step),
                ..
            } => Some((((high - low) / step + 1e-8).floor() as u64).saturating_add(1)),
            Self::Int {
                low, high, step, ..
            } => Some(high.abs_diff(*low) / step.unsigned_abs() + 1),
            Self::Categorical { choices } => Some(choices.len() as u64),
        }
    }

    /// The JSON of Optuna's storages.
    pub fn to_json(&self) -> String {
        let (name, attributes) = match self {
            Self::Float {
                low,
                high,
                log,
                step,
            } => (
                "FloatDistribution",
                Json::object([
                    ("step", (*step).into()),
                    ("low", (*low).into()),
                    ("high", (*high).into()),
                    ("log", (*log).into()),
                ]),
            ),
            Self::Int {
                low,
                high,
                log,
                step,
            } => (
                "IntDistribution",
                Json::object([
                    ("log", (*log).into()),
                    ("step", (*step).into()),
                    ("low", (*low).into()),
                    ("high", (*high).into()),
                ]),
            ),
            Self::Categorical { choices } => (
                "CategoricalDistribution",
                Json::object([("choices", Json::List(choices.clone()))]),
            ),
        };
        Json::object([("name", name.into()), ("attributes", attributes)]).written(Style::Default)
    }

    /// Reads the JSON of Optuna's storages, also under the names that Optuna 2 wrote.
    ///
    /// # Errors
    /// The text is no distribution.
    pub fn from_json(text: &str) -> Result<Self, InvalidDistribution> {
        let json = parse(text).map_err(|error| InvalidDistribution(error.to_string()))?;
        let name = json.get("name").and_then(Json::as_str).unwrap_or_default();
        let attribute = |key: &str| json.get("attributes").and_then(|map| map.get(key));
        let number = |key: &str| {
            let value = attribute(key).and_then(Json::as_f64);
            value.ok_or_else(|| InvalidDistribution(format!("`{key}` is no number in {text}")))
        };
        let whole = |key: &str| number(key).map(|number| number as i64);
        let log = attribute("log") == Some(&Json::Bool(true));
        match name {
            "FloatDistribution" => {
                let step = attribute("step").and_then(Json::as_f64);
                Self::float(number("low")?, number("high")?, log, step)
            }
            "UniformDistribution" => Self::float(number("low")?, number("high")?, false, None),
            "LogUniformDistribution" => Self::float(number("low")?, number("high")?, true, None),
            "DiscreteUniformDistribution" => {
                Self::float(number("low")?, number("high")?, false, Some(number("q")?))
            }
            "IntDistribution" | "IntUniformDistribution" => Self::int(
                whole("low")?,
                whole("high")?,
                log,
                whole("step").unwrap_or(1),
            ),
            "IntLogUniformDistribution" => Self::int(whole("low")?, whole("high")?, true, 1),
            "CategoricalDistribution" => {
                let choices = attribute("choices").and_then(Json::as_list);
                Self::categorical(choices.unwrap_or_default().to_vec())
            }
            other => invalid(format!("`{other}` is no distribution")),
        }
    }
}

/// Equality of Python: numbers and truth values by what they count, NaN like itself.
fn same_choice(a: &Json, b: &Json) -> bool {
    let number = |value: &Json| match value {
        Json::Bool(truth) => Some(f64::from(u8::from(*truth))),
        other => other.as_f64(),
    };
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a == b || (a.is_nan() && b.is_nan()),
        (None, None) => a == b,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_is_optuna_s() {
        let table = [
            (
                Distribution::float(1e-5, 0.1, true, None),
                r#"{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.1, "log": true}}"#,
            ),
            (
                Distribution::int(16, 256, false, 16),
                r#"{"name": "IntDistribution", "attributes": {"log": false, "step": 16, "low": 16, "high": 256}}"#,
            ),
            (
                Distribution::categorical(vec![
                    "a".into(),
                    Json::Null,
                    true.into(),
                    1.5.into(),
                    f64::NAN.into(),
                ]),
                r#"{"name": "CategoricalDistribution", "attributes": {"choices": ["a", null, true, 1.5, NaN]}}"#,
            ),
        ];
        for (distribution, text) in table {
            let distribution = distribution.expect("valid");
            assert_eq!(distribution.to_json(), text);
            let read = Distribution::from_json(text).expect("a distribution");
            assert_eq!(read.to_json(), text);
            assert!(read.is_compatible(&distribution));
        }
    }

    #[test]
    fn the_names_of_optuna_2_are_read() {
        let text = r#"{"name": "DiscreteUniformDistribution", "attributes": {"low": 0.0, "high": 1.0, "q": 0.25}}"#;
        let distribution = Distribution::from_json(text).expect("a distribution");
        assert_eq!(
            distribution,
            Distribution::float(0.0, 1.0, false, Some(0.25)).expect("valid")
        );
        assert_eq!(distribution.count(), Some(5));
    }

    #[test]
    fn the_greatest_value_lies_on_the_grid() {
        let grid = Distribution::float(0.0, 1.0, false, Some(0.3)).expect("valid");
        assert!(matches!(grid, Distribution::Float { high, .. } if (high - 0.9).abs() < 1e-12));
        let tenths = Distribution::float(0.0, 1.0, false, Some(0.1)).expect("valid");
        assert!(matches!(tenths, Distribution::Float { high: 1.0, .. }));
        assert_eq!(tenths.count(), Some(11));
    }

    #[test]
    fn what_is_no_distribution_is_refused() {
        assert!(Distribution::float(1.0, 0.0, false, None).is_err());
        assert!(Distribution::float(0.0, 1.0, true, None).is_err());
        assert!(Distribution::int(0, 4, true, 1).is_err());
        assert!(Distribution::int(i64::MIN, i64::MAX, false, 1).is_err());
        assert!(Distribution::categorical(vec![]).is_err());
        assert!(Distribution::from_json("{}").is_err());
    }

    #[test]
    fn true_is_the_choice_1_where_it_comes_first() {
        let distribution = Distribution::categorical(vec![1.into(), true.into()]).expect("valid");
        assert_eq!(distribution.internal(&Json::Bool(true)), Some(0.0));
    }
}
