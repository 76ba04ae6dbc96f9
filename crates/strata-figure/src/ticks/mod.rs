//! Where the ticks of an axis stand, and what is written at them: matplotlib's locators and formatters.
//!
//! * [`linear`]: `MaxNLocator` and `ScalarFormatter` with offset and power of ten, `PercentFormatter`.
//! * [`log`]: `LogLocator` with minor ticks, `LogFormatterSciNotation`; and the same for `symlog`.
//!
//! `tests/fixtures/ticks.json` holds matplotlib's own answers for a table of ranges.

mod linear;
mod log;

use crate::scale::Scale;

/// What the labels of an axis of numbers look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TickFormat {
    /// As many decimals as are needed, large and small numbers with a common power of ten.
    #[default]
    Scalar,
    /// Parts of 1 in percent.
    Percent,
}

/// Ticks of an axis.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Ticks {
    /// Values and labels; a label may be empty.
    pub(crate) major: Vec<(f64, String)>,
    pub(crate) minor: Vec<(f64, String)>,
    /// What all labels are to be multiplied with or added to, written at the axis' end; mostly empty.
    pub(crate) offset: String,
}

/// How many ticks an axis has room for, and of what kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    /// The most steps between ticks, at least 1.
    pub(crate) steps: usize,
    pub(crate) is_integer: bool,
    pub(crate) format: TickFormat,
}

/// Ticks from `low` to `high`, which is larger.
pub(crate) fn ticks(scale: &Scale, low: f64, high: f64, request: Request) -> Ticks {
    match scale {
        Scale::Linear => linear::ticks(low, high, request),
        Scale::Log => log::ticks(low, high, request),
        Scale::SymLog { linthresh } => log::symmetrical_ticks(low, high, *linthresh, request),
        Scale::Category(names) => Ticks {
            major: names
                .iter()
                .enumerate()
                .map(|(index, name)| (index as f64, name.clone()))
                .filter(|(value, _)| (low..=high).contains(value))
                .collect(),
            ..Ticks::default()
        },
    }
}

/// About `count` round numbers from at or below `low` to at or above `high`.
pub(crate) fn round_levels(low: f64, high: f64, count: usize) -> Vec<f64> {
    let (low, high) = nonsingular(low, high, 1e-13, 1e-14);
    let mut levels = linear::around(low, high, count);
    // One at most is wanted on either side.
    while levels.len() > 1 && levels[1] <= low {
        levels.remove(0);
    }
    while levels.len() > 1 && levels[levels.len() - 2] >= high {
        levels.pop();
    }
    levels
}

/// A range that is not empty, matplotlib's `nonsingular`: where the ends are the same, or nearly, each goes outwards by
/// its own size times `expander`.
pub(crate) fn nonsingular(low: f64, high: f64, expander: f64, tiny: f64) -> (f64, f64) {
    let largest = low.abs().max(high.abs());
    if !low.is_finite() || !high.is_finite() || largest < 1e6 / tiny * f64::MIN_POSITIVE {
        (-expander, expander)
    } else if high - low <= largest * tiny {
        (low - expander * low.abs(), high + expander * high.abs())
    } else {
        (low, high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn numbers(value: &Value) -> Vec<f64> {
        let list = value.as_array().expect("a list");
        list.iter().map(|n| n.as_f64().expect("a number")).collect()
    }

    fn texts(value: &Value) -> Vec<String> {
        let list = value.as_array().expect("a list");
        list.iter()
            .map(|text| text.as_str().expect("a text").to_owned())
            .collect()
    }

    fn assert_close(ours: &[f64], theirs: &[f64], case: &Value) {
        assert_eq!(ours.len(), theirs.len(), "{ours:?} for {case}");
        for (a, b) in ours.iter().zip(theirs) {
            let largest = theirs.iter().fold(0.0, |all: f64, x| all.max(x.abs()));
            assert!(
                (a - b).abs() <= 1e-9 * b.abs() + 1e-12 * largest,
                "{ours:?} for {case}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Also where matplotlib would not draw at all.
        #[test]
        fn ticks_are_inside_rising_and_not_too_many(
            low in -1e12_f64..1e12,
            power in -14_i32..14,
            steps in 1_usize..10,
            is_integer in any::<bool>(),
            is_log in any::<bool>(),
            is_percent in any::<bool>(),
        ) {
            let (scale, low, high) = if is_log {
                let low = libm::pow(10.0, low / 1e11);
                (Scale::Log, low, low * (1.0 + libm::pow(10.0, f64::from(power.max(-8)))))
            } else {
                let (low, high) = nonsingular(low, low + libm::pow(10.0, f64::from(power)), 0.05, 1e-13);
                (Scale::Linear, low, high)
            };
            let format = if is_percent { TickFormat::Percent } else { TickFormat::Scalar };
            let ticks = ticks(&scale, low, high, Request { steps, is_integer, format });
            let near = (high - low) * 1e-9;
            for all in [&ticks.major, &ticks.minor] {
                for pair in all.windows(2) {
                    prop_assert!(pair[0].0 < pair[1].0, "{:?}", all);
                }
                for (value, _) in all {
                    prop_assert!((low - near..=high + near).contains(value), "{} in {} {}", value, low, high);
                }
            }
            prop_assert!(ticks.major.len() <= steps.max(2) + 1, "{:?}", ticks);
            let mut labels: Vec<&String> = ticks.major.iter().map(|tick| &tick.1).collect();
            labels.dedup();
            prop_assert_eq!(labels.len(), ticks.major.len(), "{:?}", ticks);
        }
    }

    /// `tests/fixtures/ticks.py` asked matplotlib.
    #[test]
    fn ticks_and_labels_are_those_of_matplotlib() {
        let cases: Value = serde_json::from_str(include_str!("../../tests/fixtures/ticks.json"))
            .expect("the fixture is JSON");
        for case in cases["cases"].as_array().expect("a list of cases") {
            let number = |name: &str| case[name].as_f64().expect("a number");
            let scale = match case["scale"].as_str() {
                Some("log") => Scale::Log,
                _ => Scale::Linear,
            };
            let request = Request {
                steps: number("steps") as usize,
                is_integer: case["integer"] == true,
                format: TickFormat::Scalar,
            };
            let ours = ticks(&scale, number("low"), number("high"), request);
            let values =
                |ticks: &[(f64, String)]| ticks.iter().map(|tick| tick.0).collect::<Vec<_>>();
            let labels = |ticks: &[(f64, String)]| {
                ticks.iter().map(|tick| tick.1.clone()).collect::<Vec<_>>()
            };
            assert_close(&values(&ours.major), &numbers(&case["major"]), case);
            assert_close(&values(&ours.minor), &numbers(&case["minor"]), case);
            assert_eq!(labels(&ours.major), texts(&case["labels"]), "{case}");
            assert_eq!(labels(&ours.minor), texts(&case["minor_labels"]), "{case}");
            assert_eq!(ours.offset, case["offset"].as_str().unwrap_or(""), "{case}");
        }
    }
}
