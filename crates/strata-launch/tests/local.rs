//! Tasks as child processes. A named pipe says when a task has got somewhere: opening it waits for the other side.
#![allow(clippy::unwrap_used)]

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use strata_launch::{LocalLauncher, Submission, SubmititConfig, Task, TaskLauncher, TaskState};

const LONG: Duration = Duration::from_mins(5);

struct Room {
    folder: tempfile::TempDir,
    launcher: LocalLauncher,
}

impl Room {
    fn new(at_once: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = SubmititConfig {
            submitit_folder: folder.path().join("sub mit/%j"),
            timeout_min: 0,
            cpus_per_task: None,
            gpus_per_node: None,
            mem_gb: None,
            name: "test".to_owned(),
            stderr_to_stdout: false,
        };
        let mut launcher = LocalLauncher::new(config, NonZeroUsize::new(at_once).unwrap());
        launcher.grace = LONG;
        Self { folder, launcher }
    }

    fn sh(&self, script: &str) -> Task {
        Task::new("sh", ["-c", script], self.folder.path())
    }

    fn submit(&self, scripts: &[&str]) -> Box<dyn Submission> {
        let tasks: Vec<Task> = scripts.iter().map(|script| self.sh(script)).collect();
        self.launcher.submit(&tasks).unwrap()
    }

    fn pipe(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        assert!(
            Command::new("mkfifo")
                .arg(&path)
                .status()
                .unwrap()
                .success()
        );
        path
    }
}

fn end_of(submission: &mut dyn Submission) -> Vec<TaskState> {
    loop {
        let states = submission.states().unwrap();
        if states.iter().all(TaskState::is_final) {
            return states;
        }
        submission.wait(LONG);
    }
}

fn read(path: &Path) -> String {
    fs_err::read_to_string(path).unwrap()
}

fn failed(exit_code: Option<i32>, signal: Option<i32>) -> TaskState {
    TaskState::Failed {
        exit_code,
        signal,
        reason: String::new(),
    }
}

#[test]
fn exit_codes_and_signals_become_states() {
    let room = Room::new(3);
    let mut submission = room.submit(&["exit 0", "exit 3", "kill -9 $$"]);
    assert_eq!(
        end_of(&mut *submission),
        [
            TaskState::Completed,
            failed(Some(3), None),
            failed(None, Some(9))
        ]
    );
}

#[test]
fn output_goes_to_files_named_after_the_task() {
    let room = Room::new(1);
    let mut task = room.sh("echo \"$0 $1 $GREETING\"; pwd; echo oops >&2");
    task.args.extend(["it's".into(), "a \"b\"".into()]);
    task.environment
        .insert("GREETING".into(), "hello you".into());

    let mut submission = room.launcher.submit(&[task]).unwrap();
    assert_eq!(end_of(&mut *submission), [TaskState::Completed]);

    let log = submission.log_of(0);
    let folder = room.folder.path().canonicalize().unwrap();
    assert_eq!(
        read(&log.stdout),
        format!("it's a \"b\" hello you\n{}\n", folder.display())
    );
    let stderr = log.stderr.unwrap();
    assert_eq!(read(&stderr), "oops\n");
    let name = stderr.file_name().unwrap().to_str().unwrap();
    let id = stderr
        .parent()
        .unwrap()
        .file_name()
        .unwrap()
        .to_str()
        .unwrap();
    assert_eq!(name, format!("{id}_0_log.err"));
}

#[test]
fn both_outputs_can_go_to_one_file() {
    let mut room = Room::new(1);
    room.launcher.config.stderr_to_stdout = true;
    let mut submission = room.submit(&["echo one; echo two >&2; echo three"]);
    end_of(&mut *submission);
    let log = submission.log_of(0);
    assert_eq!(
        (read(&log.stdout).as_str(), log.stderr),
        ("one\ntwo\nthree\n", None)
    );
}

#[test]
fn a_program_that_is_not_there_fails_alone() {
    let room = Room::new(1);
    let missing = Task::new("no-such-program", ["x"], room.folder.path());
    let nowhere = Task::new("true", ["x"], room.folder.path().join("nowhere"));
    let mut submission = room
        .launcher
        .submit(&[missing, nowhere, room.sh("exit 0")])
        .unwrap();
    let states = end_of(&mut *submission);
    assert!(
        states[0]
            .to_string()
            .contains("it cannot be started: `no-such-program`"),
        "{states:?}"
    );
    assert!(states[1].to_string().contains("nowhere"), "{states:?}");
    assert_eq!(states[2], TaskState::Completed);
}

#[test]
fn no_more_run_at_once_than_may() {
    let room = Room::new(2);
    let scripts: Vec<String> = (0..5)
        .map(|task| {
            let gate = room.pipe(&format!("gate{task}"));
            format!(
                "echo in >> log; read x < {}; echo out >> log",
                gate.display()
            )
        })
        .collect();
    let scripts: Vec<&str> = scripts.iter().map(String::as_str).collect();
    let mut submission = room.submit(&scripts);
    for task in 0..5 {
        fs_err::write(room.folder.path().join(format!("gate{task}")), "go\n").unwrap();
    }
    end_of(&mut *submission);
    let log = room.folder.path().join("log");
    let mut inside = 0_usize;
    for line in read(&log).lines() {
        inside = if line == "in" { inside + 1 } else { inside - 1 };
        assert!(inside <= 2);
    }
}

#[test]
fn what_waits_is_pending_and_never_starts_once_cancelled() {
    let room = Room::new(1);
    let started = room.pipe("started");
    let script = "trap 'exit 9' INT; echo > started; while :; do read x < never; done";
    room.pipe("never");
    let mut submission = room.submit(&[script, "touch ran"]);
    read(&started);
    // The task may be quicker than who notes down that it runs.
    while submission.states().unwrap()[0] != TaskState::Running {
        submission.wait(LONG);
    }
    let states = submission.states().unwrap();
    assert_eq!(states[1].to_string(), "pending (other jobs first)");

    submission.cancel().unwrap();

    assert_eq!(
        end_of(&mut *submission),
        [TaskState::Cancelled, TaskState::Cancelled]
    );
    assert!(!room.folder.path().join("ran").exists());
}

#[test]
fn who_does_not_listen_is_asked_more_sternly() {
    let mut room = Room::new(1);
    room.launcher.grace = Duration::from_millis(1);
    let started = room.pipe("started");
    room.pipe("never");
    // Deaf to both, and so is what it waits for: only SIGKILL to the whole group ends it.
    let script = "trap '' INT TERM; echo > started; read x < never";
    let mut submission = room.submit(&[script]);
    read(&started);
    submission.cancel().unwrap();
    assert_eq!(end_of(&mut *submission), [TaskState::Cancelled]);
}

#[test]
fn a_task_whose_time_is_up_is_told_to_end() {
    let mut room = Room::new(1);
    room.launcher.time_limit = Some(Duration::from_millis(1));
    room.pipe("never");
    let script = "read x < never";
    let mut submission = room.submit(&[script]);
    assert_eq!(end_of(&mut *submission), [TaskState::TimedOut]);
}

#[test]
fn one_that_stops_to_go_on_later_is_no_failure() {
    let room = Room::new(1);
    let mut task = room.sh("exit 130");
    task.resumable_exit_code = Some(130);
    let mut submission = room.launcher.submit(&[task]).unwrap();
    assert_eq!(end_of(&mut *submission), [TaskState::Preempted]);
}

#[test]
fn dropping_ends_what_runs_with_all_that_it_has_started() {
    let room = Room::new(1);
    let (started, alive) = (room.pipe("started"), room.pipe("alive"));
    room.pipe("never");
    // The inner shell keeps the pipe open as long as it lives.
    let script = "sh -c 'trap \"\" INT; exec 3>alive; echo > started; read x < never' & wait";
    let submission = room.submit(&[script]);
    let reader = std::thread::spawn(move || read(&alive));
    read(&started);
    drop(submission);
    assert_eq!(
        reader.join().unwrap(),
        "",
        "the pipe ends when nobody holds it open"
    );
}

#[test]
fn what_is_detached_goes_on() {
    let room = Room::new(1);
    let (go, done) = (room.pipe("go"), room.pipe("done"));
    let mut submission = room.submit(&["read x < go; echo \"$x\" > done"]);
    submission.detach();
    drop(submission);
    fs_err::write(&go, "on\n").unwrap();
    assert_eq!(read(&done), "on\n");
}

#[test]
fn no_tasks_are_an_error() {
    let error = Room::new(1).launcher.submit(&[]).err().unwrap();
    assert_eq!(error.to_string(), "there is no task to launch");
}
