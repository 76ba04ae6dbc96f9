//! `strata config`: explaining, comparing, checking; and completion, which asks the same tree.

use crate::project::Project;

#[test]
fn explain_names_every_place_and_marks_the_winner() {
    let project = Project::new();
    project.write(
        "conf/config.yaml",
        "defaults: [model: a, _self_]\nrate: ${model.rate}\n",
    );
    project.write("conf/model/a.yaml", "rate: 1\n");
    project
        .strata(&["config", "explain", "model.rate", "model.rate=2"])
        .ends_with(0)
        .says(&[
            "model.rate: 2\n",
            "  conf/model/a.yaml:1:1",
            "chosen by `model: a`",
            "* command line `model.rate=2`",
        ]);
    project
        .strata(&["config", "explain", "rate"])
        .ends_with(0)
        .says(&[
            "resolved: 1",
            "${model.rate} is 1   set at conf/model/a.yaml:1:1",
        ]);
    project
        .strata(&["config", "explain", "model.rat"])
        .ends_with(2)
        .says(&["model.rate"]);
}

#[test]
fn diff_compares_overrides_files_and_runs() {
    let project = Project::new();
    project
        .strata(&[
            "config",
            "diff",
            "model=mlp_small",
            "model=mlp_small training.epochs=5 +note=x",
        ])
        .ends_with(0)
        .says(&["  training.epochs: 20 -> 5\n+ note: x\n"]);
    project.write("a.yaml", "x: 1\ny: [1, 2]\n");
    project.write("run/.hydra/config.yaml", "x: 1\ny: [1]\n");
    let out = project
        .strata(&["config", "diff", "a.yaml", "run"])
        .ends_with(0);
    assert_eq!(out.stdout, "  y: [1, 2] -> [1]\n");
}

#[test]
fn validate_tries_every_option_of_every_group() {
    let project = Project::new();
    project
        .strata(&["config", "validate"])
        .ends_with(0)
        .says(&["with each of"]);
    project.write(
        "extra/model/broken.yaml",
        "defaults: [mlp_small]\ndroput: 1\n",
    );
    project
        .strata(&["config", "validate", "--config-dir", "extra"])
        .ends_with(2)
        .says(&["model=broken", "droput", "model.dropout"]);
    project
        .strata(&["config", "validate", "--only", "--config-dir", "extra"])
        .ends_with(0);
}

#[test]
fn completion_offers_keys_values_groups_options_and_flags() {
    let project = Project::new();
    for (line, expected) in [
        ("strata trai", "train\n"),
        ("strata train mod", "model=\nmodel.\n"),
        ("strata train training.ep", "training.epochs=\n"),
        (
            "strata train model=mlp_small model.dropout=",
            "model.dropout=0.2\n",
        ),
        ("strata train model=mlp_s", "model=mlp_small\n"),
        (
            "strata train -m model=mlp_small,mlp_l",
            "model=mlp_small,mlp_large\n",
        ),
        (
            "strata train nonsense=1 ++training.ep",
            "++training.epochs=\n",
        ),
        ("strata train --multi", "--multirun\n"),
        ("strata train --cfg j", "job\n"),
        ("strata config ex", "explain\n"),
        ("strata config explain training.ep", "training.epochs\n"),
        ("strata train data.root=./not", ""),
    ] {
        let mut command = project.command(&["train", "-sc", "query=bash"]);
        let output = command.env("COMP_LINE", line).output().expect("it starts");
        assert_eq!(
            String::from_utf8(output.stdout).expect("text"),
            expected,
            "{line}"
        );
    }
}

#[test]
fn bash_completes_with_the_script() {
    let project = Project::new();
    let script = project.strata(&["completion", "bash"]).ends_with(0).stdout;
    let binary = env!("CARGO_BIN_EXE_strata");
    let program = format!(
        "strata() {{ '{binary}' \"$@\"; }}\n{script}\nCOMP_LINE='strata train model=mlp_s'\n\
         COMP_POINT=${{#COMP_LINE}}\nCOMP_WORDS=(strata train model = mlp_s)\nCOMP_CWORD=4\n_strata\n\
         printf '%s|' \"${{COMPREPLY[@]}}\"\n"
    );
    project.write("complete.bash", program);
    let output = std::process::Command::new("bash")
        .args(["--norc", "complete.bash"])
        .current_dir(project.path("."))
        .output();
    let Ok(output) = output else {
        eprintln!("SKIPPED: there is no bash");
        return;
    };
    assert_eq!(String::from_utf8_lossy(&output.stdout), "mlp_small |");
}

#[test]
fn the_trees_help_and_the_flags_are_two_things() {
    let project = Project::new();
    project
        .strata(&["train", "--help", "model=mlp_small"])
        .ends_with(0)
        .says(&["model: mlp_large, mlp_medium, mlp_small", "dropout: 0.2"]);
    project
        .strata(&["train", "--hydra-help"])
        .ends_with(0)
        .says(&["--multirun", "Examples:", "Hydra 1.3.8"]);
    project
        .strata(&["--version"])
        .ends_with(0)
        .says(&["Hydra 1.3.8"]);
    project
        .strata(&["train", "--info", "searchpath"])
        .ends_with(0)
        .says(&["hydra.conf", "main"]);
}
