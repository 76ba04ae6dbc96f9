//! `strata repro`: stages side by side, failures, interruptions, what a kill leaves.

use std::fs::File;
use std::io::{BufRead, BufReader, Lines, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;

use crate::project::{Outcome, Project};

/// A project without Git, with a `dvc.yaml`.
fn pipeline(dvc_yaml: &str) -> Project {
    let project = Project::without_git();
    project.write("dvc.yaml", dvc_yaml);
    project
}

fn fifo(project: &Project, name: &str) {
    let made = Command::new("mkfifo").arg(project.path(name)).status();
    assert!(made.expect("mkfifo runs").success());
}

/// Waits until a stage writes to a pipe.
fn wait_for(project: &Project, name: &str) -> String {
    std::fs::read_to_string(project.path(name)).expect("a pipe")
}

struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    /// As a job of a shell: the first of a process group.
    fn start(project: &Project, args: &[&str]) -> Self {
        let mut child = project
            .command(args)
            .process_group(0)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let stdout = child.stdout.take().expect("piped");
        Self {
            child,
            lines: BufReader::new(stdout).lines(),
        }
    }

    fn wait_for_line(&mut self, wanted: &str) {
        let found = self
            .lines
            .by_ref()
            .find(|line| line.as_ref().is_ok_and(|line| line == wanted));
        assert!(found.is_some(), "`{wanted}` is not said");
    }

    /// `-INT -- -42` for the group, as a terminal does it, `-TERM 42` for the process.
    /// Not a byte beyond the line is taken from what [`Running::end`] gives.
    fn wait_for_warning(&mut self, wanted: &str) {
        let stderr = self.child.stderr.as_mut().expect("piped");
        let mut line = Vec::new();
        let mut byte = [0];
        while stderr.read(&mut byte).expect("a pipe") == 1 {
            match byte {
                [b'\n'] if String::from_utf8_lossy(&line).contains(wanted) => return,
                [b'\n'] => line.clear(),
                [byte] => line.push(byte),
            }
        }
        panic!("'{wanted}' was not said");
    }

    fn signal(&self, signal: &str, is_for_group: bool) {
        let pid = self.child.id();
        let target = if is_for_group {
            format!("-{pid}")
        } else {
            pid.to_string()
        };
        let status = Command::new("kill").args([signal, "--", &target]).status();
        assert!(status.expect("kill runs").success());
    }

    fn end(self) -> Outcome {
        let rest: Vec<String> = self.lines.map_while(Result::ok).collect();
        let output = self.child.wait_with_output().expect("it ends");
        let mut outcome = Outcome::of(output);
        outcome.stdout = rest.join("\n");
        outcome
    }
}

/// Whether a process is gone, or only its entry is left until its parent asks for it.
fn is_gone(pid: &str) -> bool {
    match std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())) {
        Ok(stat) => stat
            .rsplit(')')
            .next()
            .is_some_and(|rest| rest.starts_with(" Z")),
        Err(_) => true,
    }
}

const MEETING: &str = "\
stages:
  first:
    cmd: test -p meet && read x < meet; echo said by first; echo a > a.txt
    outs: [a.txt]
  second:
    cmd: echo said by second; echo b > b.txt; test -p meet && echo go > meet; true
    outs: [b.txt]
  third:
    cmd: cat a.txt b.txt > c.txt
    deps: [a.txt, b.txt]
    outs: [c.txt]
";

#[test]
fn independent_stages_run_side_by_side_and_leave_the_lock_file_of_a_sequence() {
    let sequence = pipeline(MEETING);
    sequence.strata(&["repro"]).ends_with(0);

    // `first` cannot end before `second` has run.
    let project = pipeline(MEETING);
    fifo(&project, "meet");
    let outcome = project.strata(&["repro", "--jobs", "2"]).ends_with(0);
    assert_eq!(project.read("dvc.lock"), sequence.read("dvc.lock"));
    assert_eq!(project.read("c.txt"), "a\nb\n");
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    let finished = lines
        .iter()
        .position(|line| *line == "Finished stage 'second':");
    let after = finished.expect("it is said when a stage has ended") + 1;
    assert_eq!(lines[after], "said by second");
    project
        .strata(&["repro", "-j", "2"])
        .ends_with(0)
        .says(&["Stage 'third' didn't change, skipping"]);
}

#[test]
fn after_a_failure_what_runs_ends_and_nothing_new_starts() {
    let project = pipeline(
        "\
stages:
  bad:
    cmd: exit 3
  slow:
    cmd: read x < told; echo slow > slow.txt
    outs: [slow.txt]
  worse:
    cmd: read x < told; exit 4
  later:
    cmd: echo later > later.txt
    outs: [later.txt]
",
    );
    fifo(&project, "told");
    let mut running = Running::start(&project, &["repro", "-j2", "dvc.yaml:bad", "slow", "later"]);
    running.wait_for_line("Failed stage 'bad':");
    project.write("told", "go\n");
    running
        .end()
        .ends_with(255)
        .says(&["ERROR: failed to reproduce 'bad': failed to run: exit 3, exited with 3"]);
    assert_eq!(project.read("slow.txt"), "slow\n");
    assert!(project.read("dvc.lock").contains("slow:"));
    assert!(!project.path("later.txt").exists());

    let mut running = Running::start(&project, &["repro", "-j2", "bad", "worse", "later"]);
    running.wait_for_line("Failed stage 'bad':");
    project.write("told", "go\n");
    running.end().ends_with(255).says(&[
        "WARNING: failed to reproduce 'bad': failed to run: exit 3, exited with 3\nNothing more is started; waiting for 'worse'",
        "exited with 4",
        "ERROR: failed to reproduce stages: 'bad' and 'worse'",
    ]);
    assert!(!project.path("later.txt").exists());

    project
        .strata(&["repro", "-k", "-j2", "bad", "later"])
        .ends_with(255)
        .says(&["ERROR: failed to reproduce 'bad'"]);
    assert!(project.path("later.txt").exists());
}

#[test]
fn folders_and_patterns_are_targets() {
    let project = pipeline(
        "\
stages:
  one: {cmd: echo 1}
  each:
    foreach: [a, b]
    do: {cmd: 'echo ${item}'}
",
    );
    project.write("sub/deep/dvc.yaml", "stages:\n  two: {cmd: echo 2}\n");
    let ran = |args: &[&str]| {
        let outcome = project.strata(args).ends_with(0);
        let lines = outcome.stdout.lines();
        let names = lines.filter_map(|line| line.strip_prefix("Running stage '"));
        names
            .map(|name| name.trim_end_matches("':").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ran(&["repro", "-R", "sub"]), ["sub/deep/dvc.yaml:two"]);
    assert_eq!(ran(&["repro", "--glob", "*@b", "o?e"]), ["one", "each@b"]);
    assert_eq!(
        ran(&["repro", "--glob", "-s", "sub/deep/dvc.yaml:t*"]),
        ["sub/deep/dvc.yaml:two"]
    );
    assert_eq!(ran(&["repro", "-sP", "--dry"]).len(), 4);
    project
        .strata(&["repro", "--glob", "two*"])
        .ends_with(255)
        .says(&["ERROR: no stages match 'two*'"]);
    project
        .strata(&["repro", "dvc.lock"])
        .ends_with(255)
        .says(&["ERROR: Did you mean: `dvc.yaml`?"]);
    project.strata(&["repro", "oen"]).ends_with(255).says(&[
        "ERROR: Stage 'oen' not found inside 'dvc.yaml' file",
        "hint: did you mean `one`?",
    ]);
    project
        .strata(&["checkout", "each@c"])
        .ends_with(255)
        .says(&[
            "ERROR: 'each@c' does not exist as an output or a stage name in 'dvc.yaml'",
            "hint: did you mean `each@a`?",
        ]);
}

/// As in DVC, which resolves the stages that are asked for.
#[test]
fn a_stage_alone_runs_whatever_the_templates_of_others_are_like() {
    let project = pipeline(
        "\
stages:
  good:
    cmd: echo good > good.txt
    outs: [good.txt]
  bad: {cmd: 'echo ${nothing}'}
  group:
    foreach: ${nothing}
    do: {cmd: echo}
",
    );
    project.strata(&["repro", "-s", "good"]).ends_with(0);
    project
        .strata(&["status", "good"])
        .ends_with(0)
        .says(&["up to date"]);
    for args in [&["repro", "-s", "bad"][..], &["repro", "good"], &["status"]] {
        let outcome = project.strata(args).says(&["Could not find 'nothing'"]);
        assert_ne!(outcome.code, Some(0), "{args:?}");
    }
    project
        .strata(&["repro", "-s", "goad"])
        .ends_with(255)
        .says(&["Stage 'goad' not found inside 'dvc.yaml' file"]);
}

/// The words of DVC 3.67.1 for the same settings.
#[test]
fn mappings_in_commands_are_written_as_the_settings_say() {
    let project = pipeline("stages:\n  a: {cmd: 'echo ${model}'}\n");
    project.write(
        "params.yaml",
        "model: {yes: true, no: false, sizes: [1, two words], deep: {x: 0.5}}\n",
    );
    for (settings, words) in [
        ("", "> echo --yes --sizes 1 'two words' --deep.x 0.5"),
        (
            "[parsing]\n    bool = boolean_optional\n    list = append\n",
            "> echo --yes --no-no --sizes 1 --sizes 'two words' --deep.x 0.5",
        ),
    ] {
        project.write(
            ".dvc/config",
            format!("[core]\n    no_scm = True\n{settings}"),
        );
        project
            .strata(&["repro", "--dry"])
            .ends_with(0)
            .says(&[&format!("{words}\n")]);
    }
    project.write(
        ".dvc/config",
        "[core]\n    no_scm = True\n[parsing]\n    bool = maybe\n",
    );
    project.strata(&["repro"]).ends_with(251).says(&[
        "expected one of store_true, boolean_optional",
        "['parsing']['bool']",
    ]);
}

const FAILING: &str = "\
stages:
  train:
    cmd: test -e break && echo half > kept.txt && exit 1; echo 1 > kept.txt; mkdir -p loose; echo 2 > loose/x
    deps: [data.txt]
    outs:
    - kept.txt
    - loose: {cache: false}
  other: {cmd: 'true'}
";

#[test]
fn a_failed_stage_gets_its_outputs_back_or_says_how() {
    let project = pipeline(FAILING);
    project.write("data.txt", "1");
    project.strata(&["repro", "train"]).ends_with(0);
    let lock = project.read("dvc.lock");
    project.write("data.txt", "2");
    project.write("break", "");

    project.write("loose/x", "changed by hand\n");
    project
        .strata(&["repro", "--restore-on-failure", "train"])
        .ends_with(255)
        .says(&["The previous outputs of 'train' are back: 'kept.txt', 'loose'."]);
    assert_eq!(project.read("kept.txt"), "1\n");
    assert_eq!(project.read("loose/x"), "changed by hand\n");
    assert_eq!(project.read("dvc.lock"), lock);

    project.strata(&["repro", "train"]).ends_with(255).says(&[
        "`strata checkout train` takes them from the cache",
        "Removed, and not in the cache: 'loose'.",
    ]);
    assert_eq!(project.read("kept.txt"), "half\n");
    project.strata(&["checkout", "-f", "train"]);
    assert_eq!(project.read("kept.txt"), "1\n");

    std::fs::remove_file(project.path("break")).expect("it is there");
    project
        .strata(&["repro", "--restore-on-failure", "train"])
        .ends_with(0);
    assert!(
        !project
            .path(".dvc/tmp/repro")
            .read_dir()
            .expect("a folder")
            .any(|_| true)
    );
}

/// Outputs that only exist aside when strata is killed are put back by the next reproduction.
#[test]
fn outputs_survive_a_kill() {
    let project = pipeline(FAILING);
    project.write("data.txt", "1");
    project.strata(&["repro", "train"]).ends_with(0);
    project.write("loose/x", "changed by hand\n");
    let killing = FAILING.replace("exit 1;", "kill -9 $PPID; exit 1;");
    project.write("dvc.yaml", killing);
    project.write("break", "");
    let killed = project.strata(&["repro", "--restore-on-failure", "train"]);
    assert_eq!(killed.code, None);
    assert!(!project.path("loose").exists());

    // The project is somewhere else by then.
    let files = [".dvc", "dvc.yaml", "dvc.lock", "data.txt", "break"];
    let moved = Project::new();
    for file in files {
        std::fs::rename(project.path(file), moved.path(file)).expect("it is moved");
    }
    let project = moved;
    after_the_kill(&project, &["repro", "other"])
        .ends_with(0)
        .says(&["a reproduction was killed: the previous 'kept.txt', 'loose' are back."]);
    assert_eq!(project.read("kept.txt"), "1\n");
    assert_eq!(project.read("loose/x"), "changed by hand\n");
}

/// The command outlives strata for a moment.
fn after_the_kill(project: &Project, args: &[&str]) -> Outcome {
    loop {
        let outcome = project.strata(args);
        let is_running = "commands of a reproduction that was killed are still running";
        if outcome.code != Some(255) || !outcome.stderr.contains(is_running) {
            return outcome;
        }
        thread::yield_now();
    }
}

/// What was taken from the cache after the kill is not overwritten by what is older; that is not lost either.
#[test]
fn newer_outputs_stay_after_a_kill() {
    let project = pipeline(FAILING);
    project.write("data.txt", "1");
    project.strata(&["repro", "train"]).ends_with(0);
    project.write("kept.txt", "changed by hand\n");
    project.write("loose/x", "changed by hand\n");
    let killing = FAILING.replace("exit 1;", "kill -9 $PPID; exit 1;");
    project.write("dvc.yaml", killing);
    project.write("break", "");
    let killed = project.strata(&["repro", "--restore-on-failure", "train"]);
    assert_eq!(killed.code, None);
    assert_eq!(project.read("kept.txt"), "half\n");
    project.strata(&["checkout", "-f", "kept.txt"]).ends_with(0);
    after_the_kill(&project, &["repro", "other"])
        .ends_with(0)
        .says(&[
            "'kept.txt' is newer than that: it stays. What was there before is '.dvc/tmp/replaced/kept.txt.1' now.",
            "the previous 'loose' are back.",
        ]);
    assert_eq!(project.read("kept.txt"), "1\n");
    assert_eq!(
        project.read(".dvc/tmp/replaced/kept.txt.1"),
        "changed by hand\n"
    );
    assert_eq!(project.read("loose/x"), "changed by hand\n");
}

#[test]
fn outputs_of_a_command_that_succeeded_stay_when_they_cannot_be_saved() {
    let breaking = "test -e full && rm -rf .dvc/cache && touch .dvc/cache; test -e break";
    let saving = FAILING.replace("test -e break", breaking);
    let project = pipeline(&saving.replace("echo 1", "cat data.txt"));
    project.write("data.txt", "1");
    project.strata(&["repro", "train"]).ends_with(0);
    project.write("full", "");
    for (data, args) in [
        ("2", &["repro", "train"][..]),
        ("3", &["repro", "--restore-on-failure", "train"]),
    ] {
        project.write("data.txt", data);
        let failed = project.strata(args);
        assert!(!failed.stderr.contains("removed"), "{}", failed.stderr);
        failed.ends_with(255).says(&[
            "The new outputs of 'train' are in their places: when this is mended, `strata commit -f train` takes them in.",
        ]);
        assert_eq!(project.read("kept.txt"), data);
        std::fs::remove_file(project.path(".dvc/cache")).expect("it is there");
        project.strata(&["commit", "-f", "train"]).ends_with(0);
        project
            .strata(&["status", "train"])
            .ends_with(0)
            .says(&["Data and pipelines are up to date."]);
        project.strata(&["repro", "train"]).ends_with(0);
        assert_eq!(project.read("kept.txt"), data);
    }
}

#[test]
fn after_a_command_the_lock_is_waited_for_until_ctrl_c() {
    let project = pipeline(
        "\
stages:
  long:
    cmd: echo ready > ready; cat go; echo a > a.txt
    outs: [a.txt]
  next:
    cmd: echo b > b.txt
    outs: [b.txt]
    deps: [a.txt]
",
    );
    fifo(&project, "ready");
    fifo(&project, "go");
    for jobs in ["1", "2"] {
        for is_given_up in [true, false] {
            let args = [
                "repro",
                "--ignore-errors",
                "-f",
                "--no-run-cache",
                "-j",
                jobs,
            ];
            let mut running = Running::start(&project, &args);
            wait_for(&project, "ready");
            let mut lock = File::create(project.path(".dvc/tmp/lock")).expect("a file");
            lock.lock().expect("strata has let go of it");
            lock.write_all(b"42").expect("it is written");
            std::fs::write(project.path("go"), "").expect("a pipe");
            running.wait_for_warning(
                "waiting for the project's lock, which another process holds (process 42)",
            );
            if is_given_up {
                running.signal("-INT", true);
                running
                    .end()
                    .ends_with(252)
                    .says(&["`strata commit -f long` takes them in"]);
                assert_eq!(project.read("a.txt"), "a\n");
                assert!(!project.path("b.txt").exists());
                drop(lock);
            } else {
                drop(lock);
                running.end().ends_with(0);
                assert_eq!(project.read("b.txt"), "b\n");
            }
        }
        std::fs::remove_file(project.path("b.txt")).expect("it is there");
    }
}

/// What is started in the background says `up` when it can be killed: before that a shell's child has its parent's traps.
const HANDLED: &str = "\
stages:
  handled:
    cmd: trap 'kill $!; echo saved > a.txt; exit 0' INT TERM; (echo > up; exec sleep 100) & cat up; echo ready > ready; wait
    outs: [a.txt]
  next:
    cmd: echo b > b.txt
    deps: [a.txt]
    outs: [b.txt]
";

#[test]
fn ctrl_c_lets_a_command_end_keeps_what_it_made_and_stops() {
    let project = pipeline(HANDLED);
    fifo(&project, "up");
    fifo(&project, "ready");
    let running = Running::start(&project, &["repro"]);
    wait_for(&project, "ready");
    running.signal("-INT", true);
    running
        .end()
        .ends_with(252)
        .says(&["ERROR: interrupted by the user"]);
    assert!(project.read("dvc.lock").contains("handled:"));
    assert!(!project.path("b.txt").exists());
    assert_eq!(project.read(".dvc/tmp/rwlock"), "{}");
}

#[test]
fn sigterm_is_passed_on_and_a_command_that_fails_by_it_is_told() {
    let project = pipeline(&HANDLED.replace("exit 0", "exit 5"));
    fifo(&project, "up");
    fifo(&project, "ready");
    let running = Running::start(&project, &["repro"]);
    wait_for(&project, "ready");
    running.signal("-TERM", false);
    running.end().ends_with(252).says(&[
        "ERROR: interrupted by the user",
        "failed to reproduce 'handled'",
        "exited with 5",
    ]);
    assert!(!project.path("dvc.lock").exists());
}

#[test]
fn a_second_ctrl_c_kills_all_that_commands_have_started() {
    let project = pipeline(
        "\
stages:
  a:
    cmd: trap '' INT TERM; sleep 100 & echo $! > ready; wait; wait
  b:
    cmd: trap '' INT TERM; sleep 100 & echo $! > ready2; wait; wait
",
    );
    for (jobs, pipes) in [("1", &["ready"][..]), ("2", &["ready", "ready2"])] {
        for pipe in pipes {
            fifo(&project, pipe);
        }
        let mut running = Running::start(&project, &["repro", "-j", jobs]);
        let sleepers: Vec<String> = pipes.iter().map(|pipe| wait_for(&project, pipe)).collect();
        while running.child.try_wait().expect("a child").is_none() {
            running.signal("-INT", true);
            thread::yield_now();
        }
        running.end().ends_with(252);
        for sleeper in &sleepers {
            while !is_gone(sleeper) {
                thread::yield_now();
            }
        }
        for pipe in pipes {
            std::fs::remove_file(project.path(pipe)).expect("it is there");
        }
    }
}

#[test]
fn a_dry_run_shows_a_pipeline_that_never_ran() {
    let project = pipeline(MEETING);
    project
        .strata(&["repro", "--dry"])
        .ends_with(0)
        .says(&["Running stage 'third':\n> cat a.txt b.txt > c.txt\n"]);
    assert!(!project.path("dvc.lock").exists());
    assert!(!project.path("a.txt").exists());
}

#[test]
fn it_is_said_why_a_stage_runs() {
    let project = pipeline(FAILING);
    project.write("data.txt", "1");
    project.strata(&["repro", "-v", "train"]).ends_with(0);
    project.write("data.txt", "2");
    project
        .strata(&["repro", "--verbose", "train"])
        .ends_with(0)
        .says(&["Stage 'train' runs because dependency 'data.txt' is modified."]);
}
