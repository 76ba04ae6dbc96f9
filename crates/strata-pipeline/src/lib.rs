//! Stages, lock files, cache and remotes, as DVC 3.67 has them.
//!
//! ```text
//! dvc.yaml ─▶ definition, template, params ─▶ stage ─▶ project (graph, status, reproduction) ─▶ dvc.lock
//!                                             hash, cache, lock
//! ```
//!
//! * [`Repository`] is an opened project with its settings; [`Project`] its stages, and what can be done with them.
//! * [`stage`]: one stage, its lock entry, what has changed, its outputs, its kept runs.
//! * [`definition`]: what `dvc.yaml` and `.dvc` files say, checked and taken apart.
//! * [`template`]: `${…}`, `foreach` and `matrix` of a `dvc.yaml`, filled in and expanded.
//! * [`params`]: files of parameters, looked up and compared.
//! * [`plots`]: the plots of a project and their data, without drawing them.
//! * [`yaml`]: YAML 1.2, read and written as ruamel does for DVC.
//! * [`value`]: values of parameters and of lock files, compared and printed as Python does.
//! * [`config`]: settings of a project. [`ignore`]: which of its files do not count.
//! * [`hash`]: what files and folders are known by. [`cache`]: contents by their hashes.
//! * [`progress`]: what is told while many or large files are worked on, and the question whether to stop.
//! * [`remote`]: where objects are kept for others.
//! * [`merge`]: two versions of what commands write, made one for Git.
//! * [`lock`]: what lets DVC and strata work on one project at the same time.

pub mod cache;
pub mod config;
pub mod definition;
mod error;
mod git;
mod gitignore;
pub mod hash;
pub mod ignore;
pub mod lock;
pub mod merge;
mod parallel;
pub mod params;
pub mod plots;
pub mod progress;
pub mod project;
pub mod remote;
mod repository;
pub mod stage;
pub mod template;
#[cfg(test)]
mod testing;
pub mod value;
pub mod yaml;

pub use error::PipelineError;
pub use git::Git;
pub use project::Project;
pub use repository::Repository;
