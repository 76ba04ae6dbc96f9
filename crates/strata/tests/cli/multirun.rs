//! Sweeps: which jobs there are, where they leave their files, and how a sweep ends.

use crate::project::Project;

#[test]
fn the_studys_sweep_launches_four_jobs_in_hydras_order() {
    let project = Project::with_images();
    let out = project.train(&[
        "-m",
        "model.hidden_dims=[16,16,8]",
        "model.dropout=0.2,0.4",
        "training.optimizer.params.lr=0.001,0.0003",
        "training.epochs=1",
        "hydra.sweep.dir=sweep",
    ]);
    let out = out.ends_with(0).says(&[
        "[HYDRA] Launching 4 jobs locally",
        "#0 : data.download=False model.hidden_dims=[16,16,8] data.batch_size=32 training.epochs=1 model.dropout=0.2 training.optimizer.params.lr=0.001\n",
        "#3 : ",
    ]);
    drop(out);
    let dropout_and_lr = |number: usize| {
        let config = &project.json(&format!("sweep/{number}/run.json"))["config"];
        (
            config["model"]["dropout"].as_f64(),
            config["training"]["optimizer"]["params"]["lr"].as_f64(),
        )
    };
    let seen: Vec<_> = (0..4).map(dropout_and_lr).collect();
    let expected = [(0.2, 0.001), (0.2, 0.0003), (0.4, 0.001), (0.4, 0.0003)];
    assert_eq!(seen, expected.map(|(a, b)| (Some(a), Some(b))));
    assert!(
        project
            .read("sweep/multirun.yaml")
            .contains("  mode: MULTIRUN\n")
    );
    let hydra = project.read("sweep/2/.hydra/hydra.yaml");
    assert!(hydra.contains("    id: '2'\n    num: 2\n"), "{hydra}");
    let overrides = project.read("sweep/2/.hydra/overrides.yaml");
    assert!(overrides.contains("- model.dropout=0.4\n"), "{overrides}");
    assert!(project.read("sweep/2/train.log").contains("finished"));
}

#[test]
fn zipped_sweeps_go_in_step_and_multiply_with_the_others() {
    let project = Project::new();
    let out = project
        .strata(&[
            "train",
            "-m",
            "--dry-run",
            "model.dropout=zip(0.1,0.2)",
            "training.seed=1,2",
            "training.epochs=zip(5,10)",
        ])
        .ends_with(0);
    assert_eq!(
        out.stdout,
        "[\"model.dropout=0.1\",\"training.epochs=5\",\"training.seed=1\"]\n\
         [\"model.dropout=0.1\",\"training.epochs=5\",\"training.seed=2\"]\n\
         [\"model.dropout=0.2\",\"training.epochs=10\",\"training.seed=1\"]\n\
         [\"model.dropout=0.2\",\"training.epochs=10\",\"training.seed=2\"]\n"
    );
    project
        .strata(&[
            "train",
            "-m",
            "--dry-run",
            "model.dropout=zip(0.1,0.2)",
            "training.seed=zip(1,2,3)",
        ])
        .ends_with(2)
        .says(&["equally many", "training.seed"]);
}

#[test]
fn a_wrong_job_is_found_before_the_first_one_starts() {
    let project = Project::with_images();
    project
        .train(&["-m", "model=mlp_small,mlp_tiny", "hydra.sweep.dir=sweep"])
        .ends_with(2)
        .says(&["model/mlp_tiny", "mlp_small"]);
    assert!(!project.path("sweep/0").exists());
}

#[test]
fn a_batch_is_finished_after_a_failure_and_the_sweep_fails() {
    let project = Project::with_images();
    project
        .train(&[
            "-m",
            "data.root=nowhere,data",
            "training.epochs=1",
            "hydra.sweep.dir=sweep",
        ])
        .ends_with(1)
        .says(&["Error executing job #0", "nowhere"]);
    assert_eq!(project.json("sweep/1/run.json")["state"], "finished");
}

#[test]
fn sweeps_need_multirun_and_say_so() {
    let project = Project::new();
    project
        .strata(&["train", "training.seed=1,2"])
        .ends_with(2)
        .says(&["Ambiguous value", "training.seed=[1,2]", "--multirun"]);
    project
        .strata(&[
            "train",
            "-m",
            "hydra.sweeper._target_=my.Sweeper",
            "training.seed=1,2",
        ])
        .ends_with(2)
        .says(&["the sweeper `Sweeper` is not known", "hydra/sweeper=basic"]);
}

#[test]
fn a_job_can_run_in_its_own_folder_and_log_elsewhere() {
    let project = Project::with_images();
    let root = project.path("data").display().to_string();
    project
        .train(&[
            "hydra.job.chdir=true",
            &format!("data.root={root}"),
            "hydra.run.dir=here",
            "hydra/job_logging=stdout",
            "hydra.job.name=mine",
            "training.epochs=1",
        ])
        .ends_with(0)
        .says(&["finished"]);
    assert!(project.path("here/run.json").exists());
    assert!(
        !project.path("here/mine.log").exists(),
        "this log has no file"
    );
}
