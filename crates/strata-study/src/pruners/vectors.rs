//! Whole studies of Optuna 5.0.0's decisions, from `conformance/sweep/vectors`.

use std::sync::Arc;

use strata_json::Json;

use super::hyperband::Brackets;
use super::*;
use crate::samplers::RandomSampler;
use crate::storage::MemoryStorage;
use crate::test_vectors::{number, numbers, vectors};
use crate::{Direction, Study};

fn pruner(name: &str, args: &Json) -> Box<dyn Pruner> {
    let float = |key: &str| args.get(key).and_then(Json::as_f64);
    let whole = |key: &str| args.get(key).and_then(Json::as_i64);
    let percentile = |percentile: f64| {
        let default = PercentilePruner::new(percentile);
        let startup = whole("n_startup_trials").map(|n| n as usize);
        let min_trials = whole("n_min_trials").map(|n| n as usize);
        PercentilePruner {
            n_startup_trials: startup.unwrap_or(default.n_startup_trials),
            n_warmup_steps: whole("n_warmup_steps").unwrap_or(0),
            interval_steps: whole("interval_steps").unwrap_or(1),
            n_min_trials: min_trials.unwrap_or(default.n_min_trials),
            ..default
        }
    };
    let resource = |key: &str| whole(key).map(|n| n as u64);
    let bootstrap_count = whole("bootstrap_count").unwrap_or(0) as usize;
    match name {
        "median" => Box::new(percentile(50.0)),
        "percentile" => Box::new(percentile(float("percentile").expect("a percentile"))),
        "successive_halving" => Box::new(SuccessiveHalvingPruner {
            min_resource: resource("min_resource"),
            reduction_factor: resource("reduction_factor").unwrap_or(4),
            min_early_stopping_rate: whole("min_early_stopping_rate").unwrap_or(0) as u32,
            bootstrap_count,
        }),
        "hyperband" => Box::new(HyperbandPruner {
            min_resource: resource("min_resource").unwrap_or(1),
            max_resource: resource("max_resource"),
            reduction_factor: resource("reduction_factor").unwrap_or(3),
            bootstrap_count,
        }),
        "threshold" => Box::new(ThresholdPruner {
            lower: float("lower"),
            upper: float("upper"),
            n_warmup_steps: whole("n_warmup_steps").unwrap_or(0),
            interval_steps: whole("interval_steps").unwrap_or(1),
        }),
        "patient" => Box::new(PatientPruner {
            wrapped: match args.get("wrapped").and_then(Json::as_str) {
                Some("median") => Some(Box::new(PercentilePruner::median())),
                Some(other) => panic!("{other} is not known"),
                None => None,
            },
            patience: whole("patience").expect("patience") as usize,
            min_delta: float("min_delta").unwrap_or(0.0),
        }),
        "wilcoxon" => Box::new(WilcoxonPruner {
            p_threshold: float("p_threshold").unwrap_or(0.1),
            n_startup_steps: whole("n_startup_steps").unwrap_or(2) as usize,
        }),
        other => panic!("{other} is not known"),
    }
}

#[test]
fn every_decision_is_optuna_s() {
    let vectors = vectors();
    for (i, case) in vectors["pruners"]
        .as_list()
        .expect("a list")
        .iter()
        .enumerate()
    {
        let text = |key: &str| case.get(key).and_then(Json::as_str).expect("a text");
        let direction = Direction::from_name(text("direction")).expect("a direction");
        let args = case.get("args").expect("arguments");
        let study = Study::open_or_create(
            Arc::new(MemoryStorage::default()),
            text("study_name"),
            &[direction],
            0,
            Box::new(RandomSampler),
            pruner(text("pruner"), args),
        )
        .expect("a study");
        for recorded in case.get("trials").and_then(Json::as_list).expect("trials") {
            let list = |key: &str| recorded.get(key).and_then(Json::as_list).expect("a list");
            let mut trial = study.ask().expect("a trial");
            for (report, expected) in list("reports").iter().zip(list("should_prune")) {
                let [step, value] = numbers(report)[..] else {
                    panic!("a step and a value")
                };
                trial.report(step as i64, value).expect("kept");
                let found = trial.should_prune().expect("a decision");
                assert_eq!(
                    Json::Bool(found),
                    *expected,
                    "case {i}, {} {args:?}, trial {} at step {step}",
                    text("pruner"),
                    trial.number()
                );
            }
            match recorded.get("final").and_then(Json::as_str) {
                Some("COMPLETE") => {
                    let value = number(recorded.get("value").expect("a value"));
                    trial.complete(&[value]).expect("ended");
                }
                Some("PRUNED") => {
                    trial.prune().expect("ended");
                }
                _ => {
                    trial.fail().expect("ended");
                }
            }
        }
    }
}

#[test]
fn brackets_are_optuna_s() {
    let vectors = vectors();
    for case in vectors["hyperband_brackets"].as_list().expect("a list") {
        let whole = |key: &str| case.get(key).and_then(Json::as_i64).expect("a number") as u64;
        let brackets = Brackets::new(
            whole("min_resource"),
            whole("max_resource"),
            whole("reduction_factor"),
        );
        let shares: Vec<f64> = brackets
            .shares()
            .iter()
            .map(|share| *share as f64)
            .collect();
        assert_eq!(shares, numbers(case.get("allocation").expect("shares")));
        let name = case
            .get("study_name")
            .and_then(Json::as_str)
            .expect("a name");
        let expected = numbers(case.get("bracket_of_trial").expect("brackets"));
        for (number, bracket) in expected.iter().enumerate() {
            assert_eq!(brackets.of_trial(name, number as u64) as f64, *bracket);
        }
    }
}
