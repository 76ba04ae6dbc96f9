//! `sort(…)` and `shuffle(…)`, as Python orders.

use std::cmp::Ordering;

use super::ast::{Choice, Element, OverrideValue, Range, Sweep};
use super::functions::{Arguments, Problem, kind, simple_choice};

pub(super) fn shuffle(arguments: Arguments) -> Result<OverrideValue, Problem> {
    let (mut values, [sweep, list]) = arguments.bind_rest(["sweep", "list"])?;
    if let Some(value) = list.or(sweep) {
        values = vec![value];
    }
    refuse_others_than_elements_and_sweeps(&values)?;
    if values.len() != 1 {
        let mut choice = simple_choice(values);
        if let OverrideValue::Sweep(Sweep::Choice(choice)) = &mut choice {
            choice.shuffle = true;
        }
        return Ok(choice);
    }
    Ok(match values.remove(0) {
        OverrideValue::Sweep(Sweep::Choice(choice)) => {
            OverrideValue::Sweep(Sweep::Choice(Choice {
                shuffle: true,
                ..choice
            }))
        }
        OverrideValue::Sweep(Sweep::Range(range)) => OverrideValue::Sweep(Sweep::Range(Range {
            shuffle: true,
            ..range
        })),
        OverrideValue::Element(Element::List(mut items)) => {
            super::sweep::shuffle(&mut items);
            OverrideValue::Element(Element::List(items))
        }
        OverrideValue::Element(element) => OverrideValue::Element(Element::List(vec![element])),
        sweep @ OverrideValue::Sweep(_) => sweep,
    })
}

/// Texts, numbers, lists, dictionaries, choices and ranges.
fn refuse_others_than_elements_and_sweeps(values: &[OverrideValue]) -> Result<(), Problem> {
    let refused = values.iter().position(|value| {
        matches!(
            value,
            OverrideValue::Element(Element::Null)
                | OverrideValue::Sweep(Sweep::Interval(_) | Sweep::Glob(_))
        )
    });
    match refused {
        None => Ok(()),
        Some(index) => Err(Problem::new(format!(
            "argument {} cannot be {}",
            index + 1,
            kind(&values[index])
        ))),
    }
}

pub(super) fn sort(arguments: Arguments) -> Result<OverrideValue, Problem> {
    let (mut values, [sweep, list, reverse]) = arguments.bind_rest(["sweep", "list", "reverse"])?;
    let reverse = match reverse {
        None => false,
        Some(OverrideValue::Element(Element::Bool(reverse))) => reverse,
        Some(other) => {
            return Err(Problem::new(format!(
                "`reverse` must be true or false, not {}",
                kind(&other)
            )));
        }
    };
    if let Some(value) = list.or(sweep) {
        values = vec![value];
    }
    refuse_others_than_elements_and_sweeps(&values)?;
    match values.len() {
        0 => return Err(Problem::new("nothing to sort")),
        1 => {}
        _ => {
            let compound = values.iter().find(|value| {
                matches!(
                    value,
                    OverrideValue::Element(Element::List(_) | Element::Dict(_))
                        | OverrideValue::Sweep(_)
                )
            });
            if let Some(value) = compound {
                return Err(Problem::new(format!(
                    "of several arguments none can be {}",
                    kind(value)
                )));
            }
            values = vec![simple_choice(values)];
        }
    }
    match values.remove(0) {
        OverrideValue::Sweep(Sweep::Choice(mut choice)) => {
            choice.list = sorted(choice.list, reverse)?;
            Ok(OverrideValue::Sweep(Sweep::Choice(choice)))
        }
        OverrideValue::Sweep(Sweep::Range(range)) => Ok(OverrideValue::Sweep(Sweep::Range(
            sorted_range(range, reverse),
        ))),
        OverrideValue::Element(Element::List(items)) => {
            let values = items.into_iter().map(OverrideValue::Element).collect();
            let sorted = sorted(values, reverse)?.into_iter();
            let items = sorted.filter_map(|value| match value {
                OverrideValue::Element(element) => Some(element),
                OverrideValue::Sweep(_) => None,
            });
            Ok(OverrideValue::Element(Element::List(items.collect())))
        }
        value => Ok(value),
    }
}

/// Python's `sorted`: stable, also in reverse; values that cannot be compared are refused.
fn sorted(mut values: Vec<OverrideValue>, reverse: bool) -> Result<Vec<OverrideValue>, Problem> {
    let mut refused = false;
    values.sort_by(|a, b| {
        let order = match (a, b) {
            (OverrideValue::Element(a), OverrideValue::Element(b)) => compare(a, b),
            _ => None,
        };
        let order = order.unwrap_or_else(|| {
            refused = true;
            Ordering::Equal
        });
        if reverse { order.reverse() } else { order }
    });
    if refused {
        return Err(Problem::new("values of these kinds cannot be sorted"));
    }
    Ok(values)
}

fn compare(a: &Element, b: &Element) -> Option<Ordering> {
    match (a, b) {
        (Element::Str(a), Element::Str(b)) => Some(a.cmp(b)),
        (Element::Int(a), Element::Int(b)) => Some(a.cmp(b)),
        (Element::List(a), Element::List(b)) => {
            for (a, b) in a.iter().zip(b) {
                match compare(a, b)? {
                    Ordering::Equal => {}
                    order => return Some(order),
                }
            }
            Some(a.len().cmp(&b.len()))
        }
        _ => Some(
            a.as_number()?
                .partial_cmp(&b.as_number()?)
                .unwrap_or(Ordering::Equal),
        ),
    }
}

/// Hydra's rule, which shifts the points of a range that does not end on its step.
fn sorted_range(range: Range, reverse: bool) -> Range {
    let as_number = |element: &Element| element.as_number().unwrap_or(f64::NAN);
    let (start, stop) = (as_number(&range.start), as_number(&range.stop));
    let sorted = if reverse {
        start >= stop
    } else {
        start <= stop
    };
    if sorted {
        return range;
    }
    let step = arithmetic(
        &Element::Int(0),
        &range.step,
        |_, b| b.abs(),
        |_, b| b.checked_abs(),
    );
    let shifted = |from: &Element| {
        if reverse {
            arithmetic(from, &step, |a, b| a - b, i64::checked_sub)
        } else {
            arithmetic(from, &step, |a, b| a + b, i64::checked_add)
        }
    };
    Range {
        start: shifted(&range.stop),
        stop: shifted(&range.start),
        step: arithmetic(
            &Element::Int(0),
            &range.step,
            |a, b| a - b,
            i64::checked_sub,
        ),
        ..range
    }
}

/// Integers (and booleans) stay integers while they fit, all else is float.
fn arithmetic(
    a: &Element,
    b: &Element,
    floats: impl Fn(f64, f64) -> f64,
    integers: impl Fn(i64, i64) -> Option<i64>,
) -> Element {
    let integer = |element: &Element| match element {
        Element::Int(number) => Some(*number),
        Element::Bool(truth) => Some(i64::from(*truth)),
        _ => None,
    };
    let whole = integer(a).zip(integer(b)).and_then(|(a, b)| integers(a, b));
    match whole {
        Some(number) => Element::Int(number),
        None => Element::Float(floats(
            a.as_number().unwrap_or(f64::NAN),
            b.as_number().unwrap_or(f64::NAN),
        )),
    }
}
