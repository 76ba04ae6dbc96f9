//! How a network is trained.

use crate::InstructionSet;
use crate::loss::LossConfig;
use crate::optimizer::OptimizerConfig;
use crate::penalty::PenaltyConfig;
use crate::scheduler::SchedulerConfig;

/// How a network is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainerConfig {
    /// Samples per step; the last batch of an epoch is trained on even if it is smaller.
    pub batch_size: usize,
    /// Whether each epoch visits the samples in a new order.
    pub shuffle: bool,
    /// The loss.
    pub loss: LossConfig,
    /// What is added to it.
    pub penalty: PenaltyConfig,
    /// The optimiser.
    pub optimizer: OptimizerConfig,
    /// The schedule of the learning rate; none for a constant one.
    pub scheduler: Option<SchedulerConfig>,
    /// When the scheduler steps.
    pub scheduler_interval: SchedulerInterval,
    /// Greatest global norm of the gradient, as `torch.nn.utils.clip_grad_norm_`; none for no clipping.
    pub max_grad_norm: Option<f32>,
    /// Seed of order and dropout.
    pub seed: u64,
    /// Threads that compute, the caller's included. Results do not depend on it.
    pub threads: usize,
    /// The instruction set of the kernels.
    pub instruction_set: InstructionSet,
}

/// When the scheduler steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchedulerInterval {
    /// After each epoch. `ReduceLROnPlateau` is told its metric by
    /// [`Trainer::observe`](crate::Trainer::observe).
    Epoch,
    /// After each so many steps. `ReduceLROnPlateau` is told the loss of the step.
    Steps(u64),
}

impl TrainerConfig {
    /// Batches of 128 in random order, plain cross-entropy, no schedule, no clipping, one thread.
    pub fn new(optimizer: OptimizerConfig) -> Self {
        Self {
            batch_size: 128,
            shuffle: true,
            loss: LossConfig::default(),
            penalty: PenaltyConfig::default(),
            optimizer,
            scheduler: None,
            scheduler_interval: SchedulerInterval::Epoch,
            max_grad_norm: None,
            seed: 0,
            threads: 1,
            instruction_set: InstructionSet::detected(),
        }
    }

    /// Steps of the scheduler before step `step` (from 1) in epoch `epoch` (from 1).
    pub(super) fn scheduler_steps(&self, epoch: usize, step: u64) -> u64 {
        match self.scheduler_interval {
            SchedulerInterval::Epoch => epoch as u64 - 1,
            SchedulerInterval::Steps(every) => (step - 1) / every,
        }
    }

    /// torch's factor: `max_norm / (norm + 1e-6)`, at most 1.
    pub(super) fn clipping(&self, grad_norm: f64) -> f32 {
        let Some(most) = self.max_grad_norm else {
            return 1.0;
        };
        (f64::from(most) / (grad_norm + 1e-6)).min(1.0) as f32
    }

    /// Whether a schedule sets the optimiser's momentum.
    pub(super) fn cycles_momentum(&self) -> bool {
        self.scheduler
            .as_ref()
            .is_some_and(SchedulerConfig::cycles_momentum)
    }
}
