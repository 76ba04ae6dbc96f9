//! The multi-layer perceptron: affine layers with an activation and dropout after each hidden one.

use thiserror::Error;

use crate::activation::Activation;
use crate::init::WeightInit;
use crate::layer::Layer;
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
    /// Probability of dropping a hidden unit while training, in 0..1; the others are scaled by
    /// `1/(1 - dropout)` (Srivastava et al. 2014, in torch's inverted form).
    pub dropout: f32,
    /// How the weights begin.
    pub weight_init: WeightInit,
}

/// A parameter by the name that torch gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTensor {
    /// `<index>.weight` or `<index>.bias`, see [`Mlp::parameters`].
    pub name: String,
    /// `[outputs, inputs]` or `[outputs]`.
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
    /// If a dimension is 0, or `dropout` lies outside `0..1`.
    pub fn new(config: &MlpConfig, seed: u64) -> Self {
        let dims = config.dims();
        assert!(
            dims.iter().all(|&dim| dim > 0),
            "a layer needs at least one unit"
        );
        assert!(
            (0.0..1.0).contains(&config.dropout),
            "dropout is a probability below 1"
        );
        let stream = Stream::new(seed, "init");
        let layers = dims.windows(2).enumerate().map(|(index, pair)| {
            let (weight, bias) =
                config
                    .weight_init
                    .draw(pair[0], pair[1], &mut stream.at(index, 0));
            let mut layer = Layer::zeros(pair[0], pair[1], index > 0);
            layer.set(&weight, &bias);
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

    /// Number of weights and biases.
    pub fn parameter_count(&self) -> usize {
        self.layers
            .iter()
            .map(|layer| (layer.inputs + 1) * layer.outputs)
            .sum()
    }

    /// Weights and biases, named as in the state dict of the equivalent `torch.nn.Sequential`: `Linear`,
    /// activation, and `Dropout` where there is any, so that layer k is module `2k` or `3k`.
    pub fn parameters(&self) -> Vec<NamedTensor> {
        let mut tensors = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let (weight, bias) = layer.get();
            let [weight_name, bias_name] = self.names(index);
            let shape = vec![layer.outputs, layer.inputs];
            tensors.push(NamedTensor {
                name: weight_name,
                shape,
                data: weight,
            });
            tensors.push(NamedTensor {
                name: bias_name,
                shape: vec![layer.outputs],
                data: bias,
            });
        }
        tensors
    }

    /// Takes the values of `tensors`, in any order; all or none.
    ///
    /// # Errors
    /// A parameter that is absent, unknown, or of another shape.
    pub fn load_parameters(&mut self, tensors: &[NamedTensor]) -> Result<(), ModelError> {
        let names: Vec<[String; 2]> = (0..self.layers.len())
            .map(|index| self.names(index))
            .collect();
        if let Some(unknown) = tensors
            .iter()
            .find(|tensor| !names.as_flattened().contains(&tensor.name))
        {
            return Err(ModelError::Unknown {
                name: unknown.name.clone(),
            });
        }
        let mut found = Vec::new();
        for (layer, [weight, bias]) in self.layers.iter().zip(&names) {
            let weight = find(tensors, weight, &[layer.outputs, layer.inputs])?;
            let bias = find(tensors, bias, &[layer.outputs])?;
            found.push((weight, bias));
        }
        for (layer, (weight, bias)) in self.layers.iter_mut().zip(found) {
            layer.set(weight, bias);
        }
        Ok(())
    }

    fn names(&self, layer: usize) -> [String; 2] {
        let modules = if self.config.dropout > 0.0 { 3 } else { 2 };
        [
            format!("{}.weight", layer * modules),
            format!("{}.bias", layer * modules),
        ]
    }
}

impl MlpConfig {
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
            input_dim: 21,
            hidden_dims: vec![17, 5],
            num_classes: 3,
            activation: Activation::Relu,
            dropout,
            weight_init: WeightInit::XavierUniform,
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
