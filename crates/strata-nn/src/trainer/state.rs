//! All that a training needs to go on, bit for bit.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{EpochProgress, Trainer};
use crate::kernels::aligned::AlignedBuffer;
use crate::kernels::step::ParameterState;
use crate::layer::Layer;
use crate::mlp::{ModelError, NamedTensor};
use crate::optimizer::OptimizerProgress;
use crate::scheduler::PlateauState;

/// A training between two steps.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainerState {
    /// The network's parameters by their names, and the optimiser's arrays as `optimizer.<k>.<name>`.
    pub tensors: Vec<NamedTensor>,
    /// Everything else.
    pub progress: TrainerProgress,
}

/// The part of a [`TrainerState`] that is no array.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainerProgress {
    /// Steps taken.
    pub steps: u64,
    /// Product of `NAdam`'s momenta.
    pub mu_product: f64,
    /// What `ReduceLROnPlateau` has seen.
    pub plateau: Option<PlateauState>,
    /// The epoch that is not over.
    pub epoch: Option<EpochProgress>,
}

/// A state that does not fit the training.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StateError {
    /// The parameters do not fit the network.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The optimiser's arrays are not those of this optimiser.
    #[error("the optimizer's array `{name}` is absent or has another size")]
    Optimizer {
        /// The array.
        name: String,
    },
}

const PREFIX: &str = "optimizer.";

impl Trainer {
    /// All that is needed to go on from here.
    pub fn state(&self) -> TrainerState {
        let mut tensors = self.mlp.parameters();
        let optimizer = self.places().into_iter().map(|place| {
            let array = &self.parameter_state(&place).states[place.array];
            let layer = &self.mlp.layers[place.layer];
            let data = match place.kind {
                Kind::Weight => layer.rows_of_panels(array),
                _ => array[..layer.outputs].to_vec(),
            };
            NamedTensor {
                name: place.name,
                shape: vec![data.len()],
                data,
            }
        });
        tensors.extend(optimizer.collect::<Vec<_>>());
        TrainerState {
            tensors,
            progress: TrainerProgress {
                steps: self.steps,
                mu_product: self.optimizer.mu_product,
                plateau: self.scheduler.plateau,
                epoch: self.epoch.clone(),
            },
        }
    }

    /// Goes back to a state that [`Trainer::state`] gave for a training configured alike.
    ///
    /// # Errors
    /// Arrays are absent, unknown, or of another size; nothing is changed then.
    pub fn restore(&mut self, state: &TrainerState) -> Result<(), StateError> {
        let (optimizer, parameters): (Vec<_>, Vec<_>) = state
            .tensors
            .iter()
            .cloned()
            .partition(|tensor| tensor.name.starts_with(PREFIX));
        let places = self.places();
        for place in &places {
            let layer = &self.mlp.layers[place.layer];
            let wanted = match place.kind {
                Kind::Weight => layer.inputs * layer.outputs,
                _ => layer.outputs,
            };
            let found = optimizer.iter().find(|tensor| tensor.name == place.name);
            if found.is_none_or(|tensor| tensor.data.len() != wanted) {
                return Err(StateError::Optimizer {
                    name: place.name.clone(),
                });
            }
        }
        self.mlp.load_parameters(&parameters)?;
        for place in places {
            let Some(tensor) = optimizer.iter().find(|tensor| tensor.name == place.name) else {
                continue;
            };
            let layer = &self.mlp.layers[place.layer];
            let array = &mut state_of(&mut self.states[place.layer], place.kind).states;
            put(layer, &place, &tensor.data, &mut array[place.array]);
        }
        let progress = &state.progress;
        self.steps = progress.steps;
        self.optimizer = OptimizerProgress {
            mu_product: progress.mu_product,
        };
        if self.scheduler.plateau.is_some() {
            self.scheduler.plateau = progress.plateau.or(self.scheduler.plateau);
        }
        self.epoch.clone_from(&progress.epoch);
        Ok(())
    }

    /// Where the optimiser's arrays are.
    fn places(&self) -> Vec<ArrayPlace> {
        let mut places = Vec::new();
        let names: Vec<String> = self.mlp.parameters().into_iter().map(|t| t.name).collect();
        let mut names = names.iter();
        for (layer, parameters) in self.mlp.layers.iter().enumerate() {
            let mut kinds = vec![Kind::Weight, Kind::Bias];
            if parameters.norm.is_some() {
                kinds.extend([Kind::Gamma, Kind::Beta]);
            }
            // Running statistics have names, but no arrays.
            let own = |name: &&String| name.ends_with("weight") || name.ends_with("bias");
            for (kind, name) in kinds.into_iter().zip(names.by_ref().filter(own)) {
                for array in 0..3 {
                    let place = ArrayPlace {
                        name: format!("{PREFIX}{array}.{name}"),
                        layer,
                        kind,
                        array,
                    };
                    if !self.parameter_state(&place).states[array].is_empty() {
                        places.push(place);
                    }
                }
            }
        }
        places
    }

    fn parameter_state(&self, place: &ArrayPlace) -> &ParameterState {
        let state = &self.states[place.layer];
        match place.kind {
            Kind::Weight => &state.weight,
            Kind::Bias => &state.bias,
            Kind::Gamma => &state.gamma,
            Kind::Beta => &state.beta,
        }
    }
}

/// One array of the optimiser.
struct ArrayPlace {
    name: String,
    layer: usize,
    kind: Kind,
    array: usize,
}

#[derive(Clone, Copy)]
enum Kind {
    Weight,
    Bias,
    Gamma,
    Beta,
}

fn state_of(state: &mut crate::kernels::step::LayerState, kind: Kind) -> &mut ParameterState {
    match kind {
        Kind::Weight => &mut state.weight,
        Kind::Bias => &mut state.bias,
        Kind::Gamma => &mut state.gamma,
        Kind::Beta => &mut state.beta,
    }
}

fn put(layer: &Layer, place: &ArrayPlace, data: &[f32], array: &mut AlignedBuffer) {
    match place.kind {
        Kind::Weight => layer.put_into_panels(data, array),
        _ => array[..data.len()].copy_from_slice(data),
    }
}
