//! Requests to the server: signed, answered, or tried again.

use std::hash::{BuildHasher as _, RandomState};
use std::io::Read as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use rusty_s3::{Bucket, Credentials, Map, S3Action};
use ureq::http::Response;
use ureq::{Agent, Body};

use super::settings::S3Settings;
use crate::progress::Stop;
use crate::remote::{RemoteError, code_of};

/// How long a signature holds; it counts when a request begins.
const SIGNATURE_HOLDS: Duration = Duration::from_hours(1);
/// The wait before the second try; each later one is three times as long.
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// The longest wait that a server may ask for.
const LONGEST_ASKED_WAIT: Duration = Duration::from_mins(2);
/// A server that was never reached is asked once more and no longer.
const ATTEMPTS_UNREACHED: u32 = 2;
/// Answers in XML are smaller: a page of a list has a thousand keys of at most a thousand bytes, escaped.
const LARGEST_ANSWER_BYTES: u64 = 32 << 20;

/// A server and how it is asked.
pub(super) struct Client {
    agent: Agent,
    /// With the region in it, which the server may correct.
    bucket: RwLock<Bucket>,
    credentials: Option<Credentials>,
    headers_of_objects: Vec<(&'static str, String)>,
    attempts: u32,
    reached: AtomicBool,
}

/// Why a try failed.
pub(super) enum Failed {
    /// It may go better after a while, or after the wait that the server asks for.
    Again {
        error: RemoteError,
        wait: Option<Duration>,
    },
    Finally(RemoteError),
}

impl From<RemoteError> for Failed {
    fn from(error: RemoteError) -> Self {
        Self::Finally(error)
    }
}

/// What is sent, besides the address.
pub(super) struct Request<'a> {
    /// What messages say that was asked for.
    pub(super) address: &'a str,
    pub(super) body: &'a [u8],
    /// Headers that need no signature.
    pub(super) headers: Vec<(&'static str, String)>,
    /// Whether it makes an object, to which the headers of the settings belong.
    pub(super) makes_object: bool,
}

impl<'a> Request<'a> {
    pub(super) fn new(address: &'a str) -> Self {
        Self {
            address,
            body: &[],
            headers: Vec::new(),
            makes_object: false,
        }
    }
}

impl Client {
    pub(super) fn new(settings: S3Settings) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_resolve(Some(settings.connect_timeout))
            .timeout_connect(Some(settings.connect_timeout))
            .timeout_per_read(Some(settings.read_timeout))
            .timeout_per_write(Some(settings.read_timeout))
            .timeout_recv_response(Some(settings.read_timeout))
            .max_idle_connections_per_host(64)
            .max_idle_connections(64)
            .tls_config(settings.tls)
            .user_agent(concat!("strata/", env!("CARGO_PKG_VERSION")))
            .build();
        Self {
            agent: agent.into(),
            bucket: RwLock::new(settings.bucket),
            credentials: settings.credentials,
            headers_of_objects: settings.headers_of_objects,
            attempts: settings.attempts,
            reached: AtomicBool::new(false),
        }
    }

    pub(super) fn bucket(&self) -> Bucket {
        self.bucket
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    /// Tries something until it succeeds or fails for good. Waits grow, and differ from thread to thread.
    pub(super) fn with_retries<T>(
        &self,
        stop: &dyn Stop,
        mut attempt: impl FnMut() -> Result<T, Failed>,
    ) -> Result<T, RemoteError> {
        let mut failures = 0;
        loop {
            if stop.is_requested() {
                return Err(RemoteError::Interrupted);
            }
            match attempt() {
                Ok(done) => return Ok(done),
                Err(Failed::Finally(error)) => return Err(error),
                Err(Failed::Again { error, wait }) => {
                    failures += 1;
                    if failures >= self.most_failures() {
                        return Err(error);
                    }
                    pause(wait.unwrap_or_else(|| backoff(failures)), stop);
                }
            }
        }
    }

    /// How many failures in a row end the tries.
    pub(super) fn most_failures(&self) -> u32 {
        if self.reached.load(Ordering::Relaxed) {
            self.attempts
        } else {
            self.attempts.min(ATTEMPTS_UNREACHED)
        }
    }

    /// One request, signed and sent. An answer that is no success is a failure, also one with an error in its body.
    pub(super) fn send<'a, A: S3Action<'a>>(
        &self,
        mut action: A,
        request: &Request<'_>,
    ) -> Result<Response<Body>, Failed> {
        let own: &[(&'static str, String)] = if request.makes_object {
            &self.headers_of_objects
        } else {
            &[]
        };
        let signed: &mut Map<'a> = action.headers_mut();
        for (name, value) in own {
            signed.insert(*name, value.clone());
        }
        let url = action.sign(SIGNATURE_HOLDS);
        let headers = own.iter().chain(&request.headers);
        let sent = match A::METHOD {
            rusty_s3::Method::Put => {
                with_headers(self.agent.put(url.as_str()), headers).send(request.body)
            }
            rusty_s3::Method::Post => {
                with_headers(self.agent.post(url.as_str()), headers).send(request.body)
            }
            rusty_s3::Method::Get => with_headers(self.agent.get(url.as_str()), headers).call(),
            rusty_s3::Method::Head => with_headers(self.agent.head(url.as_str()), headers).call(),
            rusty_s3::Method::Delete => {
                with_headers(self.agent.delete(url.as_str()), headers).call()
            }
        };
        let response = sent.map_err(|error| unanswered(request.address, &error))?;
        self.reached.store(true, Ordering::Relaxed);
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.refused(request.address, response))
    }

    /// The same, for an answer that is read whole.
    pub(super) fn send_for_text<'a, A: S3Action<'a>>(
        &self,
        action: A,
        request: &Request<'_>,
    ) -> Result<String, Failed> {
        let response = self.send(action, request)?;
        let mut text = String::new();
        let mut body = response
            .into_body()
            .into_reader()
            .take(LARGEST_ANSWER_BYTES);
        match body.read_to_string(&mut text) {
            Ok(_) => Ok(text),
            Err(error) => Err(broken(request.address, &error.to_string())),
        }
    }

    fn refused(&self, address: &str, response: Response<Body>) -> Failed {
        let status = response.status().as_u16();
        let header = |name: &str| {
            let value = response.headers().get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        let region = header("x-amz-bucket-region");
        let wait = header("retry-after")
            .and_then(|seconds| seconds.trim().parse().ok())
            .map(|seconds| Duration::from_secs(seconds).min(LONGEST_ASKED_WAIT));
        let mut text = String::new();
        // An error's own text may be missing or cut; the status says enough.
        let _ = response
            .into_body()
            .into_reader()
            .take(1 << 16)
            .read_to_string(&mut text);
        let code = match (code_of(&text, "Code"), status) {
            (code, _) if !code.is_empty() => code,
            (_, 403) => "AccessDenied".to_owned(),
            (code, _) => code,
        };
        let error = RemoteError::Refused {
            address: address.to_owned(),
            status,
            message: self.without_keys(code_of(&text, "Message")),
            code,
        };
        if let Some(region) = region
            && matches!(status, 301 | 307 | 400 | 403)
            && self.correct_region(&region)
        {
            return Failed::Again {
                error,
                wait: Some(Duration::ZERO),
            };
        }
        let RemoteError::Refused { code, .. } = &error else {
            return Failed::Finally(error);
        };
        match (status, code.as_str()) {
            (429 | 500 | 502..=504, _)
            | (_, "SlowDown" | "RequestTimeout" | "InternalError" | "ServiceUnavailable") => {
                Failed::Again { error, wait }
            }
            _ => Failed::Finally(error),
        }
    }

    /// Takes the region that the server says the bucket is in; whether it is another one.
    fn correct_region(&self, region: &str) -> bool {
        let mut bucket = self.bucket.write().unwrap_or_else(PoisonError::into_inner);
        if bucket.region() == region {
            return false;
        }
        let mut endpoint = bucket.base_url().clone();
        let host = endpoint.host_str().unwrap_or_default().to_owned();
        let name = bucket.name().to_owned();
        let amazon = host.strip_prefix(&format!("{name}.")).unwrap_or(&host);
        let is_amazon = amazon.starts_with("s3.") && amazon.contains(".amazonaws.com");
        let in_host = host != amazon;
        let new_host = format!("s3.{region}.amazonaws.com");
        if is_amazon && endpoint.set_host(Some(&new_host)).is_err() {
            return false;
        }
        let style = if in_host {
            rusty_s3::UrlStyle::VirtualHost
        } else {
            rusty_s3::UrlStyle::Path
        };
        // The base already has the bucket in its path where it is not in its host.
        if !in_host {
            let path = endpoint.path().trim_end_matches('/');
            let path = path
                .strip_suffix(&format!("/{name}"))
                .unwrap_or(path)
                .to_owned();
            endpoint.set_path(&path);
        }
        match Bucket::new(endpoint, style, name, region.to_owned()) {
            Ok(corrected) => {
                *bucket = corrected;
                true
            }
            Err(_) => false,
        }
    }

    /// Servers repeat what they were sent.
    fn without_keys(&self, text: String) -> String {
        let Some(credentials) = &self.credentials else {
            return text;
        };
        let keys = [
            Some(credentials.key()),
            Some(credentials.secret()),
            credentials.token(),
        ];
        keys.into_iter()
            .flatten()
            .filter(|key| !key.is_empty())
            .fold(text, |text, key| text.replace(key, "***"))
    }
}

fn with_headers<'h, B>(
    request: ureq::RequestBuilder<B>,
    headers: impl Iterator<Item = &'h (&'static str, String)>,
) -> ureq::RequestBuilder<B> {
    headers.fold(request, |request, (name, value)| {
        request.header(*name, value)
    })
}

/// A connection that broke while an answer was read.
pub(super) fn broken(address: &str, problem: &str) -> Failed {
    Failed::Again {
        error: RemoteError::Connection {
            address: address.to_owned(),
            problem: problem.to_owned(),
        },
        wait: None,
    }
}

/// Errors of the client are named here one by one: their own texts may have the signed address in them.
fn unanswered(address: &str, error: &ureq::Error) -> Failed {
    let problem = match error {
        ureq::Error::Io(error) => format!("cannot connect, or the connection broke: {error}"),
        ureq::Error::Timeout(phase) => format!("no answer in time ({phase})"),
        ureq::Error::HostNotFound => {
            "the name of the server is not known; look at `endpointurl` and the network".to_owned()
        }
        ureq::Error::ConnectionFailed => "cannot connect".to_owned(),
        ureq::Error::Rustls(error) => {
            let problem = format!(
                "the connection is not secure: {error}; `ssl_verify` may name a file of certificates to trust"
            );
            return Failed::Finally(RemoteError::Connection {
                address: address.to_owned(),
                problem,
            });
        }
        ureq::Error::Tls(problem) => format!("the connection cannot be made secure: {problem}"),
        ureq::Error::Protocol(error) => format!("the answer is no HTTP: {error}"),
        ureq::Error::InvalidProxyUrl => "the address of the proxy is no URL".to_owned(),
        _ => "the request cannot be sent".to_owned(),
    };
    broken(address, &problem)
}

/// The wait after so many failures in a row: between half of it and the whole, by chance.
pub(super) fn backoff(failures: u32) -> Duration {
    let longest = FIRST_WAIT
        .saturating_mul(3_u32.saturating_pow(failures - 1))
        .min(LONGEST_WAIT);
    let chance = RandomState::new().hash_one(failures) % 1000;
    longest.mul_f64(0.5 + 0.5 * chance as f64 / 1000.0)
}

pub(super) fn pause(time: Duration, stop: &dyn Stop) {
    let until = Instant::now() + time;
    while !stop.is_requested() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        thread::sleep(left.min(Duration::from_millis(50)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit() {
        for (failures, longest) in [(1, 200), (2, 600), (3, 1800), (9, 20_000)] {
            let longest = Duration::from_millis(longest);
            let wait = backoff(failures);
            assert!(
                longest / 2 <= wait && wait <= longest,
                "{failures}: {wait:?}"
            );
        }
    }
}
