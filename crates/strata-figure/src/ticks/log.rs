//! Ticks at powers of ten (matplotlib 3.11, `ticker.py`: `LogLocator`, `LogFormatterSciNotation`).

use super::linear::{inside, power_of_ten, signed};
use super::{Request, Ticks};

/// The most ticks that are asked for, however long the axis is.
const MOST: i64 = 9;

/// Ticks inside a range of positive numbers.
pub(super) fn ticks(low: f64, high: f64, request: Request) -> Ticks {
    let (low_power, high_power) = (exact_log10(low), exact_log10(high));
    let decades = Decades::between(low_power, high_power, request.steps as i64);
    let is_inside = |value: &f64| (low * (1.0 - 1e-12)..=high * (1.0 + 1e-12)).contains(value);
    let major: Vec<f64> = decades
        .powers
        .iter()
        .map(|power| power_of_ten(*power as i32))
        .filter(is_inside)
        .collect();
    let mut minor: Vec<f64> = Vec::new();
    if decades.available < 10 && (decades.stride == 1 || decades.available <= 1) {
        for power in decades.first - 1..=decades.last {
            minor.extend((2..10).map(|factor| f64::from(factor) * power_of_ten(power as i32)));
        }
        minor.retain(is_inside);
        if decades.stride == 1 && decades.powers.len().saturating_sub(2) + minor.len() <= 1 {
            minor = inside(low, high, MOST as usize, false);
            minor.retain(|value| !major.contains(value));
        }
    }
    let named = named_factors(low_power, high_power);
    let minor = minor.into_iter().map(|value| {
        let label = if named.contains(&factor(value)) {
            label(value)
        } else {
            String::new()
        };
        (value, label)
    });
    Ticks {
        minor: minor.collect(),
        major: major
            .into_iter()
            .map(|value| (value, label(value)))
            .collect(),
        offset: String::new(),
    }
}

/// Which powers of ten are ticks.
struct Decades {
    /// The first and the last that are inside.
    first: i64,
    last: i64,
    /// How many are inside.
    available: i64,
    stride: i64,
    /// Those chosen, with one outside at each end.
    powers: Vec<i64>,
}

impl Decades {
    /// `LogLocator.tick_values`, whose comments say why the numbers are as they are.
    fn between(low: f64, high: f64, requested: i64) -> Self {
        let (first, last) = (low.ceil() as i64, high.floor() as i64);
        let available = last - first + 1;
        let requested = requested.clamp(2, MOST);
        let stride = available.div_euclid(requested + 1) + 1;
        let count = (available + stride - 1).div_euclid(stride).min(requested);
        let (stride, powers) = match count {
            ..=0 => (last + 2 - first, vec![first - 1, last + 1]),
            1 => {
                let middle = f64::midpoint(low, high).round_ties_even() as i64;
                let stride = (middle - (first - 1)).max(last + 1 - middle);
                (stride, vec![middle - stride, middle, middle + stride])
            }
            _ => {
                let mut stride = (available - 1) / (count - 1);
                if stride * count < available {
                    stride = available / count;
                }
                let least = (available - stride * count).max(0);
                let most = (available - stride * (count - 1)).min(stride);
                let round = (-first).rem_euclid(stride);
                let offset = if (least..most).contains(&round) {
                    round
                } else {
                    least
                };
                let from = first + offset - stride;
                let powers = (from..=last + stride).step_by(stride as usize);
                (stride, powers.collect())
            }
        };
        Self {
            first,
            last,
            available,
            stride,
            powers,
        }
    }
}

/// Factors whose minor ticks are named (`LogFormatter.set_locs`): none if there are two powers of ten, all on a short axis.
fn named_factors(low: f64, high: f64) -> &'static [i64] {
    // A power that is the lower end itself counts.
    let powers = high.floor() as i64 - low.next_down().floor() as i64;
    if powers > 1 {
        &[]
    } else if high - low > 0.4 {
        &[2, 3, 4, 6]
    } else {
        &[2, 3, 4, 5, 6, 7, 8, 9]
    }
}

fn factor(value: f64) -> i64 {
    let power = exact_log10(value).floor() as i32;
    (value / power_of_ten(power)).round() as i64
}

/// `10³`, or `2×10³`.
fn label(value: f64) -> String {
    let power = exact_log10(value).floor() as i32;
    let factor: f64 = format!("{:.5}", value / power_of_ten(power))
        .parse()
        .unwrap_or(1.0);
    if factor == 1.0 {
        format!("$10^{{{power}}}$")
    } else {
        format!("${factor}\\times10^{{{power}}}$")
    }
}

/// The logarithm, whole for what is as good as a power of ten.
fn exact_log10(value: f64) -> f64 {
    let power = libm::log10(value);
    if (power - power.round()).abs() < 1e-12 * power.abs().max(1.0) {
        power.round()
    } else {
        power
    }
}

/// Zero, and powers of ten beyond the linear part on both sides.
pub(super) fn symmetrical_ticks(low: f64, high: f64, linthresh: f64, request: Request) -> Ticks {
    let side = |end: f64| {
        if end < linthresh {
            Vec::new()
        } else {
            let from = exact_log10(linthresh).ceil() as i32;
            let to = exact_log10(end).floor() as i32;
            (from..=to).collect::<Vec<i32>>()
        }
    };
    let (below, above) = (side(-low), side(high));
    let number = below.len() + above.len();
    let every = number
        .div_ceil(request.steps.clamp(2, MOST as usize))
        .max(1);
    let mut major = Vec::new();
    for power in below.iter().step_by(every).rev() {
        let value = power_of_ten(*power);
        major.push((-value, format!("$-10^{{{power}}}$")));
    }
    if (low..=high).contains(&0.0) {
        major.push((0.0, "0".to_owned()));
    }
    for power in above.iter().step_by(every) {
        major.push((power_of_ten(*power), label(power_of_ten(*power))));
    }
    if major.len() < 2 {
        let plain = inside(low, high, request.steps, false);
        major = plain
            .into_iter()
            .map(|value| (value, signed(&value.to_string())))
            .collect();
    }
    major.retain(|(value, _)| (low..=high).contains(value));
    Ticks {
        major,
        ..Ticks::default()
    }
}
