//! `strata eval` and `strata predict` on a run's saved model.

use crate::project::{Project, picture, png_of};

#[test]
fn eval_gives_the_figures_of_the_run() {
    let project = Project::with_images();
    project.train(&["hydra.run.dir=run"]).ends_with(0);
    let evaluated = project.strata(&["eval", "run", "--json"]).ends_with(0);
    let evaluated: serde_json::Value = serde_json::from_str(&evaluated.stdout).expect("JSON");
    let summary = project.json("run/summary.json");
    assert_eq!(evaluated["test/accuracy"], summary["last"]["test/accuracy"]);
    assert_eq!(evaluated["test/loss"], summary["last"]["test/loss"]);
    assert_eq!(
        evaluated["validation/accuracy"],
        summary["best"]["validation/accuracy"]["value"]
    );
    project
        .strata(&["eval", "run"])
        .ends_with(0)
        .says(&["validation", "test"]);
}

#[test]
fn predict_names_the_class_of_a_picture() {
    let project = Project::with_images();
    project
        .train(&["hydra.run.dir=run", "training.epochs=6"])
        .ends_with(0);
    project.write("k.png", png_of(&picture(20, 3)));
    let predicted = project
        .strata(&["predict", "run", "k.png", "--json"])
        .ends_with(0);
    let predicted: serde_json::Value = serde_json::from_str(&predicted.stdout).expect("JSON");
    assert_eq!(predicted[0]["file"], "k.png");
    assert_eq!(predicted[0]["classes"][0]["class"], "K");
}

#[test]
fn predict_refuses_what_is_no_picture() {
    let project = Project::with_images();
    project
        .train(&["hydra.run.dir=run", "training.epochs=1"])
        .ends_with(0);
    project.write("broken.png", b"\x89PNG\r\n\x1a\nnot a picture");
    project
        .strata(&["predict", "run", "broken.png"])
        .ends_with(1)
        .says(&["broken.png"]);
}

#[test]
fn a_folder_without_a_run_is_named() {
    let project = Project::new();
    project
        .strata(&["eval", "elsewhere"])
        .ends_with(1)
        .says(&["elsewhere"]);
}

#[test]
fn a_truncated_model_is_refused() {
    let project = Project::with_images();
    project
        .train(&["hydra.run.dir=run", "training.epochs=1"])
        .ends_with(0);
    let model = project.path("run/artifacts/best_model.safetensors");
    let bytes = std::fs::read(&model).unwrap();
    std::fs::write(&model, &bytes[..bytes.len() / 2]).unwrap();
    project
        .strata(&["eval", "run"])
        .ends_with(1)
        .says(&["best_model.safetensors"]);
}

#[test]
fn eval_takes_weights_of_torch() {
    let project = Project::with_images();
    let network = ["model.norm=batch", "model.dropout=0.2"];
    project
        .train(&["hydra.run.dir=run", network[0], network[1]])
        .ends_with(0);
    let summary = project.json("run/summary.json");
    let weights = "--weights=run/artifacts/best_model.pt";
    let with_run = project
        .strata(&["eval", "run", weights, "--json"])
        .ends_with(0);
    let of_configuration = [
        "eval",
        weights,
        "--json",
        "model.hidden_dims=[32]",
        "data.download=false",
    ];
    let alone: Vec<&str> = of_configuration.into_iter().chain(network).collect();
    let alone = project.strata(&alone).ends_with(0);
    for evaluated in [with_run, alone] {
        let evaluated: serde_json::Value = serde_json::from_str(&evaluated.stdout).expect("JSON");
        assert_eq!(evaluated["test/loss"], summary["last"]["test/loss"]);
        let classes = evaluated["parts"]["test"]["class_accuracy"].as_array();
        assert_eq!(classes.map(Vec::len), Some(47));
    }
    project
        .strata(&["eval", weights, "data.download=false"])
        .ends_with(1)
        .says(&["best_model.pt", "model.hidden_dims=[32]"]);
    project.strata(&["eval"]).ends_with(2).says(&["--weights"]);
    project
        .strata(&["eval", "run", "model.dropout=0.1"])
        .ends_with(2)
        .says(&["model.dropout=0.1"]);
}

#[test]
fn weights_that_would_run_something_are_refused() {
    let project = Project::with_images();
    let torch = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../strata-tensorfile/tests/torch"
    );
    for (file, named) in [
        ("malicious.pt", "posix.system"),
        ("whole_model.pt", "torch.nn.modules.container.Sequential"),
    ] {
        let weights = format!("--weights={torch}/{file}");
        project
            .strata(&["eval", &weights, "data.download=false"])
            .ends_with(1)
            .says(&[file, named, "state_dict"]);
    }
}
