//! Parameters as coordinates between 0 and 1.

use std::sync::Arc;

use crate::Distribution;

/// A parameter as a coordinate between 0 and 1, on its scale. Optuna's `_SearchSpaceTransform` with
/// `transform_0_1`, and for categoricals what its `QMCSampler` makes of them.
///
/// A grid is widened by half a step at both ends, so that each of its values has an equal share. Of a categorical
/// each choice has an interval of its own.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    distribution: Arc<Distribution>,
    /// The ends of the scale, after the logarithm if there is one.
    low: f64,
    high: f64,
}

impl Axis {
    pub(super) fn new(distribution: &Arc<Distribution>) -> Self {
        let (low, high) = match distribution.as_ref() {
            Distribution::Float {
                low,
                high,
                log: true,
                ..
            } => (libm::log(*low), libm::log(*high)),
            Distribution::Float {
                low, high, step, ..
            } => {
                let half = 0.5 * step.unwrap_or(0.0);
                (low - half, high + half)
            }
            Distribution::Int {
                low,
                high,
                log: true,
                ..
            } => (libm::log(*low as f64 - 0.5), libm::log(*high as f64 + 0.5)),
            Distribution::Int {
                low, high, step, ..
            } => {
                let half = 0.5 * *step as f64;
                (*low as f64 - half, *high as f64 + half)
            }
            Distribution::Categorical { choices } => (0.0, choices.len() as f64),
        };
        Self {
            distribution: Arc::clone(distribution),
            low: low.max(f64::MIN),
            high: high.min(f64::MAX),
        }
    }

    fn is_log(&self) -> bool {
        matches!(
            self.distribution.as_ref(),
            Distribution::Float { log: true, .. } | Distribution::Int { log: true, .. }
        )
    }

    /// The coordinate of an internal number, within `0.0..=1.0` whatever the number; of a choice the middle of its
    /// interval.
    pub(super) fn unit(&self, internal: f64) -> f64 {
        let on_scale = match self.distribution.as_ref() {
            Distribution::Categorical { .. } => internal + 0.5,
            _ if self.is_log() => libm::log(internal),
            _ => internal,
        };
        // Halves, so that bounds far apart do not overflow.
        let half = self.high / 2.0 - self.low / 2.0;
        let unit = (on_scale / 2.0 - self.low / 2.0) / half;
        if unit.is_nan() {
            0.5
        } else {
            unit.clamp(0.0, 1.0)
        }
    }

    /// The internal number of a coordinate, within the distribution whatever the coordinate. A float without a step
    /// is below the upper bound, as in Optuna.
    pub(super) fn internal(&self, unit: f64) -> f64 {
        let share = (self.high / 2.0 - self.low / 2.0) * unit;
        let on_scale = self.low + share + share;
        let value = if self.is_log() {
            libm::exp(on_scale)
        } else {
            on_scale
        };
        match self.distribution.as_ref() {
            Distribution::Float {
                low,
                high,
                step: Some(step),
                ..
            } => {
                let nearest = ((value - low) / step).round_ties_even() * step + low;
                within(nearest, *low, *high)
            }
            Distribution::Float { low, high, .. } => {
                within(value, *low, high.next_down().max(*low))
            }
            Distribution::Int {
                low,
                high,
                log: true,
                ..
            } => within(value.round_ties_even(), *low as f64, *high as f64),
            Distribution::Int {
                low, high, step, ..
            } => {
                let (low, high, step) = (*low as f64, *high as f64, *step as f64);
                let nearest = ((value - low) / step + 0.5).floor() * step + low;
                within(nearest, low, high)
            }
            Distribution::Categorical { choices } => {
                within(value.floor(), 0.0, (choices.len() - 1) as f64)
            }
        }
    }
}

/// NaN is as good as the lower bound.
fn within(value: f64, low: f64, high: f64) -> f64 {
    value.max(low).min(high)
}

#[cfg(test)]
mod tests {
    use strata_json::Json;

    use super::*;
    use crate::test_vectors::{numbers, vectors};

    #[test]
    fn coordinates_are_those_of_optuna() {
        let vectors = vectors();
        let cube = &vectors["unit_cube"];
        let space = cube.get("space").and_then(Json::as_map).expect("a space");
        let rows = cube.get("rows").and_then(Json::as_list).expect("rows");
        for row in rows {
            let unit = numbers(row.get("unit").expect("coordinates"));
            let back = numbers(row.get("back").expect("coordinates"));
            let params = row.get("params").and_then(Json::as_map).expect("params");
            for (i, (name, distribution)) in space.iter().enumerate() {
                let text = distribution.written(strata_json::Style::Default);
                let distribution = Distribution::from_json(&text).expect("a distribution");
                let axis = Axis::new(&Arc::new(distribution));
                let expected = params[name].as_f64().expect("a number");
                let internal = axis.internal(unit[i]);
                let error = (internal - expected).abs() / expected.abs().max(1.0);
                assert!(error < 1e-9, "{name} {} {internal} {expected}", unit[i]);
                assert!((axis.unit(internal) - back[i]).abs() < 1e-9, "{name}");
            }
        }
    }

    #[test]
    fn bounds_at_the_ends_of_the_floats_do_not_overflow() {
        let axis = |low, high, step| {
            Axis::new(&Arc::new(
                Distribution::float(low, high, false, step).expect("valid"),
            ))
        };
        let wide = axis(f64::MIN, f64::MAX, None);
        assert_eq!(wide.internal(0.5), 0.0);
        assert_eq!(wide.unit(0.0), 0.5);
        assert_eq!(wide.internal(f64::NAN), f64::MIN);
        assert_eq!(wide.unit(f64::NAN), 0.5);
        let grid = axis(0.0, 1e308, Some(1e308));
        assert_eq!(grid.internal(0.9), 1e308);
    }
}
