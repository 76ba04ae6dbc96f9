//! Where the jobs of a multirun execute.
//!
//! A job is one of two things:
//!
//! * a closure, which [`run_jobs`] runs on the threads of a pool in this process; one that panics
//!   fails alone ([`JobPanic`]), and [`threads_of_worker`] parts the cores;
//! * a command line, started elsewhere.
//!
//! [`LauncherConfig`] is the choice between them, as `hydra/launcher` has it:
//!
//! | `hydra/launcher` | the jobs run |
//! | --- | --- |
//! | `basic` | in this process, one after the other |
//! | `joblib` | in this process, side by side |
//! | `submitit_local` | in child processes |
//! | `submitit_slurm` | on a cluster |
//!
//! The crate knows nothing of training, sweeps or studies.

mod config;
mod panic;
mod pool;

pub use config::{
    JoblibConfig, LauncherConfig, ParameterValue, SlurmConfig, SlurmQueue, SubmititConfig,
};
pub use panic::{JobPanic, catch_panic};
pub use pool::{run_jobs, threads_of_worker};
