//! The W&B server: who may speak to it, how it is asked, and what is tried again.
//!
//! A [`Client`] sends requests and tries them again by a [`RetryPolicy`]; [`operations`] are the questions of
//! its GraphQL, [`credentials`] the keys. Measured against wandb 0.31.0.

mod client;
mod credentials;
mod operations;
mod retry;

pub use client::RequestError;
pub(super) use client::{Client, Patience};
pub use credentials::{CredentialsError, NetRc, host_of};
pub(super) use operations::{AlertInput, ArtifactFile, RemoteRun, ResumeStatus, RunInput};
pub(super) use retry::RetryPolicy;
