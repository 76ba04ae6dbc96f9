//! `strata track`: lines on standard input, and what becomes of those that are wrong.

use std::io::Write as _;
use std::process::Stdio;

use crate::project::{Outcome, Project};

fn track(project: &Project, args: &[&str], lines: &str) -> Outcome {
    let mut command = project.command(&[&["track"], args].concat());
    command.env("WANDB_MODE", "offline");
    command.stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(lines.as_bytes()).expect("it reads");
    drop(input);
    Outcome::of(child.wait_with_output().expect("it ends"))
}

#[test]
fn wrong_lines_are_told_and_the_run_goes_on() {
    let project = Project::new();
    let lines = "{\"log\": {\"a\": 1}}\nnonsense\n{\"lgo\": {\"a\": 2}}\n{\"log\": {\"a\": NaN}, \"step\": 5}\n";
    track(&project, &["--sink", "jsonl", "--sink", "wandb"], lines)
        .ends_with(0)
        .says(&["line 2", "line 3", "lgo", "log"]);
    let rows = project.read("metrics.jsonl");
    assert_eq!(rows.lines().count(), 2, "{rows}");
    assert!(rows.contains("\"a\":\"NaN\""), "{rows}");
    assert!(project.path("wandb/latest-run").exists());
}

#[test]
fn a_writer_that_died_leaves_a_failed_run() {
    let project = Project::new();
    track(
        &project,
        &["--sink", "jsonl"],
        "{\"log\": {\"a\": 1}}\n{\"log\": {\"a\"",
    )
    .says(&["line 2"]);
    assert_eq!(project.read("metrics.jsonl").lines().count(), 1);
}

#[test]
fn a_sink_must_be_named() {
    let project = Project::new();
    track(&project, &[], "").ends_with(2).says(&["--sink"]);
    track(&project, &["--sink", "tensorboard", "--run", "../x"], "")
        .ends_with(2)
        .says(&["fit-1"]);
}
