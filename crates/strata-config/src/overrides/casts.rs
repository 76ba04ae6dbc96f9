//! `int(…)`, `float(…)`, `str(…)`, `bool(…)`, as Python converts.

use super::ast::{Choice, Element, Interval, OverrideValue, Range, Sweep};
use super::element::text_of;
use super::functions::Problem;
use super::number;
use crate::python;

/// The type to cast to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cast {
    Int,
    Float,
    Str,
    Bool,
}

impl Cast {
    fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Float => "float",
            Self::Str => "str",
            Self::Bool => "bool",
        }
    }
}

/// Casts a value: through lists, the values of dictionaries, choices, and the ends of numbers' sweeps.
pub(crate) fn cast(to: Cast, value: OverrideValue) -> Result<OverrideValue, Problem> {
    let of_numbers = matches!(to, Cast::Int | Cast::Float);
    match value {
        OverrideValue::Element(element) => cast_element(to, &element).map(OverrideValue::Element),
        OverrideValue::Sweep(Sweep::Choice(choice)) => {
            let list = choice.list.into_iter().map(|value| match value {
                OverrideValue::Element(_) => cast(to, value),
                OverrideValue::Sweep(_) => {
                    Err(Problem::new("a sweep within a choice cannot be cast"))
                }
            });
            Ok(OverrideValue::Sweep(Sweep::Choice(Choice {
                simple: choice.simple,
                zipped: choice.zipped,
                ..Choice::of(list.collect::<Result<_, _>>()?)
            })))
        }
        OverrideValue::Sweep(Sweep::Range(range)) if of_numbers => {
            Ok(OverrideValue::Sweep(Sweep::Range(Range {
                start: cast_element(to, &range.start)?,
                stop: cast_element(to, &range.stop)?,
                step: cast_element(to, &range.step)?,
                shuffle: false,
                tags: Default::default(),
            })))
        }
        OverrideValue::Sweep(Sweep::Interval(interval)) if of_numbers => {
            Ok(OverrideValue::Sweep(Sweep::Interval(Interval {
                start: cast_element(to, &interval.start)?,
                end: cast_element(to, &interval.end)?,
                tags: interval.tags,
            })))
        }
        OverrideValue::Sweep(Sweep::Range(_)) => {
            Err(Problem::new("a range can only be cast to int or float"))
        }
        OverrideValue::Sweep(Sweep::Interval(_)) => Err(Problem::new(format!(
            "an interval cannot be cast to {}",
            to.name()
        ))),
        OverrideValue::Sweep(Sweep::Glob(_)) => Err(Problem::new("a glob cannot be cast")),
    }
}

fn cast_element(to: Cast, element: &Element) -> Result<Element, Problem> {
    match element {
        Element::List(items) => items
            .iter()
            .map(|item| cast_element(to, item))
            .collect::<Result<_, _>>()
            .map(Element::List),
        Element::Dict(entries) => entries
            .iter()
            .map(|(key, value)| Ok((key.clone(), cast_element(to, value)?)))
            .collect::<Result<_, Problem>>()
            .map(Element::Dict),
        Element::Quoted(text, _) => cast_element(to, &Element::Str(text.clone())),
        _ => cast_primitive(to, element).ok_or_else(|| {
            Problem::new(format!(
                "`{}` cannot be cast to {}",
                text_of(element),
                to.name()
            ))
        }),
    }
}

fn cast_primitive(to: Cast, element: &Element) -> Option<Element> {
    match to {
        Cast::Int => match element {
            Element::Int(_) | Element::BigInt(_) => Some(element.clone()),
            Element::Bool(truth) => Some(Element::Int(i64::from(*truth))),
            Element::Float(number) => number::truncated(*number),
            Element::Str(text) => python::parse_int(text).map(|digits| number::integer(&digits)),
            _ => None,
        },
        Cast::Float => match element {
            Element::Str(text) => python::parse_float(text).map(Element::Float),
            number => number.as_number().map(Element::Float),
        },
        Cast::Str => match element {
            Element::Null => None,
            Element::Bool(truth) => Some(Element::Str(truth.to_string())),
            Element::Float(number) => Some(Element::Str(python::float_repr(*number))),
            Element::Str(_) => Some(element.clone()),
            other => Some(Element::Str(text_of(other))),
        },
        Cast::Bool => Some(Element::Bool(match element {
            Element::Null => false,
            Element::Str(text) if text.eq_ignore_ascii_case("true") => true,
            Element::Str(text) if text.eq_ignore_ascii_case("false") => false,
            Element::Str(_) => return None,
            number => number.as_number()? != 0.0,
        })),
    }
}
