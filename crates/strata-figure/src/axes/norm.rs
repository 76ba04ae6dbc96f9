//! From values to parts of a colour map.

use crate::{Color, Colormap, Scale};

/// Which values the ends of a colour map stand for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Norm {
    pub(crate) cmap: Colormap,
    pub(crate) low: Option<f64>,
    pub(crate) high: Option<f64>,
    pub(crate) is_log: bool,
}

impl Norm {
    /// With ends from the data where none are given.
    pub(crate) fn resolved(&self, values: impl Iterator<Item = f64>) -> Mapping {
        let scale = if self.is_log {
            Scale::Log
        } else {
            Scale::Linear
        };
        let (mut low, mut high) = values
            .filter(|value| scale.has(*value))
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        if low > high {
            (low, high) = if self.is_log { (1.0, 10.0) } else { (0.0, 1.0) };
        }
        low = self.low.filter(|low| scale.has(*low)).unwrap_or(low);
        high = self.high.filter(|high| scale.has(*high)).unwrap_or(high);
        if high < low {
            std::mem::swap(&mut low, &mut high);
        }
        Mapping {
            cmap: self.cmap,
            low,
            high,
            scale,
        }
    }
}

/// A colour map with the values at its ends.
#[derive(Debug, Clone)]
pub(crate) struct Mapping {
    pub(crate) cmap: Colormap,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) scale: Scale,
}

impl Mapping {
    /// From 0 at the low end to 1 at the high end; NaN for what has no place. Where there is one value only, it is in the
    /// middle.
    pub(crate) fn part(&self, value: f64) -> f64 {
        let (low, high) = (self.scale.forward(self.low), self.scale.forward(self.high));
        let place = self.scale.forward(value);
        if high > low {
            (place - low) / (high - low)
        } else if place.is_nan() {
            place
        } else {
            0.5
        }
    }

    pub(crate) fn color(&self, value: f64) -> Color {
        self.cmap.color(self.part(value))
    }
}
