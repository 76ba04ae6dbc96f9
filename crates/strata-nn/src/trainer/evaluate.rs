//! A network's figures and probabilities, in evaluation mode.

use super::Trainer;
use super::report::{ConfusionMatrix, Evaluation};
use crate::kernels::gather::Batch;
use crate::kernels::plan::Plan;
use crate::kernels::step::{Step, StepConfig, StepParts};
use crate::kernels::workspace::Workspace;
use crate::loss::{LossConfig, RowOutcome};
use crate::math;
use crate::penalty::PenaltyConfig;
use crate::samples::{Place, Samples};

/// Rows of a batch in evaluation.
const EVALUATION_ROWS: usize = 512;
/// Bins of the calibration error.
const BINS: usize = 15;

/// Sums over samples from which an [`Evaluation`] is made.
struct Tally {
    loss: f64,
    correct: usize,
    among_five: usize,
    count: usize,
    confusion: ConfusionMatrix,
    /// Samples, hits and summed confidence of each bin.
    bins: [(usize, usize, f64); BINS],
}

impl Tally {
    fn new(classes: usize) -> Self {
        Self {
            loss: 0.0,
            correct: 0,
            among_five: 0,
            count: 0,
            confusion: ConfusionMatrix::new(classes),
            bins: [(0, 0, 0.0); BINS],
        }
    }

    fn add(&mut self, outcome: &RowOutcome, label: u32) {
        let hit = outcome.predicted == label;
        self.loss += f64::from(outcome.loss);
        self.correct += usize::from(hit);
        self.among_five += usize::from(outcome.rank < 5);
        self.count += 1;
        let classes = self.confusion.classes;
        self.confusion.counts[label as usize * classes + outcome.predicted as usize] += 1;
        // Bins are open below and closed above; a confidence that is not a number counts in the first.
        let bin = (f64::from(outcome.confidence) * BINS as f64).ceil() as usize;
        let bin = &mut self.bins[bin.clamp(1, BINS) - 1];
        bin.0 += 1;
        bin.1 += usize::from(hit);
        bin.2 += f64::from(outcome.confidence);
    }

    fn evaluation(self) -> Evaluation {
        let count = self.count as f64;
        let gaps = self
            .bins
            .iter()
            .map(|(_, hits, confidence)| (confidence - *hits as f64).abs());
        Evaluation {
            loss: self.loss / count,
            accuracy: self.correct as f64 / count,
            top5_accuracy: self.among_five as f64 / count,
            calibration_error: gaps.sum::<f64>() / count,
            correct: self.correct,
            count: self.count,
            confusion: self.confusion,
        }
    }
}

impl Trainer {
    /// The network's figures on all samples, in evaluation mode.
    ///
    /// # Panics
    /// If the samples do not fit the network.
    pub fn evaluate(&mut self, samples: &dyn Samples) -> Evaluation {
        let mut tally = Tally::new(self.mlp.config().num_classes);
        self.for_each_row(samples, &mut |outcome, label, _| tally.add(outcome, label));
        tally.evaluation()
    }

    /// Probabilities of the classes for each sample, `[n][num_classes]`.
    ///
    /// # Panics
    /// If the samples do not fit the network.
    pub fn predict(&mut self, samples: &dyn Samples) -> Vec<Vec<f32>> {
        let mut probabilities = Vec::with_capacity(samples.len());
        self.for_each_row(samples, &mut |_, _, logits| {
            probabilities.push(softmax(logits));
        });
        probabilities
    }

    /// Floating-point operations of training on `images` samples: forward and backward products, each
    /// multiply-add counted as two. Nobody needs the gradient of the first layer's input.
    pub fn operations(&self, images: usize) -> f64 {
        let dims = self.mlp.config().dims();
        let products: usize = dims.windows(2).map(|pair| 3 * pair[0] * pair[1]).sum();
        2.0 * (products - dims[0] * dims[1]) as f64 * images as f64
    }

    /// Calls `visit(outcome, label, logits)` for each sample, in their order.
    fn for_each_row(
        &mut self,
        samples: &dyn Samples,
        visit: &mut dyn FnMut(&RowOutcome, u32, &[f32]),
    ) {
        let (classes, inputs) = (self.mlp.config().num_classes, self.mlp.config().input_dim);
        assert_eq!(samples.input_dim(), inputs, "samples fit the network");
        let indices: Vec<u32> = (0..samples.len() as u32).collect();
        for part in indices.chunks(EVALUATION_ROWS) {
            self.forward_only(samples, part);
            let workspace = self.evaluation.as_ref().expect("made by `forward_only`");
            let logits = workspace.layers.last().expect("a network has a layer");
            let labels = &workspace.labels;
            let rows = logits.y.chunks_exact(logits.stride);
            let rows = rows.zip(labels).zip(&workspace.outcomes).take(part.len());
            for ((row, &label), outcome) in rows {
                visit(outcome, label, &row[..classes]);
            }
        }
    }

    fn forward_only(&mut self, samples: &dyn Samples, indices: &[u32]) {
        let layers = &self.mlp.layers;
        let workspace = self
            .evaluation
            .get_or_insert_with(|| Workspace::forward_only(layers, EVALUATION_ROWS));
        let mlp = self.mlp.config();
        let batch = Batch {
            samples,
            indices,
            place: Place::Evaluation,
            mask: None,
            scale: mlp.dropout.input_evaluation_scale(),
        };
        workspace.inputs.gather(&mut self.pool, &batch);
        workspace.take_labels(&batch);
        let fit = workspace
            .labels
            .iter()
            .all(|&label| (label as usize) < mlp.num_classes);
        assert!(fit, "labels fit the network");
        // Smoothing and weights are for training.
        let (loss, penalty) = (LossConfig::default(), PenaltyConfig::default());
        let config = StepConfig {
            set: self.config.instruction_set,
            activation: mlp.activation,
            evaluation_scale: mlp.dropout.evaluation_scale(),
            training: false,
            criterion: loss.criterion(mlp.num_classes),
            batch_weight: 1.0,
            penalty: &penalty,
        };
        let parts = StepParts {
            layers: &mut self.mlp.layers,
            states: &mut self.states,
            workspace,
            sums: &mut [],
            masks: &Default::default(),
            batch,
            next: None,
        };
        let plan = Plan::evaluation(indices.len());
        Step::new(config, parts).run(&mut self.pool, &plan.forward);
    }
}

fn softmax(logits: &[f32]) -> Vec<f32> {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exps: Vec<f32> = logits.iter().map(|&z| math::exp(z - most)).collect();
    let sum: f32 = exps.iter().sum();
    exps.into_iter().map(|e| e / sum).collect()
}
