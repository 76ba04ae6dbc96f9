//! Sweeps whose jobs run in processes of their own. Those that are killed are `conformance/sweep/interrupt.py`'s, those
//! on Slurm `conformance/slurm/sweep.py`'s.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::project::Project;
use crate::search::{search, trials};

const QUIET: [&str; 2] = [
    "logging.matplotlib.enabled=false",
    "logging.tensorboard.enabled=false",
];

#[test]
fn a_grid_in_processes_runs_what_is_not_done() {
    let project = Project::with_images();
    let grid = [
        "-m",
        "model.hidden_dims=[8]",
        "training.epochs=1",
        "training.seed=1,2,3",
        "hydra.sweep.dir=sweep",
        "hydra/launcher=submitit_local",
    ];
    let grid = [&grid[..], &QUIET].concat();
    project.train(&grid).ends_with(0).says(&[
        "Submitit 'local' sweep output dir : sweep",
        "#2 : data.download=False model.hidden_dims=[8]",
        "#2 ended",
    ]);
    let started =
        |number: usize| project.json(&format!("sweep/{number}/run.json"))["started"].clone();
    let before = [started(0), started(1), started(2)];
    std::fs::remove_dir_all(project.path("sweep/1")).expect("it is there");
    project.train(&grid).ends_with(0).says(&[
        "#0 was done before",
        "#1 ended",
        "#2 was done before",
    ]);
    assert_eq!(
        [started(0), started(2)],
        [before[0].clone(), before[2].clone()]
    );
    assert_ne!(started(1), before[1]);
}

#[test]
fn a_job_that_fails_in_its_process_is_named_with_its_last_words() {
    let project = Project::with_images();
    let grid = [
        "-m",
        "model.hidden_dims=[8]",
        "training.epochs=1",
        "data.root=data,nowhere",
        "hydra.sweep.dir=sweep",
        "hydra/launcher=submitit_local",
    ];
    let grid = [&grid[..], &QUIET].concat();
    project.train(&grid).ends_with(1).says(&[
        "Error executing job #1 with overrides: [",
        "job #1: failed with exit code 1",
        "nowhere",
    ]);
    assert_eq!(project.json("sweep/0/run.json")["state"], "finished");
    assert_eq!(project.json("sweep/sweep.json")["state"], "failed");
    // It may be made good.
    std::os::unix::fs::symlink("data", project.path("nowhere")).expect("a link");
    project
        .strata(&["resume", "sweep", "--retry-failed"])
        .ends_with(0)
        .says(&["#0 was done before", "#1 ended"]);
}

#[test]
fn workers_of_a_killed_search_end_and_the_next_ones_go_on_to_the_same_trials() {
    let project = Project::with_images();
    let launcher = "hydra/launcher=submitit_local";
    project
        .train(&search(&["hydra.sweep.dir=whole"]))
        .ends_with(0);
    let arguments = search(&[launcher, "hydra.sweep.dir=multirun/s", "training.epochs=2"]);
    let mut killed = project.train_command(&arguments);
    killed.stderr(Stdio::piped());
    let mut killed = killed.spawn().expect("it starts");
    let lines = BufReader::new(killed.stderr.take().expect("a pipe")).lines();
    let first = lines
        .map_while(Result::ok)
        .find(|line| line.contains("1 workers: "));
    assert!(first.is_some(), "the worker began");
    killed.kill().expect("it can be killed");
    killed.wait().expect("it ended");
    project
        .strata(&["resume"])
        .ends_with(0)
        .says(&["Best: trial "]);
    assert_eq!(trials(&project, "multirun/s"), trials(&project, "whole"));
}

#[test]
fn workers_share_a_study_and_none_does_the_work_of_another() {
    let project = Project::with_images();
    project
        .train(&search(&[
            "hydra/launcher=submitit_local",
            "hydra.sweeper.n_jobs=3",
            "hydra.sweeper.n_trials=9",
        ]))
        .ends_with(0)
        .says(&["3 workers: ", "Best: trial "]);
    let trials = trials(&project, "sweep");
    let numbers = trials.iter().map(|trial| trial["number"].as_u64());
    assert!(numbers.eq((0..9).map(Some)), "{trials:?}");
    let states = trials.iter().map(|trial| trial["state"].as_str());
    assert!(states.eq([Some("COMPLETE"); 9]), "{trials:?}");
}

#[test]
fn failures_of_workers_count_for_the_whole_search() {
    let project = Project::with_images();
    project
        .train(&search(&[
            "hydra/launcher=submitit_local",
            "data.root=nowhere",
        ]))
        .ends_with(1)
        .says(&["trials failed", "hydra.sweeper.max_failure_rate=0"]);
    assert_eq!(project.json("sweep/sweep.json")["state"], "failed");
}
