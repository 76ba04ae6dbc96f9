//! `strata runs`: directories of runs, also damaged ones and such that live.

use std::fs;

use crate::project::Project;

/// Three small directories: two runs that differ, one that crashed, and one whose record is damaged.
fn with_runs() -> Project {
    let project = Project::new();
    for (name, state, dropout, loss) in [
        ("runs/a", "finished", 0.1, 0.5),
        ("runs/b", "failed", 0.3, 0.25),
        ("multirun/s/0", "running", 0.5, 0.75),
    ] {
        let record = format!(
            r#"{{"state": "{state}", "started": "2026-01-31T14:05:09Z", "finished": "2026-01-31T14:06:39Z",
                "config": {{"model": {{"dropout": {dropout}, "hidden_dims": [32]}}, "training": {{"sweep": {{"metric": "validation/loss"}}}}}}}}"#
        );
        let record = if state == "running" {
            record.replace(r#""finished": "2026-01-31T14:06:39Z","#, "")
        } else {
            record
        };
        project.write(&format!("{name}/run.json"), record);
        let summary = format!(
            r#"{{"step": 20, "last": {{"validation/loss": {loss}}}, "best": {{"validation/loss": {{"value": {loss}, "mode": "min", "step": 10, "epoch": 1}}}}}}"#
        );
        project.write(&format!("{name}/summary.json"), summary);
        let rows = "{\"step\":10,\"epoch\":1,\"time\":1.0,\"validation/loss\":1.5}\n{\"step\":20,\"time\":2.0,\"validation/loss\":0.5}\n{\"step\":3";
        project.write(&format!("{name}/metrics.jsonl"), rows);
        project.write(&format!("{name}/checkpoints/last.json"), "{}");
    }
    project.write("runs/broken/run.json", "{");
    project
}

#[test]
fn runs_are_listed_chosen_and_sorted() {
    let project = with_runs();
    let all = project.strata(&["runs", "ls"]).ends_with(0);
    let all = all.says(&["warning", "runs/broken"]);
    for shown in ["runs/a", "finished", "1 min 30 s", "crashed", "0.75"] {
        assert!(all.stdout.contains(shown), "{shown} in {}", all.stdout);
    }
    let chosen = project.strata(&[
        "runs",
        "ls",
        "--filter",
        "model.dropout>0.2",
        "--sort",
        "-best/validation/loss",
        "--columns",
        "model.dropout,state",
        "--csv",
    ]);
    let expected = "run,model.dropout,state\nmultirun/s/0,0.5,crashed\nruns/b,0.3,failed\n";
    assert_eq!(chosen.ends_with(0).stdout, expected);
    let one = project.strata(&["runs", "ls", "runs", "-f", "state=finished", "--json"]);
    let one: serde_json::Value = serde_json::from_str(&one.ends_with(0).stdout).expect("JSON");
    assert_eq!(one[0]["best/validation/loss"], 0.5);
    assert_eq!(one.as_array().map(Vec::len), Some(1));
}

#[test]
fn mistakes_are_told_with_what_was_meant() {
    let project = with_runs();
    project
        .strata(&["runs", "ls", "--sort", "model.dropuot"])
        .ends_with(2)
        .says(&["model.dropuot", "model.dropout"]);
    project
        .strata(&["runs", "ls", "--filter", "dropout"])
        .ends_with(2)
        .says(&["dropout", "KEY=VALUE"]);
    project
        .strata(&["runs", "ls", "nowhere"])
        .ends_with(2)
        .says(&["nowhere"]);
    project
        .strata(&["runs", "show", "multirun"])
        .ends_with(1)
        .says(&["multirun", "run.json"]);
}

#[test]
fn runs_are_compared_where_they_differ() {
    let project = with_runs();
    let compared = project.strata(&["runs", "compare", "runs/a", "runs/b", "--csv"]);
    let text = compared.ends_with(0).stdout;
    assert!(text.contains("model.dropout,0.1,0.3\n"), "{text}");
    assert!(!text.contains("hidden_dims"), "{text}");
    let whole = project.strata(&["runs", "compare", "runs/a", "runs/b", "--all", "--csv"]);
    assert!(
        whole
            .ends_with(0)
            .stdout
            .contains("model.hidden_dims,[32],[32]\n")
    );
}

#[test]
fn the_last_rows_are_shown_and_half_a_line_is_not() {
    let project = with_runs();
    let tail = project.strata(&["runs", "tail", "runs/a", "-n", "1"]);
    assert_eq!(tail.ends_with(0).stdout, "step 20  validation/loss 0.5\n");
    let followed = project.strata(&["runs", "tail", "runs/a", "--follow"]);
    assert_eq!(followed.ends_with(0).stdout.lines().count(), 2);
}

#[test]
fn runs_are_removed_only_with_consent() {
    let project = with_runs();
    project
        .strata(&["runs", "rm", "runs/a"])
        .ends_with(2)
        .says(&["--yes"]);
    assert!(project.path("runs/a/run.json").exists());
    project
        .strata(&["runs", "rm", "runs", "--yes"])
        .ends_with(1)
        .says(&["runs"]);
    project.strata(&["runs", "gc", "--dry-run"]).ends_with(0);
    assert!(project.path("runs/b").exists());
    project
        .strata(&["runs", "gc", "--checkpoints", "--yes"])
        .ends_with(0);
    assert!(!project.path("runs/a/checkpoints").exists());
    assert!(project.path("runs/a/run.json").exists());
    assert!(project.path("runs/b/checkpoints").exists());
    project.strata(&["runs", "gc", "--yes"]).ends_with(0);
    assert!(!project.path("runs/b").exists());
    assert!(!project.path("multirun/s/0").exists());
    assert!(project.path("runs/a").exists());
    assert!(
        project.path("runs/broken").exists(),
        "what cannot be read is not touched"
    );
}

#[cfg(unix)]
#[test]
fn what_links_lead_to_stays() {
    let project = with_runs();
    project.write("elsewhere/precious", "kept");
    std::os::unix::fs::symlink(project.path("elsewhere"), project.path("runs/b/link"))
        .expect("a link");
    project
        .strata(&["runs", "rm", "runs/b", "--yes"])
        .ends_with(0);
    assert!(!project.path("runs/b").exists());
    assert!(fs::exists(project.path("elsewhere/precious")).expect("it can be looked at"));
}
