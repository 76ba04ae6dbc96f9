//! `strata runs`: directories of runs, also damaged ones and such that live.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

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
fn damaged_runs_are_listed_with_what_is_wrong() {
    let project = with_runs();
    project.write("runs/a/summary.json", "{\"step\": 2");
    project.write(
        "runs/bare/run.json",
        r#"{"state": "failed", "started": "2026-02-01T00:00:00Z"}"#,
    );
    project.write("runs/torn/.hydra/config.yaml", "model: {dropout: [");
    project.write(
        "runs/torn/run.json",
        r#"{"state": "failed", "started": "2026-02-01T00:00:00Z"}"#,
    );
    let listed = project.strata(&[
        "runs",
        "ls",
        "runs",
        "--sort",
        "run",
        "--columns",
        "state,validation/loss",
        "--csv",
    ]);
    let listed = listed.ends_with(0).says(&[
        "runs/a/summary.json:1:",
        "runs/a/metrics.jsonl: the last line has no end",
        "`runs/bare` has no configuration",
        "runs/broken/run.json:1:",
        "runs/torn/.hydra/config.yaml",
    ]);
    let expected = "run,state,validation/loss\nruns/a,finished,0.5\nruns/b,failed,0.25\nruns/bare,failed,\n\
        runs/broken,damaged,\nruns/torn,failed,\n";
    assert_eq!(
        listed.stdout, expected,
        "the rows of `runs/a` stand in for its summary"
    );
    project
        .strata(&["runs", "show", "runs/broken"])
        .ends_with(0)
        .says(&["runs/broken: damaged"]);
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_read_ends_no_listing() {
    use std::os::unix::fs::PermissionsExt;

    let project = with_runs();
    project.write("runs/closed/run.json", "{}");
    let closed = project.path("runs/closed");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).expect("closed");
    let for_all = fs::read_dir(&closed).is_ok();
    let listed = project.strata(&["runs", "ls", "runs"]).ends_with(0);
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).expect("opened");
    assert!(listed.stdout.contains("runs/a"), "{}", listed.stdout);
    // For the superuser nothing is closed; there the record is damaged.
    let told = if for_all {
        "runs/closed/run.json"
    } else {
        "cannot look into `runs/closed`"
    };
    listed.says(&[told]);
}

#[test]
fn the_configuration_comes_from_hydras_file_where_the_record_has_none() {
    let project = Project::new();
    for (name, lr) in [("runs/a", "0.0012"), ("runs/b", "0.00123")] {
        let record = r#"{"state": "finished", "started": "2026-01-31T14:05:09Z"}"#;
        project.write(&format!("{name}/run.json"), record);
        let config = format!("training: {{lr: {lr}, epochs: 3}}\n");
        project.write(&format!("{name}/.hydra/config.yaml"), config);
        project.write(
            &format!("{name}/.hydra/overrides.yaml"),
            format!("- training.lr={lr}\n"),
        );
    }
    let listed = project.strata(&["runs", "ls", "--diff", "--columns", "state", "--csv"]);
    assert_eq!(
        listed.ends_with(0).stdout,
        "run,training.lr,state\nruns/a,0.0012,finished\nruns/b,0.00123,finished\n",
        "what differs in the fifth digit differs"
    );
    let chosen = project.strata(&[
        "runs",
        "ls",
        "-f",
        "training.lr=0.0012",
        "--columns",
        "state",
        "--csv",
    ]);
    assert_eq!(chosen.ends_with(0).stdout, "run,state\nruns/a,finished\n");
    project
        .strata(&["runs", "show", "runs/b"])
        .ends_with(0)
        .says(&["overrides  training.lr=0.00123", ".hydra/config.yaml"]);
}

#[test]
fn a_real_run_is_listed_with_what_it_was_chosen_by() {
    let project = Project::with_images();
    project
        .train(&["hydra.run.dir=runs/real", "model.dropout=0.125"])
        .ends_with(0);
    let listed = project.strata(&["runs", "ls", "--json"]).ends_with(0);
    let runs: serde_json::Value = serde_json::from_str(&listed.stdout).expect("JSON");
    let summary = project.json("runs/real/summary.json");
    assert_eq!(listed.stderr, "");
    assert_eq!(runs[0]["state"], "finished");
    assert_eq!(runs[0]["epoch"], 3);
    assert_eq!(
        runs[0]["best/validation/accuracy"],
        summary["best"]["validation/accuracy"]["value"]
    );
    assert_eq!(
        runs[0]["validation/accuracy"],
        summary["last"]["validation/accuracy"]
    );
    project
        .strata(&["runs", "show", "runs/real"])
        .ends_with(0)
        .says(&[
            "model.dropout=0.125",
            "best       validation/accuracy",
            "run.json",
        ]);
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
        .strata(&["runs", "ls", "--filter", "state=finishd"])
        .ends_with(2)
        .says(&["finishd", "did you mean `finished`?"]);
    project
        .strata(&["runs", "gc", "--state", "interupted"])
        .ends_with(2)
        .says(&["interupted", "did you mean `interrupted`?"]);
    project
        .strata(&["runs", "gc", "--older-than", "7w"])
        .ends_with(2)
        .says(&["7w", "d, h, min, s"]);
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
    let expected = "step 10  epoch 1  validation/loss 1.5\nstep 20  validation/loss 0.5\n";
    assert_eq!(followed.ends_with(0).stdout, expected);

    project.write(
        "runs/b/metrics.jsonl",
        "{\"step\": \"x\"}\n{\"step\":20,\"time\":2.0,\"loss\":0.5}\n",
    );
    let damaged = project.strata(&["runs", "tail", "runs/b"]).ends_with(0);
    assert_eq!(damaged.stdout, "step 20  loss 0.5\n");
    damaged.says(&["runs/b/metrics.jsonl"]);
}

/// The lock that a living run holds, held by this test.
#[test]
fn a_run_that_goes_on_is_followed_and_never_removed() {
    let project = with_runs();
    let metrics = project.path("multirun/s/0/metrics.jsonl");
    let held = fs::File::options()
        .append(true)
        .open(metrics)
        .expect("rows");
    held.lock().expect("nobody else holds it");
    let listed = project.strata(&["runs", "ls", "multirun", "--columns", "state", "--csv"]);
    let listed = listed.ends_with(0);
    assert_eq!(listed.stdout, "run,state\nmultirun/s/0,running\n");
    assert_eq!(listed.stderr, "", "half a row is just being written");
    project
        .strata(&["runs", "rm", "multirun/s/0", "--yes"])
        .ends_with(1)
        .says(&["multirun/s/0", "stop it first"]);
    project
        .strata(&["runs", "gc", "multirun", "--yes"])
        .ends_with(0)
        .says(&["nothing to remove"]);

    let mut follower = project
        .command(&["runs", "tail", "multirun/s/0", "-n", "1", "--follow"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut lines = BufReader::new(follower.stdout.take().expect("piped")).lines();
    let mut next = || lines.next().expect("a line").expect("text");
    assert_eq!(next(), "step 20  validation/loss 0.5");
    (&held)
        .write_all(b"0,\"time\":3.0,\"validation/loss\":0.25}\n")
        .expect("written");
    assert_eq!(next(), "step 30  validation/loss 0.25");
    drop(held);
    assert!(follower.wait().expect("it ends").success());
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_following() {
    let project = with_runs();
    let metrics = project.path("multirun/s/0/metrics.jsonl");
    let held = fs::File::open(metrics).expect("rows");
    held.lock().expect("nobody else holds it");
    let mut follower = project
        .command(&["runs", "tail", "multirun/s/0", "--follow"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut lines = BufReader::new(follower.stdout.take().expect("piped")).lines();
    lines.next().expect("a line").expect("text");
    let interrupted = Command::new("kill")
        .args(["-INT", &follower.id().to_string()])
        .status();
    assert!(interrupted.expect("kill runs").success());
    assert_eq!(follower.wait().expect("it ends").code(), Some(130));
}

#[test]
fn a_run_that_still_loads_its_data_stays() {
    let project = Project::new();
    let host = strata_track::host_name();
    let program = std::env::args().next().expect("a program");
    let record = serde_json::json!({"state": "running", "started": "2026-01-31T14:05:09Z", "host": host,
        "pid": std::process::id(), "command_line": [program], "config": {"seed": 1}});
    project.write("runs/early/run.json", record.to_string());
    let listed = project.strata(&["runs", "ls", "--columns", "state", "--csv"]);
    assert_eq!(
        listed.ends_with(0).stdout,
        "run,state\nruns/early,running\n"
    );
    project
        .strata(&["runs", "rm", "runs/early", "--yes"])
        .ends_with(1)
        .says(&["stop it first"]);
    project.strata(&["runs", "gc", "--yes"]).ends_with(0);
    assert!(project.path("runs/early/run.json").exists());
}

#[test]
fn a_run_within_another_one_keeps_its_directory() {
    let project = with_runs();
    let record = r#"{"state": "failed", "started": "2026-01-31T14:05:09Z", "config": {"seed": 1}}"#;
    project.write("runs/run.json", record);
    project
        .strata(&["runs", "rm", "runs", "--yes"])
        .ends_with(1)
        .says(&["runs/a"]);
    project
        .strata(&["runs", "gc", "--yes"])
        .ends_with(0)
        .says(&["warning", "`runs` holds the run"]);
    assert!(project.path("runs/a/run.json").exists());
    assert!(!project.path("runs/b").exists());
}

#[test]
fn the_best_runs_are_those_that_the_sweep_took_for_the_best() {
    let project = Project::new();
    for (name, perplexity) in [("low", 1.0), ("middle", 2.0), ("high", 3.0)] {
        let record =
            r#"{"state": "finished", "started": "2026-01-31T14:05:09Z", "config": {"seed": 1}}"#;
        project.write(&format!("runs/{name}/run.json"), record);
        let summary = format!(
            r#"{{"step": 1, "last": {{"perplexity": {perplexity}}}, "best": {{"perplexity": {{"value": {perplexity}, "mode": "min", "step": 1}}}}}}"#
        );
        project.write(&format!("runs/{name}/summary.json"), summary);
    }
    let gc = [
        "runs",
        "gc",
        "--keep-best",
        "1",
        "--metric",
        "perplexity",
        "--yes",
    ];
    project
        .strata(&gc)
        .ends_with(0)
        .says(&["removed 2 folders"]);
    assert!(project.path("runs/low/run.json").exists());
    assert!(!project.path("runs/high").exists());
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
    std::os::unix::fs::symlink(project.path("runs/a"), project.path("latest")).expect("a link");
    project
        .strata(&["runs", "rm", "latest/", "--yes"])
        .ends_with(2)
        .says(&["latest", "is a link"]);
    assert!(project.path("runs/a/run.json").exists());
    project
        .strata(&["runs", "rm", "runs/b", "--yes"])
        .ends_with(0);
    assert!(!project.path("runs/b").exists());
    assert!(fs::exists(project.path("elsewhere/precious")).expect("it can be looked at"));
}
