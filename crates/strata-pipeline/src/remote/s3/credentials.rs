//! Where keys come from: the order of boto3, as far as it needs no other service.

use std::collections::HashMap;
use std::env;
use std::path::PathBuf;

use rusty_s3::Credentials;

use super::profiles::{Profile, Profiles};
use crate::error::PipelineError;
use crate::remote::RemoteOptions;

/// The variables and the user's folder, which Amazon's own tools look at.
#[derive(Clone, Default)]
pub struct Environment {
    /// Variables.
    pub variables: HashMap<String, String>,
    /// The user's folder.
    pub home: Option<PathBuf>,
}

/// Variables hold keys.
impl std::fmt::Debug for Environment {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Environment")
            .field("home", &self.home)
            .finish_non_exhaustive()
    }
}

impl Environment {
    /// That of this process.
    pub fn of_process() -> Self {
        let variables = env::vars_os().filter_map(|(name, value)| {
            let name = name
                .into_string()
                .ok()
                .filter(|name| name.starts_with("AWS_"))?;
            Some((name, value.into_string().ok()?))
        });
        Self {
            variables: variables.collect(),
            home: env::home_dir(),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let value = self.variables.get(name).map(String::as_str);
        value.filter(|value| !value.trim().is_empty())
    }

    fn first<'a>(&'a self, names: &[&str]) -> Option<&'a str> {
        names.iter().find_map(|name| self.get(name))
    }

    /// A file: that of the variable, that of the settings, that of the user's folder.
    fn file(&self, variable: &str, set: Option<PathBuf>, below_home: &str) -> Option<PathBuf> {
        let named = self
            .get(variable)
            .map(|path| match (path.strip_prefix("~/"), &self.home) {
                (Some(below), Some(home)) => home.join(below),
                _ => PathBuf::from(path),
            });
        named
            .or(set)
            .or_else(|| Some(self.home.as_ref()?.join(below_home)))
    }
}

/// What Amazon's files say of the chosen profile.
pub(super) struct Account {
    profiles: Profiles,
    /// The chosen profile, and whether the remote's settings choose it.
    name: String,
    is_explicit: bool,
}

impl Account {
    /// Reads the files.
    ///
    /// # Errors
    /// A file that cannot be read; a chosen profile that is in neither.
    pub(super) fn read(
        options: &RemoteOptions<'_>,
        environment: &Environment,
    ) -> Result<Self, PipelineError> {
        let config = environment.file("AWS_CONFIG_FILE", options.path("configpath"), ".aws/config");
        let credentials = environment.file(
            "AWS_SHARED_CREDENTIALS_FILE",
            options.path("credentialpath"),
            ".aws/credentials",
        );
        let profiles = Profiles::read(config.as_deref(), credentials.as_deref())?;
        let explicit = options.get("profile");
        let chosen =
            explicit.or_else(|| environment.first(&["AWS_DEFAULT_PROFILE", "AWS_PROFILE"]));
        if let Some(name) = chosen
            && profiles.get(name).is_none()
        {
            let why = format!("the config profile ({name}) could not be found");
            return Err(
                options.wrong(&match strata_diag::closest(name, profiles.names()) {
                    Some(closest) => format!("{why}; did you mean '{closest}'?"),
                    None => why,
                }),
            );
        }
        Ok(Self {
            name: chosen.unwrap_or("default").to_owned(),
            is_explicit: explicit.is_some(),
            profiles,
        })
    }

    pub(super) fn get(&self, option: &str) -> Option<&str> {
        self.profiles.get(&self.name)?.get(option)
    }

    /// The keys: of the settings, of the environment unless the settings choose a profile, of the profile.
    ///
    /// # Errors
    /// There are none, half of them, or they are had in a way that is not known.
    pub(super) fn credentials(
        &self,
        options: &RemoteOptions<'_>,
        environment: &Environment,
    ) -> Result<Credentials, PipelineError> {
        let half = |place: &str, missing: &str| {
            options.wrong(&format!(
                "partial credentials found in {place}, missing: {missing}"
            ))
        };
        match (
            options.get("access_key_id"),
            options.get("secret_access_key"),
        ) {
            (Some(key), Some(secret)) => {
                return Ok(keys(key, secret, options.get("session_token")));
            }
            (Some(_), None) => return Err(half("the settings", "secret_access_key")),
            (None, Some(_)) => return Err(half("the settings", "access_key_id")),
            (None, None) => {}
        }
        if !self.is_explicit {
            let secret = environment.get("AWS_SECRET_ACCESS_KEY");
            match (environment.get("AWS_ACCESS_KEY_ID"), secret) {
                (Some(key), Some(secret)) => {
                    let token = environment.first(&["AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"]);
                    return Ok(keys(key, secret, token));
                }
                (Some(_), None) => return Err(half("the environment", "AWS_SECRET_ACCESS_KEY")),
                _ => {}
            }
        }
        let Some(profile) = self.profiles.get(&self.name) else {
            return Err(options.wrong(NO_KEYS));
        };
        match (profile.get("aws_access_key_id"), profile.get("aws_secret_access_key")) {
            (Some(key), Some(secret)) => Ok(keys(key, secret, profile.get("aws_session_token"))),
            (Some(_), None) => Err(half(&format!("the profile '{}'", self.name), "aws_secret_access_key")),
            _ => Err(options.wrong(&match way_of(profile) {
                Some(way) => format!(
                    "the profile '{}' has its keys by {way}, which is not known here; `aws configure export-credentials --profile {} \
                     --format env` prints them for the environment",
                    self.name, self.name
                ),
                None => NO_KEYS.to_owned(),
            })),
        }
    }
}

const NO_KEYS: &str = "unable to locate credentials; set `access_key_id` and `secret_access_key` (with --local), `profile`, the \
                       variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or `allow_anonymous_login` for a public bucket";

fn keys(key: &str, secret: &str, token: Option<&str>) -> Credentials {
    match token {
        Some(token) => Credentials::new_with_token(key, secret, token),
        None => Credentials::new(key, secret),
    }
}

fn way_of(profile: &Profile) -> Option<&'static str> {
    let ways = [
        "role_arn",
        "sso_session",
        "sso_start_url",
        "credential_process",
        "web_identity_token_file",
        "login_session",
    ];
    ways.into_iter().find(|way| profile.get(way).is_some())
}
