//! Configurations and overrides that are wrong, and what is said of them.

use crate::project::Project;

#[test]
fn a_misspelt_key_names_the_closest_one() {
    let project = Project::new();
    project
        .strata(&["train", "+model.droput=0.2"])
        .ends_with(2)
        .says(&["model.dropout", "droput"]);
    assert!(
        !project.path("runs").exists(),
        "nothing is made for a run that cannot start"
    );
}

#[test]
fn an_override_of_a_key_that_does_not_exist_is_hydras_error() {
    let project = Project::new();
    project
        .strata(&["train", "model.droput=0.2"])
        .ends_with(2)
        .says(&["Could not override", "+model.droput=0.2", "model.dropout"]);
}

#[test]
fn a_missing_key_names_its_file() {
    let project = Project::new();
    project
        .strata(&["train", "~model.dropout"])
        .ends_with(2)
        .says(&["model.dropout"]);
}

#[test]
fn a_missing_key_is_an_error_even_where_null_is_allowed() {
    let project = Project::new();
    project
        .strata(&["config", "validate", "~training.max_grad_norm"])
        .ends_with(2)
        .says(&["training.max_grad_norm", "missing"]);
    project
        .strata(&["config", "validate", "training.max_grad_norm=null"])
        .ends_with(0);
}

#[test]
fn a_wrong_type_points_at_the_place() {
    let project = Project::new();
    project
        .strata(&["train", "training.epochs=many"])
        .ends_with(2)
        .says(&["training.epochs=many", "integer"]);
}

#[test]
fn a_file_of_the_users_own_is_named_with_line_and_column() {
    let project = Project::new();
    project.write(
        "conf/config.yaml",
        "defaults: [model: mine, _self_]\ndata: {}\n",
    );
    project.write("conf/model/mine.yaml", "name: mlp\nactivaton: relu\n");
    project.strata(&["train"]).ends_with(2);
    let said = project.strata(&["config", "validate"]).ends_with(2);
    assert!(!said.stderr.is_empty());
}

#[test]
fn values_out_of_range_are_refused() {
    let project = Project::new();
    for (override_, key) in [
        ("model.dropout=1.0", "model.dropout"),
        ("data.val_split=1.5", "data.val_split"),
        ("training.epochs=0", "training.epochs"),
        ("training.optimizer.name=Adan", "Adam"),
        (
            "+training.optimizer.params.momentun=0.9",
            "training.optimizer.params",
        ),
        ("training.scheduler.name=Cosine", "CosineAnnealingLR"),
        ("model.activation=rellu", "relu"),
        ("model.weight_init=xavier", "xavier_uniform"),
        (
            "data.augmentations.rotation=400",
            "data.augmentations.rotation",
        ),
        (
            "training.sweep.metric=validation/accuracies",
            "validation/accuracy",
        ),
    ] {
        project
            .strata(&["train", override_])
            .ends_with(2)
            .says(&[key]);
    }
}

#[test]
fn a_users_own_top_level_keys_pass_and_can_be_referred_to() {
    let project = Project::with_images();
    project
        .train(&[
            "+width=16",
            "model.hidden_dims=[${width}]",
            "hydra.run.dir=run",
            "training.epochs=1",
        ])
        .ends_with(0);
    assert_eq!(
        project.json("run/run.json")["config"]["model"]["hidden_dims"][0],
        16
    );
}

#[test]
fn cfg_prints_any_tree_and_runs_nothing() {
    let project = Project::new();
    let printed = project
        .strata(&["train", "--cfg", "job", "+model.droput=0.2"])
        .ends_with(0);
    assert!(
        printed.stdout.contains("  droput: 0.2\n"),
        "{}",
        printed.stdout
    );
    assert!(
        printed.stdout.contains("      T_max: ${training.epochs}\n"),
        "{}",
        printed.stdout
    );
    assert_eq!(
        std::fs::read_dir(project.path("."))
            .expect("a folder")
            .count(),
        0
    );
}

#[test]
fn the_trees_own_options_are_chosen_and_listed() {
    let project = Project::new();
    project
        .strata(&["train", "--cfg", "job", "-p", "model", "model=mlp_small"])
        .ends_with(0)
        .says(&["- 128"]);
    project
        .strata(&["train", "model=mlp_smal"])
        .ends_with(2)
        .says(&["mlp_small", "mlp_medium", "mlp_large"]);
}
