//! A user at a server: what `strata wandb login` and `strata sync` ask for.

use std::path::Path;

use super::server::{Client, CredentialsError, Patience, RequestError};
use super::settings::{ApiKey, Settings};
use super::upload::{self, SyncError, SyncOptions, SyncOutcome};

/// A server and a key for it.
pub struct Session {
    client: Client,
    patience: Patience,
    app_url: String,
}

/// Why nobody can speak to the server.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// There is a key, or should be, but it cannot be read.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// No key is known for the server.
    #[error("there is no key for {0}; set WANDB_API_KEY, or keep one with `strata wandb login`")]
    NoKey(String),
    /// The server does not know the key, or does not answer.
    #[error(transparent)]
    Server(#[from] RequestError),
}

impl Session {
    /// With the user's key.
    ///
    /// # Errors
    /// If there is none; the server is not asked.
    pub fn new(settings: &Settings) -> Result<Self, SessionError> {
        let key = settings.key()?;
        let key = key.ok_or_else(|| SessionError::NoKey(settings.base_url().to_owned()))?;
        Ok(Self::with_key(settings, &key))
    }

    /// With another key.
    pub fn with_key(settings: &Settings, key: &ApiKey) -> Self {
        Self {
            client: Client::new(settings.server.clone(), key),
            patience: Patience::default(),
            app_url: settings.server.app_url.clone(),
        }
    }

    /// Who the key belongs to, as the server says, and the team that runs go to without another word.
    ///
    /// # Errors
    /// If the server does not know the key or does not answer.
    pub fn user(&self) -> Result<(String, String), SessionError> {
        let viewer = self.client.viewer(&self.patience)?;
        Ok((viewer.username, viewer.entity))
    }

    /// Sends the run of a transaction log, or what the server does not have of it yet.
    ///
    /// # Errors
    /// If not all of it could be sent; another call goes on where this one ended.
    pub fn sync(&self, log: &Path, options: &SyncOptions) -> Result<SyncOutcome, SyncError> {
        upload::send(&self.client, &self.patience, log, options, &self.app_url)
    }
}
