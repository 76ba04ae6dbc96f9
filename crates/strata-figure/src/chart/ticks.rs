//! Where the ticks of an axis stand, and what they are called.

/// Matplotlib's steps, times a power of ten.
const STEPS: [f64; 5] = [1.0, 2.0, 2.5, 5.0, 10.0];

/// An axis of numbers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    pub(super) low: f64,
    pub(super) high: f64,
    /// Values and their labels.
    pub(super) ticks: Vec<(f64, String)>,
}

impl Scale {
    /// An axis around values that are finite, with a margin of a twentieth at both ends, as matplotlib has it, and with
    /// at most `count` steps. Without values it goes from 0 to 1.
    pub(super) fn around(values: impl Iterator<Item = f64>, count: usize) -> Self {
        let (low, high) = values
            .filter(|value| value.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        let (low, high) = if low > high { (0.0, 1.0) } else { (low, high) };
        // The difference of two finite numbers may be infinite; their halves differ by less.
        let half = high / 2.0 - low / 2.0;
        let margin = if half > 0.0 {
            half / 10.0
        } else if low == 0.0 {
            0.05
        } else {
            low.abs() * 0.05
        };
        Self::between(
            (low - margin).max(f64::MIN),
            (high + margin).min(f64::MAX),
            count,
        )
    }

    /// An axis from one number to a larger one.
    pub(super) fn between(low: f64, high: f64, count: usize) -> Self {
        let raw = high / count as f64 - low / count as f64;
        let power = 10_f64.powi(raw.log10().floor() as i32);
        let step = STEPS
            .iter()
            .map(|step| step * power)
            .find(|step| *step >= raw * (1.0 - 1e-9));
        let step = step.unwrap_or(10.0 * power);
        let mut ticks = Vec::new();
        let first = (low / step - 1e-9).ceil();
        for index in 0..=count {
            let value = (first + index as f64) * step;
            if value > high + step * 1e-9 || !value.is_finite() || step <= 0.0 {
                break;
            }
            ticks.push((value, label(value, step)));
        }
        Self { low, high, ticks }
    }

    /// How far along the axis a value is: 0 at its beginning, 1 at its end.
    pub(super) fn part(&self, value: f64) -> f64 {
        (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0)
    }
}

/// A tick's value with as many decimals as its step has; very large and very small ones with an exponent.
fn label(value: f64, step: f64) -> String {
    let value = if value.abs() < step / 2.0 { 0.0 } else { value };
    let largest = value.abs().max(step);
    if !(1e-4..1e7).contains(&largest) {
        return if value == 0.0 {
            "0".to_owned()
        } else {
            short(value)
        };
    }
    let decimals = (0..10).find(|&decimals| {
        let scaled = step * 10_f64.powi(decimals);
        (scaled - scaled.round()).abs() < 1e-6 * scaled.max(1.0)
    });
    format!("{value:.*}", decimals.unwrap_or(10) as usize)
}

/// Four significant digits, with an exponent where that is shorter.
pub(super) fn short(value: f64) -> String {
    let rounded: f64 = format!("{value:.3e}").parse().unwrap_or(value);
    let plain = format!("{rounded}");
    let exponent = format!("{rounded:e}");
    if plain.len() <= 7 { plain } else { exponent }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: f64, high: f64, count: usize) -> Vec<String> {
        let scale = Scale::between(low, high, count);
        scale.ticks.into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn steps_are_those_of_matplotlib() {
        assert_eq!(
            labels(0.0, 1.0, 5),
            ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
        );
        assert_eq!(labels(-0.3, 9.3, 4), ["0.0", "2.5", "5.0", "7.5"]);
        assert_eq!(labels(95.0, 410.0, 4), ["100", "200", "300", "400"]);
        assert_eq!(labels(0.0, 4e-6, 4), ["0", "1e-6", "2e-6", "3e-6", "4e-6"]);
        assert_eq!(labels(0.0, 3e9, 3), ["0", "1e9", "2e9", "3e9"]);
    }

    #[test]
    fn any_values_make_an_axis() {
        let hard: [&[f64]; 6] = [
            &[],
            &[f64::NAN, f64::INFINITY],
            &[0.0],
            &[5.0, 5.0],
            &[f64::MIN, f64::MAX],
            &[1e-300, 2e-300],
        ];
        for values in hard {
            let scale = Scale::around(values.iter().copied(), 5);
            assert!(scale.low < scale.high, "{values:?}: {scale:?}");
            assert!(!scale.ticks.is_empty(), "{values:?}: {scale:?}");
            for value in values.iter().filter(|value| value.is_finite()) {
                assert!(
                    (0.0..=1.0).contains(&scale.part(*value)),
                    "{values:?}: {scale:?}"
                );
            }
        }
    }
}
