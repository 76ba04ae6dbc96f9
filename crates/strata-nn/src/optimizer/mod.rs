//! Optimisers, with torch's names, parameters, defaults and update rules.
//!
//! [`OptimizerConfig`] is what was asked for; [`update`] works out the numbers of one step and applies
//! them to stretches of parameters.

mod update;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::parameters::{ParameterError, Parameters, SettingError, invalid};

pub(crate) use update::{OptimizerProgress, Stretch, Update, apply_update, power};

/// An optimiser, and what all optimisers have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OptimizerConfig {
    /// Learning rate.
    pub lr: f64,
    /// Weight decay; L2 penalty added to the gradient unless `decoupled_weight_decay`.
    pub weight_decay: f64,
    /// Whether the decay shrinks the weights instead (Loshchilov & Hutter 2019).
    pub decoupled_weight_decay: bool,
    /// Whether biases and the parameters of normalisation decay as well, as in torch without parameter
    /// groups.
    pub decay_biases: bool,
    /// Whether the objective is maximised.
    pub maximize: bool,
    /// The update rule.
    pub rule: OptimizerRule,
}

/// An update rule and its parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OptimizerRule {
    /// Stochastic gradient descent, `torch.optim.SGD`.
    Sgd {
        /// Share of the last update that is kept (default 0).
        momentum: f64,
        /// Damping of the gradient within the momentum (default 0).
        dampening: f64,
        /// Nesterov's momentum; needs a momentum and no dampening.
        nesterov: bool,
    },
    /// Adam (Kingma & Ba 2015); with a decoupled decay `AdamW`.
    Adam {
        /// Decay rates of the first and second moment (default 0.9, 0.999).
        betas: (f64, f64),
        /// Added to the denominator (default 1e-8).
        eps: f64,
        /// Whether the greatest second moment so far is divided by (Reddi et al. 2018).
        amsgrad: bool,
    },
    /// Adam with Nesterov's momentum (Dozat 2016), `torch.optim.NAdam`.
    NAdam {
        /// As for Adam.
        betas: (f64, f64),
        /// As for Adam.
        eps: f64,
        /// Decay of the momentum (default 4e-3).
        momentum_decay: f64,
    },
    /// Rectified Adam (Liu et al. 2020), `torch.optim.RAdam`.
    RAdam {
        /// As for Adam.
        betas: (f64, f64),
        /// As for Adam.
        eps: f64,
    },
    /// `torch.optim.RMSprop` (Hinton 2012; centred: Graves 2013).
    RmsProp {
        /// Decay rate of the squares (default 0.99).
        alpha: f64,
        /// Added to the denominator (default 1e-8).
        eps: f64,
        /// Momentum (default 0).
        momentum: f64,
        /// Whether the gradient's mean is taken off its mean square.
        centered: bool,
    },
    /// `torch.optim.Adagrad` (Duchi et al. 2011).
    Adagrad {
        /// Decay of the learning rate (default 0).
        lr_decay: f64,
        /// What the sum of squares begins with (default 0).
        initial_accumulator_value: f64,
        /// Added to the denominator (default 1e-10).
        eps: f64,
    },
    /// `torch.optim.Adadelta` (Zeiler 2012).
    Adadelta {
        /// Decay rate of the squares (default 0.9).
        rho: f64,
        /// Added within the roots (default 1e-6).
        eps: f64,
    },
    /// Adam with the greatest gradient in place of the second moment, `torch.optim.Adamax`.
    Adamax {
        /// As for Adam.
        betas: (f64, f64),
        /// Added to the gradient's size (default 1e-8).
        eps: f64,
    },
}

const KIND: &str = "optimizer";

/// Switches of torch's that choose between equal implementations.
const IMPLEMENTATION_SWITCHES: [&str; 4] = ["foreach", "fused", "capturable", "differentiable"];

type Checked<T> = Result<T, ParameterError>;

impl OptimizerConfig {
    /// The names that [`OptimizerConfig::from_name`] knows.
    pub const NAMES: [&'static str; 9] = [
        "SGD", "Adam", "AdamW", "NAdam", "RAdam", "RMSprop", "Adagrad", "Adadelta", "Adamax",
    ];

    /// The optimiser `name` with torch's parameters, those absent at torch's defaults.
    ///
    /// # Errors
    /// An unknown name, an unknown parameter, or a value that torch would refuse.
    pub fn from_name(name: &str, params: &BTreeMap<String, Value>) -> Result<Self, SettingError> {
        let read = Parameters(params);
        let parsed = match name {
            "SGD" => sgd(&read),
            "Adam" | "AdamW" => adam(&read, name == "AdamW"),
            "NAdam" => nadam(&read),
            "RAdam" => radam(&read),
            "RMSprop" => rmsprop(&read),
            "Adagrad" => adagrad(&read),
            "Adadelta" => adadelta(&read),
            "Adamax" => adamax(&read),
            _ => {
                return Err(SettingError::UnknownName {
                    kind: KIND,
                    name: name.to_owned(),
                    known: &Self::NAMES,
                });
            }
        };
        parsed.map_err(|error| error.of(KIND, name))
    }

    /// Whether a schedule can cycle its momentum, or the first of its betas.
    pub fn has_momentum(&self) -> bool {
        !matches!(
            self.rule,
            OptimizerRule::Adagrad { .. } | OptimizerRule::Adadelta { .. }
        )
    }

    /// Arrays that the optimiser keeps for each parameter; `cycled` if a schedule sets its momentum.
    pub(crate) fn states(&self, cycled: bool) -> usize {
        match self.rule {
            OptimizerRule::Sgd { momentum, .. } => usize::from(momentum != 0.0 || cycled),
            OptimizerRule::Adam { amsgrad, .. } => 2 + usize::from(amsgrad),
            OptimizerRule::Adagrad { .. } => 1,
            // Squares, mean of the gradient, momentum: each has its place.
            OptimizerRule::RmsProp { .. } => 3,
            OptimizerRule::NAdam { .. }
            | OptimizerRule::RAdam { .. }
            | OptimizerRule::Adadelta { .. }
            | OptimizerRule::Adamax { .. } => 2,
        }
    }

    /// What the optimiser's first array begins with.
    pub(crate) fn initial_state(&self) -> f32 {
        match self.rule {
            OptimizerRule::Adagrad {
                initial_accumulator_value,
                ..
            } => initial_accumulator_value as f32,
            _ => 0.0,
        }
    }
}

/// Reads what all optimisers have; `own` are the other parameters of this one.
fn config(
    read: &Parameters,
    own: &[&'static str],
    (lr, weight_decay): (f64, f64),
    rule: OptimizerRule,
) -> Checked<OptimizerConfig> {
    let mut known = vec!["lr", "weight_decay", "maximize"];
    known.extend(own);
    read.allow(&known, &IMPLEMENTATION_SWITCHES)?;
    Ok(OptimizerConfig {
        lr: read.not_negative("lr", lr)?,
        weight_decay: read.not_negative("weight_decay", weight_decay)?,
        decoupled_weight_decay: false,
        decay_biases: true,
        maximize: read.switch("maximize", false)?,
        rule,
    })
}

fn sgd(read: &Parameters) -> Checked<OptimizerConfig> {
    let momentum = read.not_negative("momentum", 0.0)?;
    let dampening = read.number("dampening", 0.0)?;
    let nesterov = read.switch("nesterov", false)?;
    if nesterov && (momentum == 0.0 || dampening != 0.0) {
        let expected = "false without a momentum or with a dampening";
        return Err(invalid("nesterov", expected));
    }
    let rule = OptimizerRule::Sgd {
        momentum,
        dampening,
        nesterov,
    };
    config(
        read,
        &["momentum", "dampening", "nesterov"],
        (1e-3, 0.0),
        rule,
    )
}

fn adam(read: &Parameters, decoupled: bool) -> Checked<OptimizerConfig> {
    let rule = OptimizerRule::Adam {
        betas: betas(read)?,
        eps: read.not_negative("eps", 1e-8)?,
        amsgrad: read.switch("amsgrad", false)?,
    };
    let weight_decay = if decoupled { 1e-2 } else { 0.0 };
    let own = ["betas", "eps", "amsgrad", "decoupled_weight_decay"];
    let own = if decoupled { &own[..3] } else { &own };
    Ok(OptimizerConfig {
        decoupled_weight_decay: decoupled || read.switch("decoupled_weight_decay", false)?,
        ..config(read, own, (1e-3, weight_decay), rule)?
    })
}

fn nadam(read: &Parameters) -> Checked<OptimizerConfig> {
    let rule = OptimizerRule::NAdam {
        betas: betas(read)?,
        eps: read.not_negative("eps", 1e-8)?,
        momentum_decay: read.not_negative("momentum_decay", 4e-3)?,
    };
    let own = ["betas", "eps", "momentum_decay", "decoupled_weight_decay"];
    Ok(OptimizerConfig {
        decoupled_weight_decay: read.switch("decoupled_weight_decay", false)?,
        ..config(read, &own, (2e-3, 0.0), rule)?
    })
}

fn radam(read: &Parameters) -> Checked<OptimizerConfig> {
    let rule = OptimizerRule::RAdam {
        betas: betas(read)?,
        eps: read.not_negative("eps", 1e-8)?,
    };
    let own = ["betas", "eps", "decoupled_weight_decay"];
    Ok(OptimizerConfig {
        decoupled_weight_decay: read.switch("decoupled_weight_decay", false)?,
        ..config(read, &own, (1e-3, 0.0), rule)?
    })
}

fn rmsprop(read: &Parameters) -> Checked<OptimizerConfig> {
    let rule = OptimizerRule::RmsProp {
        alpha: read.not_negative("alpha", 0.99)?,
        eps: read.not_negative("eps", 1e-8)?,
        momentum: read.not_negative("momentum", 0.0)?,
        centered: read.switch("centered", false)?,
    };
    let own = ["alpha", "eps", "momentum", "centered"];
    config(read, &own, (1e-2, 0.0), rule)
}

fn adagrad(read: &Parameters) -> Checked<OptimizerConfig> {
    let rule = OptimizerRule::Adagrad {
        lr_decay: read.not_negative("lr_decay", 0.0)?,
        initial_accumulator_value: read.not_negative("initial_accumulator_value", 0.0)?,
        eps: read.not_negative("eps", 1e-10)?,
    };
    let own = ["lr_decay", "initial_accumulator_value", "eps"];
    config(read, &own, (1e-2, 0.0), rule)
}

fn adadelta(read: &Parameters) -> Checked<OptimizerConfig> {
    let rule = OptimizerRule::Adadelta {
        rho: read.number_in(
            "rho",
            0.9,
            |rho| (0.0..=1.0).contains(&rho),
            "between 0 and 1",
        )?,
        eps: read.not_negative("eps", 1e-6)?,
    };
    config(read, &["rho", "eps"], (1.0, 0.0), rule)
}

fn adamax(read: &Parameters) -> Checked<OptimizerConfig> {
    let rule = OptimizerRule::Adamax {
        betas: betas(read)?,
        eps: read.not_negative("eps", 1e-8)?,
    };
    config(read, &["betas", "eps"], (2e-3, 0.0), rule)
}

fn betas(read: &Parameters) -> Checked<(f64, f64)> {
    let Some(value) = read.get("betas") else {
        return Ok((0.9, 0.999));
    };
    let pair: Option<Vec<f64>> = value
        .as_array()
        .and_then(|list| list.iter().map(Value::as_f64).collect());
    match pair.as_deref() {
        Some([first, second]) if (0.0..1.0).contains(first) && (0.0..1.0).contains(second) => {
            Ok((*first, *second))
        }
        _ => Err(invalid("betas", "two numbers, at least 0 and less than 1")),
    }
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
        for name in OptimizerConfig::NAMES {
            let params = BTreeMap::from([("lr".to_owned(), Value::from(-1.0))]);
            let error = OptimizerConfig::from_name(name, &params).unwrap_err();
            assert_eq!(error.parameter(), Some("lr"), "{name}");
        }
    }

    #[test]
    fn what_only_chooses_an_implementation_is_accepted() {
        let params = BTreeMap::from([("fused".to_owned(), Value::from(true))]);
        assert!(OptimizerConfig::from_name("AdamW", &params).is_ok());
    }
}
