//! Optimisers, with torch's names, parameters, defaults and update rules.

use std::collections::BTreeMap;

use serde_json::Value;
use thiserror::Error;

/// An optimiser and its parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OptimizerConfig {
    /// Stochastic gradient descent, `torch.optim.SGD`.
    Sgd {
        /// Learning rate (default 1e-3).
        lr: f64,
        /// Share of the last update that is kept (default 0).
        momentum: f64,
        /// Damping of the gradient within the momentum (default 0).
        dampening: f64,
        /// L2 penalty added to the gradient (default 0).
        weight_decay: f64,
        /// Nesterov's momentum; needs a momentum and no dampening.
        nesterov: bool,
    },
    /// Adam (Kingma & Ba 2015), weight decay added to the gradient, `torch.optim.Adam`.
    Adam(AdamConfig),
    /// `AdamW`: weight decay applied to the weights (Loshchilov & Hutter 2019), `torch.optim.AdamW`.
    AdamW(AdamConfig),
}

/// Parameters of Adam and `AdamW`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamConfig {
    /// Learning rate (default 1e-3).
    pub lr: f64,
    /// Decay rates of the first and second moment (default 0.9, 0.999).
    pub betas: (f64, f64),
    /// Added to the denominator (default 1e-8).
    pub eps: f64,
    /// Weight decay (default 0 for Adam, 1e-2 for `AdamW`).
    pub weight_decay: f64,
}

/// A name or a parameter that no optimiser has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OptimizerError {
    /// No optimiser of that name.
    #[error("there is no optimizer `{name}`; there are {}", OptimizerConfig::NAMES.join(", "))]
    UnknownName {
        /// What was asked for.
        name: String,
    },
    /// The optimiser has no such parameter.
    #[error("optimizer `{name}` has no parameter `{parameter}`; it has {}", .known.join(", "))]
    UnknownParameter {
        /// The optimiser.
        name: String,
        /// What was given.
        parameter: String,
        /// The parameters it has.
        known: Vec<&'static str>,
    },
    /// The parameter has another type or lies out of range.
    #[error("parameter `{parameter}` of optimizer `{name}` must be {expected}")]
    Invalid {
        /// The optimiser.
        name: String,
        /// The parameter.
        parameter: String,
        /// What it must be.
        expected: &'static str,
    },
}

impl OptimizerError {
    /// The parameter at fault, if it is not the name.
    pub fn parameter(&self) -> Option<&str> {
        match self {
            Self::UnknownName { .. } => None,
            Self::UnknownParameter { parameter, .. } | Self::Invalid { parameter, .. } => {
                Some(parameter)
            }
        }
    }
}

impl OptimizerConfig {
    /// The names that [`OptimizerConfig::from_name`] knows.
    pub const NAMES: [&'static str; 3] = ["SGD", "Adam", "AdamW"];

    /// The optimiser `name` with torch's parameters, those absent at torch's defaults.
    ///
    /// # Errors
    /// An unknown name, an unknown parameter, or a value that torch would refuse.
    pub fn from_name(name: &str, params: &BTreeMap<String, Value>) -> Result<Self, OptimizerError> {
        let read = Parameters { name, params };
        match name {
            "SGD" => read.sgd(),
            "Adam" => read.adam(0.0).map(Self::Adam),
            "AdamW" => read.adam(1e-2).map(Self::AdamW),
            _ => Err(OptimizerError::UnknownName {
                name: name.to_owned(),
            }),
        }
    }

    /// The learning rate before any schedule.
    pub fn lr(&self) -> f64 {
        match self {
            Self::Sgd { lr, .. } => *lr,
            Self::Adam(adam) | Self::AdamW(adam) => adam.lr,
        }
    }
}

struct Parameters<'a> {
    name: &'a str,
    params: &'a BTreeMap<String, Value>,
}

impl Parameters<'_> {
    fn sgd(&self) -> Result<OptimizerConfig, OptimizerError> {
        self.allow(&["lr", "momentum", "dampening", "weight_decay", "nesterov"])?;
        let momentum = self.not_negative("momentum", 0.0)?;
        let dampening = self.number("dampening", 0.0)?;
        let nesterov = self.switch("nesterov", false)?;
        if nesterov && (momentum == 0.0 || dampening != 0.0) {
            return Err(self.invalid("nesterov", "false without a momentum or with a dampening"));
        }
        Ok(OptimizerConfig::Sgd {
            lr: self.not_negative("lr", 1e-3)?,
            momentum,
            dampening,
            weight_decay: self.not_negative("weight_decay", 0.0)?,
            nesterov,
        })
    }

    fn adam(&self, weight_decay: f64) -> Result<AdamConfig, OptimizerError> {
        self.allow(&["lr", "betas", "eps", "weight_decay"])?;
        Ok(AdamConfig {
            lr: self.not_negative("lr", 1e-3)?,
            betas: self.betas()?,
            eps: self.not_negative("eps", 1e-8)?,
            weight_decay: self.not_negative("weight_decay", weight_decay)?,
        })
    }

    fn betas(&self) -> Result<(f64, f64), OptimizerError> {
        let Some(value) = self.params.get("betas") else {
            return Ok((0.9, 0.999));
        };
        let pair: Option<Vec<f64>> = value
            .as_array()
            .and_then(|list| list.iter().map(Value::as_f64).collect());
        match pair.as_deref() {
            Some([first, second]) if (0.0..1.0).contains(first) && (0.0..1.0).contains(second) => {
                Ok((*first, *second))
            }
            _ => Err(self.invalid("betas", "two numbers, at least 0 and less than 1")),
        }
    }

    fn allow(&self, known: &[&'static str]) -> Result<(), OptimizerError> {
        match self
            .params
            .keys()
            .find(|key| !known.contains(&key.as_str()))
        {
            None => Ok(()),
            Some(parameter) => Err(OptimizerError::UnknownParameter {
                name: self.name.to_owned(),
                parameter: parameter.clone(),
                known: known.to_vec(),
            }),
        }
    }

    fn number(&self, parameter: &str, default: f64) -> Result<f64, OptimizerError> {
        match self.params.get(parameter) {
            None => Ok(default),
            Some(value) => value
                .as_f64()
                .filter(|number| number.is_finite())
                .ok_or_else(|| self.invalid(parameter, "a finite number")),
        }
    }

    fn not_negative(&self, parameter: &str, default: f64) -> Result<f64, OptimizerError> {
        let number = self.number(parameter, default)?;
        if number < 0.0 {
            Err(self.invalid(parameter, "at least 0"))
        } else {
            Ok(number)
        }
    }

    fn switch(&self, parameter: &str, default: bool) -> Result<bool, OptimizerError> {
        match self.params.get(parameter) {
            None => Ok(default),
            Some(value) => value
                .as_bool()
                .ok_or_else(|| self.invalid(parameter, "true or false")),
        }
    }

    fn invalid(&self, parameter: &str, expected: &'static str) -> OptimizerError {
        OptimizerError::Invalid {
            name: self.name.to_owned(),
            parameter: parameter.to_owned(),
            expected,
        }
    }
}

/// One step's update rule, its numbers worked out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Update {
    rule: Rule,
    /// What the gradient is multiplied by first: the clipping.
    gradient_scale: f32,
}

#[derive(Debug, Clone, Copy)]
enum Rule {
    Sgd {
        lr: f32,
        momentum: f32,
        keep: f32,
        weight_decay: f32,
        nesterov: bool,
        first: bool,
    },
    Adam {
        step_size: f32,
        beta1: f32,
        beta2: f32,
        eps: f32,
        root: f32,
        decay: f32,
        shrink: f32,
    },
}

impl Update {
    /// The update of step `step` (from 1) with learning rate `lr`.
    pub(crate) fn new(config: &OptimizerConfig, lr: f64, step: u64, gradient_scale: f32) -> Self {
        let rule = match *config {
            OptimizerConfig::Sgd {
                momentum,
                dampening,
                weight_decay,
                nesterov,
                ..
            } => Rule::Sgd {
                lr: lr as f32,
                momentum: momentum as f32,
                keep: (1.0 - dampening) as f32,
                weight_decay: weight_decay as f32,
                nesterov,
                first: step == 1,
            },
            OptimizerConfig::Adam(adam) => adam_rule(adam, lr, step, adam.weight_decay as f32, 1.0),
            OptimizerConfig::AdamW(adam) => {
                adam_rule(adam, lr, step, 0.0, (1.0 - lr * adam.weight_decay) as f32)
            }
        };
        Self {
            rule,
            gradient_scale,
        }
    }
}

/// Parameters in a row, their gradients, and the two moments of the optimiser.
pub(crate) struct Stretch<'a> {
    pub(crate) value: &'a mut [f32],
    pub(crate) gradient: &'a [f32],
    pub(crate) first: &'a mut [f32],
    pub(crate) second: &'a mut [f32],
}

/// `root` is the square root of the second bias correction, as torch divides by it.
fn adam_rule(adam: AdamConfig, lr: f64, step: u64, decay: f32, shrink: f32) -> Rule {
    let correction = |beta: f64| 1.0 - power(beta, step);
    Rule::Adam {
        step_size: (lr / correction(adam.betas.0)) as f32,
        beta1: adam.betas.0 as f32,
        beta2: adam.betas.1 as f32,
        eps: adam.eps as f32,
        root: correction(adam.betas.1).sqrt() as f32,
        decay,
        shrink,
    }
}

/// `xⁿ` by squaring; `powf` belongs to the platform.
pub(crate) fn power(x: f64, n: u64) -> f64 {
    let (mut result, mut square, mut rest) = (1.0, x, n);
    while rest > 0 {
        if rest & 1 == 1 {
            result *= square;
        }
        square *= square;
        rest >>= 1;
    }
    result
}

/// Applies the update to a stretch of parameters and their state.
#[inline(always)]
pub(crate) fn apply_update(update: Update, parameters: Stretch) {
    let scale = update.gradient_scale;
    let n = parameters.value.len();
    let (value, gradient) = (&mut parameters.value[..n], &parameters.gradient[..n]);
    let (first, second) = (&mut parameters.first[..n], &mut parameters.second[..n]);
    match update.rule {
        Rule::Sgd {
            lr,
            momentum,
            keep,
            weight_decay,
            nesterov,
            first: is_first,
        } => {
            // torch's momentum buffer begins as the first gradient, without dampening.
            let (momentum_now, keep_now) = if is_first {
                (0.0, 1.0)
            } else {
                (momentum, keep)
            };
            for i in 0..n {
                let g = gradient[i] * scale + weight_decay * value[i];
                first[i] = momentum_now * first[i] + keep_now * g;
                let direction = if momentum == 0.0 {
                    g
                } else if nesterov {
                    g + momentum * first[i]
                } else {
                    first[i]
                };
                value[i] -= lr * direction;
            }
        }
        Rule::Adam {
            step_size,
            beta1,
            beta2,
            eps,
            root,
            decay,
            shrink,
        } => {
            for i in 0..n {
                let g = gradient[i] * scale + decay * value[i];
                first[i] = normal(first[i] + (1.0 - beta1) * (g - first[i]));
                second[i] = normal(beta2 * second[i] + (1.0 - beta2) * g * g);
                let denominator = second[i].sqrt() / root + eps;
                value[i] = value[i] * shrink - step_size * (first[i] / denominator);
            }
        }
    }
}

/// Zero for subnormal numbers: the moments of units that have died decay into them, and the processor
/// takes a hundred times longer over each (an epoch took half as long again).
#[inline(always)]
fn normal(x: f32) -> f32 {
    if x.abs() < f32::MIN_POSITIVE { 0.0 } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_parameter_and_list_the_others() {
        let params = BTreeMap::from([("momentun".to_owned(), Value::from(0.9))]);
        let error = OptimizerConfig::from_name("SGD", &params).unwrap_err();
        assert_eq!(error.parameter(), Some("momentun"));
        assert!(error.to_string().contains("momentum"), "{error}");
        let error = OptimizerConfig::from_name("Adan", &BTreeMap::new()).unwrap_err();
        assert!(error.to_string().contains("AdamW"), "{error}");
        let params = BTreeMap::from([("lr".to_owned(), Value::from(-1.0))]);
        assert!(OptimizerConfig::from_name("Adam", &params).is_err());
    }

    #[test]
    fn powers_are_exact_where_they_can_be() {
        assert_eq!(power(0.5, 10), 1.0 / 1024.0);
        assert_eq!(power(0.9, 0), 1.0);
        assert!((power(0.999, 1000) - 0.999_f64.powi(1000)).abs() < 1e-12);
    }
}
