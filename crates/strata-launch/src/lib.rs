//! Where the jobs of a multirun execute.
//!
//! A job is one of two things:
//!
//! * a closure, which [`run_jobs`] runs on the threads of a pool in this process; one that panics
//!   fails alone ([`JobPanic`]), and [`threads_of_worker`] parts the cores;
//! * a command line, a [`Task`], which a [`TaskLauncher`] starts elsewhere. What it gives back is a [`Submission`]: the
//!   [`TaskState`] of each task, where its output is, and the means to cancel it.
//!
//! [`LauncherConfig`] is the choice between them, as `hydra/launcher` has it:
//!
//! | `hydra/launcher` | the jobs run |
//! | --- | --- |
//! | `basic` | in this process, one after the other |
//! | `joblib` | in this process, side by side |
//! | `submitit_local` | in child processes: [`LocalLauncher`] |
//! | `submitit_slurm` | on a cluster: [`SlurmLauncher`] |
//!
//! The crate knows nothing of training, sweeps or studies.

mod config;
mod error;
mod local;
mod panic;
mod paths;
mod pool;
mod quote;
mod slurm;
mod task;

pub use config::{
    JoblibConfig, LauncherConfig, ParameterValue, SlurmConfig, SlurmQueue, SubmititConfig,
};
pub use error::LaunchError;
pub use local::LocalLauncher;
pub use panic::{JobPanic, catch_panic};
pub use pool::{run_jobs, threads_of_worker};
pub use slurm::{SlurmCommands, SlurmLauncher};
pub use task::{Submission, Task, TaskLauncher, TaskLog, TaskState};
