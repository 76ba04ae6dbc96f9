//! The binary from outside: what is typed, what comes out, what is left on disk.

mod composition;
mod config;
mod data;
mod data_commands;
mod interruption;
mod merge;
mod models;
mod multirun;
mod project;
mod repro;
mod resume;
mod synth;
mod train;
