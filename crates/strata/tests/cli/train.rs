//! `strata train`: what a run leaves, and that it depends on nothing but its configuration.

use crate::project::Project;

/// Lets the small network learn the easy pictures within three epochs.
const EASY: [&str; 2] = ["training.optimizer.params.lr=0.02", "model.dropout=0"];

#[test]
fn a_run_leaves_its_directory() {
    let project = Project::with_images();
    project
        .train(&[
            "hydra.run.dir=run",
            "training.eval_train=true",
            EASY[0],
            EASY[1],
        ])
        .ends_with(0);

    let record = project.json("run/run.json");
    assert_eq!(record["state"], "finished");
    assert_eq!(record["seed"], 1234);
    assert_eq!(record["config_source"], "embedded");
    assert!(record["data_fingerprint"].is_string(), "{record}");

    let summary = project.json("run/summary.json");
    let best = summary["best"]["validation/accuracy"]["value"]
        .as_f64()
        .expect("a number");
    assert!(
        best > 0.5,
        "the pictures are easy, yet the best accuracy is {best}"
    );
    assert!(summary["last"]["test/accuracy"].as_f64().expect("a number") > 0.5);

    let evaluations: Vec<_> = project
        .rows_without_times("run")
        .into_iter()
        .filter(|row| row.get("validation/loss").is_some())
        .collect();
    assert_eq!(evaluations.len(), 3, "one evaluation an epoch");
    for file in [
        ".hydra/config.yaml",
        ".hydra/hydra.yaml",
        ".hydra/overrides.yaml",
        "train.log",
        "artifacts/best_model.safetensors",
        "figures/samples_epoch0.png",
    ] {
        assert!(
            project.path("run").join(file).is_file(),
            "{file} is missing"
        );
    }
    let overrides = project.read("run/.hydra/overrides.yaml");
    assert!(overrides.contains("- data.batch_size=32"), "{overrides}");
}

#[test]
fn the_same_seed_gives_the_same_rows_for_any_number_of_threads() {
    let project = Project::with_images();
    for (run, threads) in [("a", "1"), ("b", "1"), ("c", "2"), ("d", "5")] {
        let dir = format!("hydra.run.dir={run}");
        let threads = format!("training.threads={threads}");
        project
            .train(&[&dir, &threads, "training.log_interval=1"])
            .ends_with(0);
    }
    let rows = project.rows_without_times("a");
    assert!(
        rows.len() > 60,
        "every step and every epoch is a row, but there are {}",
        rows.len()
    );
    for other in ["b", "c", "d"] {
        assert_eq!(rows, project.rows_without_times(other), "run {other}");
    }
}

#[test]
fn another_seed_gives_other_rows() {
    let project = Project::with_images();
    project.train(&["hydra.run.dir=a"]).ends_with(0);
    project
        .train(&["hydra.run.dir=b", "training.seed=7"])
        .ends_with(0);
    assert_ne!(
        project.rows_without_times("a"),
        project.rows_without_times("b")
    );
}

#[test]
fn a_directory_that_holds_a_run_is_not_written_over() {
    let project = Project::with_images();
    project.train(&["hydra.run.dir=run"]).ends_with(0);
    let before = project.read("run/metrics.jsonl");
    project
        .train(&["hydra.run.dir=run", "training.seed=7"])
        .ends_with(1)
        .says(&["run", "hydra.run.dir"]);
    assert_eq!(before, project.read("run/metrics.jsonl"));
}

#[test]
fn the_run_directory_comes_from_the_environment_where_it_is_set() {
    let project = Project::with_images();
    let status = project
        .command(&[
            "train",
            "model.hidden_dims=[8]",
            "training.epochs=1",
            "data.download=false",
        ])
        .env("ASSIGNMENT1_OUTDIR", "out")
        .status()
        .expect("the binary starts");
    assert!(status.success());
    assert_eq!(project.json("out/run.json")["state"], "finished");
}

#[test]
fn the_cpu_engine_says_so_when_a_gpu_is_asked_for() {
    let project = Project::with_images();
    project
        .train(&[
            "hydra.run.dir=run",
            "training.use_cuda=true",
            "training.epochs=1",
        ])
        .ends_with(0)
        .says(&["CPU engine"]);
}

#[test]
fn glyphs_need_no_file_and_no_network() {
    let project = Project::new();
    project
        .train(&[
            "data=glyphs",
            "hydra.run.dir=run",
            "training.epochs=1",
            "data.batch_size=256",
        ])
        .ends_with(0);
    let accuracy = project.json("run/summary.json")["last"]["test/accuracy"].as_f64();
    assert!(
        accuracy.is_some_and(|accuracy| accuracy > 0.3),
        "{accuracy:?}"
    );
}

#[test]
fn every_kind_of_regularisation_can_be_had() {
    let project = Project::with_images();
    project
        .train(&[
            "hydra.run.dir=run",
            "model.dropout_form=course",
            "model.dropout=0.8",
            "model.dropout_share_mask=true",
            "model.input_dropout=0.9",
            "model.norm=layer",
            "model.bias_init=0.01",
            "model.weight_init=orthogonal",
            "training.penalty.l1=[1e-5,1e-4]",
            "training.penalty.l2=1e-4",
            "training.penalty.on=weights",
            "training.label_smoothing=0.1",
            "training.label_smoothing_kind=course",
            "training.optimizer.decay_biases=false",
            "training.scheduler.warmup={total_iters: 2}",
            "training.eval_train=true",
        ])
        .ends_with(0);
    let rows = project.rows_without_times("run");
    let epoch = rows
        .iter()
        .rfind(|row| row.get("validation/loss").is_some());
    let epoch = epoch.expect("an evaluated epoch");
    for name in [
        "train/penalty",
        "gradients/1.weight/mean_abs",
        "weights/5.weight/norm",
        "validation/top5_accuracy",
        "validation/calibration_error",
        "generalization_gap/loss",
    ] {
        assert!(epoch[name].as_f64().is_some(), "{name}: {epoch}");
    }
    assert!(rows[0]["train/lr"].as_f64() < epoch["train/lr"].as_f64());
}

#[test]
fn a_run_without_improvement_stops_early() {
    let project = Project::with_images();
    project
        .train(&[
            "hydra.run.dir=run",
            "training.epochs=50",
            "training.optimizer.params.lr=0",
            "training.early_stopping.patience=2",
        ])
        .ends_with(0)
        .says(&["stopped early after epoch 3"]);
    let epochs = project
        .rows_without_times("run")
        .iter()
        .filter(|row| row.get("validation/loss").is_some())
        .count();
    assert_eq!(epochs, 3);
}

#[test]
fn settings_that_make_no_sense_name_their_key() {
    let project = Project::with_images();
    for (setting, said) in [
        ("model.dropout_form=course model.dropout=0", "model.dropout"),
        ("model.norm=batchnorm", "layer"),
        ("training.penalty.l1=[1,2,3]", "training.penalty.l1"),
        ("training.penalty.l2=-1", "training.penalty.l2"),
        ("training.class_weights=[1,2]", "training.class_weights"),
        (
            "training.checkpoint.every=often",
            "training.checkpoint.every",
        ),
        ("training.optimizer.name=Adma", "Adam"),
        ("+training.optimizer.params.momentum=0.9", "momentum"),
        (
            "training.scheduler.name=CosineAnealingLR",
            "CosineAnnealingLR",
        ),
        ("+model.weight_init_kwargs.gian=1", "gain"),
        ("model.activation=relu6", "relu"),
    ] {
        let settings: Vec<&str> = setting.split(' ').collect();
        project.train(&settings).ends_with(2).says(&[said]);
    }
}
