//! One file per command.

pub(crate) mod completion;
pub(crate) mod config;
pub(crate) mod data;
pub(crate) mod eval;
pub(crate) mod pipeline;
pub(crate) mod predict;
pub(crate) mod resume;
pub(crate) mod runs;
pub(crate) mod study;
pub(crate) mod sweep_worker;
pub(crate) mod sync;
pub(crate) mod synth;
pub(crate) mod table;
pub(crate) mod track;
pub(crate) mod train;
pub(crate) mod wandb;
