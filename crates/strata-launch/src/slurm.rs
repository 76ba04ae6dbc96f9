//! Tasks as jobs of Slurm (`hydra/launcher=submitit_slurm`).
//!
//! 1. [`script`] writes the batch script, with the options that submitit gives; several tasks are one job array.
//! 2. [`SlurmLauncher`] hands it to `sbatch`, held back, makes the folders that Slurm does not make, and lets it go.
//! 3. [`submission`] asks `squeue` (one call for all tasks, [`queue`]) and reads what the tasks leave on disk ([`traces`]):
//!    a cluster need not have an accounting database, without which Slurm forgets a job minutes after its end.
//!
//! A task that is asked to stop, because its time is nearly up or another job needs the node, gets SIGTERM. If it then ends
//! with its [`resumable_exit_code`](crate::Task::resumable_exit_code), its batch script queues it again.
//!
//! Difference from submitit: the signal. submitit sends SIGUSR2, and answers it inside of Python. SIGTERM is what Slurm
//! itself sends when it preempts a job, and what any program takes as a request to stop.

mod commands;
mod queue;
mod script;
mod submission;
mod traces;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::config::SlurmConfig;
use crate::error::LaunchError;
use crate::paths::{EXIT, REQUEUES, TaskPaths};
use crate::task::{Submission, Task, TaskLauncher};
use commands::Failure;
use submission::SlurmSubmission;

pub use commands::SlurmCommands;

/// How often the queue is asked whether a job that was cancelled has gone.
const BETWEEN_QUESTIONS: Duration = Duration::from_secs(1);

/// Gives tasks to Slurm.
#[derive(Debug, Clone)]
pub struct SlurmLauncher {
    /// What to ask Slurm for.
    pub config: SlurmConfig,
    /// The programs of Slurm's.
    pub commands: SlurmCommands,
    /// How long to let a busy controller be, before each new attempt to submit.
    pub retries: Vec<Duration>,
    /// How often the queue is asked, at most.
    pub poll_interval: Duration,
    /// How long after a task has ended its exit code may take to appear on a file system over the network.
    pub settling: Duration,
    /// How long the queue may give no answer.
    pub patience: Duration,
}

impl SlurmLauncher {
    /// Slurm's commands as `PATH` has them; the queue is asked every 15 seconds.
    pub fn new(config: SlurmConfig) -> Self {
        Self {
            config,
            commands: SlurmCommands::default(),
            retries: [1, 2, 5, 10, 20].map(Duration::from_secs).to_vec(),
            poll_interval: Duration::from_secs(15),
            settling: Duration::from_secs(45),
            patience: Duration::from_mins(10),
        }
    }

    /// Hands a script to `sbatch`, held back, and gives the number of the job.
    ///
    /// A controller that is too busy to answer in time may have taken the job all the same. So it is asked for the script,
    /// whose name is that of no other, before it gets it once more.
    fn sbatch(&self, script: &Path) -> Result<String, LaunchError> {
        let mut retries = self.retries.iter();
        loop {
            let error = match self.commands.submit(script) {
                Err(Failure::Busy(error)) => error,
                submitted => return submitted.map_err(Failure::into_error),
            };
            let Some(pause) = retries.next() else {
                return Err(error);
            };
            thread::sleep(*pause);
            if let Ok(Some(id)) = self.commands.job_of_script(script) {
                return Ok(id);
            }
        }
    }
}

impl TaskLauncher for SlurmLauncher {
    fn submit(&self, tasks: &[Task]) -> Result<Box<dyn Submission>, LaunchError> {
        if tasks.is_empty() {
            return Err(LaunchError::NoTasks);
        }
        let paths = TaskPaths::new(&self.config.common.submitit_folder)?;
        let text = script::batch_script(&self.config, &self.commands, tasks, &paths)?;
        fs_err::create_dir_all(paths.independent_folder())?;
        let script = paths.independent_folder().join(unique_name());
        fs_err::write(&script, text)?;

        let job = self.sbatch(&script).inspect_err(|_| {
            // It is of no use to anybody; that it cannot be removed either changes nothing.
            let _ = fs_err::remove_file(&script);
        })?;
        let ids: Vec<String> = match tasks.len() {
            1 => vec![job.clone()],
            count => (0..count).map(|index| format!("{job}_{index}")).collect(),
        };
        // From here on the job is cancelled if this fails.
        let submission = SlurmSubmission::new(self, paths.clone(), job.clone(), ids.clone());
        make_room(&paths, &job, &ids)?;
        fs_err::rename(
            &script,
            paths.folder_of(&job).join(format!("{job}_submission.sh")),
        )?;
        self.commands
            .patiently(&self.retries, |commands| commands.release(&job))?;
        Ok(Box::new(submission))
    }

    fn end_left_behind(&self, handle: &str) -> Result<(), LaunchError> {
        let commands = &self.commands;
        commands.patiently(&self.retries, |commands| commands.cancel(handle))?;
        let began = Instant::now();
        while began.elapsed() < self.patience {
            let text = commands.patiently(&self.retries, |commands| commands.list(handle))?;
            let mut tasks = queue::listing(&text).into_values();
            if tasks.all(|task| matches!(task, queue::Listed::Ended(_))) {
                return Ok(());
            }
            thread::sleep(BETWEEN_QUESTIONS.min(self.poll_interval));
        }
        Err(LaunchError::DoesNotEnd {
            job: handle.to_owned(),
        })
    }
}

/// What has to be there before a task starts: its folder, and no trace of a job that had its number once.
fn make_room(paths: &TaskPaths, job: &str, ids: &[String]) -> Result<(), LaunchError> {
    for id in ids {
        fs_err::create_dir_all(paths.folder_of(id))?;
        for end in [EXIT, REQUEUES] {
            match fs_err::remove_file(paths.file_of(id, end)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
    }
    fs_err::create_dir_all(paths.folder_of(job))?;
    Ok(())
}

/// The name of a batch script before the job has a number; nobody else on the network has it.
fn unique_name() -> PathBuf {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |time| time.as_nanos());
    format!("submission_file_{now:x}_{}.sh", process::id()).into()
}
