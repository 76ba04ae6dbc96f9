//! The training engine: layers, losses, optimisers, the training loop.
//!
//! ```text
//! Samples ──gather──▶ forward ──▶ loss ──▶ backward ──▶ clip + optimiser ──▶ next batch
//! ```
//!
//! * [`Mlp`] is a network, [`MlpConfig`] its shape; parameters go in and out by torch's names and shapes.
//! * [`Samples`] is where batches come from; [`MatrixSamples`] holds rows of f32.
//! * [`Trainer`] owns a network, its buffers and its threads: [`Trainer::train_epoch`],
//!   [`Trainer::evaluate`], [`Trainer::predict`], [`Trainer::state`] to go on later. Buffers are allocated once.
//! * [`Stream`] gives random numbers by name and place.
//!
//! Results are the same, bit for bit, for any number of threads: [`kernels`] says how. Names, defaults
//! and semantics are torch's. The crate knows nothing of configuration files, trackers or images.
//!
//! ```
//! use strata_nn::{MatrixSamples, Mlp, MlpConfig, OptimizerConfig, Trainer, TrainerConfig};
//! use std::ops::ControlFlow;
//!
//! let xor = MatrixSamples { x: vec![0., 0., 0., 1., 1., 0., 1., 1.], labels: vec![0, 1, 1, 0], input_dim: 2 };
//! let optimizer = OptimizerConfig::from_name("Adam", &[("lr".to_owned(), 0.05.into())].into())?;
//! let network = Mlp::new(&MlpConfig::new(2, &[16], 2), 1);
//! let mut trainer = Trainer::new(network, TrainerConfig { batch_size: 4, ..TrainerConfig::new(optimizer) });
//! for epoch in 1..=200 {
//!     trainer.train_epoch(&xor, epoch, &mut |_| ControlFlow::Continue(()))?;
//! }
//! assert_eq!(trainer.evaluate(&xor).accuracy, 1.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// Bodies that are compiled once per instruction set must be inlined into each.
#![allow(clippy::inline_always)]

mod activation;
mod dropout;
mod init;
#[allow(unsafe_code)]
mod kernels;
mod layer;
mod loss;
mod math;
mod mlp;
mod norm;
mod optimizer;
mod parameters;
mod penalty;
mod random;
mod samples;
mod scheduler;
mod trainer;

/// Raised when, and only when, a change makes the same training give other numbers. Work that was done by an engine of
/// another version is not taken for done.
pub const ENGINE_VERSION: u32 = 1;

pub use activation::Activation;
pub use dropout::{DropoutConfig, DropoutForm};
pub use init::{BiasInit, Kaiming, WeightInit};
pub use kernels::bytes::{prefetch_bytes, scale_bytes};
pub use kernels::instruction_set::InstructionSet;
pub use loss::{LabelSmoothingKind, LossConfig};
pub use mlp::{Mlp, MlpConfig, ModelError, NamedTensor};
pub use norm::Norm;
pub use optimizer::{OptimizerConfig, OptimizerRule};
pub use parameters::SettingError;
pub use penalty::PenaltyConfig;
pub use random::Stream;
pub use samples::{MatrixSamples, Place, Samples};
pub use scheduler::{Cyclic, CyclicScale, OneCycle, Plateau, PlateauState, Rate, SchedulerConfig};
pub use trainer::{
    BINS, ConfusionMatrix, EpochProgress, EpochReport, Evaluation, LayerReport, SchedulerInterval,
    StateError, StepReport, TensorHistogram, TrainError, Trainer, TrainerConfig, TrainerProgress,
    TrainerState, Watch,
};
