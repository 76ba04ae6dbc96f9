//! The multi-layer perceptron: affine layers with an activation and dropout after each hidden one.

use thiserror::Error;

use crate::activation::Activation;
use crate::dropout::DropoutConfig;
use crate::init::{BiasInit, WeightInit};
use crate::layer::Layer;
use crate::norm::{Norm, NormParameters};
use crate::random::Stream;

/// Shape and kind of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct MlpConfig {
    /// Numbers per sample.
    pub input_dim: usize,
    /// Widths of the hidden layers; empty for softmax regression.
    pub hidden_dims: Vec<usize>,
    /// Number of classes.
    pub num_classes: usize,
    /// Activation after each hidden layer.
    pub activation: Activation,
    /// Which units are dropped while training.
    pub dropout: DropoutConfig,
    /// Normalisation of each hidden layer, between its affine part and its activation.
    pub norm: Option<Norm>,
    /// How the weights begin.
    pub weight_init: WeightInit,
    /// How the biases begin.
    pub bias_init: BiasInit,
}

/// A parameter by the name that torch gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTensor {
    /// `<index>.weight`, `<index>.bias`, …, see [`Mlp::parameters`].
    pub name: String,
    /// `[outputs, inputs]`, `[outputs]`, or empty for a single number.
    pub shape: Vec<usize>,
    /// Row-major.
    pub data: Vec<f32>,
}

/// Parameters that do not fit a network.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ModelError {
    /// A parameter is absent.
    #[error("the model has no parameter `{name}`; it has {}", .present.join(", "))]
    Missing {
        /// The parameter.
        name: String,
        /// Those that are there.
        present: Vec<String>,
    },
    /// A parameter has another shape.
    #[error("parameter `{name}` has shape {found:?}, but the network needs {expected:?}")]
    Shape {
        /// The parameter.
        name: String,
        /// What the network needs.
        expected: Vec<usize>,
        /// What was given.
        found: Vec<usize>,
    },
    /// A parameter that the network does not have.
    #[error("the network has no parameter `{name}`")]
    Unknown {
        /// The parameter.
        name: String,
    },
}

/// A network with its parameters.
#[derive(Clone)]
pub struct Mlp {
    config: MlpConfig,
    pub(crate) layers: Vec<Layer>,
}

impl Mlp {
    /// A fresh network, its weights drawn from the stream `init` of `seed`.
    ///
    /// # Panics
    /// If a dimension is 0, or a probability of dropout is none.
    pub fn new(config: &MlpConfig, seed: u64) -> Self {
        let dims = config.dims();
        assert!(
            dims.iter().all(|&dim| dim > 0),
            "a layer needs at least one unit"
        );
        assert!(
            config.dropout.is_valid(),
            "dropout is a probability below 1, or a positive one of being kept"
        );
        let stream = Stream::new(seed, "init");
        let layers = dims.windows(2).enumerate().map(|(index, pair)| {
            let (weight, bias) = config.weight_init.draw(
                config.bias_init,
                pair[0],
                pair[1],
                &mut stream.at(index, 0),
            );
            let mut layer = Layer::zeros(pair[0], pair[1], index > 0);
            layer.set(&weight, &bias);
            if index < config.hidden_dims.len() {
                layer.norm = config.norm.map(|norm| NormParameters::new(norm, pair[1]));
            }
            layer
        });
        Self {
            config: config.clone(),
            layers: layers.collect(),
        }
    }

    /// Shape and kind.
    pub fn config(&self) -> &MlpConfig {
        &self.config
    }

    /// Number of weights, biases, and parameters of normalisation.
    pub fn parameter_count(&self) -> usize {
        let of_layer = |layer: &Layer| {
            let normed = if layer.norm.is_some() { 2 } else { 0 };
            (layer.inputs + 1 + normed) * layer.outputs
        };
        self.layers.iter().map(of_layer).sum()
    }

    /// Euclidean norm of each layer's weights.
    pub fn weight_norms(&self) -> Vec<f64> {
        let norm = |layer: &Layer| {
            let squares = layer.weight.iter().map(|&w| f64::from(w).powi(2));
            squares.sum::<f64>().sqrt()
        };
        self.layers.iter().map(norm).collect()
    }

    /// Name of each layer's weights.
    pub fn weight_names(&self) -> Vec<String> {
        (0..self.layers.len())
            .map(|index| format!("{}.weight", self.module(index)))
            .collect()
    }

    /// All parameters and running statistics, named as in the state dict of the equivalent
    /// `torch.nn.Sequential`: `Dropout` where inputs are dropped; for each hidden layer `Linear`,
    /// `BatchNorm1d` or `LayerNorm` where there is one, activation, and `Dropout` where there is any;
    /// `Linear`.
    pub fn parameters(&self) -> Vec<NamedTensor> {
        let mut tensors = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let (weight, bias) = layer.get();
            let module = self.module(index);
            tensors.push(NamedTensor {
                name: format!("{module}.weight"),
                shape: vec![layer.outputs, layer.inputs],
                data: weight,
            });
            tensors.push(vector(format!("{module}.bias"), bias));
            let Some(norm) = &layer.norm else { continue };
            for (name, values) in norm_vectors(norm) {
                let name = format!("{}.{name}", module + 1);
                tensors.push(vector(name, values[..layer.outputs].to_vec()));
            }
            if norm.kind == Norm::Batch {
                tensors.push(NamedTensor {
                    name: format!("{}.{BATCHES_TRACKED}", module + 1),
                    shape: Vec::new(),
                    data: vec![norm.batches_tracked as f32],
                });
            }
        }
        tensors
    }

    /// Takes the values of `tensors`, in any order; all or none. `num_batches_tracked` may be absent.
    ///
    /// # Errors
    /// A parameter that is absent, unknown, or of another shape.
    pub fn load_parameters(&mut self, tensors: &[NamedTensor]) -> Result<(), ModelError> {
        let needed = self.parameters();
        if let Some(unknown) = tensors
            .iter()
            .find(|tensor| needed.iter().all(|needed| needed.name != tensor.name))
        {
            return Err(ModelError::Unknown {
                name: unknown.name.clone(),
            });
        }
        let mut found = Vec::new();
        for needed in &needed {
            let data = match find(tensors, &needed.name, &needed.shape) {
                Err(ModelError::Missing { .. }) if needed.name.ends_with(BATCHES_TRACKED) => &[0.0],
                data => data?,
            };
            found.push(data);
        }
        let mut found = found.into_iter();
        let mut next = || found.next().expect("one for each that is needed");
        for layer in &mut self.layers {
            let (weight, bias) = (next(), next());
            layer.set(weight, bias);
            let Some(norm) = &mut layer.norm else {
                continue;
            };
            for values in norm_vectors_mut(norm) {
                let found = next();
                values[..found.len()].copy_from_slice(found);
            }
            if norm.kind == Norm::Batch {
                norm.batches_tracked = next()[0] as u64;
            }
        }
        Ok(())
    }

    /// Index of a layer's `Linear` in the equivalent `Sequential`.
    fn module(&self, layer: usize) -> usize {
        let dropout = &self.config.dropout;
        let first = usize::from(dropout.input_kept() < 1.0);
        let hidden =
            2 + usize::from(self.config.norm.is_some()) + usize::from(dropout.kept() < 1.0);
        first + layer * hidden
    }
}

const BATCHES_TRACKED: &str = "num_batches_tracked";

fn vector(name: String, data: Vec<f32>) -> NamedTensor {
    NamedTensor {
        name,
        shape: vec![data.len()],
        data,
    }
}

/// In torch's order; running statistics only where there are some.
fn norm_vectors(norm: &NormParameters) -> impl Iterator<Item = (&'static str, &[f32])> {
    let all: [(&'static str, &[f32]); 4] = [
        ("weight", &norm.gamma),
        ("bias", &norm.beta),
        ("running_mean", &norm.running_mean),
        ("running_var", &norm.running_var),
    ];
    all.into_iter().filter(|(_, values)| !values.is_empty())
}

fn norm_vectors_mut(norm: &mut NormParameters) -> impl Iterator<Item = &mut [f32]> {
    let all: [&mut [f32]; 4] = [
        &mut norm.gamma,
        &mut norm.beta,
        &mut norm.running_mean,
        &mut norm.running_var,
    ];
    all.into_iter().filter(|values| !values.is_empty())
}

impl MlpConfig {
    /// A network of relu units with Glorot's uniform weights, without dropout and normalisation.
    pub fn new(input_dim: usize, hidden_dims: &[usize], num_classes: usize) -> Self {
        Self {
            input_dim,
            hidden_dims: hidden_dims.to_vec(),
            num_classes,
            activation: Activation::Relu,
            dropout: DropoutConfig::NONE,
            norm: None,
            weight_init: WeightInit::XAVIER_UNIFORM,
            bias_init: BiasInit::OfWeights,
        }
    }

    /// Inputs, hidden widths, classes.
    pub fn dims(&self) -> Vec<usize> {
        let mut dims = vec![self.input_dim];
        dims.extend(&self.hidden_dims);
        dims.push(self.num_classes);
        dims
    }
}

fn find<'a>(
    tensors: &'a [NamedTensor],
    name: &str,
    shape: &[usize],
) -> Result<&'a [f32], ModelError> {
    let Some(tensor) = tensors.iter().find(|tensor| tensor.name == name) else {
        let present = tensors.iter().map(|tensor| tensor.name.clone()).collect();
        return Err(ModelError::Missing {
            name: name.to_owned(),
            present,
        });
    };
    if tensor.shape != shape || tensor.data.len() != shape.iter().product::<usize>() {
        return Err(ModelError::Shape {
            name: name.to_owned(),
            expected: shape.to_vec(),
            found: tensor.shape.clone(),
        });
    }
    Ok(&tensor.data)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(dropout: f32) -> MlpConfig {
        MlpConfig {
            dropout: DropoutConfig::inverted(dropout),
            ..MlpConfig::new(21, &[17, 5], 3)
        }
    }

    #[test]
    fn parameters_survive_the_way_out_and_in() {
        let from = Mlp::new(&config(0.0), 1);
        let mut to = Mlp::new(&config(0.0), 2);
        assert_ne!(from.parameters(), to.parameters());
        to.load_parameters(&from.parameters()).expect("they fit");
        assert_eq!(from.parameters(), to.parameters());
        assert_eq!(
            from.parameter_count(),
            21 * 17 + 17 + 17 * 5 + 5 + 5 * 3 + 3
        );
    }

    #[test]
    fn names_are_those_of_torchs_sequential() {
        let names = |dropout| -> Vec<String> {
            Mlp::new(&config(dropout), 1)
                .parameters()
                .into_iter()
                .map(|tensor| tensor.name)
                .collect()
        };
        assert_eq!(
            names(0.0),
            [
                "0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias"
            ]
        );
        assert_eq!(
            names(0.5),
            [
                "0.weight", "0.bias", "3.weight", "3.bias", "6.weight", "6.bias"
            ]
        );
    }

    #[test]
    fn names_with_normalisation_and_input_dropout_are_torchs() {
        let config = MlpConfig {
            norm: Some(Norm::Batch),
            dropout: DropoutConfig {
                input: Some(0.2),
                ..DropoutConfig::inverted(0.5)
            },
            ..config(0.0)
        };
        let mut mlp = Mlp::new(&config, 1);
        let names: Vec<String> = mlp.parameters().into_iter().map(|t| t.name).collect();
        assert_eq!(names[..4], ["1.weight", "1.bias", "2.weight", "2.bias"]);
        assert_eq!(
            names[4..8],
            [
                "2.running_mean",
                "2.running_var",
                "2.num_batches_tracked",
                "5.weight"
            ]
        );
        assert_eq!(names.last().map(String::as_str), Some("9.bias"));
        let other = Mlp::new(&config, 2).parameters();
        mlp.load_parameters(&other).expect("they fit");
        assert_eq!(mlp.parameters(), other);
    }

    #[test]
    fn parameters_that_do_not_fit_change_nothing() {
        let mut mlp = Mlp::new(&config(0.0), 1);
        let before = mlp.parameters();
        let mut missing = before.clone();
        missing.pop();
        assert!(matches!(
            mlp.load_parameters(&missing),
            Err(ModelError::Missing { .. })
        ));
        let mut bent = before.clone();
        bent[2].shape = vec![17, 5];
        assert!(matches!(
            mlp.load_parameters(&bent),
            Err(ModelError::Shape { .. })
        ));
        assert_eq!(before, mlp.parameters());
    }
}
