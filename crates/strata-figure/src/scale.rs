//! From data to places along an axis.

/// How an axis is divided.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Scale {
    /// Evenly.
    #[default]
    Linear,
    /// By powers of ten; what is not positive has no place on it.
    Log,
    /// Evenly up to `linthresh` on both sides of zero, by powers of ten beyond.
    SymLog {
        /// From `1e-100` to `1e100`; anything else makes the axis linear.
        linthresh: f64,
    },
    /// Names at 0, 1, 2 and so on.
    Category(Vec<String>),
}

/// Larger data are not shown: their differences would not be finite.
const LARGEST: f64 = 1e300;
/// So much further, and so much nearer to zero on a logarithmic axis, an axis may go for its margins.
const BEYOND: f64 = 1e5;

impl Scale {
    /// A scale that can be drawn: a `linthresh` that is not positive, or hardly a number, makes it linear.
    pub(crate) fn usable(self) -> Self {
        match self {
            Self::SymLog { linthresh } if !(1e-100..=1e100).contains(&linthresh) => Self::Linear,
            scale => scale,
        }
    }

    /// Some range that has a length.
    pub(crate) fn usual_range(&self) -> (f64, f64) {
        match self {
            Self::Linear | Self::Category(_) => (0.0, 1.0),
            Self::Log => (1.0, 10.0),
            Self::SymLog { linthresh } => (-linthresh, *linthresh),
        }
    }

    /// Whether a value of the data can be shown.
    pub(crate) fn has(&self, value: f64) -> bool {
        let is_usable = value.abs() <= LARGEST;
        match self {
            Self::Log => is_usable && value >= 1.0 / LARGEST,
            _ => is_usable,
        }
    }

    /// A value on an even axis; NaN if it has no place.
    pub(crate) fn forward(&self, value: f64) -> f64 {
        if value.is_nan() || value.abs() > LARGEST * BEYOND {
            return f64::NAN;
        }
        match self {
            Self::Linear | Self::Category(_) => value,
            Self::Log if value < 1.0 / (LARGEST * BEYOND) => f64::NAN,
            Self::Log => libm::log10(value),
            Self::SymLog { linthresh } => {
                // Matplotlib's `SymmetricalLogTransform` with `linscale=1`: the linear part is as long as a decade, times 10/9.
                let linear = 10.0 / 9.0;
                let size = value.abs();
                if size <= *linthresh {
                    value * linear / linthresh
                } else {
                    (linear + libm::log10(size) - libm::log10(*linthresh)).copysign(value)
                }
            }
        }
    }

    /// The value at a place of the even axis, or the nearest one that an axis has.
    pub(crate) fn backward(&self, place: f64) -> f64 {
        let value = match self {
            Self::Linear | Self::Category(_) => place,
            Self::Log => {
                let value = libm::pow(10.0, place);
                value.max(1.0 / (LARGEST * BEYOND))
            }
            Self::SymLog { linthresh } => {
                let linear = 10.0 / 9.0;
                if place.abs() <= linear {
                    place * linthresh / linear
                } else {
                    let power = place.abs() - linear + libm::log10(*linthresh);
                    libm::pow(10.0, power).copysign(place)
                }
            }
        };
        value.clamp(-LARGEST * BEYOND, LARGEST * BEYOND)
    }
}

/// The range of an axis on the page.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) scale: Scale,
    /// Values at the ends; the first may be the larger.
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// The ends on the page.
    pub(crate) from: f64,
    pub(crate) to: f64,
}

impl View {
    /// The place on the page; NaN if there is none.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let (low, high) = (self.scale.forward(self.low), self.scale.forward(self.high));
        self.from + (self.scale.forward(value) - low) / (high - low) * (self.to - self.from)
    }

    /// The smaller and the larger end.
    pub(crate) fn range(&self) -> (f64, f64) {
        (self.low.min(self.high), self.low.max(self.high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_go_there_and_back() {
        for scale in [Scale::Linear, Scale::Log, Scale::SymLog { linthresh: 0.01 }] {
            for value in [1e-6, 0.005, 0.01, 1.0, 250.0] {
                let back = scale.backward(scale.forward(value));
                assert!((back - value).abs() < 1e-12 * value, "{scale:?} {value}");
            }
        }
        assert!(Scale::Log.forward(-1.0).is_nan() && Scale::Linear.forward(f64::MAX).is_nan());
    }
}
