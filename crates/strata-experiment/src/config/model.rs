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
    /// Probability of dropping a hidden unit, in 0..1; with `dropout_form: course` that of keeping one,
    /// in 0..=1 without 0.
    pub dropout: f64,
    /// torch's form of dropout, or the coursework's.
    #[serde(default)]
    pub dropout_form: DropoutFormName,
    /// Whether one mask is shared by all samples of a batch.
    #[serde(default)]
    pub dropout_share_mask: bool,
    /// The same as `dropout` for the inputs; null for none.
    #[serde(default)]
    pub input_dropout: Option<f64>,
    /// Normalisation of the hidden layers; null for none.
    #[serde(default)]
    pub norm: Option<NormName>,
    /// Initialisation of the weights, by the name of torch's function.
    pub weight_init: String,
    /// The initialisation's own parameters, by torch's names.
    #[serde(default)]
    pub weight_init_kwargs: Params,
    /// What all biases begin with; null for 0, or what torch does with `weight_init: default`.
    #[serde(default)]
    pub bias_init: Option<f64>,
}

/// Forms of dropout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DropoutFormName {
    /// torch's: drop probability, after the activation, scaled while training.
    #[default]
    Inverted,
    /// The coursework's: inclusion probability, before the activation, scaled in evaluation.
    Course,
}

/// Normalisations of a hidden layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NormName {
    /// `torch.nn.BatchNorm1d`.
    Batch,
    /// `torch.nn.LayerNorm`.
    Layer,
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
        self.check_dropout("model.dropout", self.dropout)?;
        if let Some(dropout) = self.input_dropout {
            self.check_dropout("model.input_dropout", dropout)?;
        }
        if let Some(bias) = self.bias_init {
            require(bias.is_finite(), "model.bias_init", "a finite number", bias)?;
        }
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

    fn check_dropout(&self, key: &str, probability: f64) -> Result<(), Invalid> {
        match self.dropout_form {
            DropoutFormName::Inverted => require(
                (0.0..1.0).contains(&probability),
                key,
                "at least 0 and less than 1",
                probability,
            ),
            DropoutFormName::Course => require(
                probability > 0.0 && probability <= 1.0,
                key,
                "greater than 0 and at most 1, since it is the probability of keeping a unit (`model.dropout_form` is `course`)",
                probability,
            ),
        }
    }
}
