//! The promises that hold for every network: results depend on configuration and seed alone.

use std::ops::ControlFlow;

use strata_nn::{
    Activation, DropoutConfig, DropoutForm, EpochReport, InstructionSet, LabelSmoothingKind,
    LossConfig, MatrixSamples, Mlp, MlpConfig, NamedTensor, Norm, OptimizerConfig, PenaltyConfig,
    Place, Samples, SchedulerConfig, Stream, TrainError, Trainer, TrainerConfig, WeightInit,
};

fn samples(n: usize, input_dim: usize, classes: u32) -> MatrixSamples {
    let mut random = Stream::new(9, "samples");
    let labels: Vec<u32> = (0..n).map(|_| random.below(classes)).collect();
    let x = labels.iter().flat_map(|&label| {
        (0..input_dim)
            .map(|i| if i as u32 % classes == label { 1.0 } else { 0.0 } + 0.5 * random.normal())
            .collect::<Vec<_>>()
    });
    MatrixSamples {
        x: x.collect(),
        labels,
        input_dim,
    }
}

fn network(hidden_dims: &[usize], dropout: f32) -> MlpConfig {
    let kaiming = WeightInit::from_name("kaiming_uniform", &[].into()).expect("a known name");
    MlpConfig {
        dropout: DropoutConfig::inverted(dropout),
        weight_init: kaiming,
        ..MlpConfig::new(37, hidden_dims, 5)
    }
}

fn training(batch_size: usize, threads: usize) -> TrainerConfig {
    let optimizer = OptimizerConfig::from_name("AdamW", &[].into()).expect("a known optimiser");
    TrainerConfig {
        batch_size,
        threads,
        seed: 3,
        max_grad_norm: Some(1.0),
        loss: LossConfig {
            label_smoothing: 0.1,
            ..LossConfig::default()
        },
        ..TrainerConfig::new(optimizer)
    }
}

fn trained(network: &MlpConfig, config: TrainerConfig) -> (Vec<NamedTensor>, Vec<EpochReport>) {
    let samples = samples(203, network.input_dim, network.num_classes as u32);
    trained_on(&samples, network, config)
}

fn trained_on(
    samples: &dyn Samples,
    network: &MlpConfig,
    config: TrainerConfig,
) -> (Vec<NamedTensor>, Vec<EpochReport>) {
    let mut trainer = Trainer::new(Mlp::new(network, 1), config);
    let reports = (1..=3).map(|epoch| {
        let report = trainer.train_epoch(samples, epoch, &mut |_| ControlFlow::Continue(()));
        let report = report.expect("it trains");
        trainer.observe(report.loss);
        EpochReport {
            seconds: 0.0,
            ..report
        }
    });
    let reports = reports.collect();
    (trainer.mlp().parameters(), reports)
}

/// Widths and batch sizes that fill no tile, with dropout and a last batch that is not full.
#[test]
fn threads_do_not_change_a_bit() {
    for (hidden, batch_size) in [
        (&[65, 19][..], 50),
        (&[7], 1),
        (&[], 300),
        (&[130, 33, 16], 64),
    ] {
        let network = network(hidden, 0.25);
        let alone = trained(&network, training(batch_size, 1));
        for threads in [2, 3, 8] {
            let together = trained(&network, training(batch_size, threads));
            assert_eq!(
                alone, together,
                "{hidden:?}, batch {batch_size}, {threads} threads"
            );
        }
    }
}

/// Samples that all threads gather together, however few they are.
struct Costly(MatrixSamples);

impl Samples for Costly {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn input_dim(&self) -> usize {
        self.0.input_dim()
    }

    fn is_costly(&self) -> bool {
        true
    }

    fn label(&self, index: u32) -> u32 {
        self.0.label(index)
    }

    fn gather(&self, place: Place, indices: &[u32], x: &mut [f32], row_stride: usize) {
        self.0.gather(place, indices, x, row_stride);
    }
}

#[test]
fn who_gathers_the_samples_does_not_change_a_bit() {
    let network = network(&[65, 19], 0.25);
    let cheap = trained(&network, training(50, 2));
    let costly = Costly(samples(203, network.input_dim, network.num_classes as u32));
    for threads in [1, 2] {
        let together = trained_on(&costly, &network, training(50, threads));
        assert_eq!(cheap, together, "{threads} threads");
    }
}

/// Everything that has buffers of its own.
fn variants() -> Vec<(MlpConfig, TrainerConfig)> {
    let of = |norm, form, share_mask, optimizer: &str, clipped: bool| {
        let hidden = match form {
            DropoutForm::Inverted => 0.2,
            DropoutForm::Course => 0.8,
        };
        let network = MlpConfig {
            norm,
            activation: Activation::Silu,
            dropout: DropoutConfig {
                hidden,
                input: Some(hidden),
                form,
                share_mask,
            },
            ..network(&[300, 270, 33], 0.0)
        };
        let mut training = training(50, 1);
        training.optimizer =
            OptimizerConfig::from_name(optimizer, &[].into()).expect("a known optimiser");
        training.penalty = PenaltyConfig {
            l1: vec![1e-4, 0.0, 1e-3],
            l2: vec![1e-3; 4],
            biases: true,
        };
        training.loss = LossConfig {
            label_smoothing: 0.1,
            label_smoothing_kind: LabelSmoothingKind::Course,
            class_weights: Some(vec![1.0, 2.0, 0.5, 1.0, 1.5]),
        };
        if !clipped {
            training.max_grad_norm = None;
        }
        (network, training)
    };
    let (inverted, course) = (DropoutForm::Inverted, DropoutForm::Course);
    vec![
        of(None, inverted, false, "NAdam", false),
        of(None, course, true, "RMSprop", true),
        of(Some(Norm::Batch), inverted, false, "AdamW", false),
        of(Some(Norm::Batch), course, false, "Adadelta", true),
        of(Some(Norm::Layer), inverted, true, "Adagrad", false),
        of(Some(Norm::Layer), course, false, "Adamax", true),
    ]
}

#[test]
fn threads_do_not_change_a_bit_of_any_variant() {
    for (network, training) in variants() {
        let alone = trained(&network, training.clone());
        for threads in [2, 5] {
            let together = trained(
                &network,
                TrainerConfig {
                    threads,
                    ..training.clone()
                },
            );
            assert_eq!(alone, together, "{network:?}, {threads} threads");
        }
    }
}

/// Stopped after any step, written down, and taken up by another trainer.
#[test]
fn a_training_goes_on_bit_for_bit() {
    for (network, mut training) in variants() {
        let plateau = [("patience".to_owned(), 0.into())].into();
        let plateau = SchedulerConfig::from_name("ReduceLROnPlateau", &plateau);
        training.scheduler = Some(plateau.expect("a known schedule"));
        let uninterrupted = trained(&network, training.clone());
        let samples = samples(203, network.input_dim, network.num_classes as u32);
        let mut trainer = Trainer::new(Mlp::new(&network, 1), training.clone());
        let mut last = Vec::new();
        for epoch in 1..=3 {
            loop {
                let report = trainer.train_epoch(&samples, epoch, &mut |report| {
                    if report.step % 2 == 0 {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    }
                });
                let report = report.expect("it trains");
                let state = trainer.state();
                let text = serde_json::to_string(&state.progress).expect("plain data");
                trainer = Trainer::new(Mlp::new(&network, 7), training.clone());
                let progress = serde_json::from_str(&text).expect("what was written");
                let state = strata_nn::TrainerState { progress, ..state };
                trainer.restore(&state).expect("a state of this training");
                if report.completed {
                    trainer.observe(report.loss);
                    last.push(EpochReport {
                        seconds: 0.0,
                        ..report
                    });
                    break;
                }
            }
        }
        assert_eq!(uninterrupted, (trainer.mlp().parameters(), last));
    }
}

#[test]
fn fused_instruction_sets_agree_to_the_bit_and_the_portable_one_nearly() {
    // Layers wide enough for chunks of two panels and several blocks of inputs.
    let network = network(&[320, 520, 19], 0.25);
    let results: Vec<_> = InstructionSet::available()
        .into_iter()
        .map(|set| {
            (
                set,
                trained(
                    &network,
                    TrainerConfig {
                        instruction_set: set,
                        ..training(50, 2)
                    },
                ),
            )
        })
        .collect();
    let (_, (first, first_reports)) = &results[0];
    for (set, (parameters, reports)) in &results {
        if *set == InstructionSet::Portable {
            let difference = (reports[2].loss - first_reports[2].loss).abs();
            assert!(difference < 1e-3, "{difference}");
        } else {
            assert_eq!(first, parameters, "{set:?}");
        }
    }
}

#[test]
fn every_sample_is_trained_on_once_an_epoch() {
    let (_, reports) = trained(&network(&[16], 0.0), training(50, 2));
    for report in reports {
        assert_eq!(
            (report.images, report.steps, report.completed),
            (203, 5, true)
        );
    }
}

#[test]
fn dropout_keeps_the_expectation() {
    let network = MlpConfig {
        activation: Activation::Identity,
        ..network(&[400], 0.3)
    };
    let samples = samples(64, 37, 5);
    let mut config = training(64, 1);
    config.optimizer =
        OptimizerConfig::from_name("SGD", &[("lr".to_owned(), 0.0.into())].into()).expect("SGD");
    config.loss = LossConfig::default();
    let mut trainer = Trainer::new(Mlp::new(&network, 1), config);
    let plain = trainer.evaluate(&samples).loss;
    let dropped: Vec<f64> = (1..=60)
        .map(|epoch| {
            trainer
                .train_epoch(&samples, epoch, &mut |_| ControlFlow::Continue(()))
                .expect("it trains")
                .loss
        })
        .collect();
    let mean = dropped.iter().sum::<f64>() / dropped.len() as f64;
    assert!(
        dropped.iter().any(|loss| (loss - dropped[0]).abs() > 1e-4),
        "masks differ by epoch"
    );
    assert!((mean / plain - 1.0).abs() < 0.2, "{mean} against {plain}");
}

#[test]
fn a_step_that_is_not_finite_changes_nothing() {
    let network = network(&[16], 0.0);
    let mut samples = samples(64, 37, 5);
    samples.x[5] = f32::NAN;
    let mut trainer = Trainer::new(Mlp::new(&network, 1), training(64, 2));
    let before = trainer.mlp().parameters();
    let error = trainer
        .train_epoch(&samples, 1, &mut |_| ControlFlow::Continue(()))
        .unwrap_err();
    assert!(
        matches!(
            error,
            TrainError::NonFinite {
                quantity: "loss",
                step: 1,
                epoch: 1,
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(before, trainer.mlp().parameters());
}

#[test]
fn evaluation_averages_over_samples_not_batches() {
    let network = network(&[16], 0.5);
    let samples = samples(700, 37, 5);
    let mut trainer = Trainer::new(Mlp::new(&network, 1), training(64, 2));
    let whole = trainer.evaluate(&samples);
    let part = |range: std::ops::Range<usize>| MatrixSamples {
        x: samples.x[range.start * 37..range.end * 37].to_vec(),
        labels: samples.labels[range].to_vec(),
        input_dim: 37,
    };
    let (first, second) = (
        trainer.evaluate(&part(0..600)),
        trainer.evaluate(&part(600..700)),
    );
    assert_eq!(whole.correct, first.correct + second.correct);
    let mean = (600.0 * first.loss + 100.0 * second.loss) / 700.0;
    assert!(
        (whole.loss - mean).abs() < 1e-12,
        "{} is not {mean}",
        whole.loss
    );
}

#[test]
fn a_stopped_epoch_says_so() {
    let samples = samples(203, 37, 5);
    let mut trainer = Trainer::new(Mlp::new(&network(&[16], 0.0), 1), training(50, 1));
    let stop = &mut |report: &strata_nn::StepReport| {
        if report.batch == 2 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let report = trainer.train_epoch(&samples, 1, stop).expect("it trains");
    assert_eq!(
        (report.images, report.steps, report.completed),
        (100, 2, false)
    );
}

/// Who watches sees every weight once and changes nothing, whether the optimiser keeps gradients or not.
#[test]
fn a_watched_training_is_the_same_to_the_last_bit() {
    for clipped in [true, false] {
        let network = network(&[65, 19], 0.25);
        let mut config = training(50, 2);
        if !clipped {
            config.max_grad_norm = None;
        }
        let plain = trained(&network, config.clone());
        let samples = samples(203, network.input_dim, network.num_classes as u32);
        let mut trainer = Trainer::new(Mlp::new(&network, 1), config);
        let mut seen = Vec::new();
        for epoch in 1..=3 {
            let mut told = |step: u64, histograms: Vec<strata_nn::TensorHistogram>| {
                let counts = histograms.iter().map(|histogram| {
                    let count: u32 = histogram.counts.iter().sum();
                    (histogram.name.clone(), count)
                });
                seen.push((step, counts.collect::<Vec<_>>()));
            };
            let watch = strata_nn::Watch {
                every: 4,
                gradients: true,
                parameters: true,
                told: &mut told,
            };
            let mut go_on = |_: &_| ControlFlow::Continue(());
            trainer
                .train_epoch_watched(&samples, epoch, &mut go_on, Some(watch))
                .map(|report| trainer.observe(report.loss))
                .expect("it trains");
        }
        assert_eq!(trainer.mlp().parameters(), plain.0, "clipped: {clipped}");
        let steps: Vec<u64> = seen.iter().map(|(step, _)| *step).collect();
        assert_eq!(steps, [4, 8, 12]);
        let first: Vec<(&str, u32)> = seen[0]
            .1
            .iter()
            .take(4)
            .map(|(name, count)| (name.as_str(), *count))
            .collect();
        let expected = [
            ("gradients/0.weight", 37 * 65),
            ("gradients/0.bias", 65),
            ("parameters/0.weight", 37 * 65),
            ("parameters/0.bias", 65),
        ];
        assert_eq!(first, expected);
    }
}
