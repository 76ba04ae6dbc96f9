//! Launches shell lines as Hydra's launchers would launch jobs, and prints what becomes of them.
//!
//! ```text
//! launch_tool [OVERRIDE...] -- LINE...
//! launch_tool hydra/launcher=submitit_slurm hydra.launcher.array_parallelism=2 -- 'echo one' 'sleep 5; echo two'
//! ```
//!
//! Each LINE is a task of its own, run by `sh`; one that ends with exit code 130 can go on later. The first line printed is
//! the name of the submission, then a line for each change of a state: `1: running`. Ctrl-C cancels what has not ended.
//! Exit codes: 0 all completed, 1 not all did, 2 misuse, 130 interrupted. `conformance/slurm/check.py` drives it.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::env;
use std::error::Error;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::consts::SIGINT;
use strata_config::{ComposeRequest, ConfigSource, compose};
use strata_launch::{
    LauncherConfig, LocalLauncher, SlurmLauncher, Submission, Task, TaskLauncher, TaskState,
};

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let Some(split) = words.iter().position(|word| word == "--") else {
        eprintln!("usage: launch_tool [OVERRIDE...] -- LINE...");
        return ExitCode::from(2);
    };
    match run(&words[..split], &words[split + 1..]) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(overrides: &[String], lines: &[String]) -> Result<ExitCode, Box<dyn Error>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGINT, Arc::clone(&interrupted))?;
    let launcher = launcher(overrides)?;
    let here = env::current_dir()?;
    let tasks: Vec<Task> = lines
        .iter()
        .map(|line| {
            let mut task = Task::new("sh", ["-c", line], &here);
            task.resumable_exit_code = Some(130);
            task
        })
        .collect();
    let mut submission = launcher.submit(&tasks)?;
    println!("{}", submission.name());
    let states = watch(&mut *submission, &interrupted)?;
    Ok(if interrupted.load(Ordering::Relaxed) {
        ExitCode::from(130)
    } else if states.iter().all(|state| *state == TaskState::Completed) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn launcher(overrides: &[String]) -> Result<Box<dyn TaskLauncher>, Box<dyn Error>> {
    let source = ConfigSource::Embedded {
        name: "launch_tool".to_owned(),
        files: &[("config.yaml", "")],
    };
    let mut request = ComposeRequest::new(source, "config");
    request.job_name = "launch_tool".to_owned();
    request.multirun = true;
    request.overrides = overrides.to_vec();
    let (config, warnings) = LauncherConfig::of(&compose(&request)?)?;
    for warning in warnings {
        eprintln!("warning: {warning}");
    }
    match config {
        LauncherConfig::SubmititLocal(config) => {
            let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
            Ok(Box::new(LocalLauncher::new(config, cores)))
        }
        LauncherConfig::SubmititSlurm(config) => {
            let mut launcher = SlurmLauncher::new(*config);
            // For a test that wants to see every state.
            launcher.poll_interval = Duration::from_millis(200);
            launcher.settling = Duration::from_secs(2);
            Ok(Box::new(launcher))
        }
        LauncherConfig::Basic | LauncherConfig::Joblib(_) => {
            Err("choose `hydra/launcher=submitit_local` or `submitit_slurm`: only these launch command lines".into())
        }
    }
}

fn watch(
    submission: &mut dyn Submission,
    interrupted: &AtomicBool,
) -> Result<Vec<TaskState>, Box<dyn Error>> {
    let mut before = Vec::new();
    let mut is_cancelled = false;
    loop {
        let states = submission.states()?;
        for (index, state) in states.iter().enumerate() {
            if before.get(index) != Some(state) {
                println!("{index}: {state}");
            }
        }
        if states.iter().all(TaskState::is_final) {
            return Ok(states);
        }
        if interrupted.load(Ordering::Relaxed) && !is_cancelled {
            submission.cancel()?;
            is_cancelled = true;
        }
        before = states;
        submission.wait(Duration::from_millis(500));
    }
}
