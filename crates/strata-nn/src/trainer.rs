//! The training loop.

use std::ops::ControlFlow;
use std::time::Instant;

use thiserror::Error;

use crate::InstructionSet;
use crate::kernels::pool::ThreadPool;
use crate::kernels::step::{self, Batch, Dropout, LayerState};
use crate::kernels::workspace::Workspace;
use crate::math;
use crate::mlp::Mlp;
use crate::optimizer::{OptimizerConfig, Update};
use crate::random::Stream;
use crate::samples::{Place, Samples};
use crate::scheduler::SchedulerConfig;

/// How a network is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainerConfig {
    /// Samples per step; the last batch of an epoch is trained on even if it is smaller.
    pub batch_size: usize,
    /// Whether each epoch visits the samples in a new order.
    pub shuffle: bool,
    /// Share of the target spread evenly over all classes (Szegedy et al. 2016, torch's form).
    pub label_smoothing: f32,
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
    /// After each epoch.
    Epoch,
    /// After each so many steps.
    Steps(u64),
}

impl TrainerConfig {
    /// Batches of 128 in random order, no smoothing, no schedule, no clipping, one thread.
    pub fn new(optimizer: OptimizerConfig) -> Self {
        Self {
            batch_size: 128,
            shuffle: true,
            label_smoothing: 0.0,
            optimizer,
            scheduler: None,
            scheduler_interval: SchedulerInterval::Epoch,
            max_grad_norm: None,
            seed: 0,
            threads: 1,
            instruction_set: InstructionSet::detected(),
        }
    }

    /// Learning rate of step `step` (from 1) in epoch `epoch` (from 1).
    fn lr(&self, epoch: usize, step: u64) -> f64 {
        let lr = self.optimizer.lr();
        let t = match self.scheduler_interval {
            SchedulerInterval::Epoch => epoch as u64 - 1,
            SchedulerInterval::Steps(every) => (step - 1) / every,
        };
        self.scheduler
            .map_or(lr, |scheduler| scheduler.lr_at(lr, t))
    }

    /// torch's factor: `max_norm / (norm + 1e-6)`, at most 1.
    fn clipping(&self, grad_norm: f64) -> f32 {
        let Some(most) = self.max_grad_norm else {
            return 1.0;
        };
        (f64::from(most) / (grad_norm + 1e-6)).min(1.0) as f32
    }
}

/// One step, as reported after it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReport {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Step of the whole training, from 1.
    pub step: u64,
    /// Batch of the epoch, from 1.
    pub batch: usize,
    /// Batches of the epoch.
    pub batches: usize,
    /// Samples of the batch.
    pub batch_size: usize,
    /// Mean loss over the batch, before the update.
    pub loss: f64,
    /// Samples of the batch whose likeliest class was their own.
    pub correct: usize,
    /// Learning rate of the step.
    pub lr: f64,
    /// Global norm of the gradient, before clipping.
    pub grad_norm: f64,
    /// Samples of the epoch so far.
    pub images_seen: usize,
    /// Seconds since the epoch began.
    pub seconds: f64,
}

/// One epoch, or the part of it before it was stopped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EpochReport {
    /// Steps taken.
    pub steps: usize,
    /// Samples seen.
    pub images: usize,
    /// Mean loss over the samples, in training mode.
    pub loss: f64,
    /// Share of hits among the samples, in training mode.
    pub accuracy: f64,
    /// Learning rate of the last step.
    pub lr: f64,
    /// Seconds in the training loop, reporting included.
    pub seconds: f64,
    /// Whether the epoch was completed.
    pub completed: bool,
}

/// A network's figures on a set of samples, averaged over the samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluation {
    /// Mean cross-entropy in nats, without label smoothing; NaN for no samples.
    pub loss: f64,
    /// Share of samples whose likeliest class is their own, the first where several are; NaN for none.
    pub accuracy: f64,
    /// Number of those.
    pub correct: usize,
    /// Number of samples.
    pub count: usize,
}

/// Why training cannot go on.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum TrainError {
    /// Loss or gradient is infinite or not a number; the parameters are those before the step.
    #[error(
        "the {quantity} became {value} at step {step} of epoch {epoch}; a smaller learning rate or clipping may help"
    )]
    NonFinite {
        /// `loss` or `gradient's norm`.
        quantity: &'static str,
        /// Infinite or NaN.
        value: f64,
        /// Step of the whole training, from 1.
        step: u64,
        /// Epoch, from 1.
        epoch: usize,
    },
    /// The samples do not fit the network.
    #[error("samples of {found} numbers do not fit a network with {expected} inputs")]
    InputDim {
        /// Inputs of the network.
        expected: usize,
        /// Numbers per sample.
        found: usize,
    },
    /// There is nothing to train on.
    #[error("there are no samples to train on")]
    NoSamples,
    /// A label that the network has no class for.
    #[error("a label is {label}, but the network has {classes} classes")]
    Label {
        /// The label.
        label: u32,
        /// Classes of the network.
        classes: usize,
    },
}

/// Rows of a batch in evaluation.
const EVALUATION_ROWS: usize = 512;

/// A network in training, with all of its buffers and threads.
pub struct Trainer {
    mlp: Mlp,
    config: TrainerConfig,
    pool: ThreadPool,
    states: Vec<LayerState>,
    training: Workspace,
    evaluation: Option<Workspace>,
    squares: Vec<f64>,
    order: Vec<u32>,
    steps: u64,
}

impl Trainer {
    /// Takes a network into training.
    ///
    /// # Panics
    /// If `batch_size` is 0.
    pub fn new(mlp: Mlp, config: TrainerConfig) -> Self {
        assert!(config.batch_size > 0, "a batch holds at least one sample");
        Self {
            pool: ThreadPool::new(config.threads),
            states: mlp.layers.iter().map(LayerState::new).collect(),
            training: Workspace::with_backward(&mlp.layers, config.batch_size),
            evaluation: None,
            squares: vec![0.0; step::most_backward_chunks(&mlp.layers, config.batch_size)],
            order: Vec::new(),
            steps: 0,
            mlp,
            config,
        }
    }

    /// The network as it is now.
    pub fn mlp(&self) -> &Mlp {
        &self.mlp
    }

    /// How it is trained.
    pub fn config(&self) -> &TrainerConfig {
        &self.config
    }

    /// The network, training ended.
    pub fn into_mlp(self) -> Mlp {
        self.mlp
    }

    /// Trains on every sample once, in the order of the stream `shuffle` at `epoch` (from 1).
    ///
    /// `on_step` is called after each step and may stop the epoch.
    ///
    /// # Errors
    /// No samples, samples that do not fit, or a loss or gradient that is not finite; the parameters are
    /// then those before the step.
    pub fn train_epoch(
        &mut self,
        samples: &dyn Samples,
        epoch: usize,
        on_step: &mut dyn FnMut(&StepReport) -> ControlFlow<()>,
    ) -> Result<EpochReport, TrainError> {
        let started = Instant::now();
        self.check(samples)?;
        let order = self.order_of(samples, epoch);
        let batches: Vec<&[u32]> = order.chunks(self.config.batch_size).collect();
        let batch_at = |batch: usize| {
            let indices = *batches.get(batch)?;
            let position = batch * self.config.batch_size;
            Some(Batch {
                samples,
                indices,
                place: Place::Training { epoch, position },
            })
        };
        let mut report = EpochReport {
            steps: 0,
            images: 0,
            loss: 0.0,
            accuracy: 0.0,
            lr: self.config.optimizer.lr(),
            seconds: 0.0,
            completed: false,
        };
        let (mut loss_sum, mut hits) = (0.0, 0);
        let batch_count = batches.len();
        let first = batch_at(0).ok_or(TrainError::NoSamples)?;
        let next_batches: Vec<Option<Batch>> = (1..=batch_count).map(batch_at).collect();
        step::gather(&mut self.pool, &mut self.training, &first);
        for (batch, next) in next_batches.iter().enumerate() {
            let rows = batches[batch].len();
            let outcome = self.step(epoch, batch, rows, next.as_ref())?;
            report.steps += 1;
            report.images += rows;
            report.lr = outcome.lr;
            loss_sum += outcome.loss_sum;
            hits += outcome.hits;
            let step_report = StepReport {
                epoch,
                step: self.steps,
                batch: batch + 1,
                batches: batch_count,
                batch_size: rows,
                loss: outcome.loss_sum / rows as f64,
                correct: outcome.hits,
                lr: outcome.lr,
                grad_norm: outcome.grad_norm,
                images_seen: report.images,
                seconds: started.elapsed().as_secs_f64(),
            };
            if on_step(&step_report).is_break() {
                break;
            }
        }
        report.loss = loss_sum / report.images as f64;
        report.accuracy = hits as f64 / report.images as f64;
        report.completed = report.images == order.len();
        report.seconds = started.elapsed().as_secs_f64();
        self.order = order;
        Ok(report)
    }

    /// The network's figures on all samples, in evaluation mode.
    ///
    /// # Panics
    /// If the samples do not fit the network.
    pub fn evaluate(&mut self, samples: &dyn Samples) -> Evaluation {
        assert_eq!(
            samples.input_dim(),
            self.mlp.config().input_dim,
            "samples fit the network"
        );
        let classes = self.mlp.config().num_classes;
        let indices: Vec<u32> = (0..samples.len() as u32).collect();
        let (mut loss, mut correct) = (0.0, 0);
        for part in indices.chunks(EVALUATION_ROWS) {
            let batch = Batch {
                samples,
                indices: part,
                place: Place::Evaluation,
            };
            self.forward_only(&batch);
            let workspace = self.evaluation.as_mut().expect("made by `forward_only`");
            step::loss(
                &mut self.pool,
                self.config.instruction_set,
                classes,
                workspace,
                part.len(),
                0.0,
            );
            loss += workspace.losses[..part.len()]
                .iter()
                .map(|&loss| f64::from(loss))
                .sum::<f64>();
            correct += workspace.hits[..part.len()]
                .iter()
                .filter(|&&hit| hit)
                .count();
        }
        let count = samples.len();
        Evaluation {
            loss: loss / count as f64,
            accuracy: correct as f64 / count as f64,
            correct,
            count,
        }
    }

    /// Probabilities of the classes for each sample, `[n][num_classes]`.
    ///
    /// # Panics
    /// If the samples do not fit the network.
    pub fn predict(&mut self, samples: &dyn Samples) -> Vec<Vec<f32>> {
        assert_eq!(
            samples.input_dim(),
            self.mlp.config().input_dim,
            "samples fit the network"
        );
        let classes = self.mlp.config().num_classes;
        let indices: Vec<u32> = (0..samples.len() as u32).collect();
        let mut probabilities = Vec::with_capacity(samples.len());
        for part in indices.chunks(EVALUATION_ROWS) {
            self.forward_only(&Batch {
                samples,
                indices: part,
                place: Place::Evaluation,
            });
            let workspace = self.evaluation.as_ref().expect("made by `forward_only`");
            let logits = workspace.layers.last().expect("a network has a layer");
            let rows = logits.y.chunks_exact(logits.stride).take(part.len());
            probabilities.extend(rows.map(|row| softmax(&row[..classes])));
        }
        probabilities
    }

    /// Floating-point operations of training on `images` samples: forward and backward products, each
    /// multiply-add counted as two. Nobody needs the gradient of the first layer's input.
    pub fn operations(&self, images: usize) -> f64 {
        let dims = self.mlp.config().dims();
        let products: usize = dims.windows(2).map(|pair| 3 * pair[0] * pair[1]).sum();
        2.0 * (products - dims[0] * dims[1]) as f64 * images as f64
    }

    fn check(&self, samples: &dyn Samples) -> Result<(), TrainError> {
        let (expected, found) = (self.mlp.config().input_dim, samples.input_dim());
        if expected != found {
            return Err(TrainError::InputDim { expected, found });
        }
        if samples.is_empty() {
            Err(TrainError::NoSamples)
        } else {
            Ok(())
        }
    }

    fn order_of(&mut self, samples: &dyn Samples, epoch: usize) -> Vec<u32> {
        let mut order = std::mem::take(&mut self.order);
        order.clear();
        order.extend(0..samples.len() as u32);
        if self.config.shuffle {
            Stream::new(self.config.seed, "shuffle")
                .at(epoch, 0)
                .shuffle(&mut order);
        }
        order
    }

    fn step(
        &mut self,
        epoch: usize,
        batch: usize,
        rows: usize,
        next: Option<&Batch>,
    ) -> Result<StepOutcome, TrainError> {
        let set = self.config.instruction_set;
        let classes = self.mlp.config().num_classes;
        if let Some(&label) = self.training.labels[..rows]
            .iter()
            .find(|&&label| label as usize >= classes)
        {
            return Err(TrainError::Label { label, classes });
        }
        let dropout = self.mlp.config().dropout;
        let activation = self.mlp.config().activation;
        let words = Stream::new(self.config.seed, "dropout").at(epoch, batch);
        let mask = |layer: usize| dropout_of(dropout, &words, layer);
        let layers = &self.mlp.layers;
        step::forward(
            &mut self.pool,
            set,
            layers,
            &mut self.training,
            rows,
            activation,
            &mask,
        );
        let smoothing = self.config.label_smoothing;
        step::loss(
            &mut self.pool,
            set,
            classes,
            &mut self.training,
            rows,
            smoothing,
        );
        let loss_sum: f64 = self.training.losses[..rows]
            .iter()
            .map(|&loss| f64::from(loss))
            .sum();
        let step = self.steps + 1;
        let finite = |quantity, value: f64| {
            if value.is_finite() {
                Ok(value)
            } else {
                Err(TrainError::NonFinite {
                    quantity,
                    value,
                    step,
                    epoch,
                })
            }
        };
        finite("loss", loss_sum)?;
        let (states, workspace) = (&mut self.states, &mut self.training);
        let squares = step::backward(
            &mut self.pool,
            set,
            layers,
            states,
            workspace,
            rows,
            &mut self.squares,
        );
        let grad_norm = finite("gradient's norm", squares.sqrt())?;
        let lr = self.config.lr(epoch, step);
        let rule = Update::new(
            &self.config.optimizer,
            lr,
            step,
            self.config.clipping(grad_norm),
        );
        step::update(
            &mut self.pool,
            set,
            &mut self.mlp.layers,
            states,
            workspace,
            rule,
            next,
        );
        self.steps = step;
        let hits = workspace.hits[..rows].iter().filter(|&&hit| hit).count();
        Ok(StepOutcome {
            loss_sum,
            hits,
            lr,
            grad_norm,
        })
    }

    fn forward_only(&mut self, batch: &Batch) {
        let layers = &self.mlp.layers;
        let workspace = self
            .evaluation
            .get_or_insert_with(|| Workspace::forward_only(layers, EVALUATION_ROWS));
        step::gather(&mut self.pool, workspace, batch);
        let (set, activation) = (self.config.instruction_set, self.mlp.config().activation);
        step::forward(
            &mut self.pool,
            set,
            layers,
            workspace,
            batch.indices.len(),
            activation,
            &|_| None,
        );
    }
}

struct StepOutcome {
    loss_sum: f64,
    hits: usize,
    lr: f64,
    grad_norm: f64,
}

fn dropout_of(probability: f32, words: &Stream, layer: usize) -> Option<Dropout> {
    if probability == 0.0 {
        return None;
    }
    let mut words = words.clone();
    // Two words for each layer of the step.
    for _ in 0..2 * layer {
        words.next_u32();
    }
    Some(Dropout {
        key: [words.next_u32(), words.next_u32()],
        threshold: (f64::from(probability) * 4_294_967_296.0) as u32,
        scale: 1.0 / (1.0 - probability),
    })
}

fn softmax(logits: &[f32]) -> Vec<f32> {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exps: Vec<f32> = logits.iter().map(|&z| math::exp(z - most)).collect();
    let sum: f32 = exps.iter().sum();
    exps.into_iter().map(|e| e / sum).collect()
}
