//! One axis of a plot: what it measures, from where to where.

use crate::scale::Scale;
use crate::ticks::{TickFormat, nonsingular};

/// The part of the range that is left free at both ends, as matplotlib has it.
const MARGIN: f64 = 0.05;
/// What is left free beside bars at the first and the last name, which are 1 apart.
const BESIDE_NAMES: f64 = 0.2;

/// What an axis shows. Set through [`Axes::xaxis`](crate::Axes::xaxis) and [`Axes::yaxis`](crate::Axes::yaxis).
#[derive(Debug, Clone, Default)]
pub struct Axis {
    pub(crate) label: String,
    pub(crate) scale: Scale,
    pub(crate) limits: (Option<f64>, Option<f64>),
    pub(crate) ticks: Option<Vec<(f64, String)>>,
    pub(crate) format: TickFormat,
    pub(crate) is_integer: bool,
    pub(crate) is_inverted: bool,
    pub(crate) has_no_ticks: bool,
}

impl Axis {
    /// What is measured, with its unit; `$…$` is mathematics.
    pub fn label(&mut self, label: impl Into<String>) -> &mut Self {
        self.label = label.into();
        self
    }

    /// How the axis is divided.
    pub fn scale(&mut self, scale: Scale) -> &mut Self {
        self.scale = scale.usable();
        self
    }

    /// From where to where, instead of where the data are with a margin of a twentieth. The larger first turns the axis
    /// round; ends that are not finite, that are equal, or that the scale has no place for are not used.
    pub fn limits(&mut self, low: f64, high: f64) -> &mut Self {
        self.limits = (Some(low.min(high)), Some(low.max(high)));
        self.is_inverted = low > high;
        self
    }

    /// Where the axis begins, whatever the data.
    pub fn lower_limit(&mut self, low: f64) -> &mut Self {
        self.limits.0 = Some(low);
        self
    }

    /// Where the axis ends, whatever the data.
    pub fn upper_limit(&mut self, high: f64) -> &mut Self {
        self.limits.1 = Some(high);
        self
    }

    /// Ticks at these values with these labels; values without a label, and labels without a value, are left out.
    pub fn ticks<T: Into<String>>(
        &mut self,
        values: &[f64],
        labels: impl IntoIterator<Item = T>,
    ) -> &mut Self {
        let labels = labels.into_iter().map(Into::into);
        self.ticks = Some(values.iter().copied().zip(labels).collect());
        self
    }

    /// No ticks and no labels at them.
    pub fn no_ticks(&mut self) -> &mut Self {
        self.has_no_ticks = true;
        self
    }

    /// Names at 0, 1, 2 and so on.
    pub fn categories<T: Into<String>>(&mut self, names: impl IntoIterator<Item = T>) -> &mut Self {
        self.scale = Scale::Category(names.into_iter().map(Into::into).collect());
        self
    }

    /// What the labels look like.
    pub fn format(&mut self, format: TickFormat) -> &mut Self {
        self.format = format;
        self
    }

    /// Ticks at whole numbers only: epochs, layers.
    pub fn integer(&mut self) -> &mut Self {
        self.is_integer = true;
        self
    }

    /// From the largest to the smallest value.
    pub fn invert(&mut self) -> &mut Self {
        self.is_inverted = true;
        self
    }

    /// The range for data; its ends have different places on the scale.
    pub(crate) fn range(&self, data: &Extent) -> (f64, f64) {
        let (low, high) = self.wanted_range(data);
        if self.scale.forward(low) < self.scale.forward(high) {
            (low, high)
        } else {
            self.scale.usual_range()
        }
    }

    fn wanted_range(&self, data: &Extent) -> (f64, f64) {
        let scale = &self.scale;
        let (mut low, mut high) = data.range(scale);
        if self.is_integer && high - low < 1.0 && *scale == Scale::Linear {
            // Around a single epoch there is room for its tick and not for fractions.
            let middle = f64::midpoint(low, high).round();
            (low, high) = (low.min(middle - 0.5), high.max(middle + 0.5));
        }
        let (low_is_fixed, high_is_fixed) = (data.is_sticky(low), data.is_sticky(high));
        if let Scale::Category(names) = scale {
            if !low_is_fixed {
                low = (low - BESIDE_NAMES).min(-0.5);
            }
            if !high_is_fixed {
                high = (high + BESIDE_NAMES).max(names.len() as f64 - 0.5);
            }
        } else {
            let (from, to) = (scale.forward(low), scale.forward(high));
            let margin = (to - from) * MARGIN;
            if !low_is_fixed {
                low = scale.backward(from - margin);
            }
            if !high_is_fixed {
                high = scale.backward(to + margin);
            }
        }
        let usable = |limit: Option<f64>| limit.filter(|limit| scale.has(*limit));
        let (given_low, given_high) = (usable(self.limits.0), usable(self.limits.1));
        let (new_low, new_high) = (given_low.unwrap_or(low), given_high.unwrap_or(high));
        if new_low < new_high {
            widened(scale, new_low, new_high)
        } else if given_low.is_some() && given_high.is_none() {
            widened(scale, new_low, new_low)
        } else if given_high.is_some() && given_low.is_none() {
            widened(scale, new_high, new_high)
        } else {
            (low, high)
        }
    }
}

/// A range with some length.
fn widened(scale: &Scale, low: f64, high: f64) -> (f64, f64) {
    if *scale != Scale::Log {
        return nonsingular(low, high, 0.05, 1e-13);
    }
    let (from, to) = (libm::log10(low), libm::log10(high));
    if to - from > 1e-10 {
        (low, high)
    } else {
        (
            libm::pow(10.0, (from - 1.0).max(-300.0)),
            libm::pow(10.0, (to + 1.0).min(300.0)),
        )
    }
}

/// Where the data along an axis are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extent {
    values: Vec<f64>,
    /// Values with no margin beyond them: the foot of bars, the edges of maps.
    sticky: Vec<f64>,
}

impl Extent {
    pub(crate) fn add(&mut self, values: impl IntoIterator<Item = f64>) {
        // Two values for each scale are all that counts, but which scale is not known here: the ends, and the smallest
        // that is positive.
        let (mut low, mut high, mut positive) = (f64::INFINITY, f64::NEG_INFINITY, f64::INFINITY);
        for value in values {
            if Scale::Linear.has(value) {
                low = low.min(value);
                high = high.max(value);
            }
            if Scale::Log.has(value) {
                positive = positive.min(value);
            }
        }
        self.values.extend(
            [low, high, positive]
                .into_iter()
                .filter(|value| value.is_finite()),
        );
    }

    pub(crate) fn stick(&mut self, values: impl IntoIterator<Item = f64>) {
        self.sticky.extend(values);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.values.extend_from_slice(&other.values);
        self.sticky.extend_from_slice(&other.sticky);
    }

    fn is_sticky(&self, value: f64) -> bool {
        self.sticky.contains(&value)
    }

    /// The smallest and the largest value, or what is shown where there are none.
    fn range(&self, scale: &Scale) -> (f64, f64) {
        let usable = self.values.iter().filter(|value| scale.has(**value));
        let (low, high) = usable.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(*value), high.max(*value))
        });
        if low <= high {
            if matches!(scale, Scale::Category(_)) {
                (low, high)
            } else {
                widened(scale, low, high)
            }
        } else {
            scale.usual_range()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(values: &[f64]) -> Extent {
        let mut extent = Extent::default();
        extent.add(values.iter().copied());
        extent
    }

    #[test]
    fn a_twentieth_is_free_at_the_ends_but_not_below_bars() {
        let mut axis = Axis::default();
        assert_eq!(axis.range(&extent(&[0.0, 10.0])), (-0.5, 10.5));
        let mut bars = extent(&[0.0, 10.0]);
        bars.stick([0.0]);
        assert_eq!(axis.range(&bars), (0.0, 10.5));
        assert_eq!(axis.lower_limit(-3.0).range(&bars), (-3.0, 10.5));
        assert_eq!(axis.limits(7.0, 2.0).range(&bars), (2.0, 7.0));
    }

    #[test]
    fn any_data_have_a_range() {
        let hard: [&[f64]; 7] = [
            &[],
            &[f64::NAN, f64::INFINITY],
            &[0.0],
            &[5.0, 5.0],
            &[f64::MIN, f64::MAX],
            &[-1e300, 1e300],
            &[1e-310, 2e-310],
        ];
        let scales = [
            Scale::Linear,
            Scale::Log,
            Scale::SymLog { linthresh: 1.0 },
            Scale::Category(Vec::new()),
        ];
        let limits = [(0.0, 0.0), (f64::NAN, 1.0), (-5.0, -1.0), (1e300, 1e300)];
        for scale in &scales {
            for values in hard {
                for (low, high) in limits {
                    let mut axis = Axis::default();
                    axis.scale(scale.clone());
                    let plain = axis.range(&extent(values));
                    let limited = axis.limits(low, high).range(&extent(values));
                    for (low, high) in [plain, limited] {
                        let places = (scale.forward(low), scale.forward(high));
                        assert!(places.0 < places.1, "{scale:?} {values:?} {low} {high}");
                    }
                }
            }
        }
    }
}
