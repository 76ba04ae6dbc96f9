//! What training and evaluation have to say.

use serde::{Deserialize, Serialize};
use thiserror::Error;

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
    /// Mean loss over the batch, before the update, without penalty.
    pub loss: f64,
    /// What the penalties add to the objective.
    pub penalty: f64,
    /// Samples of the batch whose likeliest class was their own.
    pub correct: usize,
    /// Learning rate of the step.
    pub lr: f64,
    /// Global norm of the gradient, penalties included, before clipping.
    pub grad_norm: f64,
    /// Samples of the epoch so far.
    pub images_seen: usize,
    /// Seconds since the epoch began, or went on.
    pub seconds: f64,
}

/// One epoch, or the part of it before it was stopped.
#[derive(Debug, Clone, PartialEq)]
pub struct EpochReport {
    /// Steps taken.
    pub steps: usize,
    /// Samples seen.
    pub images: usize,
    /// Mean loss over the samples, in training mode, without penalty.
    pub loss: f64,
    /// Mean penalty over the steps.
    pub penalty: f64,
    /// Share of hits among the samples, in training mode.
    pub accuracy: f64,
    /// Learning rate of the last step.
    pub lr: f64,
    /// By layer.
    pub layers: Vec<LayerReport>,
    /// Seconds in the training loop, reporting included.
    pub seconds: f64,
    /// Whether the epoch was completed.
    pub completed: bool,
}

/// A layer's weights in one epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerReport {
    /// Norm of the gradient, before clipping, the mean over the steps.
    pub grad_norm: f64,
    /// Mean absolute gradient, the mean over the steps: the gradient-flow figure.
    pub mean_abs_grad: f64,
    /// Norm of the weights at the end.
    pub weight_norm: f64,
}

/// An epoch that is not over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochProgress {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Batches done.
    pub batches: usize,
    /// Samples of those.
    pub images: usize,
    /// Sum of their losses.
    pub loss_sum: f64,
    /// What it is divided by for the mean.
    pub weight_sum: f64,
    /// Hits among them.
    pub hits: usize,
    /// Sum of the penalties.
    pub penalty_sum: f64,
    /// Learning rate of the last step.
    pub lr: f64,
    /// Sums of gradient norm and mean absolute gradient over the steps, by layer.
    pub layers: Vec<(f64, f64)>,
    /// Seconds spent.
    pub seconds: f64,
}

impl EpochProgress {
    pub(super) fn begin(epoch: usize, layers: usize, lr: f64) -> Self {
        Self {
            epoch,
            batches: 0,
            images: 0,
            loss_sum: 0.0,
            weight_sum: 0.0,
            hits: 0,
            penalty_sum: 0.0,
            lr,
            layers: vec![(0.0, 0.0); layers],
            seconds: 0.0,
        }
    }

    pub(super) fn report(&self, weight_norms: Vec<f64>, completed: bool) -> EpochReport {
        let steps = self.batches.max(1) as f64;
        let layers = self.layers.iter().zip(weight_norms);
        EpochReport {
            steps: self.batches,
            images: self.images,
            loss: self.loss_sum / self.weight_sum,
            penalty: self.penalty_sum / steps,
            accuracy: self.hits as f64 / self.images as f64,
            lr: self.lr,
            layers: layers
                .map(|(sums, weight_norm)| LayerReport {
                    grad_norm: sums.0 / steps,
                    mean_abs_grad: sums.1 / steps,
                    weight_norm,
                })
                .collect(),
            seconds: self.seconds,
            completed,
        }
    }
}

/// A network's figures on a set of samples, averaged over the samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Mean cross-entropy in nats, without label smoothing and class weights; NaN for no samples.
    pub loss: f64,
    /// Share of samples whose likeliest class is their own, the first where several are; NaN for none.
    pub accuracy: f64,
    /// Share of samples whose own class is among the five likeliest.
    pub top5_accuracy: f64,
    /// Expected calibration error: mean distance of confidence and accuracy over 15 bins of equal width,
    /// weighted by their samples (Guo et al. 2017).
    pub calibration_error: f64,
    /// Number of hits.
    pub correct: usize,
    /// Number of samples.
    pub count: usize,
    /// Samples by class and predicted class.
    pub confusion: ConfusionMatrix,
}

/// How often samples of a class were taken for another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfusionMatrix {
    /// Number of classes K.
    pub classes: usize,
    /// `[K][K]`: row by row of the true class, samples by predicted class.
    pub counts: Vec<u32>,
}

impl ConfusionMatrix {
    pub(super) fn new(classes: usize) -> Self {
        Self {
            classes,
            counts: vec![0; classes * classes],
        }
    }

    /// Share of hits for each class; NaN for a class without samples.
    pub fn class_accuracies(&self) -> Vec<f64> {
        let rows = self.counts.chunks_exact(self.classes.max(1)).enumerate();
        rows.map(|(class, row)| f64::from(row[class]) / f64::from(row.iter().sum::<u32>()))
            .collect()
    }
}

/// Why training cannot go on.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum TrainError {
    /// Loss or gradient is infinite or not a number. After a loss the parameters are those before the
    /// step; after a gradient only where it would have been clipped.
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
    /// All samples of a batch have classes of weight 0.
    #[error("the class weights of all samples of a batch are 0, so that its loss has no mean")]
    NoWeight,
}
