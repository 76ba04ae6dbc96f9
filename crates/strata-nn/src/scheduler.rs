//! Schedules of the learning rate, with torch's names and parameters, in closed form.

use std::collections::BTreeMap;

use serde_json::Value;
use thiserror::Error;

use crate::math::cos_pi;
use crate::optimizer::power;

/// A schedule and its parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SchedulerConfig {
    /// `eta_min + (lr - eta_min)·(1 + cos(π·t/T_max))/2` (Loshchilov & Hutter 2017)
    CosineAnnealingLR {
        /// Half a period.
        t_max: f64,
        /// The least learning rate.
        eta_min: f64,
    },
    /// `lr·gamma^⌊t/step_size⌋`
    StepLR {
        /// Length of a stair.
        step_size: u64,
        /// Factor between two stairs.
        gamma: f64,
    },
    /// `lr·gammaᵗ`
    ExponentialLR {
        /// Factor of each time.
        gamma: f64,
    },
}

/// A name or a parameter that no scheduler has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SchedulerError {
    /// No scheduler of that name.
    #[error("there is no scheduler `{name}`; there are {}", SchedulerConfig::NAMES.join(", "))]
    UnknownName {
        /// What was asked for.
        name: String,
    },
    /// The scheduler has no such parameter.
    #[error("scheduler `{name}` has no parameter `{parameter}`; it has {}", .known.join(", "))]
    UnknownParameter {
        /// The scheduler.
        name: String,
        /// What was given.
        parameter: String,
        /// The parameters it has.
        known: Vec<&'static str>,
    },
    /// The parameter is absent, has another type, or lies out of range.
    #[error("parameter `{parameter}` of scheduler `{name}` must be {expected}")]
    Invalid {
        /// The scheduler.
        name: String,
        /// The parameter.
        parameter: &'static str,
        /// What it must be.
        expected: &'static str,
    },
}

impl SchedulerError {
    /// The parameter at fault, if it is not the name.
    pub fn parameter(&self) -> Option<&str> {
        match self {
            Self::UnknownName { .. } => None,
            Self::UnknownParameter { parameter, .. } => Some(parameter),
            Self::Invalid { parameter, .. } => Some(parameter),
        }
    }
}

impl SchedulerConfig {
    /// The names that [`SchedulerConfig::from_name`] knows.
    pub const NAMES: [&'static str; 3] = ["CosineAnnealingLR", "StepLR", "ExponentialLR"];

    /// The scheduler `name` with torch's parameters.
    ///
    /// # Errors
    /// An unknown name, an unknown parameter, or one that is absent without a default or out of range.
    pub fn from_name(name: &str, params: &BTreeMap<String, Value>) -> Result<Self, SchedulerError> {
        let known: &[&'static str] = match name {
            "CosineAnnealingLR" => &["T_max", "eta_min"],
            "StepLR" => &["step_size", "gamma"],
            "ExponentialLR" => &["gamma"],
            _ => {
                return Err(SchedulerError::UnknownName {
                    name: name.to_owned(),
                });
            }
        };
        if let Some(parameter) = params.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(SchedulerError::UnknownParameter {
                name: name.to_owned(),
                parameter: parameter.clone(),
                known: known.to_vec(),
            });
        }
        let invalid = |parameter, expected| SchedulerError::Invalid {
            name: name.to_owned(),
            parameter,
            expected,
        };
        let number = |parameter: &'static str, default: Option<f64>| match params.get(parameter) {
            None => default.ok_or_else(|| invalid(parameter, "given")),
            Some(value) => value.as_f64().ok_or_else(|| invalid(parameter, "a number")),
        };
        Ok(match name {
            "CosineAnnealingLR" => {
                let t_max = number("T_max", None)?;
                if t_max.is_nan() || t_max <= 0.0 {
                    return Err(invalid("T_max", "greater than 0"));
                }
                Self::CosineAnnealingLR {
                    t_max,
                    eta_min: number("eta_min", Some(0.0))?,
                }
            }
            "StepLR" => {
                let step_size = params
                    .get("step_size")
                    .and_then(Value::as_u64)
                    .filter(|&size| size > 0);
                let step_size =
                    step_size.ok_or_else(|| invalid("step_size", "an integer greater than 0"))?;
                Self::StepLR {
                    step_size,
                    gamma: number("gamma", Some(0.1))?,
                }
            }
            _ => Self::ExponentialLR {
                gamma: number("gamma", None)?,
            },
        })
    }

    /// The learning rate after the scheduler has stepped `t` times, from the optimiser's `lr`.
    pub fn lr_at(&self, lr: f64, t: u64) -> f64 {
        match *self {
            Self::CosineAnnealingLR { t_max, eta_min } => {
                eta_min + (lr - eta_min) * (1.0 + cos_pi(t as f64 / t_max)) / 2.0
            }
            Self::StepLR { step_size, gamma } => lr * power(gamma, t / step_size),
            Self::ExponentialLR { gamma } => lr * power(gamma, t),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cosine_goes_from_lr_to_eta_min() {
        let cosine = SchedulerConfig::CosineAnnealingLR {
            t_max: 20.0,
            eta_min: 1e-5,
        };
        assert!((cosine.lr_at(1e-3, 0) - 1e-3).abs() < 1e-18);
        assert!((cosine.lr_at(1e-3, 10) - 5.05e-4).abs() < 1e-15);
        assert!((cosine.lr_at(1e-3, 20) - 1e-5).abs() < 1e-15);
    }

    #[test]
    fn stairs_and_powers() {
        let stairs = SchedulerConfig::StepLR {
            step_size: 3,
            gamma: 0.5,
        };
        assert_eq!(
            (0..7).map(|t| stairs.lr_at(1.0, t)).collect::<Vec<_>>(),
            [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25]
        );
        assert_eq!(
            SchedulerConfig::ExponentialLR { gamma: 0.5 }.lr_at(8.0, 3),
            1.0
        );
    }

    #[test]
    fn a_needed_parameter_is_asked_for() {
        let error = SchedulerConfig::from_name("CosineAnnealingLR", &BTreeMap::new()).unwrap_err();
        assert_eq!(error.parameter(), Some("T_max"));
    }
}
