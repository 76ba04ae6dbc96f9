//! Activations, with torch's names, parameters and semantics.

use std::collections::BTreeMap;

use serde_json::Value;
use thiserror::Error;

use crate::math;

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

/// A name or a parameter that no activation has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ActivationError {
    /// No activation of that name.
    #[error("there is no activation `{name}`; there are {}", Activation::NAMES.join(", "))]
    UnknownName {
        /// What was asked for.
        name: String,
    },
    /// The activation has no such parameter.
    #[error("activation `{name}` has no parameter `{parameter}`; {}", crate::parameters::listed(.known))]
    UnknownParameter {
        /// The activation.
        name: String,
        /// What was given.
        parameter: String,
        /// The parameters it has.
        known: Vec<&'static str>,
    },
    /// The parameter has another type.
    #[error("parameter `{parameter}` of activation `{name}` must be {expected}")]
    WrongType {
        /// The activation.
        name: String,
        /// The parameter.
        parameter: String,
        /// What it must be.
        expected: &'static str,
    },
}

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
    pub fn from_name(
        name: &str,
        kwargs: &BTreeMap<String, Value>,
    ) -> Result<Self, ActivationError> {
        let known: &[&'static str] = match name {
            "leaky_relu" => &["negative_slope"],
            "elu" => &["alpha"],
            "gelu" => &["approximate"],
            "softplus" => &["beta", "threshold"],
            "scaled_sigmoid" => &["scale", "backward"],
            _ if Self::NAMES.contains(&name) => &[],
            _ => {
                return Err(ActivationError::UnknownName {
                    name: name.to_owned(),
                });
            }
        };
        if let Some(parameter) = kwargs.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(ActivationError::UnknownParameter {
                name: name.to_owned(),
                parameter: parameter.clone(),
                known: known.to_vec(),
            });
        }
        let wrong = |parameter: &str, expected| ActivationError::WrongType {
            name: name.to_owned(),
            parameter: parameter.to_owned(),
            expected,
        };
        let number = |parameter: &str, default: f32| match kwargs.get(parameter) {
            None => Ok(default),
            Some(value) => value
                .as_f64()
                .map(|x| x as f32)
                .ok_or_else(|| wrong(parameter, "a number")),
        };
        Ok(match name {
            "relu" => Self::Relu,
            "leaky_relu" => Self::LeakyRelu {
                negative_slope: number("negative_slope", 0.01)?,
            },
            "gelu" => match kwargs.get("approximate").map(Value::as_str) {
                None | Some(Some("none")) => Self::Gelu,
                Some(Some("tanh")) => Self::GeluTanh,
                Some(_) => return Err(wrong("approximate", "`none` or `tanh`")),
            },
            "tanh" => Self::Tanh,
            "sigmoid" => Self::Sigmoid,
            "elu" => Self::Elu {
                alpha: number("alpha", 1.0)?,
            },
            "selu" => Self::Selu,
            "silu" => Self::Silu,
            "softplus" => Self::Softplus {
                beta: number("beta", 1.0)?,
                threshold: number("threshold", 20.0)?,
            },
            "mish" => Self::Mish,
            "hardswish" => Self::Hardswish,
            "scaled_sigmoid" => Self::ScaledSigmoid {
                scale: number("scale", 1.0)?,
                course_backward: match kwargs.get("backward").map(Value::as_str) {
                    None | Some(Some("true")) => false,
                    Some(Some("course")) => true,
                    Some(_) => return Err(wrong("backward", "`true` or `course`")),
                },
            },
            _ => Self::Identity,
        })
    }

    /// Replaces each input by the activation's value and writes its derivative beside it.
    #[inline(always)]
    pub(crate) fn apply(self, values: &mut [f32], slopes: &mut [f32]) {
        match self {
            Self::Relu => each(values, slopes, |x| {
                (
                    if x < 0.0 { 0.0 } else { x },
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
