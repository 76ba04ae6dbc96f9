//! Ctrl-C.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::project::Project;

#[test]
fn the_first_ctrl_c_ends_the_run_in_order() {
    let project = Project::with_images();
    let mut child = project
        .command(&[
            "train",
            "hydra.run.dir=run",
            "data.download=false",
            "model.hidden_dims=[64]",
            "training.epochs=100000",
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut said = BufReader::new(child.stderr.take().expect("piped")).lines();
    said.find(|line| line.as_ref().is_ok_and(|line| line.contains("epoch 2")))
        .expect("an epoch is reported")
        .expect("it is text");

    let interrupted = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(interrupted.expect("kill runs").success());
    let rest: Vec<String> = said.map_while(Result::ok).collect();
    let status = child.wait().expect("it ends");

    assert_eq!(status.code(), Some(130), "{rest:?}");
    assert!(
        rest.iter().any(|line| line.contains("interrupted")),
        "{rest:?}"
    );
    assert_eq!(project.json("run/run.json")["state"], "interrupted");
    assert!(!project.rows_without_times("run").is_empty());
    project.strata(&["eval", "run"]).ends_with(0);
}
