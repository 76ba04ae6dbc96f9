//! Softmax cross-entropy, with label smoothing and class weights.

use crate::math;

/// The loss of a classifier.
#[derive(Debug, Clone, PartialEq)]
pub struct LossConfig {
    /// Share `a` of the target that is spread over the classes, in 0..=1.
    pub label_smoothing: f32,
    /// Over which classes.
    pub label_smoothing_kind: LabelSmoothingKind,
    /// Weight of each class; none for 1. The mean over a batch is weighted, as in torch.
    pub class_weights: Option<Vec<f32>>,
}

/// How a target is smoothed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelSmoothingKind {
    /// torch's (Szegedy et al. 2016): `(1-a)·onehot + a/K`.
    Torch,
    /// The coursework's: `1-a` on the true class, `a/(K-1)` on each other.
    Course,
}

impl Default for LossConfig {
    fn default() -> Self {
        Self {
            label_smoothing: 0.0,
            label_smoothing_kind: LabelSmoothingKind::Torch,
            class_weights: None,
        }
    }
}

impl LossConfig {
    /// The criterion for `classes` classes; smoothed targets and weights are for training alone.
    pub(crate) fn criterion(&self, classes: usize) -> Criterion<'_> {
        let k = classes as f64;
        let a = f64::from(self.label_smoothing);
        let (on_true, on_others) = match self.label_smoothing_kind {
            LabelSmoothingKind::Torch => (1.0 - a + a / k, a / k),
            LabelSmoothingKind::Course if classes > 1 => (1.0 - a, a / (k - 1.0)),
            LabelSmoothingKind::Course => (1.0, 0.0),
        };
        Criterion {
            classes,
            on_true,
            on_others,
            weights: self.class_weights.as_deref(),
            weight_sum: match &self.class_weights {
                Some(weights) => weights.iter().map(|&weight| f64::from(weight)).sum(),
                None => k,
            },
        }
    }
}

/// What one sample's logits came to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RowOutcome {
    /// Loss; weighted, but not yet divided by the weights of the batch.
    pub(crate) loss: f32,
    /// Probability of the likeliest class.
    pub(crate) confidence: f32,
    /// The likeliest class, the first one where several are.
    pub(crate) predicted: u32,
    /// Number of classes that are likelier than the sample's own, or as likely and before it; in evaluation.
    pub(crate) rank: u32,
}

/// Cross-entropy of a sample: `-Σ uⱼ·ln pⱼ` for targets times weights u.
#[derive(Clone, Copy)]
pub(crate) struct Criterion<'a> {
    pub(crate) classes: usize,
    on_true: f64,
    on_others: f64,
    weights: Option<&'a [f32]>,
    weight_sum: f64,
}

impl Criterion<'_> {
    /// Weight of a sample in the mean.
    pub(crate) fn weight(&self, label: usize) -> f64 {
        self.weights
            .map_or(1.0, |weights| f64::from(weights[label]))
    }

    /// Outcome of a sample; `exps` becomes `e^(z - max)` and its sum is returned.
    #[inline(always)]
    pub(crate) fn value(
        &self,
        logits: &[f32],
        label: usize,
        with_rank: bool,
        exps: &mut [f32],
    ) -> (RowOutcome, f32) {
        let logits = &logits[..self.classes];
        let exps = &mut exps[..self.classes];
        let most = greatest(logits);
        for (e, &z) in exps.iter_mut().zip(logits) {
            *e = math::exp(z - most);
        }
        let sum = sum(exps);
        let own = logits[label];
        // The first one among equals.
        let predicted = logits.iter().position(|&z| z == most).unwrap_or(0);
        let rank = if with_rank {
            let before = logits[..label].iter().filter(|&&z| z >= own).count();
            let after = logits[label + 1..].iter().filter(|&&z| z > own).count();
            before + after
        } else {
            0
        };
        let log_sum = math::ln(sum) + f64::from(most);
        let own = f64::from(own);
        let loss = if self.on_others == 0.0 {
            self.weight(label) * self.on_true * (log_sum - own)
        } else {
            let weighted: f64 = match self.weights {
                None => logits.iter().map(|&z| f64::from(z)).sum(),
                Some(weights) => logits
                    .iter()
                    .zip(weights)
                    .map(|(&z, &w)| f64::from(z) * f64::from(w))
                    .sum(),
            };
            let own_weight = self.weight(label);
            let more = (self.on_true - self.on_others) * own_weight;
            log_sum * (self.on_others * self.weight_sum + more)
                - (self.on_others * weighted + more * own)
        };
        let outcome = RowOutcome {
            loss: loss as f32,
            confidence: (1.0 / sum) as f32,
            predicted: predicted as u32,
            rank: rank as u32,
        };
        (outcome, sum as f32)
    }

    /// Turns `e^(z - max)` into the derivative of `share` times the loss; padded columns become 0.
    #[inline(always)]
    pub(crate) fn gradient(&self, exps: &mut [f32], sum: f32, label: usize, share: f32) {
        let (real, padding) = exps.split_at_mut(self.classes);
        let more = (self.on_true - self.on_others) * self.weight(label);
        let total = self.on_others * self.weight_sum + more;
        let factor = share * total as f32 / sum;
        let even = share * self.on_others as f32;
        match self.weights {
            None => real.iter_mut().for_each(|e| *e = *e * factor - even),
            Some(weights) => real
                .iter_mut()
                .zip(weights)
                .for_each(|(e, &weight)| *e = *e * factor - even * weight),
        }
        real[label] -= share * more as f32;
        padding.fill(0.0);
    }
}

/// The greatest of some numbers, in lanes, which give the same whatever the order.
#[inline(always)]
fn greatest(values: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; 16];
    let chunks = values.chunks_exact(16);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = if value > *lane { value } else { *lane };
        }
    }
    let of_lanes = lanes.iter().chain(rest);
    let most = of_lanes.fold(
        f32::NEG_INFINITY,
        |most, &x| if x > most { x } else { most },
    );
    // The comparisons above pass over what is not a number.
    if values.iter().any(|x| x.is_nan()) {
        f32::NAN
    } else {
        most
    }
}

/// Sum in f64, in eight lanes.
#[inline(always)]
fn sum(values: &[f32]) -> f64 {
    let mut lanes = [0.0_f64; 8];
    let chunks = values.chunks_exact(8);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane += f64::from(value);
        }
    }
    lanes.iter().sum::<f64>() + rest.iter().map(|&x| f64::from(x)).sum::<f64>()
}
