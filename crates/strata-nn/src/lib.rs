//! The training engine: layers, losses, optimisers, the training loop.
//!
//! ```text
//! Samples ──gather──▶ forward ──▶ loss ──▶ backward ──▶ clip + optimiser ──▶ next batch
//! ```
//!
//! * [`Mlp`] is a network, [`MlpConfig`] its shape; parameters go in and out by torch's names and shapes.
//! * [`Samples`] is where batches come from; [`MatrixSamples`] holds rows of f32.
//! * [`Trainer`] owns a network, its buffers and its threads: [`Trainer::train_epoch`],
//!   [`Trainer::evaluate`], [`Trainer::predict`]. Buffers are allocated once.
//! * [`Stream`] gives random numbers by name and place.
//!
//! Results are the same, bit for bit, for any number of threads: [`kernels`] says how. Names, defaults
//! and semantics are torch's. The crate knows nothing of configuration files, trackers or images.
//!
//! ```
//! use strata_nn::{Activation, MatrixSamples, Mlp, MlpConfig, OptimizerConfig, Trainer, TrainerConfig, WeightInit};
//! use std::ops::ControlFlow;
//!
//! let xor = MatrixSamples { x: vec![0., 0., 0., 1., 1., 0., 1., 1.], labels: vec![0, 1, 1, 0], input_dim: 2 };
//! let config = MlpConfig {
//!     input_dim: 2,
//!     hidden_dims: vec![16],
//!     num_classes: 2,
//!     activation: Activation::Tanh,
//!     dropout: 0.0,
//!     weight_init: WeightInit::XavierUniform,
//! };
//! let optimizer = OptimizerConfig::from_name("Adam", &[("lr".to_owned(), 0.05.into())].into())?;
//! let mut trainer = Trainer::new(Mlp::new(&config, 1), TrainerConfig { batch_size: 4, ..TrainerConfig::new(optimizer) });
//! for epoch in 1..=200 {
//!     trainer.train_epoch(&xor, epoch, &mut |_| ControlFlow::Continue(()))?;
//! }
//! assert_eq!(trainer.evaluate(&xor).accuracy, 1.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// Bodies that are compiled once per instruction set must be inlined into each.
#![allow(clippy::inline_always)]

mod activation;
mod init;
#[allow(unsafe_code)]
mod kernels;
mod layer;
mod math;
mod mlp;
mod optimizer;
mod random;
mod samples;
mod scheduler;
mod trainer;

pub use activation::{Activation, ActivationError};
pub use init::{UnknownInit, WeightInit};
pub use kernels::instruction_set::InstructionSet;
pub use mlp::{Mlp, MlpConfig, ModelError, NamedTensor};
pub use optimizer::{AdamConfig, OptimizerConfig, OptimizerError};
pub use random::Stream;
pub use samples::{MatrixSamples, Place, Samples};
pub use scheduler::{SchedulerConfig, SchedulerError};
pub use trainer::{
    EpochReport, Evaluation, SchedulerInterval, StepReport, TrainError, Trainer, TrainerConfig,
};
