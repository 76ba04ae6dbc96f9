//! `add`, `checkout`, `status` and their kind on many files, large ones, links, and when they are killed.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::project::{Project, SITE, files_below};

fn config(project: &Project, text: &str) {
    let config = project.read(".dvc/config");
    project.write(".dvc/config", config + text);
}

#[test]
fn many_files_come_back_as_they_were() {
    let project = Project::without_git();
    for index in 0..1500 {
        let contents = index.to_string().repeat(index % 7);
        project.write(&format!("data/{}/{index}.txt", index % 11), contents);
    }
    project.write("data/ü/deep/er.bin", vec![0; 3 << 20]);
    project.write("elsewhere", "linked");
    symlink("../elsewhere", project.path("data/link")).expect("a link");
    let before = files_below(&project.path("data"));

    project.strata(&["add", "data"]).ends_with(0);
    let entry = project.read("data.dvc");
    assert!(entry.contains("nfiles: 1502"), "{entry}");
    project
        .strata(&["status"])
        .ends_with(0)
        .says(&["up to date"]);

    fs::remove_dir_all(project.path("data")).expect("removed");
    project
        .strata(&["checkout"])
        .ends_with(0)
        .says(&["A\tdata"]);
    assert_eq!(files_below(&project.path("data")), before);
    assert_eq!(project.read("data/3/1499.txt"), "1499");
    assert_eq!(project.read("data/link"), "linked");
    // Once with what checkout remembers, once with nothing.
    project
        .strata(&["status"])
        .ends_with(0)
        .says(&["up to date"]);
    fs::remove_dir_all(project.path(SITE)).expect("removed");
    project
        .strata(&["status"])
        .ends_with(0)
        .says(&["up to date"]);

    project.write("data/3/1499.txt", "9941");
    let changed = project.strata(&["status"]).ends_with(0);
    changed.says(&["changed outs", "modified:           data"]);
    project.strata(&["add", "data"]).ends_with(0);
    assert_ne!(project.read("data.dvc"), entry);
    assert_eq!(
        files_below(&project.path(".dvc/tmp/strata")),
        Vec::<PathBuf>::new()
    );
}

#[test]
fn a_state_that_is_damaged_is_not_believed() {
    let project = Project::without_git();
    for number in 0..500 {
        project.write(&format!("data/{number}"), number.to_string());
    }
    project.strata(&["add", "data"]).ends_with(0);
    // What was written a moment ago is not remembered, what was checked out is, where there is much of it.
    fs::remove_dir_all(project.path("data")).expect("removed");
    project.strata(&["checkout"]).ends_with(0);
    let states = files_below(&project.path(SITE));
    assert_eq!(states.len(), 1);
    for state in states {
        let mut bytes = fs::read(&state).expect("the state");
        bytes.truncate(bytes.len() / 2);
        fs::write(&state, bytes).expect("damaged");
    }
    project
        .strata(&["status"])
        .ends_with(0)
        .says(&["up to date"]);
}

#[test]
fn links_replace_what_was_added_and_unite_it_with_the_cache() {
    for (kind, is_link) in [("hardlink", false), ("symlink", true)] {
        let project = Project::without_git();
        config(&project, &format!("[cache]\n    type = {kind}\n"));
        project.write("data/a", "a");
        project.write("tool", "#!/bin/sh\n");
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(project.path("tool"), executable).expect("executable");
        project.strata(&["add", "data", "tool"]).ends_with(0);
        let file = fs::symlink_metadata(project.path("data/a")).expect("the file");
        assert_eq!(file.is_symlink(), is_link, "{kind}");
        assert!(is_link || file.nlink() == 2, "{kind}");
        assert!(project.read("tool.dvc").contains("isexec: true"));
        fs::remove_dir_all(project.path("data")).expect("removed");
        project.strata(&["checkout"]).ends_with(0);
        assert_eq!(project.read("data/a"), "a");
        project
            .strata(&["status"])
            .ends_with(0)
            .says(&["up to date"]);
    }
}

#[test]
fn an_executable_comes_back_as_one() {
    let project = Project::without_git();
    project.write("tool", "#!/bin/sh\n");
    fs::set_permissions(project.path("tool"), fs::Permissions::from_mode(0o755)).expect("set");
    project.strata(&["add", "tool"]).ends_with(0);
    fs::remove_file(project.path("tool")).expect("removed");
    project.strata(&["checkout"]).ends_with(0);
    let mode = fs::metadata(project.path("tool")).expect("there").mode();
    assert_eq!(mode & 0o300, 0o300);
}

#[test]
fn a_killed_add_leaves_no_half_object_and_its_litter_goes_with_the_next() {
    let project = Project::without_git();
    project.write("large", vec![7; 64 << 20]);
    let scratch = project.path(".dvc/cache/.strata-tmp");
    let mut child = project
        .command(&["add", "large"])
        .stdout(Stdio::null())
        .spawn()
        .expect("the binary starts");
    while child.try_wait().expect("a child").is_none() {
        let is_writing = |file: &PathBuf| fs::metadata(file).is_ok_and(|file| file.len() > 0);
        if files_below(&scratch).iter().any(is_writing) {
            child.kill().expect("killed");
        }
    }
    for object in files_below(&project.path(".dvc/cache/files")) {
        let length = fs::metadata(&object).expect("an object").len();
        assert_eq!(length, 64 << 20, "{}", object.display());
    }
    project.strata(&["add", "large"]).ends_with(0);
    // The second run had nothing to write if the first one came to its end.
    project.write("more", "m");
    project.strata(&["add", "more"]).ends_with(0);
    assert!(!scratch.exists());
    assert_eq!(files_below(&project.path(".dvc/cache/files")).len(), 2);
}

#[test]
fn a_lock_that_strata_does_not_have_is_refused_by_name() {
    let project = Project::without_git();
    config(&project, "    hardlink_lock = true\n");
    project.write("file", "one");
    let refused = project.strata(&["add", "file"]).ends_with(251);
    refused.says(&["core.hardlink_lock", "--unset"]);
    assert!(!project.path("file.dvc").exists());
}

#[test]
fn what_is_written_is_staged_in_git_where_the_settings_say_so() {
    let project = Project::in_git();
    config(
        &project,
        "[core]\n    autostage = true\n    analytics = false\n    check_update = false\n    checksum_jobs = 2\n",
    );
    project.write("file", "one");
    project.strata(&["add", "file"]).ends_with(0);
    let staged = project.git(&["diff", "--cached", "--name-only"]);
    for name in [".gitignore", "file.dvc"] {
        assert!(staged.lines().any(|line| line == name), "{staged}");
    }
}

#[test]
fn folders_that_git_ignores_are_not_searched_for_stages() {
    let project = Project::in_git();
    project.write(".gitignore", "venv/\n");
    project.write("venv/deep/dvc.yaml", "stages: nonsense\n");
    project.write("seen/dvc.yaml", "stages:\n  one:\n    cmd: echo\n");
    let listed = project
        .strata(&["stage", "list", "--all", "--name-only"])
        .ends_with(0);
    assert_eq!(listed.stdout, "seen/dvc.yaml:one\n");

    project.write(".gitignore", "venv/\nseen/dvc.yaml\n");
    let refused = project.strata(&["status"]).ends_with(255);
    refused.says(&["seen/dvc.yaml", "is git-ignored"]);
}

#[test]
fn a_file_in_a_folder_is_not_checked_out_over_what_is_nowhere_else() {
    let project = Project::without_git();
    for file in ["a", "b", "deep/c"] {
        project.write(&format!("data/{file}"), file);
    }
    project.strata(&["add", "data"]).ends_with(0);
    let refused = |target: &str, lost: &str| {
        let refused = project.strata(&["checkout", target]).ends_with(255);
        refused.says(&["Can't remove the following unsaved files", lost]);
        assert!(project.path(lost).exists());
    };
    project.write("data/a", "edited");
    refused("data/a", "data/a");
    assert_eq!(project.read("data/a"), "edited");

    // A folder in the way, with what .dvcignore would not count.
    fs::remove_file(project.path("data/a")).expect("removed");
    project.write(".dvcignore", "ignored\n");
    for file in ["data/a/inner/precious", "data/a/ignored"] {
        project.write(file, file);
        refused("data/a", file);
        refused("data", file);
        fs::remove_file(project.path(file)).expect("removed");
    }
    project.strata(&["checkout", "data/a"]).ends_with(0);
    assert_eq!(project.read("data/a"), "a");

    // A file where a folder above it is to be.
    fs::remove_dir_all(project.path("data/deep")).expect("removed");
    project.write("data/deep", "precious");
    refused("data/deep/c", "data/deep");
    project
        .strata(&["checkout", "--force", "data/deep/c"])
        .ends_with(0);
    assert_eq!(project.read("data/deep/c"), "deep/c");
}

#[test]
fn what_cannot_be_tracked_is_refused_before_anything_is_written() {
    let project = Project::without_git();
    project.write("a", "");
    for (path, said) in [
        ("x.dvc", "DVC file 'x.dvc' cannot be an output."),
        ("sub/dvc.yaml", "DVC file 'dvc.yaml' cannot be an output."),
        ("dvc.lock", "DVC file 'dvc.lock' cannot be an output."),
        (".dvc", "DVC file '.dvc' cannot be an output."),
        (".dvc/config", "DVC file 'config' cannot be an output."),
        (".dvcignore", "DVC file '.dvcignore' cannot be an output."),
        (".", "cannot be an output: the project lies in it"),
        ("nonexistent", "output 'nonexistent' does not exist"),
    ] {
        project
            .strata(&["add", "a", path])
            .ends_with(1)
            .says(&[said]);
        assert!(!project.path("a.dvc").exists(), "{path}");
    }
    project
        .strata(&["commit", "nonexistent"])
        .ends_with(1)
        .says(&["failed to commit nonexistent - '", "' does not exist"]);
}

#[test]
fn a_link_to_nothing_is_named_rather_than_left_out() {
    let project = Project::without_git();
    project.write("data/a", "a");
    symlink("nowhere", project.path("data/broken")).expect("a link");
    for flags in [&["add", "data"][..], &["add", "--no-commit", "data"]] {
        project.strata(flags).ends_with(1).says(&["data/broken"]);
        assert!(!project.path("data.dvc").exists());
    }
    project.write(".dvcignore", "broken\n");
    project.strata(&["add", "data"]).ends_with(0);
}

#[test]
fn files_outside_of_the_project_stay_what_they_are() {
    for kind in ["symlink", "hardlink"] {
        let project = Project::without_git();
        let elsewhere = tempfile::tempdir().expect("a folder");
        let file = elsewhere.path().join("file");
        fs::write(&file, "x").expect("written");
        let mode = |path: &Path| {
            fs::symlink_metadata(path)
                .expect("a file")
                .permissions()
                .mode()
        };
        let before = mode(&file);
        symlink(elsewhere.path(), project.path("data")).expect("a link");
        config(&project, &format!("[cache]\n    type = {kind}\n"));
        project.strata(&["add", "data"]).ends_with(0);
        assert_eq!(mode(&file), before, "{kind}");
        assert_eq!(fs::metadata(&file).expect("a file").nlink(), 1, "{kind}");
    }
}

#[test]
fn a_damaged_list_of_files_stops_nobody_else() {
    let project = Project::without_git();
    for file in ["one/a", "two/b"] {
        project.write(file, file);
    }
    project.strata(&["add", "one", "two"]).ends_with(0);
    project
        .strata(&["remote", "add", "-d", "storage", "remote"])
        .ends_with(0);
    project.strata(&["push"]).ends_with(0);
    let entry = project.read("one.dvc");
    let at = entry.find("md5: ").expect("a hash") + 5;
    let md5 = &entry[at..at + 36];
    let object = project.path(&format!(".dvc/cache/files/md5/{}/{}", &md5[..2], &md5[2..]));
    for text in ["nonsense", "[]"] {
        fs::remove_file(&object).ok();
        fs::write(&object, text).expect("damaged");
        fs::set_permissions(&object, fs::Permissions::from_mode(0o444)).expect("read-only");
        for folder in ["one", "two"] {
            fs::remove_dir_all(project.path(folder)).ok();
        }
        let name = object.display().to_string();
        project.strata(&["checkout"]).ends_with(255).says(&[
            &name,
            "strata fetch",
            "Checkout failed",
            "one",
        ]);
        assert_eq!(project.read("two/b"), "two/b");
        assert!(!object.exists());
    }
    let damage = || {
        fs::remove_file(&object).ok();
        fs::write(&object, "nonsense").expect("damaged");
        fs::set_permissions(&object, fs::Permissions::from_mode(0o444)).expect("read-only");
    };
    damage();
    project.strata(&["pull"]).ends_with(0);
    assert_eq!(project.read("one/a"), "one/a");
    damage();
    project.strata(&["gc", "-w", "-f"]).ends_with(0);
}
