//! The values of a discrete sweep, one by one.

use bigdecimal::{BigDecimal, Context, RoundingMode, Signed, Zero};

use super::ast::{Element, OverrideValue, Range, Sweep};
use super::element::text_of;
use super::functions::Problem;
use super::number;

/// More values than any study has jobs.
const MOST_VALUES: usize = 1_000_000;

/// Significant digits of Python's `decimal`, in which Hydra adds the steps of floats.
const DECIMAL_DIGITS: u64 = 28;

impl Sweep {
    /// The values in order, before shuffling. An interval and a glob have none of their own.
    pub(crate) fn values(&self) -> Result<Vec<Element>, Problem> {
        match self {
            Self::Choice(choice) => choice
                .list
                .iter()
                .map(|value| match value {
                    OverrideValue::Element(element) => Ok(element.clone()),
                    OverrideValue::Sweep(_) => {
                        Err(Problem::new("a sweep cannot stand within another sweep"))
                    }
                })
                .collect(),
            Self::Range(range) => range.values(),
            Self::Interval(_) => Err(Problem::new("an interval has no single values")),
            Self::Glob(_) => Err(Problem::new("a glob stands for the options of a group")),
        }
    }

    /// The canonical texts of the values, in the order in which they run.
    pub(crate) fn texts(&self) -> Result<Vec<String>, Problem> {
        let mut texts: Vec<String> = self.values()?.iter().map(text_of).collect();
        if self.is_shuffled() {
            shuffle(&mut texts);
        }
        Ok(texts)
    }

    /// Whether the values run in random order.
    pub(crate) fn is_shuffled(&self) -> bool {
        match self {
            Self::Choice(choice) => choice.shuffle,
            Self::Range(range) => range.shuffle,
            Self::Interval(_) | Self::Glob(_) => false,
        }
    }
}

impl Range {
    /// Integers count as Python's `range`, everything else in decimal steps.
    fn values(&self) -> Result<Vec<Element>, Problem> {
        let is_float = |element: &Element| matches!(element, Element::Float(_));
        let bounds = [&self.start, &self.stop, &self.step];
        let floats = bounds.into_iter().any(is_float);
        let [start, stop, step] = bounds.map(decimal);
        let (mut value, stop, step) = (start?, stop?, step?);
        if step.is_zero() {
            return Err(Problem::new("the step of a range cannot be 0"));
        }
        let context = Context::default()
            .with_prec(DECIMAL_DIGITS)
            .unwrap_or_default()
            .with_rounding_mode(RoundingMode::HalfEven);
        let mut values = Vec::new();
        while (step.is_positive() && value < stop) || (step.is_negative() && value > stop) {
            if values.len() == MOST_VALUES {
                return Err(Problem::new(format!(
                    "it has more than {MOST_VALUES} values"
                )));
            }
            values.push(if floats {
                Element::Float(value.to_string().parse().unwrap_or(f64::NAN))
            } else {
                number::integer(&value.with_scale(0).to_plain_string())
            });
            let next = &value + &step;
            value = if floats {
                context.round_decimal(next)
            } else {
                next
            };
        }
        Ok(values)
    }
}

/// The exact value of a number; none of infinities and NaN.
pub(crate) fn decimal(element: &Element) -> Result<BigDecimal, Problem> {
    let digits = match element {
        Element::Float(number) if !number.is_finite() => {
            return Err(Problem::new(
                "a range must have finite ends and a finite step",
            ));
        }
        // As many digits as the smallest float has, so that none is rounded.
        Element::Float(number) => format!("{number:.1074}"),
        Element::Bool(truth) => u8::from(*truth).to_string(),
        other => text_of(other),
    };
    digits
        .parse::<BigDecimal>()
        .map(|decimal| decimal.normalized())
        .map_err(|_| Problem::new("a range is made of numbers"))
}

/// Puts items into random order, as Python's `random.shuffle` does without a seed.
pub(crate) fn shuffle<T>(items: &mut [T]) {
    use std::hash::{BuildHasher, Hasher, RandomState};
    for last in (1..items.len()).rev() {
        let random = RandomState::new().build_hasher().finish();
        items.swap(last, (random % (last as u64 + 1)) as usize);
    }
}
