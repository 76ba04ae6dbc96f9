//! The Slurm launcher against programs that only play Slurm: links in a folder of the test to the scripts in `fake_slurm`.
//! The batch script is run by bash as Slurm would run it.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use strata_launch::{
    LaunchError, SlurmCommands, SlurmConfig, SlurmLauncher, SlurmQueue, Submission, SubmititConfig,
    Task, TaskLauncher, TaskState,
};

struct Room {
    folder: tempfile::TempDir,
    launcher: SlurmLauncher,
}

impl Room {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fakes = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fake_slurm");
        let link = |name: &str, to: &str| -> PathBuf {
            let path = folder.path().join(name);
            symlink(fakes.join(to), &path).unwrap();
            path
        };
        let commands = SlurmCommands {
            sbatch: link("sbatch", "sbatch"),
            squeue: link("squeue", "squeue"),
            scontrol: link("scontrol", "note"),
            scancel: link("scancel", "note"),
            srun: link("srun", "srun"),
        };
        let config = SlurmConfig {
            common: SubmititConfig {
                submitit_folder: folder.path().join("it's 100% here/%j"),
                timeout_min: 60,
                cpus_per_task: Some(2),
                gpus_per_node: None,
                mem_gb: None,
                name: "test".to_owned(),
                stderr_to_stdout: false,
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
        };
        let mut launcher = SlurmLauncher::new(config);
        launcher.commands = commands;
        launcher.retries = vec![Duration::ZERO; 3];
        launcher.poll_interval = Duration::ZERO;
        launcher.settling = Duration::ZERO;
        Self { folder, launcher }
    }

    fn submit(&self, scripts: &[&str]) -> Box<dyn Submission> {
        let tasks: Vec<Task> = scripts.iter().map(|script| self.task(script)).collect();
        self.launcher.submit(&tasks).unwrap()
    }

    /// Words with quotes and blanks, which `$1` and `$MOOD` shall be in the end.
    fn task(&self, script: &str) -> Task {
        let mut task = Task::new(
            "sh",
            ["-c", script, "sh", "it's \"$HOME\""],
            self.folder.path(),
        );
        task.environment.insert("MOOD".into(), "so so".into());
        task.resumable_exit_code = Some(130);
        task
    }

    fn says(&self, name: &str, text: &str) {
        fs_err::write(self.folder.path().join(name), text).unwrap();
    }

    fn calls(&self) -> Vec<String> {
        let calls = fs_err::read_to_string(self.folder.path().join("calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }

    fn calls_of(&self, command: &str) -> usize {
        let starts = format!("{command} ");
        self.calls()
            .iter()
            .filter(|call| call.starts_with(&starts))
            .count()
    }

    /// Runs the batch script as the job with one task, or as one task of the array.
    fn run(&self, index: Option<usize>) -> ExitStatus {
        let mut bash = Command::new("bash");
        bash.arg(self.folder.path().join("script.sh"))
            .current_dir("/");
        match index {
            None => bash.env("SLURM_JOB_ID", "4711"),
            Some(index) => bash
                .env("SLURM_JOB_ID", (4712 + index).to_string())
                .env("SLURM_ARRAY_JOB_ID", "4711")
                .env("SLURM_ARRAY_TASK_ID", index.to_string()),
        };
        bash.status().unwrap()
    }

    fn left(&self, id: &str, end: &str) -> String {
        let folder = self.folder.path().join("it's 100% here").join(id);
        fs_err::read_to_string(folder.join(format!("{id}_0{end}"))).unwrap()
    }
}

fn words(submission: &mut dyn Submission) -> Vec<String> {
    submission
        .states()
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn one_task_is_a_job_held_back_until_its_folder_is_there() {
    let room = Room::new();
    let mut submission = room.submit(&["echo \"$1, $MOOD\"; echo oops >&2; pwd > where"]);
    assert_eq!(submission.name(), "Slurm job 4711");
    assert_eq!(room.calls()[0].split_whitespace().nth(2), Some("--hold"));
    assert_eq!(room.calls()[1], "scontrol release 4711");

    assert!(room.run(None).success());

    assert_eq!(room.left("4711", "_log.out"), "it's \"$HOME\", so so\n");
    assert_eq!(room.left("4711", "_log.err"), "oops\n");
    assert_eq!(room.left("4711", "_exit"), "0 ended\n");
    let log = submission.log_of(0);
    assert!(log.stdout.exists() && log.stderr.unwrap().exists());
    let script = log.stdout.with_file_name("4711_submission.sh");
    assert!(script.exists());
    assert!(room.folder.path().join("where").exists());
    assert_eq!(words(&mut *submission), ["completed"]);
    assert_eq!(
        room.calls_of("squeue"),
        0,
        "what is on disk needs no question"
    );
}

#[test]
fn each_task_of_an_array_runs_its_own_command() {
    let room = Room::new();
    room.says(
        "squeue.answer",
        "4711_0|RUNNING|None\n4711_1|RUNNING|None\n4711_2|PENDING|Resources\n",
    );
    let mut submission = room.submit(&["echo zero", "echo one; exit 3", "kill -9 $$"]);
    assert_eq!(
        words(&mut *submission),
        ["running", "running", "pending (Resources)"]
    );
    assert_eq!(room.calls_of("squeue"), 1, "one question for all of them");

    let codes = [0, 1, 2].map(|index| room.run(Some(index)).code());

    assert_eq!(codes, [Some(0), Some(3), Some(137)]);
    assert_eq!(room.left("4711_1", "_log.out"), "one\n");
    assert_eq!(
        words(&mut *submission),
        ["completed", "failed with exit code 3", "killed by signal 9"]
    );
}

#[test]
fn setup_goes_before_the_task_and_may_fail_for_it() {
    let mut room = Room::new();
    room.launcher.config.queue.setup = Some(vec!["export GREETING=hi".to_owned()]);
    let _one = room.submit(&["echo $GREETING"]);
    room.run(None);
    assert_eq!(room.left("4711", "_log.out"), "hi\n");

    room.launcher.config.queue.setup = Some(vec!["set -e".to_owned(), "(exit 4)".to_owned()]);
    let mut two = room.submit(&["touch ran"]);
    assert_eq!(room.run(None).code(), Some(4));
    assert_eq!(words(&mut *two), ["failed with exit code 4"]);
    assert!(!room.folder.path().join("ran").exists());
}

#[test]
fn a_folder_that_is_not_there_is_a_failure_with_a_message() {
    let room = Room::new();
    let mut task = room.task("true");
    task.working_dir = room.folder.path().join("nowhere");
    let mut submission = room.launcher.submit(&[task]).unwrap();
    room.run(None);
    assert_eq!(words(&mut *submission), ["failed with exit code 1"]);
}

#[test]
fn one_that_was_asked_to_stop_is_queued_again_as_often_as_it_is_preempted() {
    let room = Room::new();
    let mut submission = room.submit(&["exit 130", "true"]);
    room.says("squeue.answer", "RUNNING\n");
    for _ in 0..3 {
        assert!(room.run(Some(0)).success());
    }
    let requeue = "scontrol requeue 4711_0";
    assert_eq!(
        room.calls().iter().filter(|call| *call == requeue).count(),
        3
    );

    room.says(
        "squeue.answer",
        "4711_0|PENDING|BeginTime\n4711_1|RUNNING|None\n",
    );
    let states = submission.states().unwrap();
    assert_eq!(
        states[0],
        TaskState::Pending {
            reason: "BeginTime".to_owned(),
            requeues: 3
        }
    );
    assert_eq!(states[0].to_string(), "queued again (BeginTime)");
}

#[test]
fn one_whose_time_is_up_is_queued_again_so_many_times() {
    let mut room = Room::new();
    // With so little time, every request to stop is because of the time.
    room.launcher.config.common.timeout_min = 1;
    room.launcher.config.queue.max_num_timeout = 2;
    let mut submission = room.submit(&["exit 130"]);
    room.says("squeue.answer", "RUNNING\n");
    for _ in 0..3 {
        room.run(None);
    }
    assert_eq!(
        room.calls()
            .iter()
            .filter(|call| *call == "scontrol requeue 4711")
            .count(),
        2
    );
    assert_eq!(room.left("4711", "_exit"), "130 timeout\n");

    room.says("squeue.answer", "4711|FAILED|NonZeroExitCode\n");
    assert_eq!(words(&mut *submission), ["out of time"]);
}

#[test]
fn one_that_was_cancelled_is_not_queued_again() {
    let mut room = Room::new();
    room.launcher.config.queue.setup = Some(vec!["export BATCH=$$".to_owned()]);
    let mut submission = room.submit(&["exit 130", "kill -TERM $BATCH; exit 130"]);
    // The queue says what `scancel` has made of the job, in the moment between its two signals.
    room.says("squeue.answer", "COMPLETING\n");
    room.run(Some(0));
    assert_eq!(room.left("4711_0", "_exit"), "130 cancelled\n");
    // The script has been told itself.
    room.run(Some(1));
    assert_eq!(room.left("4711_1", "_exit"), "130 cancelled\n");
    assert!(
        !room
            .calls()
            .iter()
            .any(|call| call.starts_with("scontrol requeue"))
    );

    // As long as Slurm has it among those that run, it may yet decide to queue it again itself.
    room.says(
        "squeue.answer",
        "4711_0|COMPLETING|None\n4711_1|COMPLETING|None\n",
    );
    assert_eq!(words(&mut *submission), ["running", "running"]);
    room.says("squeue.answer", "4711_0|CANCELLED|None\n");
    assert_eq!(words(&mut *submission), ["cancelled", "cancelled"]);
}

#[test]
fn one_that_vanishes_without_a_trace_is_lost() {
    let mut room = Room::new();
    let running = "4711_0|RUNNING|None\n4711_1|RUNNING|None\n4711_2|PENDING|Resources\n";
    room.says("squeue.answer", running);
    room.launcher.settling = Duration::from_mins(5);
    let mut patient = room.submit(&["true", "true", "true"]);
    patient.states().unwrap();
    room.says(
        "squeue.error",
        "slurm_load_jobs error: Invalid job id specified\n",
    );
    assert_eq!(
        words(&mut *patient)[0],
        "running",
        "its exit code may still appear"
    );

    room.says("squeue.error", "");
    room.launcher.settling = Duration::ZERO;
    let mut submission = room.submit(&["true", "true", "true"]);
    submission.states().unwrap();
    room.says("squeue.answer", "4711_1|FAILED|JobLaunchFailure\n");
    assert_eq!(
        words(&mut *submission),
        [
            "lost: the queue has forgotten it, and it left no exit code",
            "failed (Slurm says FAILED, JobLaunchFailure)",
            // Nobody has seen it run, and it has no log.
            "cancelled",
        ]
    );
}

#[test]
fn a_busy_controller_is_asked_again() {
    let mut room = Room::new();
    let busy = "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)\n";
    room.says("sbatch.errors", &busy.repeat(2));
    room.says("squeue.answer", "4711|RUNNING|None\n");
    let mut submission = room.submit(&["true"]);
    assert_eq!(room.calls_of("sbatch"), 3);
    assert_eq!(words(&mut *submission), ["running"]);

    room.says(
        "squeue.error",
        "slurm_load_jobs error: Socket timed out on send/recv operation\n",
    );
    assert_eq!(words(&mut *submission), ["running"], "what was known stays");

    room.launcher.patience = Duration::ZERO;
    let mut impatient = room.submit(&["true"]);
    impatient.states().unwrap();
    let error = impatient.states().unwrap_err();
    assert!(error.to_string().contains("Socket timed out"), "{error}");
}

#[test]
fn a_job_that_was_taken_without_an_answer_is_not_submitted_twice() {
    let room = Room::new();
    room.says(
        "sbatch.errors",
        "sbatch: error: Socket timed out on send/recv operation\n",
    );
    room.says("took-it", "");
    let submission = room.submit(&["true"]);
    assert_eq!(submission.name(), "Slurm job 4711");
    assert_eq!(room.calls_of("sbatch"), 1);
}

#[test]
fn a_refusal_says_what_slurm_said() {
    let room = Room::new();
    room.says(
        "sbatch.errors",
        "sbatch: error: invalid partition specified: gpu\n",
    );
    let error = room.launcher.submit(&[room.task("true")]).err().unwrap();
    let message = error.to_string();
    assert!(message.contains("sbatch --parsable --hold"), "{message}");
    assert!(
        message.contains("invalid partition specified: gpu"),
        "{message}"
    );
    let left = fs_err::read_dir(room.folder.path().join("it's 100% here"))
        .unwrap()
        .count();
    assert_eq!(left, 0, "the script of a job that never was is of no use");

    room.says("sbatch.answer", "Submitted, I think\n");
    let error = room.launcher.submit(&[room.task("true")]).err().unwrap();
    assert!(
        error
            .to_string()
            .contains("expected to print the number of the job"),
        "{error}"
    );
}

#[test]
fn a_job_that_cannot_be_let_go_is_cancelled() {
    let room = Room::new();
    room.says("scontrol.error", "Access/permission denied\n");
    assert!(room.launcher.submit(&[room.task("true")]).is_err());
    assert_eq!(room.calls().last().unwrap(), "scancel 4711");
}

#[test]
fn without_slurm_the_error_names_what_works() {
    let mut room = Room::new();
    room.launcher.commands.sbatch = room.folder.path().join("bin/sbatch");
    let error = room.launcher.submit(&[room.task("true")]).err().unwrap();
    assert!(matches!(error, LaunchError::NoSlurm { .. }));
    let message = error.to_string();
    assert!(message.contains("bin/sbatch` is not there"), "{message}");
    assert!(
        message.contains("`hydra/launcher=submitit_local`"),
        "{message}"
    );
}

#[test]
fn dropping_cancels_what_has_not_ended_unless_it_is_detached() {
    let room = Room::new();
    room.says(
        "squeue.answer",
        "4711_0|RUNNING|None\n4711_1|PENDING|Resources\n",
    );
    let mut detached = room.submit(&["true", "true"]);
    detached.detach();
    drop(detached);
    assert_eq!(room.calls_of("scancel"), 0);

    drop(room.submit(&["true", "true"]));
    assert_eq!(room.calls_of("scancel"), 1);

    let mut cancelled = room.submit(&["true", "true"]);
    cancelled.cancel().unwrap();
    room.says("squeue.answer", "4711_0|CANCELLED|None\n");
    assert_eq!(words(&mut *cancelled), ["cancelled", "cancelled"]);
    drop(cancelled);
    assert_eq!(room.calls_of("scancel"), 2, "once is enough");

    let mut ended = room.submit(&["true"]);
    room.run(None);
    ended.states().unwrap();
    drop(ended);
    assert_eq!(room.calls_of("scancel"), 2);
}

#[test]
fn an_option_of_several_lines_is_refused() {
    let mut room = Room::new();
    room.launcher.config.queue.comment = Some("one\n#SBATCH --nodes=9".to_owned());
    let error = room.launcher.submit(&[room.task("true")]).err().unwrap();
    assert!(error.to_string().contains("`comment`"), "{error}");
    assert!(room.calls().is_empty());
}
