//! Slurm's programs: calling them, and what their failures mean.

use std::env;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::error::LaunchError;

/// The programs of Slurm's that are called, as names for `PATH` or as paths.
///
/// `squeue`, `scontrol` and `srun` are called from within the job too, where they have to be found by the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlurmCommands {
    /// Takes the batch script.
    pub sbatch: PathBuf,
    /// Tells the state of jobs.
    pub squeue: PathBuf,
    /// Releases and requeues jobs.
    pub scontrol: PathBuf,
    /// Ends jobs.
    pub scancel: PathBuf,
    /// Starts the task within its job.
    pub srun: PathBuf,
}

impl Default for SlurmCommands {
    fn default() -> Self {
        Self {
            sbatch: "sbatch".into(),
            squeue: "squeue".into(),
            scontrol: "scontrol".into(),
            scancel: "scancel".into(),
            srun: "srun".into(),
        }
    }
}

/// A command that failed.
pub(super) enum Failure {
    /// The controller may well answer in a while.
    Busy(LaunchError),
    /// It will not do it.
    Final(LaunchError),
}

impl Failure {
    pub(super) fn into_error(self) -> LaunchError {
        match self {
            Self::Busy(error) | Self::Final(error) => error,
        }
    }
}

/// What Slurm's commands say when the controller does not answer.
const BUSY: &[&str] = &[
    "Socket timed out",
    "Unable to contact slurm controller",
    "Zero Bytes were transmitted or received",
    "Slurm temporarily unable to accept job",
    "Resource temporarily unavailable",
    "Slurm backup controller in standby mode",
];

/// What they say of a job that ended minutes ago.
const FORGOTTEN: &str = "Invalid job id specified";

impl SlurmCommands {
    /// `sbatch`: the number of the job, which waits until it is released.
    pub(super) fn submit(&self, script: &Path) -> Result<String, Failure> {
        let options = ["--parsable", "--hold"].map(OsStr::new);
        let args: Vec<&OsStr> = options.into_iter().chain([script.as_os_str()]).collect();
        let answer = run(&self.sbatch, &args)?;
        // On a federation of clusters: `4711;cluster`.
        let id = answer.trim().split(';').next().unwrap_or_default();
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Failure::Final(LaunchError::Answer {
                command: shown(&self.sbatch, &args),
                expected: "the number of the job",
                answer: answer.trim().to_owned(),
            }));
        }
        Ok(id.to_owned())
    }

    /// The number of the user's job that has this script, if there is one.
    pub(super) fn job_of_script(&self, script: &Path) -> Result<Option<String>, Failure> {
        let args = ["--me", "--noheader", "--states=all", "--format=%F|%o"].map(OsStr::new);
        let listing = run(&self.squeue, &args)?;
        let script = script.to_string_lossy();
        let mut jobs = listing.lines().filter_map(|line| line.split_once('|'));
        let job = jobs.find(|(_, command)| command.trim() == script);
        Ok(job.map(|(id, _)| id.trim().to_owned()))
    }

    /// What the queue lists of a job and all tasks of its array, as [`queue::listing`](super::queue::listing) reads it;
    /// nothing if it has forgotten the job.
    pub(super) fn list(&self, job: &str) -> Result<String, Failure> {
        let jobs = format!("--jobs={job}");
        let args = [
            "--noheader",
            "--array",
            "--states=all",
            "--format=%i|%T|%r",
            &jobs,
        ];
        match run(&self.squeue, &args.map(OsStr::new)) {
            Err(Failure::Final(LaunchError::Refused { message, .. }))
                if message.contains(FORGOTTEN) =>
            {
                Ok(String::new())
            }
            listed => listed,
        }
    }

    pub(super) fn release(&self, job: &str) -> Result<(), Failure> {
        run(&self.scontrol, &["release", job].map(OsStr::new)).map(drop)
    }

    /// `scancel`, which has nothing against a job that has ended.
    pub(super) fn cancel(&self, job: &str) -> Result<(), Failure> {
        match run(&self.scancel, &[job].map(OsStr::new)) {
            Err(Failure::Final(LaunchError::Refused { message, .. }))
                if message.contains(FORGOTTEN) =>
            {
                Ok(())
            }
            cancelled => cancelled.map(drop),
        }
    }

    /// Calls a command that may be called several times, until the controller is not too busy.
    pub(super) fn patiently<T>(
        &self,
        retries: &[Duration],
        call: impl Fn(&Self) -> Result<T, Failure>,
    ) -> Result<T, LaunchError> {
        for pause in retries {
            match call(self) {
                Err(Failure::Busy(_)) => thread::sleep(*pause),
                done => return done.map_err(Failure::into_error),
            }
        }
        call(self).map_err(Failure::into_error)
    }
}

fn run(program: &Path, args: &[&OsStr]) -> Result<String, Failure> {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null());
    if env::var_os("SLURM_JOB_ID").is_some() {
        // Launched from within a job: `sbatch` would hand that job's cores and memory on as wishes for the new one.
        let of_outer = |name: &OsStr| {
            let name = name.to_string_lossy();
            name.starts_with("SLURM_") && name != "SLURM_CONF" && name != "SLURM_CLUSTERS"
        };
        for (name, _) in env::vars_os().filter(|(name, _)| of_outer(name)) {
            command.env_remove(name);
        }
    }
    let output = command.output().map_err(|error| {
        Failure::Final(if error.kind() == ErrorKind::NotFound {
            LaunchError::NoSlurm {
                command: program.to_owned(),
                source: error,
            }
        } else {
            LaunchError::Io(error)
        })
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let message = match said.trim() {
        "" => output.status.to_string(),
        said => said.to_owned(),
    };
    let is_busy = BUSY.iter().any(|sign| message.contains(sign));
    let error = LaunchError::Refused {
        command: shown(program, args),
        message,
    };
    Err(if is_busy {
        Failure::Busy(error)
    } else {
        Failure::Final(error)
    })
}

fn shown(program: &Path, args: &[&OsStr]) -> String {
    let words = [program.as_os_str()]
        .into_iter()
        .chain(args.iter().copied());
    words
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}
