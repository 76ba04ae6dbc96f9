//! The binary from outside: what is typed, what comes out, what is left on disk.

mod composition;
mod config;
mod data;
mod dvc_output;
mod interruption;
mod models;
mod multirun;
mod pipelines;
mod plots;
mod project;
mod resume;
mod synth;
mod train;
