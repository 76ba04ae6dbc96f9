//! Ticks at round numbers (matplotlib 3.11, `ticker.py`: `MaxNLocator`, `ScalarFormatter`).

use super::{Request, TickFormat, Ticks, nonsingular};

/// `AutoLocator`'s steps 1, 2, 2.5, 5, 10 with those of the neighbouring powers of ten.
const STEPS: [f64; 10] = [0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 2.5, 5.0, 10.0, 20.0];
/// Fewer ticks than these are too few.
const FEWEST: usize = 2;
/// Numbers up to the first power of ten and from the second on get a common power.
const POWER_LIMITS: (i32, i32) = (-5, 6);
/// How many digits a common offset has to save.
const OFFSET_THRESHOLD: i32 = 4;

/// Ticks inside the range, with labels.
pub(super) fn ticks(low: f64, high: f64, request: Request) -> Ticks {
    let mut values = inside(low, high, request.steps, request.is_integer);
    let is_whole = |value: &f64| value.fract() == 0.0;
    if request.is_integer && values.iter().any(is_whole) {
        // Matplotlib has fractions where there are fewer than two whole numbers; but there is no half epoch.
        values.retain(is_whole);
    }
    if request.format == TickFormat::Percent {
        let percents: Vec<f64> = values.iter().map(|value| value * 100.0).collect();
        let decimals = decimals(&percents, (low * 100.0, high * 100.0));
        let label = |value: &f64| signed(&format!("{:.*}%", decimals, value + 0.0));
        return Ticks {
            major: values
                .iter()
                .zip(&percents)
                .map(|(value, percent)| (*value, label(percent)))
                .collect(),
            ..Ticks::default()
        };
    }
    let offset = offset(&values);
    let power = power(&values, offset, high - low);
    let factor = power_of_ten(power);
    let shown: Vec<f64> = values
        .iter()
        .map(|value| (value - offset) / factor)
        .collect();
    let decimals = decimals(&shown, ((low - offset) / factor, (high - offset) / factor));
    let label = |shown: f64| {
        let shown = if shown.abs() < 1e-8 { 0.0 } else { shown };
        signed(&format!("{shown:.decimals$}"))
    };
    let major = values
        .iter()
        .zip(shown)
        .map(|(value, shown)| (*value, label(shown)));
    Ticks {
        major: major.collect(),
        minor: Vec::new(),
        offset: offset_label(offset, power),
    }
}

/// Round values inside the range, at most `steps` apart.
pub(super) fn inside(low: f64, high: f64, steps: usize, is_integer: bool) -> Vec<f64> {
    let (low, high) = nonsingular(low, high, 1e-13, 1e-14);
    let slack = (high - low) * 1e-10;
    raw(low, high, steps.max(1), is_integer)
        .into_iter()
        .filter(|value| (low - slack..=high + slack).contains(value))
        .collect()
}

/// Round values inside the range and the next ones outside.
pub(super) fn around(low: f64, high: f64, count: usize) -> Vec<f64> {
    raw(low, high, count, false)
}

/// `MaxNLocator._raw_ticks`: also the next values outside.
fn raw(low: f64, high: f64, count: usize, is_integer: bool) -> Vec<f64> {
    let range = high - low;
    let middle = f64::midpoint(high, low);
    let offset = if middle.abs() / range < 100.0 {
        0.0
    } else {
        power_of_ten(libm::log10(middle.abs()).floor() as i32).copysign(middle)
    };
    let scale = power_of_ten(libm::log10(range / count as f64).floor() as i32);
    let (low, high) = (low - offset, high - offset);
    let steps: Vec<f64> = STEPS
        .iter()
        .map(|step| step * scale)
        .filter(|step| !is_integer || *step < 1.0 || (step - step.round()).abs() < 0.001)
        .collect();
    let wanted = (high - low) / count as f64;
    let first = steps
        .iter()
        .position(|step| *step >= wanted)
        .unwrap_or(steps.len().saturating_sub(1));
    let mut values = Vec::new();
    for step in steps[..=first.min(steps.len() - 1)].iter().rev() {
        let mut step = *step;
        if is_integer && high.floor() - low.ceil() >= (FEWEST - 1) as f64 {
            step = step.max(1.0);
        }
        let base = divided(low, step).0 * step;
        let edge = Edge { step, offset };
        let from = edge.at_most(low - base);
        let to = edge.at_least(high - base);
        // A guard only: no range that passes `nonsingular` has more than some dozens.
        let number = (to - from).clamp(0.0, 1000.0) as usize;
        values = (0..=number)
            .map(|index| (from + index as f64) * step + base)
            .collect();
        let seen = values
            .iter()
            .filter(|value| (low..=high).contains(*value))
            .count();
        if seen >= FEWEST {
            break;
        }
    }
    values.into_iter().map(|value| value + offset).collect()
}

/// `_Edge_integer`: multiples of a step, with the tolerance that a large offset asks for.
struct Edge {
    step: f64,
    offset: f64,
}

impl Edge {
    fn is_close(&self, part: f64, edge: f64) -> bool {
        let tolerance = if self.offset == 0.0 {
            1e-10
        } else {
            let digits = libm::log10(self.offset.abs() / self.step);
            libm::pow(10.0, digits - 12.0).clamp(1e-10, 0.4999)
        };
        (part - edge).abs() < tolerance
    }

    fn at_most(&self, value: f64) -> f64 {
        let (whole, rest) = divided(value, self.step);
        if self.is_close(rest / self.step, 1.0) {
            whole + 1.0
        } else {
            whole
        }
    }

    fn at_least(&self, value: f64) -> f64 {
        let (whole, rest) = divided(value, self.step);
        if self.is_close(rest / self.step, 0.0) {
            whole
        } else {
            whole + 1.0
        }
    }
}

/// Python's `divmod` of a positive divisor.
fn divided(value: f64, by: f64) -> (f64, f64) {
    let rest = value.rem_euclid(by);
    (((value - rest) / by).round(), rest)
}

/// `ScalarFormatter._compute_offset`: what all labels have in common, if leaving it away saves digits.
fn offset(values: &[f64]) -> f64 {
    let (Some(&first), Some(&last)) = (values.first(), values.last()) else {
        return 0.0;
    };
    if first == last || (first <= 0.0 && last >= 0.0) {
        return 0.0;
    }
    let (small, large) = (first.abs().min(last.abs()), first.abs().max(last.abs()));
    let highest = libm::log10(large).ceil() as i32;
    let quotient = |value: f64, power: i32| (value / power_of_ten(power)).floor();
    let largest_power = |differ: &dyn Fn(i32) -> bool| {
        let lowest = highest - 40;
        1 + (lowest..=highest)
            .rev()
            .find(|power| differ(*power))
            .unwrap_or(lowest)
    };
    let mut power = largest_power(&|power| quotient(small, power) != quotient(large, power));
    if (large - small) / power_of_ten(power) <= 1e-2 {
        power = largest_power(&|power| quotient(large, power) - quotient(small, power) > 1.0);
    }
    if quotient(large, power) >= power_of_ten(OFFSET_THRESHOLD - 1) {
        quotient(large, power).copysign(first) * power_of_ten(power)
    } else {
        0.0
    }
}

/// `ScalarFormatter._set_order_of_magnitude`.
fn power(values: &[f64], offset: f64, range: f64) -> i32 {
    let largest = values
        .iter()
        .fold(0.0, |all: f64, value| all.max(value.abs()));
    let power = if offset != 0.0 {
        floor_log10(range)
    } else if largest == 0.0 {
        0
    } else {
        floor_log10(largest)
    };
    if power <= POWER_LIMITS.0 || power >= POWER_LIMITS.1 {
        power
    } else {
        0
    }
}

/// `ScalarFormatter._set_format`: the decimals that tell the values apart.
fn decimals(values: &[f64], ends: (f64, f64)) -> usize {
    let mut all = values.to_vec();
    if values.len() < 2 {
        all.extend([ends.0, ends.1]);
    }
    let (low, high) = all
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(*value), high.max(*value))
        });
    let mut range = high - low;
    if range == 0.0 {
        range = high.abs();
    }
    if range <= 0.0 || !range.is_finite() {
        range = 1.0;
    }
    let power = floor_log10(range);
    let most = (3 - power).clamp(0, 20);
    let threshold = 1e-3 * power_of_ten(power);
    let fits = |decimals: i32| {
        let unit = power_of_ten(decimals);
        values
            .iter()
            .all(|value| (value - (value * unit).round_ties_even() / unit).abs() < threshold)
    };
    let mut decimals = most;
    while decimals > 0 && fits(decimals - 1) {
        decimals -= 1;
    }
    decimals as usize
}

fn offset_label(offset: f64, power: i32) -> String {
    let mut label = String::new();
    if power != 0 {
        label = format!("$\\times10^{{{power}}}$");
    }
    if offset != 0.0 {
        let sign = if offset > 0.0 { "+" } else { "" };
        let magnitude = floor_log10(offset.abs());
        // Nine digits are without the noise of the last bits.
        let mantissa = tidy(offset / power_of_ten(magnitude));
        let number = if (-5..=9).contains(&magnitude) {
            signed(&tidy(mantissa * power_of_ten(magnitude)).to_string())
        } else {
            format!(
                "{}$\\times10^{{{magnitude}}}$",
                signed(&mantissa.to_string())
            )
        };
        label.push_str(sign);
        label.push_str(&number);
    }
    label
}

/// Ten significant digits.
fn tidy(value: f64) -> f64 {
    format!("{value:.9e}").parse().unwrap_or(value)
}

/// With the minus sign of mathematics, and without that of zero.
pub(super) fn signed(number: &str) -> String {
    match number.strip_prefix('-') {
        Some(rest) if rest.chars().any(|digit| ('1'..='9').contains(&digit)) => format!("−{rest}"),
        Some(rest) => rest.to_owned(),
        None => number.to_owned(),
    }
}

fn floor_log10(value: f64) -> i32 {
    libm::log10(value).floor() as i32
}

/// A power of ten as it is written, to the last bit.
pub(super) fn power_of_ten(power: i32) -> f64 {
    format!("1e{power}").parse().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percents_have_as_many_decimals_as_they_need() {
        let request = |format| Request {
            steps: 4,
            is_integer: false,
            format,
        };
        let labels = |low, high| {
            let ticks = ticks(low, high, request(TickFormat::Percent));
            ticks
                .major
                .into_iter()
                .map(|tick| tick.1)
                .collect::<Vec<_>>()
        };
        assert_eq!(labels(0.78, 0.93), ["80%", "85%", "90%"]);
        assert_eq!(
            labels(0.0, 0.01),
            ["0.00%", "0.25%", "0.50%", "0.75%", "1.00%"]
        );
        assert_eq!(labels(-0.1, 0.1), ["−10%", "−5%", "0%", "5%", "10%"]);
    }
}
