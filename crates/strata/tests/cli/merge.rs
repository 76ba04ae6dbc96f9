//! Branches of a project, merged by Git with the driver.

use std::env;

use crate::project::{Outcome, Project};

/// A project in a Git repository with the driver installed and committed.
fn repository() -> Project {
    let project = Project::in_git();
    project.strata(&["lock", "install"]).ends_with(0).says(&[
        "Added 'dvc.lock merge=strata' to .gitattributes",
        "merge.strata.driver",
    ]);
    project
}

/// Changes the project on a branch `theirs` and on `master`, both from what is there, and merges.
fn merge(project: &Project, theirs: impl Fn(), ours: impl Fn()) -> Outcome {
    project.commit("base");
    project.git(&["checkout", "--quiet", "-b", "theirs"]);
    theirs();
    project.commit("theirs");
    project.git(&["checkout", "--quiet", "master"]);
    ours();
    project.commit("ours");
    project.try_git(&["merge", "--quiet", "--no-edit", "theirs"])
}

/// A lock file of stages with commands.
fn lock(stages: &[(&str, &str)]) -> String {
    let entry = |(name, cmd): &(&str, &str)| {
        format!(
            "  {name}:\n    cmd: {cmd}\n    outs:\n    - path: {name}\n      hash: md5\n      md5: {cmd}\n      size: 1\n"
        )
    };
    let entries: String = stages.iter().map(entry).collect();
    format!("schema: '2.0'\nstages:\n{entries}")
}

#[test]
fn stages_of_two_branches_are_merged() {
    let project = repository();
    project.write("dvc.lock", lock(&[("a", "a"), ("b", "b"), ("c", "c")]));
    let theirs = lock(&[("a", "a"), ("b", "B"), ("x", "x")]);
    let ours = lock(&[("a", "A"), ("b", "b"), ("c", "c"), ("y", "y")]);
    merge(
        &project,
        || project.write("dvc.lock", &theirs),
        || project.write("dvc.lock", &ours),
    )
    .ends_with(0);
    let merged = lock(&[("a", "A"), ("b", "B"), ("y", "y"), ("x", "x")]);
    assert_eq!(project.read("dvc.lock"), merged);
}

#[test]
fn a_stage_that_both_branches_ran_is_a_conflict() {
    let project = repository();
    project.write("sub/dvc.lock", lock(&[("a", "a"), ("b", "b")]));
    merge(
        &project,
        || project.write("sub/dvc.lock", lock(&[("a", "there"), ("b", "B")])),
        || project.write("sub/dvc.lock", lock(&[("a", "here"), ("b", "b")])),
    )
    .ends_with(1)
    .says(&[
        "CONFLICT in sub/dvc.lock: stage 'a' was changed on both sides",
        "hint: keep one side",
    ]);
    let merged = project.read("sub/dvc.lock");
    let (conflict, rest) = merged.split_once(">>>>>>> theirs\n").expect("a marker");
    let (here, there) = conflict.split_once("=======\n").expect("a marker");
    assert!(
        here.contains("cmd: here") && there.contains("cmd: there"),
        "{merged}"
    );
    assert!(
        rest.starts_with("  b:\n    cmd: B\n") && !conflict.contains("b:\n"),
        "{merged}"
    );
    project
        .try_git(&["diff", "--name-only", "--diff-filter=U"])
        .says(&["sub/dvc.lock"]);
}

/// Git would keep our version as it is, and their side would be lost with the next commit.
#[test]
fn without_the_program_lines_are_merged_and_conflicts_marked() {
    let without = env::split_paths(&env::var_os("PATH").expect("a path"))
        .filter(|folder| !folder.join("strata").exists())
        .map(|folder| folder.display().to_string())
        .collect::<Vec<_>>()
        .join(":");
    let project = repository();
    let mut install = project.command(&["lock", "install"]);
    Outcome::of(install.env("PATH", &without).output().expect("it starts"))
        .ends_with(0)
        .says(&["WARNING: Git will not find the program: `strata` is in no folder of PATH"]);

    project.write("dvc.lock", lock(&[("a", "a"), ("b", "b")]));
    project.commit("base");
    project
        .try_git(&["checkout", "--quiet", "-b", "theirs"])
        .ends_with(0);
    project.write("dvc.lock", lock(&[("a", "there"), ("b", "b")]));
    project.commit("theirs");
    project
        .try_git(&["checkout", "--quiet", "master"])
        .ends_with(0);
    project.write("dvc.lock", lock(&[("a", "here"), ("b", "b")]));
    project.commit("ours");
    project
        .git_with_path(&["merge", "--no-edit", "theirs"], &without)
        .ends_with(1)
        .says(&["CONFLICT", "dvc.lock"]);
    let merged = project.read("dvc.lock");
    for part in [
        "<<<<<<< ours\n",
        "cmd: here",
        "=======\n",
        "cmd: there",
        ">>>>>>> theirs\n",
    ] {
        assert!(merged.contains(part), "{merged}");
    }
}

#[test]
fn files_of_a_tracked_folder_are_merged() {
    let project = repository();
    project.write("data/common", "1");
    let add = || {
        project.strata(&["add", "--quiet", "data"]).ends_with(0);
    };
    add();
    let write = |file: &str, content: &str| {
        project
            .strata(&["checkout", "--quiet", "--force"])
            .ends_with(0);
        project.write(file, content);
        add();
    };
    merge(
        &project,
        || write("data/theirs", "22"),
        || write("data/ours", "333"),
    )
    .ends_with(0);
    let merged = project.read("data.dvc");
    assert!(merged.contains("size: 6\n  nfiles: 3\n"), "{merged}");
    project.strata(&["checkout"]).ends_with(0);
    assert_eq!(
        project.read("data/theirs") + &project.read("data/ours"),
        "22333"
    );
    project
        .strata(&["status"])
        .ends_with(0)
        .says(&["up to date"]);
}

/// What DVC's own driver is called with.
#[test]
fn dvcs_driver_is_understood() {
    let project = repository();
    let file =
        |md5: &str, desc: &str| format!("outs:\n- md5: {md5}\n  hash: md5\n  path: a\n{desc}");
    project.write("base", file("aa", ""));
    project.write("our", file("bb", ""));
    project.write("their", file("aa", "desc: d\n"));
    let driver = [
        "git-hook",
        "merge-driver",
        "--ancestor",
        "base",
        "--our",
        "our",
        "--their",
        "their",
    ];
    project.strata(&driver).ends_with(0);
    assert_eq!(project.read("our"), file("bb", "desc: d\n"));
    project.write("their", file("cc", ""));
    project
        .strata(&driver)
        .ends_with(1)
        .says(&["the content of 'a' was changed on both sides"]);
    assert!(project.read("our").contains("<<<<<<< ours"));
}
