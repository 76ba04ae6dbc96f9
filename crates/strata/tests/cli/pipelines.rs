//! `strata stage add`, `dag`, `gc` and others that keep a project in order.

use std::fs;
use std::path::Path;

use crate::project::Project;

fn golden(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/dvc");
    fs::read_to_string(path.join(name)).expect("a golden file")
}

#[test]
fn a_stage_is_written_as_dvc_writes_it_and_the_rest_stays() {
    let project = Project::in_git();
    let before = "# about all of it\nstages:\n  # the first\n  first:   # here\n    cmd: echo 1\n";
    project.write("dvc.yaml", before);
    let args = "stage add -n a -d in.txt -o out/x.txt -m m.json -M m2.json --plots p.csv --plots-no-cache p2.csv \
                -p lr,b -p z.yaml:q,a -p w.json: -O nc --outs-persist per --outs-persist-no-cache pnc --always-changed";
    let mut args: Vec<&str> = args.split_whitespace().collect();
    args.extend(["--desc", "a desc", "python", "a.py", "foo bar", ""]);
    let added = "Added stage 'a' in 'dvc.yaml'\n\nTo track the changes with git, run:\n\n\tgit add .gitignore dvc.yaml\n\nTo enable auto staging, run:\n\n\tstrata config core.autostage true\n";
    project
        .strata(&args)
        .ends_with(0)
        .says(&[added, "out/.gitignore"]);
    assert_eq!(project.read("dvc.yaml"), golden("stage_add.yaml"));
    assert_eq!(project.read(".gitignore"), "/per\n/m.json\n/p.csv\n");

    let taken = "Stage 'a' already exists in 'dvc.yaml'. Use '--force' to overwrite.";
    project
        .strata(&["stage", "add", "-n", "a", "x"])
        .ends_with(255)
        .says(&[taken]);
    assert_eq!(project.read("dvc.yaml"), golden("stage_add.yaml"));
    let replaced = project
        .strata(&["stage", "add", "-q", "-f", "-n", "a", "-O", "nc", "x"])
        .ends_with(0);
    assert_eq!(replaced.stdout + &replaced.stderr, "");
    let after = "  a:\n    desc: a desc\n    cmd: x\n    outs:\n    - nc:\n        cache: false\n";
    assert_eq!(project.read("dvc.yaml"), before.to_owned() + after);
}

#[test]
fn a_stage_that_cannot_be_is_refused_and_nothing_is_written() {
    let project = Project::in_git();
    project
        .strata(&[
            "stage", "add", "-q", "-n", "a", "-d", "i", "-o", "out/x", "x",
        ])
        .ends_with(0);
    let before = project.read("dvc.yaml");
    let cases: [(&[&str], &str); 9] = [
        (
            &["-n", "a/b", "x"],
            "Stage name cannot contain punctuation characters.",
        ),
        (&["-n", "b"], "command is not specified"),
        (
            &["-n", "b", "-o", "out/x", "x"],
            "output 'out/x' is already specified in stage: 'a'.",
        ),
        (
            &["-n", "b", "-o", "out", "x"],
            "'out'('b')\n'out/x'('a')\noverlap",
        ),
        (
            &["-n", "b", "-d", "q", "-o", "q", "x"],
            "is specified as an output and as a dependency.",
        ),
        (
            &["-n", "b", "-d", "q", "-d", "./q", "x"],
            "is specified more than once.",
        ),
        (
            &["-n", "b", "-d", "out/x", "-o", "i", "x"],
            "in stages: a, b.",
        ),
        (&["-n", "b", "-w", "none", "x"], "stage working dir"),
        (
            &["-n", "b", "-o", "../x", "x"],
            "Cached output(s) outside of DVC project",
        ),
    ];
    for (args, message) in cases {
        let args = [&["stage", "add"], args].concat();
        project.strata(&args).ends_with(255).says(&[message]);
        assert_eq!(project.read("dvc.yaml"), before, "{args:?}");
    }
    project
        .strata(&["stage", "add", "x"])
        .ends_with(254)
        .says(&["--name"]);
}

#[test]
fn a_stage_can_be_run_at_once() {
    let project = Project::in_git();
    let run = [
        "stage",
        "add",
        "-n",
        "r",
        "--run",
        "-o",
        "r.txt",
        "echo hi > r.txt",
    ];
    project.strata(&run).ends_with(0).says(&[
        "Added stage 'r' in 'dvc.yaml'\nRunning stage 'r':\n> echo hi > r.txt\n",
        "Updating lock file 'dvc.lock'",
    ]);
    assert_eq!(project.read("r.txt"), "hi\n");
    project.strata(&["status", "-q"]).ends_with(0);
    let fails = ["stage", "add", "-n", "f", "--run", "-o", "f.txt", "false"];
    project
        .strata(&fails)
        .ends_with(255)
        .says(&["ERROR: failed to run: false, exited with 1"]);
    // Two letters behind one dash are a word of the command here, and no flag of Hydra's.
    project
        .strata(&["stage", "add", "-q", "-n", "w", "ls", "-cn", "a"])
        .ends_with(0);
    assert!(project.read("dvc.yaml").contains("cmd: ls -cn a\n"));
}

#[test]
fn the_graph_is_drawn_in_boxes_whole_and_in_parts() {
    let project = Project::in_git();
    let stage = |name: &str, reads: &[&str]| {
        let deps: String = reads
            .iter()
            .map(|read| format!("\n    - {read}.out"))
            .collect();
        let deps = if reads.is_empty() {
            String::new()
        } else {
            format!("    deps:{deps}\n")
        };
        format!("  {name}:\n    cmd: touch {name}.out\n{deps}    outs:\n    - {name}.out\n")
    };
    let stages = [
        stage("a", &[]),
        stage("b", &["a"]),
        stage("c", &["b"]),
        stage("x", &[]),
    ];
    project.write("dvc.yaml", format!("stages:\n{}", stages.concat()));
    let drawn = |args: &[&str]| {
        let text = project
            .strata(&[&["dag"], args].concat())
            .ends_with(0)
            .stdout;
        let lines = text.lines().map(|line| format!("{}\n", line.trim_end()));
        lines.collect::<String>()
    };
    let three = "+---+\n| a |\n+---+\n  *\n  *\n  *\n+---+\n| b |\n+---+\n  *\n  *\n  *\n+---+\n| c |\n+---+\n";
    let one = "+---+\n| x |\n+---+\n";
    assert_eq!(drawn(&[]), three.to_owned() + one);
    assert_eq!(drawn(&["c"]), three);
    assert_eq!(drawn(&["--full", "a"]), three);
    assert_eq!(drawn(&["x.out"]), one);
    assert_eq!(drawn(&["-o", "x"]), "+-------+\n| x.out |\n+-------+\n");
    assert_eq!(
        drawn(&["--mermaid", "b"]),
        "flowchart TD\n\tnode1[\"a\"]\n\tnode2[\"b\"]\n\tnode1-->node2\n"
    );
    project.strata(&["dag", "nothing"]).ends_with(255);
}

#[test]
fn stages_of_a_group_are_one_box_if_asked_for() {
    let project = Project::in_git();
    project.write(
        "dvc.yaml",
        "stages:\n  g:\n    foreach: [1, 2]\n    do:\n      cmd: touch ${item}.out\n      outs: ['${item}.out']\n  \
         end:\n    cmd: cat 1.out 2.out\n    deps: [1.out, 2.out]\n",
    );
    let dag = ["dag", "--collapse-foreach-matrix", "--mermaid"];
    project
        .strata(&dag)
        .ends_with(0)
        .says(&["[\"end\"]", "[\"g\"]\n\tnode2-->node1\n"]);
}

#[test]
fn garbage_is_shown_before_it_is_removed_and_commits_keep_theirs() {
    let project = Project::in_git();
    for (text, message) in [("1\n", "one"), ("2\n", "two"), ("3\n", "three")] {
        project.write("a.txt", text);
        project.strata(&["add", "-q", "a.txt"]).ends_with(0);
        project.commit(message);
    }
    let removed = |args: &[&str]| {
        project
            .strata(&[&["gc", "--dry"], args].concat())
            .ends_with(0)
            .stdout
    };
    assert!(removed(&["-w"]).ends_with("Removed 2 objects from repo cache.\n"));
    assert_eq!(removed(&["-w"]).matches("Removing ").count(), 2);
    assert!(removed(&["--rev", "HEAD", "-n", "2"]).contains("Removed 1 objects"));
    assert!(removed(&["-a", "-n", "3"]).contains("No unused"));
    assert!(removed(&["--date", "2000-01-01"]).contains("No unused"));
    let needs = "needs to be set.";
    project.strata(&["gc"]).ends_with(255).says(&[needs]);
    project
        .strata(&["gc", "-w", "-n", "2"])
        .ends_with(255)
        .says(&["`--num` can only be used"]);
    project
        .strata(&["gc", "-w", "--date", "soon"])
        .ends_with(255)
        .says(&["2026-01-31"]);
    // Without a terminal nobody says yes.
    project.strata(&["gc", "-w"]).ends_with(1);
    assert!(removed(&["-w"]).contains("Removed 2 objects"));
}

#[test]
fn data_are_added_by_patterns_from_elsewhere_and_without_the_cache() {
    let project = Project::in_git();
    for file in ["a.csv", "b.csv", "c.txt", "sub/d.csv"] {
        project.write(file, file);
    }
    project
        .strata(&["add", "--glob", "*.csv"])
        .ends_with(0)
        .says(&["git add a.csv.dvc b.csv.dvc"]);
    assert!(!project.path("sub/d.csv.dvc").exists());
    project
        .strata(&["add", "-q", "--glob", "**/d.csv"])
        .ends_with(0);
    assert!(project.path("sub/d.csv.dvc").exists());
    project.strata(&["add", "--glob", "*.none"]).ends_with(1);

    project
        .strata(&["add", "-q", "c.txt", "-o", "copy.txt"])
        .ends_with(0);
    assert_eq!(project.read("copy.txt"), "c.txt");
    project.write("c.txt", "new");
    project
        .strata(&["add", "c.txt", "-o", "copy.txt"])
        .ends_with(1)
        .says(&["--force"]);
    assert_eq!(project.read("copy.txt"), "c.txt");

    project
        .strata(&["add", "-q", "--no-commit", "c.txt"])
        .ends_with(0);
    project
        .strata(&["status", "c.txt"])
        .ends_with(0)
        .says(&["not in cache"]);
    project.strata(&["commit", "-f", "c.txt"]).ends_with(0);
    project.strata(&["status", "-q"]).ends_with(0);

    project
        .strata(&["remove", "c.txt.dvc", "--outs"])
        .ends_with(0);
    assert!(!project.path("c.txt").exists() && !project.path("c.txt.dvc").exists());
    fs::remove_dir_all(project.path(".dvc/cache")).expect("it was there");
    fs::remove_file(project.path("a.csv")).expect("it was there");
    project
        .strata(&["checkout", "a.csv"])
        .ends_with(255)
        .says(&["Checkout failed"]);
    project
        .strata(&["checkout", "a.csv", "--allow-missing"])
        .ends_with(0);
}

#[test]
fn links_are_made_anew_and_replaced_by_copies() {
    let project = Project::in_git();
    project.write("a.txt", "a\n");
    project.strata(&["add", "-q", "a.txt"]).ends_with(0);
    let config = project.read(".dvc/config");
    project.write(".dvc/config", config + "[cache]\n    type = symlink\n");
    project.strata(&["checkout", "--relink"]).ends_with(0);
    assert!(project.path("a.txt").is_symlink());
    project.strata(&["unprotect", "a.txt"]).ends_with(0);
    assert!(!project.path("a.txt").is_symlink());
    assert_eq!(project.read("a.txt"), "a\n");
    project
        .strata(&["unprotect", "none"])
        .ends_with(255)
        .says(&["non-existing data 'none'"]);
}

#[test]
fn a_folder_within_a_git_repository_is_a_project_only_on_demand() {
    let project = Project::new();
    project.git(&["init", "-q"]);
    project.write("sub/file", "");
    project
        .strata(&["init", "sub"])
        .ends_with(1)
        .says(&["--subdir"]);
    project
        .strata(&["init", "sub", "--subdir", "-q"])
        .ends_with(0);
    assert!(project.path("sub/.dvc/config").exists());
    project
        .strata(&["init", "--no-scm", "--subdir"])
        .ends_with(254);
}
