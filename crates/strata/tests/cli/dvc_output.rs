//! What commands print, compared with what DVC printed for the same projects.

use std::fs;
use std::path::Path;

use crate::project::Project;

/// One command of a transcript.
struct Step {
    args: Vec<String>,
    output: String,
    code: i32,
    in_any_order: bool,
}

fn transcript(name: &str) -> Vec<Step> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/dvc");
    let text = fs::read_to_string(path.join(name)).expect("a transcript");
    let mut steps: Vec<Step> = Vec::new();
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            let plain = command.strip_suffix(" # in any order");
            let words = plain.unwrap_or(command).split(' ');
            steps.push(Step {
                args: words.map(str::to_owned).collect(),
                output: String::new(),
                code: 0,
                in_any_order: plain.is_some(),
            });
            continue;
        }
        let step = steps.last_mut().expect("a command comes first");
        let code = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        match code.and_then(|code| code.parse().ok()) {
            Some(code) => step.code = code,
            // Where a hint names the program it is ours.
            None => step.output += &(line.replace("\"dvc ", "\"strata ") + "\n"),
        }
    }
    steps
}

/// Lines without the spaces at their ends; sorted, and without spaces at all, where their order is left open: widths
/// of columns do not depend on it.
fn comparable(text: &str, in_any_order: bool) -> String {
    let mut lines: Vec<&str> = text.trim_end().lines().map(str::trim_end).collect();
    if in_any_order {
        lines.sort_unstable();
    }
    lines.join("\n")
}

fn follow(project: &Project, name: &str) {
    let mut wrong = Vec::new();
    for step in transcript(name) {
        let args: Vec<&str> = step.args.iter().map(String::as_str).collect();
        let outcome = project.strata(&args);
        let expected = comparable(&step.output, step.in_any_order);
        let found = comparable(&outcome.stdout, step.in_any_order);
        if found != expected || outcome.code != Some(step.code) {
            wrong.push(format!(
                "$ {}\n--- DVC\n{expected}\n--- strata ({:?})\n{found}\n{}",
                args.join(" "),
                outcome.code,
                outcome.stderr
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// A project with data, a stage, parameters and metrics, committed and tagged.
fn committed() -> Project {
    let project = Project::in_git();
    project.write("data/a.txt", "a\n");
    project.write("data/b.txt", "b\n");
    project.write("c.csv", "c\n");
    project.write("params.yaml", "lr: 0.1\nn: {k: 1, l: [1,2]}\n");
    project.write("other.yaml", "q: 1\n");
    project.write("top.json", "{\"t\": 12345.678}\n");
    project.write(
        "dvc.yaml",
        "\
params: [other.yaml]
metrics: [top.json]
stages:
  tr:
    cmd: 'printf \"{\\\"acc\\\": 0.123456789, \\\"n\\\": {\\\"loss\\\": 3}}\" > m.json; cp c.csv o.txt'
    deps: [c.csv]
    params: [lr]
    outs: [o.txt]
    metrics: [{m.json: {cache: false}}]
",
    );
    project.strata(&["add", "-q", "data", "c.csv"]).ends_with(0);
    project.strata(&["repro", "-q"]).ends_with(0);
    project.commit("one");
    project.git(&["tag", "v1"]);
    project
}

#[test]
fn differences_are_shown_as_dvc_shows_them() {
    let project = committed();
    project.write("data/a.txt", "A2\n");
    fs::remove_file(project.path("data/b.txt")).expect("it was there");
    project.write("data/new.txt", "n\n");
    project.write("c.csv", "c2\n");
    project.write("untracked.txt", "u\n");
    project.write("params.yaml", "lr: 0.2\nn: {k: 1, l: [1,3]}\nx: t\n");
    project.write("other.yaml", "q: 2\n");
    follow(&project, "changed.txt");
}

#[test]
fn metrics_are_shown_as_dvc_shows_them() {
    let project = committed();
    project.write("c.csv", "c2\n");
    project.write("params.yaml", "lr: 0.2\n");
    project.strata(&["repro", "-q"]).ends_with(0);
    project.commit("two");
    project.write("m.json", "{\"acc\": 0.5, \"n\": {\"loss\": 2}}");
    follow(&project, "measured.txt");
}

/// DVC has them for all commands.
#[test]
fn every_command_takes_quiet_and_verbose() {
    let project = Project::new();
    for command in [
        "add",
        "check-ignore",
        "checkout",
        "commit",
        "config",
        "dag",
        "data status",
        "diff",
        "doctor",
        "fetch",
        "freeze",
        "gc",
        "git-hook merge-driver",
        "init",
        "lock install",
        "lock merge",
        "metrics diff",
        "metrics show",
        "move",
        "params diff",
        "plots diff",
        "plots show",
        "plots templates",
        "pull",
        "push",
        "remote",
        "remote add",
        "remote default",
        "remote list",
        "remote modify",
        "remote remove",
        "remote rename",
        "remove",
        "repro",
        "root",
        "stage add",
        "stage list",
        "status",
        "unfreeze",
        "unprotect",
        "version",
    ] {
        for flag in ["-v", "-vv", "--verbose", "-q", "--quiet"] {
            let words: Vec<&str> = command.split(' ').chain([flag, "--help"]).collect();
            project.strata(&words).ends_with(0);
        }
    }
}
