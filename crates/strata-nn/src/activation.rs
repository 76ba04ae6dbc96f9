//! Activations, with torch's names, parameters and semantics.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::math;
use crate::parameters::{Parameters, SettingError};

/// What a hidden unit makes of its input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    /// `max(0, x)`
    Relu,
    /// `x` for positive x, `negative_slope·x` otherwise (default 0.01)
    LeakyRelu {
        /// Slope for negative inputs.
        negative_slope: f32,
    },
    /// `x·Φ(x)` with the normal distribution function Φ (Hendrycks & Gimpel 2016)
    Gelu,
    /// The same with Φ approximated through tanh, torch's `approximate='tanh'`
    GeluTanh,
    /// Hyperbolic tangent
    Tanh,
    /// `1 / (1 + e⁻ˣ)`
    Sigmoid,
    /// `x` for positive x, `alpha·(eˣ - 1)` otherwise (default 1)
    Elu {
        /// Limit for very negative inputs, negated.
        alpha: f32,
    },
    /// ELU with the constants of Klambauer et al. 2017
    Selu,
    /// `x·sigmoid(x)`
    Silu,
    /// `ln(1 + e^(beta·x)) / beta`, and `x` where `beta·x > threshold` (defaults 1, 20)
    Softplus {
        /// Steepness of the bend.
        beta: f32,
        /// Where the linear part begins.
        threshold: f32,
    },
    /// `x·tanh(softplus(x))` (Misra 2019)
    Mish,
    /// `x·min(max(x + 3, 0), 6)/6` (Howard et al. 2019)
    Hardswish,
    /// `scale·sigmoid(x)`, the coursework's "problematic training"
    ScaledSigmoid {
        /// Largest value (default 1).
        scale: f32,
        /// Whether the backward pass is the coursework's `scale·g·y·(1 - y)` for output y, which is not
        /// the derivative (`backward: course`).
        course_backward: bool,
    },
    /// `x`
    Identity,
}

const KIND: &str = "activation";
/// torch's switch between equal implementations.
const INPLACE: [&str; 1] = ["inplace"];

const SELU_SCALE: f32 = 1.050_701;
const SELU_ALPHA: f32 = 1.673_263_2;

impl Activation {
    /// The names that [`Activation::from_name`] knows.
    pub const NAMES: [&'static str; 13] = [
        "relu",
        "leaky_relu",
        "gelu",
        "tanh",
        "sigmoid",
        "elu",
        "selu",
        "silu",
        "softplus",
        "mish",
        "hardswish",
        "scaled_sigmoid",
        "identity",
    ];

    /// The activation `name` with the parameters of torch's module, those absent at torch's defaults.
    ///
    /// # Errors
    /// An unknown name, an unknown parameter, or a parameter of another type.
    pub fn from_name(name: &str, kwargs: &BTreeMap<String, Value>) -> Result<Self, SettingError> {
        let read = Parameters(kwargs);
        let number = |parameter, default| read.number(parameter, default).map(|x| x as f32);
        let parsed = match name {
            "leaky_relu" => read.allow(&["negative_slope"], &INPLACE).and_then(|()| {
                Ok(Self::LeakyRelu {
                    negative_slope: number("negative_slope", 0.01)?,
                })
            }),
            "elu" => read.allow(&["alpha"], &INPLACE).and_then(|()| {
                Ok(Self::Elu {
                    alpha: number("alpha", 1.0)?,
                })
            }),
            "gelu" => read.allow(&["approximate"], &[]).and_then(|()| {
                let choices = ["none", "tanh"];
                let tanh = read.choice("approximate", &choices, "`none` or `tanh`")? == 1;
                Ok(if tanh { Self::GeluTanh } else { Self::Gelu })
            }),
            "softplus" => read.allow(&["beta", "threshold"], &[]).and_then(|()| {
                Ok(Self::Softplus {
                    beta: number("beta", 1.0)?,
                    threshold: number("threshold", 20.0)?,
                })
            }),
            "scaled_sigmoid" => read.allow(&["scale", "backward"], &[]).and_then(|()| {
                let choices = ["true", "course"];
                let backward = read.choice("backward", &choices, "`true` or `course`")?;
                Ok(Self::ScaledSigmoid {
                    scale: number("scale", 1.0)?,
                    course_backward: backward == 1,
                })
            }),
            _ => {
                let Some(plain) = Self::without_parameters(name) else {
                    return Err(SettingError::UnknownName {
                        kind: KIND,
                        name: name.to_owned(),
                        known: &Self::NAMES,
                    });
                };
                read.allow(&[], &INPLACE).map(|()| plain)
            }
        };
        parsed.map_err(|error| error.of(KIND, name))
    }

    fn without_parameters(name: &str) -> Option<Self> {
        Some(match name {
            "relu" => Self::Relu,
            "tanh" => Self::Tanh,
            "sigmoid" => Self::Sigmoid,
            "selu" => Self::Selu,
            "silu" => Self::Silu,
            "mish" => Self::Mish,
            "hardswish" => Self::Hardswish,
            "identity" => Self::Identity,
            _ => return None,
        })
    }

    /// Replaces each input by the activation's value and writes its derivative beside it.
    #[inline(always)]
    pub(crate) fn apply(self, values: &mut [f32], slopes: &mut [f32]) {
        match self {
            Self::Relu => each(values, slopes, |x| {
                // By its bits: a choice between zero and what is there becomes a masked store, which
                // some processors take a dozen cycles for.
                let kept = if x < 0.0 { 0 } else { u32::MAX };
                (
                    f32::from_bits(x.to_bits() & kept),
                    if x > 0.0 { 1.0 } else { 0.0 },
                )
            }),
            Self::LeakyRelu { negative_slope } => each(values, slopes, |x| {
                let slope = if x > 0.0 { 1.0 } else { negative_slope };
                (x * slope, slope)
            }),
            Self::Gelu => each(values, slopes, |x| {
                let phi = 0.5 * (1.0 + math::erf(x * std::f32::consts::FRAC_1_SQRT_2));
                let density = 0.398_942_3 * math::exp(-0.5 * x * x);
                (x * phi, phi + x * density)
            }),
            Self::GeluTanh => each(values, slopes, |x| {
                let (scale, cubic) = (0.797_884_6, 0.044_715);
                let t = math::tanh(scale * (x + cubic * x * x * x));
                let inner = scale * (1.0 + 3.0 * cubic * x * x);
                (
                    0.5 * x * (1.0 + t),
                    0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * inner,
                )
            }),
            Self::Tanh => each(values, slopes, |x| {
                let t = math::tanh(x);
                (t, 1.0 - t * t)
            }),
            Self::Sigmoid => each(values, slopes, |x| {
                let s = math::sigmoid(x);
                (s, s * (1.0 - s))
            }),
            Self::Elu { alpha } => each(values, slopes, |x| {
                let e = alpha * math::exp(x.min(0.0));
                (
                    if x > 0.0 { x } else { e - alpha },
                    if x > 0.0 { 1.0 } else { e },
                )
            }),
            Self::Selu => each(values, slopes, |x| {
                let e = SELU_SCALE * SELU_ALPHA * math::exp(x.min(0.0));
                let value = if x > 0.0 {
                    SELU_SCALE * x
                } else {
                    e - SELU_SCALE * SELU_ALPHA
                };
                (value, if x > 0.0 { SELU_SCALE } else { e })
            }),
            Self::Silu => each(values, slopes, |x| {
                let s = math::sigmoid(x);
                (x * s, s * (1.0 + x * (1.0 - s)))
            }),
            Self::Softplus { beta, threshold } => each(values, slopes, |x| {
                let scaled = beta * x;
                if scaled > threshold {
                    (x, 1.0)
                } else {
                    (math::softplus(scaled) / beta, math::sigmoid(scaled))
                }
            }),
            Self::Mish => each(values, slopes, |x| {
                let t = math::tanh(math::softplus(x));
                (x * t, t + x * (1.0 - t * t) * math::sigmoid(x))
            }),
            Self::Hardswish => each(values, slopes, |x| {
                let gate = (x + 3.0).clamp(0.0, 6.0) / 6.0;
                let slope = if x <= -3.0 {
                    0.0
                } else if x < 3.0 {
                    x / 3.0 + 0.5
                } else {
                    1.0
                };
                (x * gate, slope)
            }),
            Self::ScaledSigmoid {
                scale,
                course_backward,
            } => each(values, slopes, |x| {
                let s = math::sigmoid(x);
                let y = scale * s;
                let slope = if course_backward {
                    scale * y * (1.0 - y)
                } else {
                    y * (1.0 - s)
                };
                (y, slope)
            }),
            Self::Identity => slopes.fill(1.0),
        }
    }
}

#[inline(always)]
fn each(values: &mut [f32], slopes: &mut [f32], f: impl Fn(f32) -> (f32, f32)) {
    for (value, slope) in values.iter_mut().zip(slopes) {
        (*value, *slope) = f(*value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivatives_are_those_of_the_values() {
        for name in Activation::NAMES {
            let activation = Activation::from_name(name, &BTreeMap::new()).expect("a listed name");
            let value = |x: f32| {
                let (mut value, mut slope) = ([x], [0.0]);
                activation.apply(&mut value, &mut slope);
                (f64::from(value[0]), f64::from(slope[0]))
            };
            for x in [-3.2, -1.1, -0.3, 0.2, 0.9, 2.7] {
                let step = 1e-2;
                let difference = (value(x + step).0 - value(x - step).0) / f64::from(2.0 * step);
                assert!(
                    (difference - value(x).1).abs() < 2e-4,
                    "{name} at {x}: {difference}"
                );
            }
        }
    }

    #[test]
    fn errors_list_what_there_is() {
        let none = BTreeMap::new();
        let unknown = Activation::from_name("rellu", &none)
            .unwrap_err()
            .to_string();
        assert!(unknown.contains("leaky_relu"), "{unknown}");
        let kwargs = BTreeMap::from([("alpha".to_owned(), Value::from(1.0))]);
        let parameter = Activation::from_name("leaky_relu", &kwargs)
            .unwrap_err()
            .to_string();
        assert!(parameter.contains("negative_slope"), "{parameter}");
    }
}
