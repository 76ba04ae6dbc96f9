//! The batch script.
//!
//! The options are those of submitit 1.5's `_make_sbatch_string`, in its order, with `--requeue` and the signal of ours.
//! Around the task there is shell of our own: it writes how the task ended, and queues it again if it was asked to stop.
//!
//! Slurm tells its wish in two ways, which the script tells apart. Without `B:`, the signal of `--signal`, like the one for
//! preemption, goes to what `srun` has started and not to the script: the task is to stop, and may go on later. When the job
//! has to end, for its time is up or somebody cancels it, the script gets SIGTERM too.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use super::commands::SlurmCommands;
use crate::config::{ParameterValue, SlurmConfig};
use crate::error::LaunchError;
use crate::paths::{EXIT, Part, REQUEUES, STDERR, STDOUT, TaskPaths, parts};
use crate::quote::{push_quoted, push_words};
use crate::task::Task;

/// Slurm looks at the time once a minute: it may ask that much earlier than it was told to.
const SLACK_S: u64 = 60;

/// # Errors
/// An option that has a line break in it.
pub(super) fn batch_script(
    config: &SlurmConfig,
    commands: &SlurmCommands,
    tasks: &[Task],
    paths: &TaskPaths,
) -> Result<Vec<u8>, LaunchError> {
    let stem = paths.stem();
    let is_array = tasks.len() > 1;
    let mut script = b"#!/bin/bash\n\n# Parameters\n".to_vec();
    for (name, value) in options(config, tasks.len(), &stem) {
        push_option(&mut script, &name, value.as_deref())?;
    }
    push_prologue(&mut script, config, &stem, is_array);
    if let Some(setup) = &config.queue.setup {
        script.extend_from_slice(b"\n# setup\n");
        for line in setup {
            push(&mut script, &[line, "\n"]);
        }
    }
    script.extend_from_slice(b"\n# command\n");
    push_tasks(&mut script, tasks);
    push_srun(&mut script, config, commands, &stem, is_array);
    push_epilogue(&mut script, config, commands);
    Ok(script)
}

/// The options of `sbatch`, sorted by name; none as the value of one that has none.
fn options(config: &SlurmConfig, count: usize, stem: &Path) -> BTreeMap<String, Option<OsString>> {
    let (common, queue) = (&config.common, &config.queue);
    let number = |number: Option<u32>| number.map(|number| number.to_string());
    let texts = [
        ("job-name", Some(common.name.clone())),
        ("time", Some(common.timeout_min.to_string())),
        ("nodes", Some("1".to_owned())),
        ("ntasks-per-node", Some("1".to_owned())),
        ("cpus-per-task", number(common.cpus_per_task)),
        ("gpus-per-node", number(common.gpus_per_node)),
        ("mem", common.mem_gb.map(|gb| format!("{gb}GB"))),
        ("partition", queue.partition.clone()),
        ("qos", queue.qos.clone()),
        ("comment", queue.comment.clone()),
        ("constraint", queue.constraint.clone()),
        ("exclude", queue.exclude.clone()),
        ("gres", queue.gres.clone()),
        ("cpus-per-gpu", number(queue.cpus_per_gpu)),
        ("gpus-per-task", number(queue.gpus_per_task)),
        ("mem-per-gpu", queue.mem_per_gpu.clone()),
        ("mem-per-cpu", queue.mem_per_cpu.clone()),
        ("account", queue.account.clone()),
        ("signal", Some(format!("TERM@{}", queue.signal_delay_s))),
        ("open-mode", Some("append".to_owned())),
    ];
    let mut options: BTreeMap<String, Option<OsString>> = texts
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), Some(value?.into()))))
        .collect();
    options.insert("requeue".to_owned(), None);
    let is_array = count > 1;
    if is_array {
        let at_once = count.min(queue.array_parallelism as usize);
        let array = format!("0-{}%{at_once}", count - 1);
        options.insert("array".to_owned(), Some(array.into()));
    }
    options.insert(
        "output".to_owned(),
        Some(pattern(stem, STDOUT, is_array, Some("0"))),
    );
    if !common.stderr_to_stdout {
        options.insert(
            "error".to_owned(),
            Some(pattern(stem, STDERR, is_array, Some("0"))),
        );
    }
    for (name, value) in &queue.additional_parameters {
        let name = name.replace('_', "-");
        match value {
            ParameterValue::Bare => options.insert(name, None),
            ParameterValue::Text(text) => options.insert(name, Some(text.into())),
            ParameterValue::Absent => options.remove(&name),
        };
    }
    options
}

fn push_option(script: &mut Vec<u8>, name: &str, value: Option<&OsStr>) -> Result<(), LaunchError> {
    push(script, &["#SBATCH --", name]);
    if let Some(value) = value {
        if value
            .as_bytes()
            .iter()
            .any(|&byte| byte == b'\n' || byte == b'\r')
        {
            return Err(LaunchError::SeveralLines {
                option: name.to_owned(),
            });
        }
        script.push(b'=');
        push_quoted(script, value);
    }
    script.push(b'\n');
    Ok(())
}

/// A file name for Slurm to fill in. `%t` is filled in by `srun` alone; `rank` stands for it elsewhere.
fn pattern(stem: &Path, end: &str, is_array: bool, rank: Option<&str>) -> OsString {
    let mut bytes = Vec::new();
    for part in parts(stem.as_os_str()) {
        match part {
            Part::Fixed(text) => {
                for &byte in text.as_bytes() {
                    // To Slurm a lone percent sign would mean something else.
                    bytes.extend_from_slice(if byte == b'%' {
                        b"%%"
                    } else {
                        std::slice::from_ref(&byte)
                    });
                }
            }
            Part::Id if is_array => bytes.extend_from_slice(b"%A_%a"),
            Part::Id => bytes.extend_from_slice(b"%j"),
            // Outside of an array, Slurm's `%a` is a very large number.
            Part::ArrayId => bytes.extend_from_slice(if is_array { b"%A" } else { b"%j" }),
            Part::Index => bytes.extend_from_slice(if is_array { b"%a" } else { b"0" }),
            Part::Rank => bytes.extend_from_slice(rank.unwrap_or("%t").as_bytes()),
        }
    }
    bytes.extend_from_slice(end.as_bytes());
    OsString::from_vec(bytes)
}

/// What is ready before anything can fail: the names of the files, and the trap that writes the exit code.
fn push_prologue(script: &mut Vec<u8>, config: &SlurmConfig, stem: &Path, is_array: bool) {
    let id = if is_array {
        "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
    } else {
        "$SLURM_JOB_ID"
    };
    push(
        script,
        &[
            "\n# What the task leaves on disk: how it ended\nstrata_id=\"",
            id,
            "\"\nstrata_stem=",
        ],
    );
    for part in parts(stem.as_os_str()) {
        let variable = match part {
            Part::Fixed(text) => {
                push_quoted(script, text);
                continue;
            }
            Part::Id => "\"$strata_id\"",
            Part::ArrayId => "\"${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}\"",
            Part::Index => "\"${SLURM_ARRAY_TASK_ID:-0}\"",
            Part::Rank => "0",
        };
        push(script, &[variable]);
    }
    let limit_s = (u64::from(config.common.timeout_min) * 60).to_string();
    push(
        script,
        &[
            "\nstrata_limit_s=",
            &limit_s,
            "
strata_ending=ended
strata_leave() {
    trap - EXIT
    if [ \"$strata_ending\" = told ]; then
        strata_ending=cancelled
        if ((strata_limit_s > 0 && SECONDS >= strata_limit_s - 5)); then strata_ending=timeout; fi
    fi
    printf '%s %s\\n' \"$1\" \"$strata_ending\" > \"${strata_stem}",
            EXIT,
            ".new\" &&
        mv -f -- \"${strata_stem}",
            EXIT,
            ".new\" \"${strata_stem}",
            EXIT,
            "\"
    exit \"$1\"
}
trap 'strata_leave $?' EXIT
# Only a job that has to end gets this, not one that is asked to stop and go on later
trap 'strata_ending=told' TERM
rm -f -- \"${strata_stem}",
            EXIT,
            "\"\n",
        ],
    );
}

/// The command line of each task, of which one is chosen.
fn push_tasks(script: &mut Vec<u8>, tasks: &[Task]) {
    if let [task] = tasks {
        push_task(script, task);
        return;
    }
    push(script, &["case $SLURM_ARRAY_TASK_ID in\n"]);
    for (index, task) in tasks.iter().enumerate() {
        push(script, &[&index.to_string(), ")\n"]);
        push_task(script, task);
        push(script, &[";;\n"]);
    }
    push(script, &["esac\n"]);
}

fn push_task(script: &mut Vec<u8>, task: &Task) {
    push(script, &["strata_folder="]);
    push_quoted(script, task.working_dir.as_os_str());
    let resumable = task
        .resumable_exit_code
        .map_or(String::new(), |code| code.to_string());
    push(
        script,
        &["\nstrata_resumable=", &resumable, "\nstrata_task=("],
    );
    // Not `export`, which has its own idea of what the name of a variable is.
    let variables: Vec<OsString> = task
        .environment
        .iter()
        .map(|(name, value)| {
            [name.as_os_str(), OsStr::new("="), value]
                .into_iter()
                .collect()
        })
        .collect();
    let env = (!variables.is_empty()).then(|| OsStr::new("env"));
    let words = env
        .into_iter()
        .chain(variables.iter().map(OsString::as_os_str))
        .chain([task.program.as_os_str()])
        .chain(task.args.iter().map(OsString::as_os_str));
    push_words(script, words);
    push(script, &[")\n"]);
}

fn push_srun(
    script: &mut Vec<u8>,
    config: &SlurmConfig,
    commands: &SlurmCommands,
    stem: &Path,
    is_array: bool,
) {
    let mut srun: Vec<OsString> = vec![commands.srun.clone().into(), "--unbuffered".into()];
    srun.extend(["--output".into(), pattern(stem, STDOUT, is_array, None)]);
    if !config.common.stderr_to_stdout {
        srun.extend(["--error".into(), pattern(stem, STDERR, is_array, None)]);
    }
    if let Some(cpus) = config.common.cpus_per_task {
        // Since Slurm 22.05 `srun` does not take it from the job any more, and would give the task one core.
        srun.extend(["--cpus-per-task".into(), cpus.to_string().into()]);
    }
    srun.extend(config.queue.srun_args.iter().flatten().map(OsString::from));
    push(
        script,
        &["cd -- \"$strata_folder\" || exit
[ \"$strata_ending\" = ended ] || exit 143
strata_code=0
"],
    );
    push_words(script, srun.iter().map(OsString::as_os_str));
    push(script, &[" \"${strata_task[@]}\" || strata_code=$?\n"]);
}

/// Queues a task again that was asked to stop. One that was cancelled in the same moment is not running any more.
fn push_epilogue(script: &mut Vec<u8>, config: &SlurmConfig, commands: &SlurmCommands) {
    let (squeue, scontrol) = (quoted(&commands.squeue), quoted(&commands.scontrol));
    let limit_s = u64::from(config.common.timeout_min) * 60;
    let nearly_s = limit_s.saturating_sub(u64::from(config.queue.signal_delay_s) + SLACK_S);
    push(
        script,
        &[
            "
# Queued again, if it was asked to stop
if [ \"$strata_ending\" = ended ] && [ \"$strata_code\" = \"$strata_resumable\" ]; then
    strata_ending=preempted
    if ((strata_limit_s > 0 && SECONDS >= ",
            &nearly_s.to_string(),
            ")); then strata_ending=timeout; fi
    strata_timeouts=$(grep -c '^timeout' \"${strata_stem}",
            REQUEUES,
            "\" 2> /dev/null) || true
    if [ \"$strata_ending\" = preempted ] || [ \"${strata_timeouts:-0}\" -lt ",
            &config.queue.max_num_timeout.to_string(),
            " ]; then
        printf '%s %s\\n' \"$strata_ending\" \"$(date '+%Y-%m-%dT%H:%M:%S%z')\" >> \"${strata_stem}",
            REQUEUES,
            "\"
        for strata_pause in 0 2 5 10 20; do
            sleep \"$strata_pause\"
            strata_state=$(",
            &squeue,
            " --noheader --jobs=\"$strata_id\" --format=%T) || continue
            if [ \"$strata_state\" != RUNNING ]; then
                strata_ending=told
                break
            fi
            if ",
            &scontrol,
            " requeue \"$strata_id\"; then
                trap - EXIT
                exit 0
            fi
        done
    fi
fi
exit \"$strata_code\"
",
        ],
    );
}

fn quoted(path: &Path) -> String {
    let mut script = Vec::new();
    push_quoted(&mut script, path.as_os_str());
    String::from_utf8_lossy(&script).into_owned()
}

fn push(script: &mut Vec<u8>, texts: &[&str]) {
    for text in texts {
        script.extend_from_slice(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{SlurmQueue, SubmititConfig};

    use super::*;

    fn plain() -> SlurmConfig {
        SlurmConfig {
            common: SubmititConfig {
                submitit_folder: "/sweeps/it's 100%/.submitit/%j".into(),
                timeout_min: 60,
                cpus_per_task: None,
                gpus_per_node: None,
                mem_gb: None,
                name: "mlp".to_owned(),
                stderr_to_stdout: true,
            },
            queue: SlurmQueue {
                partition: None,
                qos: None,
                comment: None,
                constraint: None,
                exclude: None,
                gres: None,
                cpus_per_gpu: None,
                gpus_per_task: None,
                mem_per_gpu: None,
                mem_per_cpu: None,
                account: None,
                signal_delay_s: 120,
                max_num_timeout: 0,
                additional_parameters: BTreeMap::new(),
                array_parallelism: 256,
                setup: None,
                srun_args: None,
            },
        }
    }

    /// All that can be asked of Slurm.
    fn rich() -> SlurmConfig {
        let mut config = plain();
        config.common.cpus_per_task = Some(4);
        config.common.gpus_per_node = Some(1);
        config.common.mem_gb = Some(16);
        config.common.name = "it's a \"sweep\"".to_owned();
        config.common.stderr_to_stdout = false;
        let text = |text: &str| Some(text.to_owned());
        let parameter = |name: &str, value| (name.to_owned(), value);
        config.queue = SlurmQueue {
            partition: text("gpu"),
            qos: text("low"),
            comment: text("for the #1 paper"),
            constraint: text("a100&nvlink"),
            exclude: text("node[1-3]"),
            gres: text("tmpdisk:10"),
            cpus_per_gpu: Some(8),
            gpus_per_task: Some(1),
            mem_per_gpu: text("8GB"),
            mem_per_cpu: text("2GB"),
            account: text("group"),
            max_num_timeout: 3,
            additional_parameters: BTreeMap::from([
                parameter("mail_type", ParameterValue::Text("END".to_owned())),
                parameter("exclusive", ParameterValue::Bare),
                parameter("requeue", ParameterValue::Absent),
                parameter("time", ParameterValue::Text("2:00:00".to_owned())),
            ]),
            array_parallelism: 1,
            setup: Some(vec!["module load gcc".to_owned(), "set -u".to_owned()]),
            srun_args: Some(vec![
                "-vv".to_owned(),
                "--cpu-bind".to_owned(),
                "none".to_owned(),
            ]),
            ..config.queue
        };
        config
    }

    fn task(args: &[&str]) -> Task {
        Task::new("/opt/strata", args, "/home/me/my study")
    }

    fn script(config: &SlurmConfig, tasks: &[Task]) -> String {
        let paths = TaskPaths::new(&config.common.submitit_folder).unwrap();
        let script = batch_script(config, &SlurmCommands::default(), tasks, &paths);
        String::from_utf8(script.unwrap()).unwrap()
    }

    #[test]
    fn one_task_with_the_defaults() {
        let script = script(&plain(), &[task(&["train", "model=mlp"])]);
        assert_eq!(script, include_str!("golden/one_task.sh"));
    }

    #[test]
    fn two_tasks_with_everything() {
        let mut first = task(&["train", "name='a b'", "tags=[x,\"y\"]"]);
        first
            .environment
            .insert("RUST_LOG".into(), "strata=info, warn".into());
        first.resumable_exit_code = Some(130);
        let script = script(&rich(), &[first, task(&["train", "name=$HOME"])]);
        assert_eq!(script, include_str!("golden/two_tasks.sh"));
    }

    #[test]
    fn no_more_run_at_once_than_there_are_or_than_may() {
        let array = |array_parallelism| {
            let mut config = plain();
            config.queue.array_parallelism = array_parallelism;
            let script = script(&config, &[task(&[]), task(&[]), task(&[])]);
            let line = script
                .lines()
                .find(|line| line.contains("--array"))
                .unwrap();
            line.to_owned()
        };
        assert_eq!(array(256), "#SBATCH --array=0-2%3");
        assert_eq!(array(2), "#SBATCH --array=0-2%2");
    }
}
