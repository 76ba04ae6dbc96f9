//! Training steps computed by `PyTorch` in float64, replayed by the engine.
//!
//! Cases come from `conformance/nn/torch_cases.jsonl`, or from the folder in `STRATA_NN_CASES`; the
//! README beside them gives fields and tolerances.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;

use serde_json::Value;
use strata_nn::{
    Activation, InstructionSet, LabelSmoothingKind, LossConfig, MatrixSamples, Mlp, MlpConfig,
    NamedTensor, OptimizerConfig, PenaltyConfig, SchedulerConfig, SchedulerInterval, StepReport,
    Trainer, TrainerConfig,
};

#[test]
fn every_case_agrees_with_torch() {
    let folder = std::env::var_os("STRATA_NN_CASES").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../conformance/nn"),
        PathBuf::from,
    );
    let text =
        std::fs::read_to_string(folder.join("torch_cases.jsonl")).expect("the cases are there");
    let mut replayed = 0;
    for line in text.lines().filter(|line| !line.is_empty()) {
        let case: Value = serde_json::from_str(line).expect("a case is JSON");
        let id = case["id"].as_str().expect("a case has an id");
        for set in InstructionSet::available() {
            replay(&case, id, set);
        }
        replayed += 1;
    }
    eprintln!("{replayed} cases agree");
    assert!(replayed > 0, "there are no cases");
}

fn replay(case: &Value, id: &str, set: InstructionSet) {
    let (mlp, mut config) = trainer_of(case);
    config.instruction_set = set;
    let samples = samples_of(case);
    let steps = case["steps"].as_u64().expect("steps");
    let mut trainer = Trainer::new(mlp, config);
    let mut reports: Vec<StepReport> = Vec::new();
    let mut epoch = 0;
    while (reports.len() as u64) < steps {
        epoch += 1;
        trainer
            .train_epoch(&samples, epoch, &mut |report| {
                reports.push(*report);
                if reports.len() as u64 == steps {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })
            .expect("the cases train");
    }
    let trace = case["trace"].as_array().expect("a trace");
    for (step, (ours, torch)) in reports.iter().zip(trace).enumerate() {
        let expect = |name: &str, ours: f64, tolerance: f64| {
            let torch = torch[name].as_f64().expect("a number");
            let difference = (ours - torch).abs() / torch.abs().max(1e-12);
            assert!(
                difference < tolerance,
                "{id}, {set:?}, step {step}: {name} is {ours}, torch has {torch}"
            );
        };
        expect("loss", ours.loss, if step < 5 { 1e-5 } else { 1e-4 });
        expect("lr", ours.lr, 1e-6);
        expect("grad_norm", ours.grad_norm, 1e-4);
        if let Some(torch) = torch.get("penalty").and_then(Value::as_f64) {
            let difference = (ours.penalty - torch).abs() / torch.abs().max(1e-12);
            assert!(
                difference < 1e-4 || ours.penalty == torch,
                "{id}, {set:?}, step {step}: penalty is {}, torch has {torch}",
                ours.penalty
            );
        }
        let accuracy = ours.correct as f64 / ours.batch_size as f64;
        assert_eq!(
            Some(accuracy),
            torch["accuracy"].as_f64(),
            "{id}, {set:?}, step {step}: accuracy"
        );
    }
    let adaptive = case["optimizer"]["name"] != "SGD";
    let tolerance = if adaptive { 1e-3 } else { 1e-4 };
    let finals = parameters_of(case, "final");
    for (ours, torch) in trainer.mlp().parameters().iter().zip(&finals) {
        let distance: f64 = squares(
            ours.data
                .iter()
                .zip(&torch.data)
                .map(|(a, b)| f64::from(a - b)),
        );
        let size = squares(torch.data.iter().map(|b| f64::from(*b)));
        assert!(
            distance <= tolerance * size.max(1e-12),
            "{id}, {set:?}: {} differs",
            ours.name
        );
    }
}

fn squares(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|x| x * x).sum::<f64>().sqrt()
}

/// Network and training of a case.
fn trainer_of(case: &Value) -> (Mlp, TrainerConfig) {
    let model = &case["model"];
    let size = |name: &str| model[name].as_u64().expect("a size") as usize;
    let hidden = model["hidden_dims"].as_array().expect("widths").iter();
    let hidden: Vec<usize> = hidden
        .map(|width| width.as_u64().expect("a width") as usize)
        .collect();
    let name = |value: &Value| value.as_str().expect("a name").to_owned();
    let kwargs = map(&model["activation_kwargs"]);
    let activation = Activation::from_name(&name(&model["activation"]), &kwargs);
    let config = MlpConfig {
        activation: activation.expect("an activation of ours"),
        ..MlpConfig::new(size("input_dim"), &hidden, size("num_classes"))
    };
    let optimizer = &case["optimizer"];
    let optimizer =
        OptimizerConfig::from_name(&name(&optimizer["name"]), &map(&optimizer["params"]));
    let mut training = TrainerConfig {
        shuffle: false,
        ..TrainerConfig::new(optimizer.expect("an optimiser of ours"))
    };
    training.batch_size = case["batches"][0]["y"].as_array().expect("labels").len();
    training.max_grad_norm = case
        .get("max_grad_norm")
        .and_then(Value::as_f64)
        .map(|norm| norm as f32);
    if let Some(loss) = case.get("loss").filter(|loss| !loss.is_null()) {
        training.loss = LossConfig {
            label_smoothing: loss["label_smoothing"].as_f64().unwrap_or(0.0) as f32,
            label_smoothing_kind: if loss["label_smoothing_kind"] == "course" {
                LabelSmoothingKind::Course
            } else {
                LabelSmoothingKind::Torch
            },
            class_weights: None,
        };
    }
    if let Some(penalty) = case.get("penalty").filter(|penalty| !penalty.is_null()) {
        let everywhere = |name: &str| vec![penalty[name].as_f64().unwrap_or(0.0); hidden.len() + 1];
        training.penalty = PenaltyConfig {
            l1: everywhere("l1"),
            l2: everywhere("l2"),
            biases: true,
        };
    }
    if let Some(scheduler) = case.get("scheduler").filter(|entry| !entry.is_null()) {
        let parsed =
            SchedulerConfig::from_name(&name(&scheduler["name"]), &map(&scheduler["params"]));
        training.scheduler = Some(parsed.expect("a scheduler of ours"));
        let every = scheduler["every"].as_u64().unwrap_or(1);
        training.scheduler_interval = SchedulerInterval::Steps(every);
    }
    let mut mlp = Mlp::new(&config, 0);
    mlp.load_parameters(&parameters_of(case, "init"))
        .expect("the parameters fit");
    (mlp, training)
}

fn map(value: &Value) -> BTreeMap<String, Value> {
    value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn numbers(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().expect("a number") as f32],
    }
}

fn parameters_of(case: &Value, field: &str) -> Vec<NamedTensor> {
    let layers = case[field].as_array().expect("layers").iter().enumerate();
    layers
        .flat_map(|(index, layer)| {
            let outputs = layer["bias"].as_array().expect("a bias").len();
            let (weight, bias) = (numbers(&layer["weight"]), numbers(&layer["bias"]));
            let inputs = weight.len() / outputs;
            [
                NamedTensor {
                    name: format!("{}.weight", 2 * index),
                    shape: vec![outputs, inputs],
                    data: weight,
                },
                NamedTensor {
                    name: format!("{}.bias", 2 * index),
                    shape: vec![outputs],
                    data: bias,
                },
            ]
        })
        .collect()
}

fn samples_of(case: &Value) -> MatrixSamples {
    let batches = case["batches"].as_array().expect("batches").iter();
    let labels = |batch: &Value| {
        numbers(&batch["y"])
            .into_iter()
            .map(|label| label as u32)
            .collect::<Vec<_>>()
    };
    MatrixSamples {
        x: batches
            .clone()
            .flat_map(|batch| numbers(&batch["x"]))
            .collect(),
        labels: batches.flat_map(labels).collect(),
        input_dim: case["model"]["input_dim"].as_u64().expect("a size") as usize,
    }
}
