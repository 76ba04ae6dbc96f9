use super::*;

fn scheduler(name: &str, params: &Value) -> SchedulerConfig {
    let params = params.as_object().expect("a mapping").clone();
    SchedulerConfig::from_name(name, &params.into_iter().collect()).expect("a schedule")
}

fn rates(config: &SchedulerConfig, lr: f64, count: u64) -> Vec<f64> {
    (0..count).map(|t| config.at(lr, t).lr).collect()
}

#[test]
fn the_cosine_goes_from_lr_to_eta_min() {
    let cosine = scheduler(
        "CosineAnnealingLR",
        &serde_json::json!({"T_max": 20, "eta_min": 1e-5}),
    );
    assert!((cosine.at(1e-3, 0).lr - 1e-3).abs() < 1e-18);
    assert!((cosine.at(1e-3, 10).lr - 5.05e-4).abs() < 1e-15);
    assert!((cosine.at(1e-3, 20).lr - 1e-5).abs() < 1e-15);
}

#[test]
fn stairs_and_powers() {
    let stairs = scheduler("StepLR", &serde_json::json!({"step_size": 3, "gamma": 0.5}));
    assert_eq!(rates(&stairs, 1.0, 7), [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25]);
    let exponential = scheduler("ExponentialLR", &serde_json::json!({"gamma": 0.5}));
    assert_eq!(exponential.at(8.0, 3).lr, 1.0);
}

/// What torch 2.15 gives for `SequentialLR` of `LinearLR(0.25, total_iters=4)` and `StepLR(2, 0.5)`.
#[test]
fn schedules_in_sequence_count_from_their_own_beginning() {
    let stairs = scheduler("StepLR", &serde_json::json!({"step_size": 2, "gamma": 0.5}));
    let warm = stairs.after_warmup(0.25, 4);
    let torch = [0.2, 0.35, 0.5, 0.65, 0.8, 0.8, 0.4, 0.4, 0.2];
    for (ours, torch) in rates(&warm, 0.8, 9).iter().zip(torch) {
        assert!((ours - torch).abs() < 1e-12, "{ours} is not {torch}");
    }
}

#[test]
fn a_needed_parameter_is_asked_for() {
    for (name, needed) in [
        ("CosineAnnealingLR", "T_max"),
        ("MultiStepLR", "milestones"),
        ("OneCycleLR", "total_steps"),
        ("CyclicLR", "base_lr"),
        ("SequentialLR", "milestones"),
    ] {
        let error = SchedulerConfig::from_name(name, &BTreeMap::new()).unwrap_err();
        assert_eq!(error.parameter(), Some(needed), "{name}");
    }
}

#[test]
fn a_plateau_is_waited_for() {
    let config = scheduler(
        "ReduceLROnPlateau",
        &serde_json::json!({"factor": 0.5, "patience": 1, "cooldown": 1}),
    );
    let optimizer = OptimizerConfig::from_name("SGD", &[("lr".to_owned(), 1.0.into())].into());
    let mut scheduler = Scheduler::new(Some(config), &optimizer.expect("SGD"));
    let lrs: Vec<f64> = [1.0, 0.5, 0.6, 0.6, 0.7, 0.7, 0.7, 0.1]
        .iter()
        .map(|&metric| {
            scheduler.observe(metric);
            scheduler.at(0).lr
        })
        .collect();
    assert_eq!(lrs, [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25]);
}
