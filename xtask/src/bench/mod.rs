//! Measurements side by side with the peers, in turn (A B A B …), in one run.

mod measure;
pub(crate) mod pipeline;
pub(crate) mod training;
