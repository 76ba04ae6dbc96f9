//! The options of an S3 remote.

use std::path::PathBuf;
use std::time::Duration;

use rusty_s3::{Bucket, Credentials, UrlStyle};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::credentials::{Account, Environment};
use crate::config::without_user;
use crate::error::PipelineError;
use crate::remote::RemoteOptions;

/// What boto3 takes where nothing is set, in seconds.
const TIMEOUT_SECONDS: u64 = 60;
/// Tries of a request, as boto3 counts them: the first one is one of them.
const ATTEMPTS: u32 = 5;

/// An S3 remote's settings, complete and checked.
pub struct S3Settings {
    /// The bucket, its server, its region.
    pub(super) bucket: Bucket,
    /// What stands before each key, without a slash at the end; may be empty.
    pub(super) prefix: String,
    /// Keys; none for a bucket that is open to all.
    pub(super) credentials: Option<Credentials>,
    /// Headers of requests that make an object.
    pub(super) headers_of_objects: Vec<(&'static str, String)>,
    pub(super) tls: TlsConfig,
    pub(super) connect_timeout: Duration,
    pub(super) read_timeout: Duration,
    pub(super) attempts: u32,
}

/// The keys stay out.
impl std::fmt::Debug for S3Settings {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("S3Settings")
            .field("bucket", &self.bucket)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl S3Settings {
    /// Takes the options of a remote, and from the environment and Amazon's files what they leave open.
    ///
    /// # Errors
    /// An option that has no sense or cannot be followed; no keys.
    pub fn of(
        options: &RemoteOptions<'_>,
        environment: &Environment,
    ) -> Result<Self, PipelineError> {
        let url = options.url();
        if without_user(&url).is_some() {
            return Err(options.wrong(
                "a key stands in its URL; it belongs into `access_key_id` and `secret_access_key` of .dvc/config.local, \
                 and a key that others have seen should be replaced",
            ));
        }
        let rest = url.strip_prefix("s3://").unwrap_or_default();
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(
                options.wrong("its URL names no bucket; it should look like s3://BUCKET/PREFIX")
            );
        }
        if prefix.split('/').any(|part| part == "." || part == "..") {
            return Err(options.wrong("`.` and `..` have no meaning in the URL of a bucket"));
        }
        let account = Account::read(options, environment)?;
        let credentials = match options.is_true("allow_anonymous_login") {
            Some(true) => None,
            _ => Some(account.credentials(options, environment)?),
        };
        Ok(Self {
            bucket: bucket_of(options, environment, &account, bucket)?,
            prefix: prefix.trim_matches('/').to_owned(),
            credentials,
            headers_of_objects: headers_of_objects(options)?,
            tls: tls_of(options, environment)?,
            connect_timeout: seconds(options, "connect_timeout")?,
            read_timeout: seconds(options, "read_timeout")?,
            attempts: attempts(options, environment, &account)?,
        })
    }
}

fn bucket_of(
    options: &RemoteOptions<'_>,
    environment: &Environment,
    account: &Account,
    name: &str,
) -> Result<Bucket, PipelineError> {
    let region = options
        .get("region")
        .or_else(|| environment.get("AWS_DEFAULT_REGION"))
        .or_else(|| environment.get("AWS_REGION"))
        .or_else(|| account.get("region"))
        .unwrap_or("us-east-1")
        .to_owned();
    let endpoint = options
        .get("endpointurl")
        .or_else(|| environment.get("AWS_ENDPOINT_URL_S3"))
        .or_else(|| environment.get("AWS_ENDPOINT_URL"))
        .or_else(|| account.get("endpoint_url"));
    let (endpoint, style) = match endpoint {
        Some(endpoint) if !endpoint.starts_with("http://") && !endpoint.starts_with("https://") => {
            return Err(options.wrong(&format!(
                "endpointurl '{endpoint}' should begin with http:// or https://"
            )));
        }
        Some(endpoint) => (endpoint.to_owned(), UrlStyle::Path),
        None => {
            let scheme = if options.is_true("use_ssl") == Some(false) {
                "http"
            } else {
                "https"
            };
            let ending = if region.starts_with("cn-") { ".cn" } else { "" };
            let endpoint = format!("{scheme}://s3.{region}.amazonaws.com{ending}");
            (endpoint, style_of(name))
        }
    };
    let parsed = endpoint.parse();
    let parsed =
        parsed.map_err(|error| options.wrong(&format!("endpointurl '{endpoint}': {error}")))?;
    Bucket::new(parsed, style, name.to_owned(), region)
        .map_err(|error| options.wrong(&format!("the bucket '{name}' at '{endpoint}': {error}")))
}

/// A name that is one part of a name of a host is put before the server's; others go into the path.
fn style_of(bucket: &str) -> UrlStyle {
    let is_plain = bucket
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if is_plain && (3..=63).contains(&bucket.len()) {
        UrlStyle::VirtualHost
    } else {
        UrlStyle::Path
    }
}

fn headers_of_objects(
    options: &RemoteOptions<'_>,
) -> Result<Vec<(&'static str, String)>, PipelineError> {
    for option in ["sse_customer_key", "sse_customer_algorithm"] {
        if options.get(option).is_some() {
            return Err(options.wrong(&format!(
                "{option} is set: objects encrypted with a key of one's own are not known here; `sse` and `sse_kms_key_id` are"
            )));
        }
    }
    let grants = [
        "grant_read",
        "grant_read_acp",
        "grant_write_acp",
        "grant_full_control",
    ];
    if options.get("acl").is_some() && grants.iter().any(|grant| options.get(grant).is_some()) {
        return Err(
            options.wrong("`acl` and `grant_*` AWS S3 config options are mutually exclusive")
        );
    }
    let headers = [
        ("sse", "x-amz-server-side-encryption"),
        (
            "sse_kms_key_id",
            "x-amz-server-side-encryption-aws-kms-key-id",
        ),
        ("acl", "x-amz-acl"),
        ("grant_read", "x-amz-grant-read"),
        ("grant_read_acp", "x-amz-grant-read-acp"),
        ("grant_write_acp", "x-amz-grant-write-acp"),
        ("grant_full_control", "x-amz-grant-full-control"),
    ];
    let set = headers
        .into_iter()
        .filter_map(|(option, header)| Some((header, options.get(option)?.to_owned())));
    Ok(set.collect())
}

/// `ssl_verify` is true, false, or a file of certificates that are trusted.
fn tls_of(
    options: &RemoteOptions<'_>,
    environment: &Environment,
) -> Result<TlsConfig, PipelineError> {
    let set = options
        .get("ssl_verify")
        .or_else(|| environment.get("AWS_CA_BUNDLE"));
    let builder = TlsConfig::builder();
    let file = match set {
        None => return Ok(builder.build()),
        Some(value) if value.eq_ignore_ascii_case("true") => return Ok(builder.build()),
        Some(value) if value.eq_ignore_ascii_case("false") => {
            return Ok(builder.disable_verification(true).build());
        }
        Some(value) => PathBuf::from(value),
    };
    let wrong = |why: &str| options.wrong(&format!("ssl_verify '{}': {why}", file.display()));
    let text = fs_err::read(&file).map_err(|error| wrong(&error.to_string()))?;
    let mut certificates: Vec<Certificate<'static>> = Vec::new();
    for item in parse_pem(&text) {
        if let PemItem::Certificate(certificate) =
            item.map_err(|error| wrong(&error.to_string()))?
        {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(wrong("no certificate is in it"));
    }
    let roots = RootCerts::Specific(std::sync::Arc::new(certificates));
    Ok(builder.root_certs(roots).build())
}

fn seconds(options: &RemoteOptions<'_>, option: &str) -> Result<Duration, PipelineError> {
    let Some(text) = options.get(option) else {
        return Ok(Duration::from_secs(TIMEOUT_SECONDS));
    };
    match text.trim().parse() {
        Ok(seconds) if seconds > 0 => Ok(Duration::from_secs(seconds)),
        _ => Err(options.wrong(&format!("{option} should be a number of seconds from 1 on"))),
    }
}

fn attempts(
    options: &RemoteOptions<'_>,
    environment: &Environment,
    account: &Account,
) -> Result<u32, PipelineError> {
    let set = environment
        .get("AWS_MAX_ATTEMPTS")
        .or_else(|| account.get("max_attempts"));
    let Some(text) = set else { return Ok(ATTEMPTS) };
    match text.trim().parse() {
        Ok(attempts) if attempts > 0 => Ok(attempts),
        _ => Err(options.wrong("AWS_MAX_ATTEMPTS should be a number from 1 on")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::config::Config;

    struct Given {
        folder: tempfile::TempDir,
        environment: Environment,
    }

    impl Given {
        fn new(variables: &[(&str, &str)]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            fs_err::create_dir_all(folder.path().join(".aws")).unwrap();
            let variables = variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            let environment = Environment {
                variables: variables.collect(),
                home: Some(folder.path().to_owned()),
            };
            Self {
                folder,
                environment,
            }
        }

        fn write(&self, path: &str, text: &str) {
            fs_err::write(self.folder.path().join(path), text).unwrap();
        }

        fn settings(&self, options: &str) -> Result<S3Settings, String> {
            self.write(
                "config",
                &format!("['remote \"s\"']\nurl = s3://my-bucket/some/prefix/\n{options}"),
            );
            let config = Config::open(Some(self.folder.path())).unwrap();
            let options = RemoteOptions::of(&config, "s").unwrap();
            S3Settings::of(&options, &self.environment).map_err(|error| error.to_string())
        }

        fn keys(&self, options: &str) -> (String, Option<String>) {
            let credentials = self.settings(options).unwrap().credentials.unwrap();
            (
                credentials.key().to_owned(),
                credentials.token().map(str::to_owned),
            )
        }
    }

    #[test]
    fn keys_come_in_the_order_of_boto3() {
        let given = Given::new(&[
            ("AWS_ACCESS_KEY_ID", "of-environment"),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("AWS_SESSION_TOKEN", "t"),
        ]);
        given.write(
            ".aws/credentials",
            "[default]\naws_access_key_id = of-default\naws_secret_access_key = x\n",
        );
        given.write(
            ".aws/config",
            "[profile me]\naws_access_key_id = of-me\naws_secret_access_key = x\n",
        );
        let explicit = "access_key_id = of-settings\nsecret_access_key = x\nprofile = me\n";
        assert_eq!(given.keys(explicit), ("of-settings".to_owned(), None));
        assert_eq!(
            given.keys(""),
            ("of-environment".to_owned(), Some("t".to_owned()))
        );
        assert_eq!(given.keys("profile = me\n").0, "of-me");
        let mut without = given;
        without.environment.variables.clear();
        assert_eq!(without.keys("").0, "of-default");
        without
            .environment
            .variables
            .insert("AWS_PROFILE".to_owned(), "me".to_owned());
        assert_eq!(without.keys("").0, "of-me");
        without.write(
            "elsewhere",
            "[default]\naws_access_key_id = there\naws_secret_access_key = x\n",
        );
        without.environment.variables.clear();
        assert_eq!(without.keys("credentialpath = elsewhere\n").0, "there");
    }

    #[test]
    fn what_cannot_be_followed_is_said() {
        let given = Given::new(&[]);
        given.write(".aws/config", "[default]\n[profile work]\nrole_arn = arn\n");
        for (options, expected) in [
            ("", "unable to locate credentials"),
            ("access_key_id = AKIA\n", "missing: secret_access_key"),
            ("profile = wrk\n", "did you mean 'work'?"),
            ("profile = work\n", "by role_arn"),
            (
                "allow_anonymous_login = true\nsse_customer_key = k\n",
                "sse_customer_key is set",
            ),
            (
                "allow_anonymous_login = true\nendpointurl = localhost:9000\n",
                "should begin with http",
            ),
            (
                "allow_anonymous_login = true\nssl_verify = /no/such.pem\n",
                "/no/such.pem",
            ),
            (
                "allow_anonymous_login = true\nread_timeout = 0\n",
                "read_timeout",
            ),
        ] {
            let problem = given.settings(options).unwrap_err();
            assert!(problem.contains(expected), "{options}: {problem}");
            assert!(!problem.contains("AKIA"), "{problem}");
        }
    }

    #[test]
    fn buckets_stand_in_the_host_or_in_the_path() {
        let given = Given::new(&[("AWS_DEFAULT_REGION", "eu-west-1")]);
        let base = |options: &str| {
            let anonymous = format!("allow_anonymous_login = true\n{options}");
            given
                .settings(&anonymous)
                .unwrap()
                .bucket
                .base_url()
                .to_string()
        };
        assert_eq!(base(""), "https://my-bucket.s3.eu-west-1.amazonaws.com/");
        assert_eq!(
            base("use_ssl = false\nregion = us-west-2\n"),
            "http://my-bucket.s3.us-west-2.amazonaws.com/"
        );
        assert_eq!(
            base("endpointurl = http://localhost:9000\n"),
            "http://localhost:9000/my-bucket/"
        );
        assert!(matches!(style_of("a.b.c"), UrlStyle::Path));
    }
}
