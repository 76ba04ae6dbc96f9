//! The training loop.
//!
//! [`Trainer::train_epoch`] works through the batches of an epoch; each is a step of
//! [`crate::kernels::step`]. An epoch that was stopped goes on where it was, also in another process:
//! [`Trainer::state`] gives all that is needed, [`Trainer::restore`] takes it.

mod config;
mod evaluate;
mod report;
mod state;
mod watch;

use std::ops::ControlFlow;
use std::time::Instant;

use crate::kernels::gather::{Batch, Gathering};
use crate::kernels::plan::Plan;
use crate::kernels::pool::ThreadPool;
use crate::kernels::step::{LayerState, Step, StepConfig, StepParts, Sums};
use crate::kernels::workspace::Workspace;
use crate::mlp::Mlp;
use crate::norm::Norm;
use crate::optimizer::{OptimizerProgress, Update};
use crate::random::Stream;
use crate::samples::{Place, Samples};
use crate::scheduler::Scheduler;
use watch::GradientRoom;

pub use config::{SchedulerInterval, TrainerConfig};
pub use report::{
    ConfusionMatrix, EpochProgress, EpochReport, Evaluation, LayerReport, StepReport, TrainError,
};
pub use state::{StateError, TrainerProgress, TrainerState};
pub use watch::{BINS, TensorHistogram, Watch};

/// A network in training, with all of its buffers and threads.
pub struct Trainer {
    mlp: Mlp,
    config: TrainerConfig,
    pool: ThreadPool,
    states: Vec<LayerState>,
    training: Workspace,
    evaluation: Option<Workspace>,
    plan: Plan,
    sums: Vec<Sums>,
    order: Vec<u32>,
    scheduler: Scheduler,
    optimizer: OptimizerProgress,
    steps: u64,
    epoch: Option<EpochProgress>,
    gradient_room: GradientRoom,
}

/// What one step came to.
struct StepOutcome {
    loss_sum: f64,
    weight_sum: f64,
    hits: usize,
    penalty: f64,
    lr: f64,
    grad_norm: f64,
}

impl Trainer {
    /// Takes a network into training.
    ///
    /// # Panics
    /// If `batch_size` is 0, or there are class weights, but not one for each class.
    pub fn new(mlp: Mlp, config: TrainerConfig) -> Self {
        assert!(config.batch_size > 0, "a batch holds at least one sample");
        if let Some(weights) = &config.loss.class_weights {
            let classes = mlp.config().num_classes;
            assert_eq!(weights.len(), classes, "one weight for each class");
        }
        let states = config.optimizer.states(config.cycles_momentum());
        let initial = config.optimizer.initial_state();
        let clipped = config.max_grad_norm.is_some();
        let state = |layer| LayerState::new(layer, states, initial, clipped);
        Self {
            pool: ThreadPool::new(config.threads),
            states: mlp.layers.iter().map(state).collect(),
            training: Workspace::with_backward(&mlp.layers, config.batch_size, Gathering::Together),
            evaluation: None,
            plan: Plan::default(),
            sums: Vec::new(),
            order: Vec::new(),
            scheduler: Scheduler::new(config.scheduler.clone(), &config.optimizer),
            optimizer: OptimizerProgress::default(),
            steps: 0,
            epoch: None,
            gradient_room: GradientRoom::default(),
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

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The network, training ended.
    pub fn into_mlp(self) -> Mlp {
        self.mlp
    }

    /// Tells a scheduler that listens, `ReduceLROnPlateau`, the metric of an epoch.
    pub fn observe(&mut self, metric: f64) {
        self.scheduler.observe(metric);
    }

    /// Trains on every sample once, in the order of the stream `shuffle` at `epoch` (from 1).
    ///
    /// `on_step` is called after each step and may stop the epoch; called again with the same epoch, it
    /// goes on with the next batch, and the result is the same to the last bit.
    ///
    /// # Errors
    /// No samples, samples that do not fit, or a loss or gradient that is not finite.
    pub fn train_epoch(
        &mut self,
        samples: &dyn Samples,
        epoch: usize,
        on_step: &mut dyn FnMut(&StepReport) -> ControlFlow<()>,
    ) -> Result<EpochReport, TrainError> {
        self.train_epoch_watched(samples, epoch, on_step, None)
    }

    /// The same, with histograms of gradients and parameters for whoever watches. They change no result.
    ///
    /// # Errors
    /// As [`Trainer::train_epoch`].
    pub fn train_epoch_watched(
        &mut self,
        samples: &dyn Samples,
        epoch: usize,
        on_step: &mut dyn FnMut(&StepReport) -> ControlFlow<()>,
        mut watch: Option<Watch>,
    ) -> Result<EpochReport, TrainError> {
        let started = Instant::now();
        self.check(samples)?;
        self.prepare_gathering(samples);
        let lr = self.config.optimizer.lr;
        let mut progress = match self.epoch.take() {
            Some(progress) if progress.epoch == epoch => progress,
            _ => EpochProgress::begin(epoch, self.mlp.layers.len(), lr),
        };
        let spent = progress.seconds;
        let order = self.order_of(samples, epoch);
        let batches = order.len().div_ceil(self.config.batch_size);
        let batch_at = |trainer: &Self, batch: usize| trainer.batch(samples, &order, epoch, batch);
        let mut current = batch_at(self, progress.batches);
        if let Some(first) = &current {
            self.training.inputs.gather(&mut self.pool, first);
        }
        while let Some(batch) = current {
            let next = batch_at(self, progress.batches + 1);
            let rows = batch.indices.len();
            let outcome = match watch.as_mut().filter(|watch| watch.is_due(self.steps + 1)) {
                Some(watch) => self.watched_step(watch, epoch, progress.batches, batch, next)?,
                None => self.step(epoch, progress.batches, batch, next)?,
            };
            self.note(&mut progress, rows, &outcome);
            progress.seconds = spent + started.elapsed().as_secs_f64();
            let report = StepReport {
                epoch,
                step: self.steps,
                batch: progress.batches,
                batches,
                batch_size: rows,
                loss: outcome.loss_sum / outcome.weight_sum,
                penalty: outcome.penalty,
                correct: outcome.hits,
                lr: outcome.lr,
                grad_norm: outcome.grad_norm,
                images_seen: progress.images,
                seconds: progress.seconds,
            };
            if on_step(&report).is_break() {
                break;
            }
            current = next;
        }
        progress.seconds = spent + started.elapsed().as_secs_f64();
        let completed = progress.batches == batches;
        let report = progress.report(self.mlp.weight_norms(), completed);
        if !completed {
            self.epoch = Some(progress);
        }
        self.order = order;
        Ok(report)
    }

    fn prepare_gathering(&mut self, samples: &dyn Samples) {
        let gathering = Gathering::of(samples, self.config.threads);
        if self.training.inputs.gathering() != gathering {
            let rows = self.config.batch_size;
            self.training = Workspace::with_backward(&self.mlp.layers, rows, gathering);
            self.plan = Plan::default();
        }
    }

    /// Batch number `batch` of the epoch, if it has so many.
    fn batch<'a>(
        &self,
        samples: &'a dyn Samples,
        order: &'a [u32],
        epoch: usize,
        batch: usize,
    ) -> Option<Batch<'a>> {
        let indices = order.chunks(self.config.batch_size).nth(batch)?;
        let position = batch * self.config.batch_size;
        let dropout = &self.mlp.config().dropout;
        Some(Batch {
            samples,
            indices,
            place: Place::Training { epoch, position },
            mask: dropout.input.and_then(|_| {
                let layers = self.mlp.layers.len();
                dropout.masks(self.config.seed, epoch, batch, layers).input
            }),
            scale: 1.0,
        })
    }

    fn note(&self, progress: &mut EpochProgress, rows: usize, outcome: &StepOutcome) {
        progress.batches += 1;
        progress.images += rows;
        progress.loss_sum += outcome.loss_sum;
        progress.weight_sum += outcome.weight_sum;
        progress.hits += outcome.hits;
        progress.penalty_sum += outcome.penalty;
        progress.lr = outcome.lr;
        let layers = self.mlp.layers.iter().zip(&self.plan.sums);
        for ((layer, places), sums) in layers.zip(&mut progress.layers) {
            let of_layer = total(&self.sums[places.clone()]);
            sums.0 += of_layer.weight_squares.sqrt();
            sums.1 += of_layer.weight_sizes / (layer.inputs * layer.outputs) as f64;
        }
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

    fn watched_step(
        &mut self,
        watch: &mut Watch,
        epoch: usize,
        number_of_batch: usize,
        batch: Batch,
        next: Option<Batch>,
    ) -> Result<StepOutcome, TrainError> {
        if watch.gradients {
            self.gradient_room.lend(&mut self.states, &self.mlp.layers);
        }
        let outcome = self.step(epoch, number_of_batch, batch, next);
        if outcome.is_ok() {
            watch.tell(self.steps, &mut self.pool, &self.mlp, &self.states);
        }
        if watch.gradients {
            self.gradient_room.take_back(&mut self.states);
        }
        outcome
    }

    /// One step on batch number `number_of_batch` of the epoch; the next batch may be gathered beside it.
    fn step(
        &mut self,
        epoch: usize,
        number_of_batch: usize,
        batch: Batch,
        next: Option<Batch>,
    ) -> Result<StepOutcome, TrainError> {
        let rows = batch.indices.len();
        let clipped = self.config.max_grad_norm.is_some();
        if self.plan.rows != rows {
            let gathering = self.training.inputs.gathering();
            self.plan = Plan::training(&self.mlp.layers, rows, clipped, gathering);
            self.sums.resize(self.plan.sums_len(), Sums::default());
        }
        let number = self.steps + 1;
        let steps = self.config.scheduler_steps(epoch, number);
        let rate = self.scheduler.at(steps);
        let mlp = self.mlp.config();
        let criterion = self.config.loss.criterion(mlp.num_classes);
        self.training.take_labels(&batch);
        let weight_sum = batch_weight(&self.training.labels, &criterion)?;
        let layers = self.mlp.layers.len();
        let masks = mlp
            .dropout
            .masks(self.config.seed, epoch, number_of_batch, layers);
        let config = StepConfig {
            set: self.config.instruction_set,
            activation: mlp.activation,
            evaluation_scale: 1.0,
            training: true,
            criterion,
            batch_weight: weight_sum,
            penalty: &self.config.penalty,
        };
        let parts = StepParts {
            layers: &mut self.mlp.layers,
            states: &mut self.states,
            workspace: &mut self.training,
            sums: &mut self.sums,
            masks: &masks,
            batch,
            next,
        };
        let mut step = Step::new(config, parts);
        step.run(&mut self.pool, &self.plan.forward);
        let (loss_sum, hits) = step.training_outcome();
        let finite = |quantity, value: f64| {
            if value.is_finite() {
                Ok(value)
            } else {
                Err(TrainError::NonFinite {
                    quantity,
                    value,
                    step: number,
                    epoch,
                })
            }
        };
        finite("loss", loss_sum)?;
        let mut updates = Update::of_step(
            &self.config.optimizer,
            (rate.lr, rate.momentum),
            number,
            &mut self.optimizer,
        );
        if !clipped {
            step.updates = Some(updates);
        }
        step.run(&mut self.pool, &self.plan.backward);
        let sums = step.gradient_sums(self.plan.sums_len());
        let norm = (sums.weight_squares + sums.other_squares).sqrt();
        let grad_norm = finite("gradient's norm", norm)?;
        if clipped {
            let factor = self.config.clipping(grad_norm);
            for update in &mut updates {
                update.gradient_scale *= factor;
            }
            step.updates = Some(updates);
            step.run_phase(&mut self.pool, &self.plan.update);
        }
        self.steps = number;
        self.training.inputs.advance();
        for norm in self.mlp.layers.iter_mut().filter_map(|l| l.norm.as_mut()) {
            norm.batches_tracked += u64::from(norm.kind == Norm::Batch);
        }
        if let SchedulerInterval::Steps(every) = self.config.scheduler_interval
            && number.is_multiple_of(every)
        {
            self.scheduler.observe(loss_sum / weight_sum);
        }
        Ok(StepOutcome {
            loss_sum,
            weight_sum,
            hits,
            penalty: sums.penalty,
            lr: rate.lr,
            grad_norm,
        })
    }
}

/// What the losses of a batch are divided by for their mean.
fn batch_weight(labels: &[u32], criterion: &crate::loss::Criterion) -> Result<f64, TrainError> {
    let classes = criterion.classes;
    if let Some(&label) = labels.iter().find(|&&label| label as usize >= classes) {
        return Err(TrainError::Label { label, classes });
    }
    let weights = labels.iter().map(|&label| criterion.weight(label as usize));
    let sum = weights.sum::<f64>();
    if sum > 0.0 {
        Ok(sum)
    } else {
        Err(TrainError::NoWeight)
    }
}

fn total(sums: &[Sums]) -> Sums {
    let mut total = Sums::default();
    for sums in sums {
        total.add(sums);
    }
    total
}
