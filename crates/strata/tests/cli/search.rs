//! Searches: what they vary, how they end, and that nothing is done twice.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::project::Project;

/// A search of six small trainings below `sweep/`.
pub(crate) fn search<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let common = [
        "hydra/sweeper=optuna",
        "hydra.sweep.dir=sweep",
        "hydra.sweeper.n_trials=6",
        "hydra.sweeper.n_jobs=1",
        "hydra.sweeper.study_name=six",
        "hydra.sweeper.sampler.n_startup_trials=3",
        "model.hidden_dims=[8]",
        "model.dropout=interval(0,0.5)",
        "training.optimizer.params.lr=tag(log,1e-4,1e-1)",
        "data.batch_size=choice(16,32)",
        "training.epochs=2",
        "logging.matplotlib.enabled=false",
        "logging.tensorboard.enabled=false",
    ];
    common.into_iter().chain(more.iter().copied()).collect()
}

/// Number, state, parameters and values of each trial.
pub(crate) fn trials(project: &Project, storage: &str) -> Vec<serde_json::Value> {
    let out = project.strata(&["study", "export", storage]).ends_with(0);
    let study: serde_json::Value = serde_json::from_str(&out.stdout).expect("JSON");
    let trials = study["trials"].as_array().expect("a list").clone();
    let keys = ["number", "state", "params", "values", "intermediate_values"];
    let kept = trials.iter().map(|trial| {
        let fields = keys
            .iter()
            .map(|key| ((*key).to_owned(), trial[*key].clone()));
        serde_json::Value::Object(fields.collect())
    });
    kept.collect()
}

#[test]
fn the_best_trial_is_that_of_the_greatest_accuracy() {
    let project = Project::with_images();
    project.train(&search(&[])).ends_with(0).says(&[
        "Search to maximise validation/accuracy: 6 trials, 1 side by side, TPESampler",
        "#5 : data.batch_size=",
        "Best: trial ",
    ]);
    let trials = trials(&project, "sweep");
    assert_eq!(trials.len(), 6);
    let accuracy = |trial: &serde_json::Value| trial["values"][0].as_f64().expect("a value");
    let best = trials.iter().map(accuracy).fold(0.0, f64::max);
    let results = project.read("sweep/optimization_results.yaml");
    assert!(
        results.starts_with("name: optuna\nbest_params:\n  "),
        "{results}"
    );
    assert!(
        results.ends_with(&format!("best_value: {best}\n")),
        "{results}"
    );
    // What the run itself found is what the study was told.
    for (number, trial) in trials.iter().enumerate() {
        let summary = project.json(&format!("sweep/{number}/summary.json"));
        let found = summary["best"]["validation/accuracy"]["value"].as_f64();
        assert_eq!(
            found.unwrap_or(-1.0),
            accuracy(trial),
            "trial {number}: {summary}"
        );
    }
    let overrides = project.read("sweep/2/.hydra/overrides.yaml");
    assert!(overrides.starts_with("- data.batch_size="), "{overrides}");
    let shares = project.strata(&["study", "importance", "sweep", "--json"]);
    let shares: serde_json::Value =
        serde_json::from_str(&shares.ends_with(0).stdout).expect("JSON");
    let shares = shares.as_array().expect("a list").iter();
    let total: f64 = shares.filter_map(|row| row["importance"].as_f64()).sum();
    assert!((total - 1.0).abs() < 1e-9, "{total}");
    let best = project
        .strata(&["study", "best", "sweep", "--overrides"])
        .ends_with(0);
    assert_eq!(best.stdout.lines().count(), 3, "{}", best.stdout);
}

#[test]
fn a_killed_search_goes_on_to_the_same_trials() {
    let project = Project::with_images();
    project
        .train(&search(&[
            "hydra.sweep.dir=whole",
            "hydra.sweeper.pruner=median",
        ]))
        .ends_with(0);
    let arguments = search(&["hydra.sweeper.pruner=median", "hydra.sweep.dir=multirun/s"]);
    let mut killed = project.train_command(&arguments);
    killed.stderr(Stdio::piped());
    let mut killed = killed.spawn().expect("it starts");
    let lines = BufReader::new(killed.stderr.take().expect("a pipe")).lines();
    let third = lines
        .map_while(Result::ok)
        .find(|line| line.contains("#3 : "));
    assert!(third.is_some(), "the fourth trial began");
    killed.kill().expect("it can be killed");
    killed.wait().expect("it ended");
    assert_eq!(project.json("multirun/s/sweep.json")["state"], "running");
    let out = project.strata(&["resume"]).ends_with(0);
    out.says(&["trials of this sweep are there already", "Best: trial "]);
    assert_eq!(trials(&project, "multirun/s"), trials(&project, "whole"));
    assert_eq!(project.json("multirun/s/sweep.json")["state"], "finished");
    project
        .strata(&["resume", "multirun/s"])
        .ends_with(0)
        .says(&["finished"]);
}

#[test]
fn trials_side_by_side_are_all_there_and_fail_alone() {
    let project = Project::with_images();
    project
        .train(&search(&[
            "hydra.sweeper.n_jobs=3",
            "hydra.sweeper.max_failure_rate=1.0",
            "hydra.sweeper.storage=sqlite:///study.db",
            "data.root=choice(data,nowhere)",
        ]))
        .ends_with(0)
        .says(&["failed: ", "nowhere"]);
    let trials = trials(&project, "sqlite:///study.db");
    let states: Vec<&str> = trials
        .iter()
        .filter_map(|trial| trial["state"].as_str())
        .collect();
    assert_eq!(states.len(), 6);
    for (trial, state) in trials.iter().zip(states) {
        let is_there = trial["params"]["data.root"] == "data";
        assert_eq!(state, if is_there { "COMPLETE" } else { "FAIL" });
    }
    let listed = project
        .strata(&["study", "ls", "sqlite:///study.db", "--csv"])
        .ends_with(0);
    assert!(
        listed.stdout.contains("\nsix,maximize,6,"),
        "{}",
        listed.stdout
    );
}

#[test]
fn a_failed_trial_ends_the_search_unless_failures_are_allowed() {
    let project = Project::with_images();
    project
        .train(&search(&["data.root=nowhere"]))
        .ends_with(1)
        .says(&["1 of 1 trials failed", "hydra.sweeper.max_failure_rate=0"]);
    assert_eq!(project.json("sweep/sweep.json")["state"], "failed");
}

#[test]
fn what_cannot_be_searched_is_refused_with_its_place() {
    let project = Project::with_images();
    project
        .train(&search(&[
            "hydra.sweeper.direction=minimize",
            "training.sweep.mode=max",
        ]))
        .ends_with(2)
        .says(&["contradicts `training.sweep.mode=max`"]);
    project
        .train(&search(&["hydra.sweeper.pruner=medain"]))
        .ends_with(2)
        .says(&["`hydra.sweeper.pruner` is not known: `medain`", "median"]);
    project
        .train(&search(&[
            "hydra.sweeper.when={model.dropout:{param:model.nothing,ge:1}}",
        ]))
        .ends_with(2)
        .says(&["model.nothing"]);
    project
        .strata(&["study", "show", "nothing.db"])
        .ends_with(2)
        .says(&["nothing.db"]);
}

#[test]
fn a_conditional_parameter_is_varied_only_where_its_condition_holds() {
    let project = Project::with_images();
    // The parent must come first.
    let later = "hydra.sweeper.when={model.dropout:{param:training.optimizer.params.lr,ge:0.01}}";
    project
        .train(&search(&[later]))
        .ends_with(2)
        .says(&["no parameter before it"]);
    let when = "hydra.sweeper.when={model.dropout:{param:data.batch_size,in:[16]}}";
    let conditional = [
        "hydra/sweeper=strata",
        "hydra.sweep.dir=sweep",
        "hydra.sweeper.n_trials=6",
        when,
        "data.batch_size=choice(16,32)",
        "model.dropout=interval(0.3,0.5)",
        "model.hidden_dims=[8]",
        "training.epochs=1",
        "logging.matplotlib.enabled=false",
        "logging.tensorboard.enabled=false",
    ];
    project.train(&conditional).ends_with(0);
    for trial in trials(&project, "sweep") {
        let params = trial["params"].as_object().expect("a mapping");
        assert_eq!(
            params.contains_key("model.dropout"),
            params["data.batch_size"] == 16,
            "{trial}"
        );
    }
}

#[test]
fn a_grid_runs_only_the_jobs_that_are_not_done() {
    let project = Project::with_images();
    let grid = [
        "-m",
        "model.hidden_dims=[8]",
        "training.epochs=1",
        "training.seed=1,2,3",
        "hydra.sweep.dir=sweep",
        "hydra/launcher=joblib",
        "hydra.launcher.n_jobs=2",
        "logging.matplotlib.enabled=false",
        "logging.tensorboard.enabled=false",
    ];
    project.train(&grid).ends_with(0);
    let started =
        |number: usize| project.json(&format!("sweep/{number}/run.json"))["started"].clone();
    let before = [started(0), started(1), started(2)];
    std::fs::remove_dir_all(project.path("sweep/1")).expect("it is there");
    let out = project.train(&grid).ends_with(0);
    out.says(&["#0 was done before", "#2 was done before"]);
    assert_eq!(started(0), before[0]);
    assert_ne!(started(1), before[1]);
    assert_eq!(started(2), before[2]);
    // Another configuration under the same number makes room.
    let mut other = grid;
    other[2] = "training.epochs=2";
    project
        .train(&other)
        .ends_with(0)
        .says(&["differs in `training.", "sweep/0_before"]);
    assert_eq!(
        project.json("sweep/0_before/run.json")["started"],
        before[0]
    );
}

#[test]
fn a_search_that_was_moved_goes_on_in_its_study() {
    let project = Project::with_images();
    let threshold = "hydra.sweeper.pruner={name:threshold,lower:2.0}";
    project
        .train(&search(&[threshold, "hydra.sweep.dir=multirun/s"]))
        .ends_with(0);
    let before = trials(&project, "multirun/s");
    let states: Vec<&str> = before
        .iter()
        .filter_map(|trial| trial["state"].as_str())
        .collect();
    assert_eq!(states, ["PRUNED"; 6]);
    assert_eq!(project.json("multirun/s/0/run.json")["pruned"], true);
    std::fs::create_dir(project.path("elsewhere")).expect("a folder");
    std::fs::rename(project.path("multirun/s"), project.path("elsewhere/t")).expect("moved");
    let out = project
        .strata(&["resume", "elsewhere/t", "--retry-failed"])
        .ends_with(0);
    out.says(&["6 trials of this sweep are there already"]);
    assert_eq!(trials(&project, "elsewhere/t"), before);
}
