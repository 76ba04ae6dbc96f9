//! `model`: the network.

use serde::{Deserialize, Serialize};

use super::invalid::{Invalid, require};
use super::training::Params;

/// The group `model`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// The family of networks.
    pub name: ModelName,
    /// Inputs: 784 for 28x28 images.
    pub input_dim: usize,
    /// Outputs: 47 for EMNIST Balanced.
    pub num_classes: usize,
    /// Widths of the hidden layers; empty for softmax regression.
    pub hidden_dims: Vec<usize>,
    /// Activation after each hidden layer, by torch's name in lower case.
    pub activation: String,
    /// The activation's own parameters, by torch's names.
    pub activation_kwargs: Params,
    /// Probability of dropping a hidden unit, in 0..1.
    pub dropout: f64,
    /// Initialisation of the weights, by the name of torch's function.
    pub weight_init: String,
}

/// The families of networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelName {
    /// Multi-layer perceptron.
    Mlp,
}

/// No layer of the study comes near; a slip of the keyboard does, and would exhaust the memory.
const WIDEST_LAYER: usize = 1 << 20;

impl ModelConfig {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        require(
            (0.0..1.0).contains(&self.dropout),
            "model.dropout",
            "at least 0 and less than 1",
            self.dropout,
        )?;
        require(
            (1..=WIDEST_LAYER).contains(&self.input_dim),
            "model.input_dim",
            "at least 1",
            self.input_dim,
        )?;
        require(
            self.num_classes >= 1,
            "model.num_classes",
            "at least 1",
            self.num_classes,
        )?;
        for (layer, &width) in self.hidden_dims.iter().enumerate() {
            let rule = format!("between 1 and {WIDEST_LAYER}");
            require(
                (1..=WIDEST_LAYER).contains(&width),
                &format!("model.hidden_dims.{layer}"),
                &rule,
                width,
            )?;
        }
        Ok(())
    }
}
