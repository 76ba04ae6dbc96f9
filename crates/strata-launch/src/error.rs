//! Why tasks cannot be launched.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why tasks cannot be launched, watched or cancelled.
#[derive(Debug, Error)]
pub enum LaunchError {
    /// [`submit`](crate::TaskLauncher::submit) was called without any.
    #[error("there is no task to launch")]
    NoTasks,

    /// A command of Slurm's is not installed.
    #[error(
        "`{}` is not there: jobs can be given to Slurm only on a machine that has its commands; \
         `hydra/launcher=submitit_local` runs them in processes on this one", command.display()
    )]
    NoSlurm {
        /// The command.
        command: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// A command of Slurm's has refused.
    #[error("`{command}` failed: {message}")]
    Refused {
        /// The command and its arguments.
        command: String,
        /// What it said.
        message: String,
    },

    /// A command of Slurm's has said something unheard of.
    #[error("`{command}` was expected to print {expected}, not `{answer}`")]
    Answer {
        /// The command and its arguments.
        command: String,
        /// What it usually prints.
        expected: &'static str,
        /// What it printed.
        answer: String,
    },

    /// A job was cancelled and is still there.
    #[error("Slurm job {job} was cancelled, but does not end; `squeue --jobs={job}` shows it")]
    DoesNotEnd {
        /// Its number.
        job: String,
    },

    /// An option of the batch script that would run on into the next line.
    #[error(
        "`hydra.launcher` sets `{option}` to a text of several lines, which no option of `sbatch` can have"
    )]
    SeveralLines {
        /// The option.
        option: String,
    },

    /// A file or folder of the launcher's.
    #[error(transparent)]
    Io(#[from] io::Error),
}
