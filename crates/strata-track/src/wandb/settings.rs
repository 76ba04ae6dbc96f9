//! What the user set for W&B: environment variables and settings files.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::server::{CredentialsError, NetRc, RetryPolicy, host_of};

const PUBLIC_SERVER: &str = "https://api.wandb.ai";
const FINISH_TIMEOUT: Duration = Duration::from_mins(1);
const STATS_INTERVAL: Duration = Duration::from_secs(15);
const TRANSMIT_INTERVAL: Duration = Duration::from_secs(15);

/// Where a run goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunMode {
    /// To the server while it goes on.
    #[default]
    Online,
    /// To a folder, from where `wandb sync` sends it.
    Offline,
    /// Nowhere.
    Disabled,
}

/// Settings below the arguments of a run: environment before `wandb/settings` before `~/.config/wandb/settings`.
///
/// An empty value counts as none.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `WANDB_MODE`, default online.
    pub mode: RunMode,
    /// `WANDB_PROJECT`.
    pub project: Option<String>,
    /// `WANDB_ENTITY`.
    pub entity: Option<String>,
    /// `WANDB_DIR`: the folder that `wandb/` is made in, default the run's own.
    pub directory: Option<PathBuf>,
    /// `WANDB_RUN_ID`.
    pub run_id: Option<String>,
    /// `WANDB_RESUME`: `allow`, `must`, `never`, `auto`.
    pub resume: Option<String>,
    /// `WANDB_NAME`.
    pub name: Option<String>,
    /// `WANDB_RUN_GROUP`.
    pub group: Option<String>,
    /// `WANDB_JOB_TYPE`.
    pub job_type: Option<String>,
    /// `WANDB_TAGS`, separated by commas.
    pub tags: Vec<String>,
    /// `WANDB_NOTES`.
    pub notes: Option<String>,
    /// `WANDB_SILENT`: whether nothing is said about W&B.
    pub silent: bool,
    /// `WANDB_API_KEY`.
    pub api_key: Option<ApiKey>,
    /// How the server is spoken to.
    pub(in crate::wandb) server: ServerSettings,
    /// How long the end of a run waits for a server that does not answer: `WANDB_FINISH_TIMEOUT` in seconds, default 60.
    pub(in crate::wandb) finish_timeout: Duration,
    /// Time between two samples of the machine: `WANDB_X_STATS_SAMPLING_INTERVAL` in seconds, default 15; none if
    /// `WANDB_X_DISABLE_STATS` is set.
    pub stats_interval: Option<Duration>,
    /// The user's file of keys, if there is a place for one.
    pub(in crate::wandb) netrc: Option<NetRc>,
}

/// How the server is spoken to.
#[derive(Clone, Debug)]
pub(in crate::wandb) struct ServerSettings {
    /// `WANDB_BASE_URL`.
    pub(in crate::wandb) base_url: String,
    /// Where runs are looked at: `WANDB_APP_URL`.
    pub(in crate::wandb) app_url: String,
    /// `WANDB_USERNAME`: on whose behalf a service account speaks.
    pub(in crate::wandb) username: Option<String>,
    /// `WANDB_USER_EMAIL`, as above.
    pub(in crate::wandb) user_email: Option<String>,
    /// For GraphQL; `WANDB_X_GRAPHQL_RETRY_MAX`, `…_RETRY_WAIT_MIN_SECONDS`, `…_RETRY_WAIT_MAX_SECONDS`, `…_TIMEOUT_SECONDS`.
    pub(in crate::wandb) graphql: RetryPolicy,
    /// For lines of a run; `WANDB_X_FILE_STREAM_…`.
    pub(in crate::wandb) file_stream: RetryPolicy,
    /// For whole files; `WANDB_X_FILE_TRANSFER_…`.
    pub(in crate::wandb) file_transfer: RetryPolicy,
    /// Between two requests of the file stream: `WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL` in seconds.
    pub(in crate::wandb) transmit_interval: Duration,
}

/// What lets one write to a W&B account. Its content appears in no message.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// A key of 40 or more of `[A-Za-z0-9_-]`, with or without a prefix, or a JWT.
    ///
    /// # Errors
    /// [`SettingsError::ApiKey`], which does not repeat the key.
    pub fn new(key: &str) -> Result<Self, SettingsError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let parts: Vec<&str> = key.split('.').collect();
        let is_well_formed = match parts.as_slice() {
            [key] => key.len() >= 40 && key.chars().all(allowed),
            [_, _, _] => parts
                .iter()
                .all(|part| !part.is_empty() && part.chars().all(allowed)),
            _ => false,
        };
        if is_well_formed {
            Ok(Self(key.to_owned()))
        } else {
            Err(SettingsError::ApiKey)
        }
    }

    /// The key itself, for the header of a request and nothing else.
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKey(…)")
    }
}

/// Why settings could not be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A settings file is there but cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A value that the setting does not have.
    #[error("`{value}` is no value of `{name}`; choose one of {choices}")]
    Value {
        /// The environment variable.
        name: String,
        /// What it was set to.
        value: String,
        /// What it may be set to.
        choices: &'static str,
    },
    /// The key cannot be one; it is not shown.
    #[error("the W&B API key is malformed: 40 or more letters, digits, `_` and `-` are expected")]
    ApiKey,
}

impl Settings {
    /// The settings of a process with this environment, whose files are sought from `working_directory`.
    ///
    /// # Errors
    /// [`SettingsError`] for the first value or file that cannot be used.
    pub fn load(
        environment: &HashMap<String, String>,
        working_directory: &Path,
    ) -> Result<Self, SettingsError> {
        let mut layers = Layers {
            environment,
            files: Vec::new(),
        };
        let workspace = layers
            .get("WANDB_DIR")
            .map_or(working_directory.to_owned(), |path| {
                working_directory.join(path)
            });
        let of_user = layers
            .get("WANDB_CONFIG_DIR")
            .map(PathBuf::from)
            .or_else(|| {
                let home = layers.get("HOME")?;
                Some(Path::new(&home).join(".config/wandb"))
            });
        let folders = [Some(workspace.join("wandb")), of_user];
        for folder in folders.into_iter().flatten() {
            layers
                .files
                .push(read_settings_file(&folder.join("settings"))?);
        }
        layers.settings()
    }

    /// The key: that of the environment, else the one in the user's `.netrc`.
    ///
    /// # Errors
    /// If `.netrc` cannot be read, or holds no key where one should be.
    pub fn key(&self) -> Result<Option<ApiKey>, CredentialsError> {
        match (&self.api_key, &self.netrc) {
            (Some(key), _) => Ok(Some(key.clone())),
            (None, Some(netrc)) => netrc.key(host_of(&self.server.base_url)),
            (None, None) => Ok(None),
        }
    }

    /// The address of the server.
    pub fn base_url(&self) -> &str {
        &self.server.base_url
    }
}

/// Sources of settings, the first that has one decides.
struct Layers<'a> {
    environment: &'a HashMap<String, String>,
    files: Vec<HashMap<String, String>>,
}

impl Layers<'_> {
    fn get(&self, variable: &str) -> Option<String> {
        let in_file = variable
            .strip_prefix("WANDB_")
            .unwrap_or(variable)
            .to_ascii_lowercase();
        let of_environment = self.environment.get(variable);
        let of_files = self.files.iter().filter_map(|file| file.get(&in_file));
        of_environment
            .into_iter()
            .chain(of_files)
            .find(|value| !value.is_empty())
            .cloned()
    }

    fn settings(&self) -> Result<Settings, SettingsError> {
        Ok(Settings {
            mode: self.mode()?,
            project: self.get("WANDB_PROJECT"),
            entity: self.get("WANDB_ENTITY"),
            directory: self.get("WANDB_DIR").map(PathBuf::from),
            run_id: self.get("WANDB_RUN_ID"),
            resume: self.resume()?,
            name: self
                .get("WANDB_NAME")
                .or_else(|| self.get("WANDB_RUN_NAME")),
            group: self.get("WANDB_RUN_GROUP"),
            job_type: self
                .get("WANDB_JOB_TYPE")
                .or_else(|| self.get("WANDB_RUN_JOB_TYPE")),
            tags: self.tags(),
            notes: self
                .get("WANDB_NOTES")
                .or_else(|| self.get("WANDB_RUN_NOTES")),
            silent: self.is_on("WANDB_SILENT"),
            api_key: self
                .get("WANDB_API_KEY")
                .map(|key| ApiKey::new(key.trim()))
                .transpose()?,
            server: self.server()?,
            finish_timeout: self
                .seconds("WANDB_FINISH_TIMEOUT")?
                .unwrap_or(FINISH_TIMEOUT),
            stats_interval: self.stats_interval()?,
            netrc: NetRc::of(self.environment).ok(),
        })
    }

    fn stats_interval(&self) -> Result<Option<Duration>, SettingsError> {
        if self.is_on("WANDB_X_DISABLE_STATS") || self.is_on("WANDB__DISABLE_STATS") {
            return Ok(None);
        }
        let told = self.seconds("WANDB_X_STATS_SAMPLING_INTERVAL")?;
        Ok(Some(told.unwrap_or(STATS_INTERVAL)))
    }

    fn server(&self) -> Result<ServerSettings, SettingsError> {
        let trimmed = |name: &str| {
            let url = self.get(name)?;
            Some(url.trim_end_matches('/').to_owned())
        };
        let base_url = trimmed("WANDB_BASE_URL").unwrap_or_else(|| PUBLIC_SERVER.to_owned());
        let app_url = trimmed("WANDB_APP_URL").unwrap_or_else(|| match base_url.as_str() {
            PUBLIC_SERVER => "https://wandb.ai".to_owned(),
            _ => base_url.clone(),
        });
        Ok(ServerSettings {
            app_url,
            username: self.get("WANDB_USERNAME"),
            user_email: self.get("WANDB_USER_EMAIL"),
            graphql: self.retries("GRAPHQL", 20, [2, 60, 30])?,
            file_stream: self.retries("FILE_STREAM", 10_085, [2, 60, 180])?,
            file_transfer: self.retries("FILE_TRANSFER", 20, [2, 60, 600])?,
            transmit_interval: self
                .seconds("WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL")?
                .unwrap_or(TRANSMIT_INTERVAL),
            base_url,
        })
    }

    /// The policy of a kind of request; the defaults are those of wandb 0.31.0, in seconds: the first wait, the longest,
    /// and the time for one try.
    fn retries(
        &self,
        kind: &str,
        retries: u32,
        seconds: [u64; 3],
    ) -> Result<RetryPolicy, SettingsError> {
        let [least_wait, longest_wait, timeout] = seconds.map(Duration::from_secs);
        let set = |what: &str| self.seconds(&format!("WANDB_X_{kind}_{what}_SECONDS"));
        let maximum = format!("WANDB_X_{kind}_RETRY_MAX");
        let told = self.get(&maximum).map(|value| {
            value.parse().map_err(|_| SettingsError::Value {
                name: maximum,
                value,
                choices: "whole numbers from 0",
            })
        });
        Ok(RetryPolicy {
            retries: told.transpose()?.unwrap_or(retries),
            least_wait: set("RETRY_WAIT_MIN")?.unwrap_or(least_wait),
            longest_wait: set("RETRY_WAIT_MAX")?.unwrap_or(longest_wait),
            timeout: set("TIMEOUT")?.unwrap_or(timeout),
        })
    }

    fn seconds(&self, name: &str) -> Result<Option<Duration>, SettingsError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let seconds = value.parse().ok();
        let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        duration.map(Some).ok_or_else(|| SettingsError::Value {
            name: name.to_owned(),
            value,
            choices: "seconds, such as `2` or `0.5`",
        })
    }

    fn mode(&self) -> Result<RunMode, SettingsError> {
        let Some(value) = self.get("WANDB_MODE") else {
            return Ok(RunMode::default());
        };
        match value.as_str() {
            // `run` and `dryrun` are the names of wandb before 0.10.
            "online" | "shared" | "run" => Ok(RunMode::Online),
            "offline" | "dryrun" => Ok(RunMode::Offline),
            "disabled" => Ok(RunMode::Disabled),
            _ => Err(SettingsError::Value {
                name: "WANDB_MODE".to_owned(),
                value,
                choices: "`online`, `offline`, `disabled`",
            }),
        }
    }

    fn resume(&self) -> Result<Option<String>, SettingsError> {
        match self.get("WANDB_RESUME") {
            Some(value) if !["allow", "must", "never", "auto"].contains(&value.as_str()) => {
                Err(SettingsError::Value {
                    name: "WANDB_RESUME".to_owned(),
                    value,
                    choices: "`allow`, `must`, `never`, `auto`",
                })
            }
            value => Ok(value),
        }
    }

    fn tags(&self) -> Vec<String> {
        let tags = self
            .get("WANDB_TAGS")
            .or_else(|| self.get("WANDB_RUN_TAGS"))
            .unwrap_or_default();
        let tags = tags.split(',').map(str::trim);
        tags.filter(|tag| !tag.is_empty())
            .map(str::to_owned)
            .collect()
    }

    fn is_on(&self, variable: &str) -> bool {
        let value = self.get(variable).unwrap_or_default().to_ascii_lowercase();
        matches!(value.as_str(), "true" | "1" | "yes" | "y" | "on" | "t")
    }
}

/// The section `[default]` of a settings file; one that is not there sets nothing.
fn read_settings_file(path: &Path) -> Result<HashMap<String, String>, SettingsError> {
    let text = match fs_err::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(HashMap::new()),
        Err(source) => {
            return Err(SettingsError::Read {
                path: path.to_owned(),
                source,
            });
        }
    };
    let mut settings = HashMap::new();
    let mut is_default = false;
    for line in text.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            is_default = section.trim_end_matches(']').trim() == "default";
        } else if let Some((name, value)) = line.split_once('=').filter(|_| is_default)
            && !line.starts_with(['#', ';'])
        {
            settings.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> HashMap<String, String> {
        variables
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    #[test]
    fn the_environment_goes_before_the_workspace_before_the_user() {
        let folder = tempfile::tempdir().unwrap();
        for (place, text) in [
            ("wandb", "[default]\nproject = work\nentity = team\n"),
            (
                "home/.config/wandb",
                "[default]\nentity=me\nbase_url=http://localhost:8080/\n",
            ),
        ] {
            fs_err::create_dir_all(folder.path().join(place)).unwrap();
            fs_err::write(folder.path().join(place).join("settings"), text).unwrap();
        }
        let home = folder.path().join("home").to_string_lossy().into_owned();
        let variables = environment(&[
            ("HOME", &home),
            ("WANDB_PROJECT", "here"),
            ("WANDB_TAGS", "a, b,,"),
            ("WANDB_MODE", "dryrun"),
            ("WANDB_SILENT", "True"),
            ("WANDB_NAME", ""),
        ]);

        let settings = Settings::load(&variables, folder.path()).unwrap();

        assert_eq!(settings.project.as_deref(), Some("here"));
        assert_eq!(settings.entity.as_deref(), Some("team"));
        assert_eq!(settings.base_url(), "http://localhost:8080");
        assert_eq!(settings.tags, ["a", "b"]);
        assert_eq!(settings.mode, RunMode::Offline);
        assert!(settings.silent);
        assert_eq!(settings.name, None);
    }

    #[test]
    fn a_key_is_never_shown() {
        let key = "0123456789abcdef0123456789abcdef0123-SECRET";
        let variables = environment(&[("WANDB_API_KEY", key)]);
        let settings = Settings::load(&variables, Path::new("nowhere")).unwrap();
        assert_eq!(settings.api_key.as_ref().map(ApiKey::secret), Some(key));
        assert!(!format!("{settings:?}").contains("SECRET"));

        let error = ApiKey::new("SECRET!").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("SECRET"));
    }

    #[test]
    fn an_unknown_mode_is_told_with_the_choices() {
        let variables = environment(&[("WANDB_MODE", "of")]);
        let error = Settings::load(&variables, Path::new("nowhere")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`of` is no value of `WANDB_MODE`; choose one of `online`, `offline`, `disabled`"
        );
    }
}
