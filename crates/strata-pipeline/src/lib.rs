//! Stages, lock files, cache and remotes, as DVC 3.67 has them.
//!
//! * [`value`]: values of parameters and of lock files, compared and printed as Python does.
//! * [`config`]: settings of a project.
//! * [`ignore`]: which files of a project do not count.
//! * [`hash`]: what files and folders are known by.
//! * [`cache`]: contents by their hashes.
//! * [`lock`]: what lets DVC and strata work on one project at the same time.

pub mod cache;
pub mod config;
pub mod hash;
pub mod ignore;
pub mod lock;
pub mod value;
