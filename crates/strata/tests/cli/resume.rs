//! Runs that are interrupted or killed go on, and end as if nothing had happened.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::project::Project;

/// A training with everything that must be carried over an interruption.
const TRAINING: [&str; 15] = [
    "train",
    "data.download=false",
    "logging.matplotlib.enabled=false",
    "model.hidden_dims=[300,40]",
    "model.norm=batch",
    "data.batch_size=16",
    "training.epochs=4",
    "training.eval_interval=2",
    "training.eval_train=true",
    "training.log_interval=3",
    "training.optimizer={name:NAdam,params:{weight_decay:0}}",
    "~training.scheduler",
    "+training.scheduler={name:ReduceLROnPlateau,params:{patience:0,factor:0.5}}",
    "training.penalty.l1=1e-5",
    "training.checkpoint.every=7 steps",
];

/// Both runs left the same, times apart.
#[track_caller]
fn assert_same(project: &Project, whole: &str, run: &str) {
    let rows = |run: &str| project.rows_without_times(run);
    for (row, (a, b)) in rows(whole).iter().zip(rows(run)).enumerate() {
        assert_eq!(*a, b, "row {row}");
    }
    assert_eq!(rows(whole).len(), rows(run).len());
    assert_eq!(messages(project, whole), messages(project, run));
    for name in ["summary.json", "artifacts/evaluation.json"] {
        let of = |run: &str| project.read(&format!("{run}/{name}"));
        assert_eq!(of(whole), of(run), "{name}");
    }
    for name in ["best_model.pt", "best_model.safetensors"] {
        let bytes = |run: &str| std::fs::read(project.path(&format!("{run}/artifacts/{name}")));
        let same = bytes(whole).expect("a model") == bytes(run).expect("a model");
        assert!(same, "{name}");
    }
}

/// The log's lines without their times and without the seconds that loading took.
fn messages(project: &Project, run: &str) -> Vec<String> {
    let log = project.read(&format!("{run}/train.log"));
    let lines = log.lines().filter(|line| !line.contains("images in"));
    let messages = lines.map(|line| {
        let message = line.split_once("][").expect("a line has a time").1;
        message.replace(run, "RUN")
    });
    messages.collect()
}

fn arguments<'a>(run: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    TRAINING
        .iter()
        .copied()
        .chain([run])
        .chain(more.iter().copied())
        .collect()
}

/// Starts a process and kills it when it has logged so many rows of metrics.
fn kill_after(project: &Project, args: &[&str], run: &str, rows: usize) -> bool {
    let mut child = project
        .command(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let metrics = project.path(&format!("{run}/metrics.jsonl"));
    loop {
        if child.try_wait().expect("a child").is_some() {
            return false;
        }
        let logged = std::fs::read(&metrics).unwrap_or_default();
        if logged.split(|&byte| byte == b'\n').count() > rows {
            child.kill().expect("it lives");
            child.wait().expect("it ends");
            return true;
        }
        std::thread::yield_now();
    }
}

/// Killed again and again, at other places each time.
#[test]
fn a_killed_run_ends_like_one_that_was_not() {
    let project = Project::with_images();
    for threads in ["training.threads=1", "training.threads=2"] {
        let whole = format!("whole{}", &threads[17..]);
        let run = format!("run{}", &threads[17..]);
        let directory = format!("hydra.run.dir={whole}");
        project
            .strata(&arguments(&directory, &[threads]))
            .ends_with(0);
        let directory = format!("hydra.run.dir={run}");
        let args = arguments(&directory, &[threads]);
        assert!(kill_after(&project, &args, &run, 2));
        for rows in [10, 23, 24, 40, 55, 60] {
            kill_after(&project, &["resume", &run], &run, rows);
        }
        project.strata(&["resume", &run]).ends_with(0);
        assert_same(&project, &whole, &run);
        assert_eq!(
            project.json(&format!("{run}/run.json"))["state"],
            "finished"
        );
    }
}

#[test]
fn ctrl_c_in_the_middle_of_an_epoch_and_resume_without_a_name() {
    let project = Project::with_images();
    project
        .strata(&arguments("hydra.run.dir=runs/whole", &[]))
        .ends_with(0);
    let mut child = project
        .command(&arguments(
            "hydra.run.dir=runs/run",
            &["training.checkpoint.every=null"],
        ))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut said = BufReader::new(child.stderr.take().expect("piped")).lines();
    said.find(|line| line.as_ref().is_ok_and(|line| line.contains("step ")))
        .expect("a step is reported")
        .expect("it is text");
    let pid = child.id().to_string();
    Command::new("kill")
        .args(["-INT", &pid])
        .status()
        .expect("kill runs");
    let rest: Vec<String> = said.map_while(Result::ok).collect();
    assert_eq!(child.wait().expect("it ends").code(), Some(130), "{rest:?}");
    assert!(
        rest.iter()
            .any(|line| line.contains("strata resume runs/run")),
        "{rest:?}"
    );
    project
        .strata(&["resume"])
        .ends_with(0)
        .says(&["runs/run goes on after step"]);
    assert_same(&project, "runs/whole", "runs/run");
    project
        .strata(&["resume"])
        .ends_with(2)
        .says(&["no interrupted run"]);
    project
        .strata(&["resume", "runs/run"])
        .ends_with(0)
        .says(&["is finished"]);
}

#[test]
fn a_damaged_checkpoint_falls_back_to_the_one_before() {
    let project = Project::with_images();
    project
        .strata(&arguments("hydra.run.dir=whole", &[]))
        .ends_with(0);
    assert!(kill_after(
        &project,
        &arguments("hydra.run.dir=damaged", &[]),
        "damaged",
        30
    ));
    let last = project.path("damaged/checkpoints/last.safetensors");
    let mut bytes = std::fs::read(&last).expect("a checkpoint");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&last, &bytes).expect("a file");
    project
        .strata(&["resume", "damaged"])
        .ends_with(0)
        .says(&["checksum", "checkpoint before it"]);
    assert_same(&project, "whole", "damaged");
}

#[test]
fn what_cannot_go_on_says_why() {
    let project = Project::with_images();
    project
        .strata(&["resume", "nowhere"])
        .ends_with(1)
        .says(&["nowhere"]);
    assert!(kill_after(
        &project,
        &arguments("hydra.run.dir=run", &[]),
        "run",
        30
    ));
    for name in ["last.safetensors", "previous.safetensors"] {
        project.write(&format!("run/checkpoints/{name}"), b"nothing");
    }
    project
        .strata(&["resume", "run"])
        .ends_with(1)
        .says(&["last.safetensors", "truncated"]);
    // Without any, there is nothing to lose.
    std::fs::remove_dir_all(project.path("run/checkpoints")).expect("a folder");
    project
        .strata(&["resume", "run"])
        .ends_with(0)
        .says(&["begins anew"]);
}
