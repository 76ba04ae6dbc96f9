//! Gradients of every layer, loss and penalty against finite differences of an objective in float64 that
//! is written here anew, straight from the formulas.

use std::ops::ControlFlow;

use proptest::prelude::*;
use serde_json::json;
use strata_nn::{
    Activation, DropoutConfig, DropoutForm, LabelSmoothingKind, LossConfig, MatrixSamples, Mlp,
    MlpConfig, NamedTensor, Norm, OptimizerConfig, PenaltyConfig, Stream, Trainer, TrainerConfig,
    WeightInit,
};

const ACTIVATIONS: [&str; 10] = [
    "tanh",
    "sigmoid",
    "gelu",
    "gelu_tanh",
    "silu",
    "softplus",
    "mish",
    "elu",
    "selu",
    "identity",
];

fn activation(name: &str) -> Activation {
    let found = match name {
        "gelu_tanh" => {
            let kwargs = [("approximate".to_owned(), json!("tanh"))].into();
            Activation::from_name("gelu", &kwargs)
        }
        name => Activation::from_name(name, &[].into()),
    };
    found.expect("an activation of ours")
}

/// The activation in float64.
fn activated(name: &str, x: f64) -> f64 {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let softplus = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
    match name {
        "tanh" => x.tanh(),
        "sigmoid" => sigmoid(x),
        "gelu" => 0.5 * x * (1.0 + libm::erf(x / 2.0_f64.sqrt())),
        "gelu_tanh" => {
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
            0.5 * x * (1.0 + inner.tanh())
        }
        "silu" => x * sigmoid(x),
        "softplus" => softplus(x),
        "mish" => x * softplus(x).tanh(),
        "elu" if x < 0.0 => x.exp_m1(),
        "selu" if x < 0.0 => 1.050_700_987_355_480_5 * 1.673_263_242_354_377_2 * x.exp_m1(),
        "selu" => 1.050_700_987_355_480_5 * x,
        _ => x,
    }
}

/// A training step to be checked.
#[derive(Debug, Clone)]
struct Setting {
    dims: Vec<usize>,
    rows: usize,
    activation: &'static str,
    norm: Option<Norm>,
    loss: LossConfig,
    penalty: PenaltyConfig,
    seed: u64,
}

impl Setting {
    fn network(&self) -> MlpConfig {
        let (inputs, rest) = self.dims.split_first().expect("dimensions");
        let (classes, hidden) = rest.split_last().expect("classes");
        MlpConfig {
            activation: activation(self.activation),
            norm: self.norm,
            weight_init: WeightInit::TorchDefault,
            ..MlpConfig::new(*inputs, hidden, *classes)
        }
    }

    fn samples(&self) -> MatrixSamples {
        let mut random = Stream::new(self.seed, "samples");
        let inputs = self.dims[0];
        let classes = *self.dims.last().expect("classes") as u32;
        MatrixSamples {
            x: (0..self.rows * inputs).map(|_| random.normal()).collect(),
            labels: (0..self.rows).map(|_| random.below(classes)).collect(),
            input_dim: inputs,
        }
    }

    /// Mean loss plus penalty, in float64.
    fn objective(&self, parameters: &[Vec<f64>], samples: &MatrixSamples) -> f64 {
        let mut next = parameters.iter();
        let mut next = || next.next().expect("as many as the network has");
        let mut rows: Vec<Vec<f64>> = samples
            .x
            .chunks_exact(self.dims[0])
            .map(|row| row.iter().map(|&x| f64::from(x)).collect())
            .collect();
        let last = self.dims.len() - 2;
        let mut penalty = 0.0;
        for (layer, pair) in self.dims.windows(2).enumerate() {
            let (weight, bias) = (next(), next());
            penalty += self.penalty_of(layer, weight, bias);
            for row in &mut rows {
                let affine = bias.iter().zip(weight.chunks_exact(pair[0]));
                *row = affine
                    .map(|(b, w)| b + w.iter().zip(&*row).map(|(w, x)| w * x).sum::<f64>())
                    .collect();
            }
            if layer == last {
                break;
            }
            if let Some(norm) = self.norm {
                let (gamma, beta) = (next(), next());
                normalize(&mut rows, norm, gamma, beta);
            }
            for x in rows.iter_mut().flatten() {
                *x = activated(self.activation, *x);
            }
        }
        self.loss_of(&rows, &samples.labels) + penalty
    }

    fn penalty_of(&self, layer: usize, weight: &[f64], bias: &[f64]) -> f64 {
        let (l1, l2) = (self.penalty.l1[layer], self.penalty.l2[layer]);
        let bias = if self.penalty.biases { bias } else { &[] };
        let all = weight.iter().chain(bias);
        all.map(|p| l1 * p.abs() + 0.5 * l2 * p * p).sum()
    }

    fn loss_of(&self, logits: &[Vec<f64>], labels: &[u32]) -> f64 {
        let k = logits[0].len() as f64;
        let a = f64::from(self.loss.label_smoothing);
        let weight_of = |class: usize| {
            let weights = self.loss.class_weights.as_ref();
            weights.map_or(1.0, |weights| f64::from(weights[class]))
        };
        let (mut sum, mut weights) = (0.0, 0.0);
        for (row, &label) in logits.iter().zip(labels) {
            let label = label as usize;
            let log_sum = row.iter().map(|z| z.exp()).sum::<f64>().ln();
            for (class, z) in row.iter().enumerate() {
                let own = f64::from(u8::from(class == label));
                let target = match self.loss.label_smoothing_kind {
                    LabelSmoothingKind::Torch => (1.0 - a) * own + a / k,
                    LabelSmoothingKind::Course if k == 1.0 => own,
                    LabelSmoothingKind::Course => (1.0 - a) * own + a / (k - 1.0) * (1.0 - own),
                };
                sum += target * weight_of(class) * (log_sum - z);
            }
            weights += weight_of(label);
        }
        sum / weights
    }
}

fn normalize(rows: &mut [Vec<f64>], norm: Norm, gamma: &[f64], beta: &[f64]) {
    let standard = |values: &[f64]| -> Vec<f64> {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        values
            .iter()
            .map(|x| (x - mean) / (variance + 1e-5).sqrt())
            .collect()
    };
    match norm {
        Norm::Layer => {
            for row in rows.iter_mut() {
                *row = standard(row);
            }
        }
        Norm::Batch => {
            for column in 0..gamma.len() {
                let values: Vec<f64> = rows.iter().map(|row| row[column]).collect();
                for (row, x) in rows.iter_mut().zip(standard(&values)) {
                    row[column] = x;
                }
            }
        }
    }
    for row in rows {
        for (x, (gamma, beta)) in row.iter_mut().zip(gamma.iter().zip(beta)) {
            *x = *x * gamma + beta;
        }
    }
}

fn is_parameter(tensor: &NamedTensor) -> bool {
    tensor.name.ends_with("weight") || tensor.name.ends_with("bias")
}

fn training(setting: &Setting) -> TrainerConfig {
    let one = [("lr".to_owned(), 1.0.into())].into();
    TrainerConfig {
        batch_size: setting.rows,
        shuffle: false,
        loss: setting.loss.clone(),
        penalty: setting.penalty.clone(),
        ..TrainerConfig::new(OptimizerConfig::from_name("SGD", &one).expect("SGD"))
    }
}

/// What one step of plain descent with a rate of 1 takes off the parameters.
fn engines_gradient(setting: &Setting) -> (Vec<NamedTensor>, Vec<Vec<f64>>) {
    let before = Mlp::new(&setting.network(), setting.seed);
    let mut trainer = Trainer::new(before.clone(), training(setting));
    trainer
        .train_epoch(&setting.samples(), 1, &mut |_| ControlFlow::Continue(()))
        .expect("it trains");
    let (before, after) = (before.parameters(), trainer.mlp().parameters());
    let pairs = before.iter().zip(&after).filter(|(a, _)| is_parameter(a));
    let gradients = pairs.map(|(before, after)| {
        let pairs = before.data.iter().zip(&after.data);
        pairs.map(|(b, a)| f64::from(*b) - f64::from(*a)).collect()
    });
    let gradients = gradients.collect();
    (before, gradients)
}

fn settings() -> impl Strategy<Value = Setting> {
    let shape = (
        1usize..24,
        prop::collection::vec(1usize..40, 0..4),
        1usize..20,
        1usize..20,
    );
    let kind = (
        prop::sample::select(&ACTIVATIONS[..]),
        prop::sample::select(&[None, Some(Norm::Batch), Some(Norm::Layer)][..]),
        prop::sample::select(&[0.0_f32, 0.1, 0.4][..]),
        any::<[bool; 3]>(),
        0u64..1000,
    );
    (shape, kind).prop_map(|((inputs, hidden, classes, rows), kind)| {
        let (activation, norm, label_smoothing, [course, weighted, biases], seed) = kind;
        let mut dims = vec![inputs];
        dims.extend(hidden);
        dims.push(classes);
        let layers = dims.len() - 1;
        let weight = |class: usize| 0.5 + class as f32 * 0.25;
        Setting {
            dims,
            rows,
            activation,
            norm,
            loss: LossConfig {
                label_smoothing,
                label_smoothing_kind: if course {
                    LabelSmoothingKind::Course
                } else {
                    LabelSmoothingKind::Torch
                },
                class_weights: weighted.then(|| (0..classes).map(weight).collect()),
            },
            penalty: PenaltyConfig {
                l1: (0..layers).map(|layer| 0.01 * layer as f64).collect(),
                l2: (0..layers)
                    .map(|layer| 0.05 / (1.0 + layer as f64))
                    .collect(),
                biases,
            },
            seed,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn gradients_agree_with_finite_differences(setting in settings()) {
        let (before, ours) = engines_gradient(&setting);
        let samples = setting.samples();
        let mut parameters: Vec<Vec<f64>> = before
            .iter()
            .filter(|tensor| is_parameter(tensor))
            .map(|tensor| tensor.data.iter().map(|&p| f64::from(p)).collect())
            .collect();
        // A unit that hardly varies is blown up by its normalisation, and the rounding of float32 with it.
        let tolerance = if setting.norm.is_some() { 3e-3 } else { 1e-3 };
        let whole = ours.iter().flatten().map(|g| g * g).sum::<f64>().sqrt();
        for array in 0..parameters.len() {
            let (mut distance, mut size) = (0.0, 0.0);
            for at in 0..parameters[array].len() {
                let (value, step) = (parameters[array][at], 1e-5);
                // Where a penalty has its kink, differences say nothing.
                if value.abs() <= step {
                    continue;
                }
                parameters[array][at] = value + step;
                let more = setting.objective(&parameters, &samples);
                parameters[array][at] = value - step;
                let less = setting.objective(&parameters, &samples);
                parameters[array][at] = value;
                let exact = (more - less) / (2.0 * step);
                distance += (ours[array][at] - exact).powi(2);
                size += exact * exact;
            }
            prop_assert!(
                distance.sqrt() <= tolerance * (size.sqrt() + 0.1 * whole) + 1e-5,
                "array {array}: {} of {}", distance.sqrt(), size.sqrt()
            );
        }
    }
}

/// Masks are the same whenever the same batch of the same epoch is computed, so that the loss along the
/// gradient must change as the gradient says.
#[test]
fn gradients_through_dropout_are_those_of_the_masked_network() {
    for (form, hidden, share_mask) in [
        (DropoutForm::Inverted, 0.4, false),
        (DropoutForm::Inverted, 0.4, true),
        (DropoutForm::Course, 0.6, false),
        (DropoutForm::Course, 0.6, true),
    ] {
        let setting = Setting {
            dims: vec![17, 70, 33, 5],
            rows: 24,
            activation: "tanh",
            norm: None,
            loss: LossConfig::default(),
            penalty: PenaltyConfig {
                l1: vec![0.0; 3],
                l2: vec![0.0; 3],
                biases: false,
            },
            seed: 3,
        };
        let network = MlpConfig {
            dropout: DropoutConfig {
                hidden,
                input: Some(hidden),
                form,
                share_mask,
            },
            ..setting.network()
        };
        let samples = setting.samples();
        let step = |mlp: Mlp| {
            let mut trainer = Trainer::new(mlp, training(&setting));
            let report = trainer.train_epoch(&samples, 1, &mut |_| ControlFlow::Continue(()));
            (report.expect("it trains").loss, trainer.into_mlp())
        };
        let begin = Mlp::new(&network, 1);
        let (_, after) = step(begin.clone());
        let moved = |share: f32| {
            let mut tensors = begin.parameters();
            for (tensor, after) in tensors.iter_mut().zip(after.parameters()) {
                for (p, after) in tensor.data.iter_mut().zip(after.data) {
                    *p += share * (after - *p);
                }
            }
            let mut mlp = begin.clone();
            mlp.load_parameters(&tensors).expect("they fit");
            step(mlp).0
        };
        let squares = begin.parameters().into_iter().zip(after.parameters());
        let squares = squares.flat_map(|(a, b)| a.data.into_iter().zip(b.data));
        let squares: f64 = squares.map(|(a, b)| f64::from(a - b).powi(2)).sum();
        let slope = (moved(-0.02) - moved(0.02)) / 0.04;
        assert!(
            (slope / squares - 1.0).abs() < 0.02,
            "{form:?}, {share_mask}: {slope} is not {squares}"
        );
    }
}
