//! The binary from outside: what is typed, what comes out, what is left on disk.

mod composition;
mod data;
mod interruption;
mod models;
mod project;
mod train;
