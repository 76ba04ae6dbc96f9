//! The binary from outside: what is typed, what comes out, what is left on disk.

mod composition;
mod config;
mod data;
mod data_commands;
mod dvc_output;
mod elsewhere;
mod interruption;
mod merge;
mod models;
mod multirun;
mod pipelines;
mod plots;
mod project;
mod remotes;
mod repro;
mod resume;
mod runs;
mod search;
mod synth;
mod track;
mod train;

#[allow(dead_code, reason = "the tests of the remotes use the rest")]
#[path = "../../../strata-pipeline/tests/remote/s3_server.rs"]
mod s3_server;
