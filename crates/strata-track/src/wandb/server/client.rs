//! Requests to the server, tried again until they are answered or nobody waits any more.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};
use ureq::http::Response;
use ureq::{Agent, Body};

use super::retry::{RetryPolicy, may_change, retry_after};
use crate::wandb::settings::{ApiKey, ServerSettings};

/// What the real client is called; servers and proxies know it.
const USER_AGENT: &str = "wandb-core";
/// No answer of the server is longer.
const LONGEST_ANSWER: u64 = 64 << 20;

/// Asks one server in the name of one user.
pub(in crate::wandb) struct Client {
    agent: Agent,
    base_url: String,
    authorization: String,
    pub(super) settings: ServerSettings,
}

/// Why a request was not answered as it should.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// No answer, however often it was tried.
    #[error("{address} does not answer: {problem}")]
    Unreachable {
        /// Where.
        address: String,
        /// What the last try came to.
        problem: String,
    },
    /// An answer that will not change.
    #[error("{address} refuses: {problem}")]
    Refused {
        /// Where.
        address: String,
        /// The status of HTTP.
        status: u16,
        /// What the server says.
        problem: String,
    },
    /// Nobody waits for the answer any more.
    #[error("given up")]
    GivenUp,
}

/// Lets whoever waits for the server be told to stop waiting.
#[derive(Debug, Default)]
pub(in crate::wandb) struct Patience {
    answers: AtomicU64,
    is_over: Mutex<bool>,
    ended: Condvar,
}

impl Patience {
    /// Nobody is to wait any more.
    pub(in crate::wandb) fn end(&self) {
        *self.is_over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.ended.notify_all();
    }

    /// Requests answered so far: while they come, it is worth waiting.
    pub(in crate::wandb) fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }

    /// Whether nobody is to wait any more.
    pub(in crate::wandb) fn is_over(&self) -> bool {
        *self.is_over.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits so long, or until patience ends; whether it has.
    fn wait(&self, duration: Duration) -> bool {
        let until = Instant::now() + duration;
        let mut is_over = self.is_over.lock().unwrap_or_else(PoisonError::into_inner);
        while !*is_over {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.ended.wait_timeout(is_over, left);
            is_over = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

/// What one try came to.
enum Tried {
    Answered(Value),
    Again {
        problem: String,
        after: Option<Duration>,
    },
    Refused {
        status: u16,
        problem: String,
    },
}

impl Client {
    pub(in crate::wandb) fn new(settings: ServerSettings, key: &ApiKey) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(10)))
            .user_agent(USER_AGENT)
            .build()
            .into();
        let credentials = format!("api:{}", key.secret());
        Self {
            agent,
            base_url: settings.base_url.clone(),
            authorization: format!("Basic {}", BASE64_STANDARD.encode(credentials)),
            settings,
        }
    }

    /// Where the server is.
    pub(in crate::wandb) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The `data` of a GraphQL operation.
    pub(super) fn graphql(
        &self,
        patience: &Patience,
        (name, query): (&str, &str),
        variables: &Value,
    ) -> Result<Value, RequestError> {
        let body = json!({"query": query, "variables": variables, "operationName": name});
        let body = body.to_string();
        let policy = self.settings.graphql;
        retried(patience, policy, &self.base_url, || {
            let sent = self
                .posted(&format!("{}/graphql", self.base_url), policy)
                .send(&body);
            match answer(sent) {
                Tried::Answered(mut answer) => {
                    match answer.get("errors").filter(|e| !e.is_null()) {
                        // The HTTP status was fine: the server has understood and does not want to.
                        Some(errors) => Tried::Refused {
                            status: 200,
                            problem: message_of(errors),
                        },
                        None => Tried::Answered(answer["data"].take()),
                    }
                }
                other => other,
            }
        })
    }

    /// Sends lines of a run's files.
    pub(in crate::wandb) fn file_stream(
        &self,
        patience: &Patience,
        (entity, project, run): (&str, &str, &str),
        body: &str,
    ) -> Result<Value, RequestError> {
        let parts = [entity, project, run].map(percent_encoded);
        let [entity, project, run] = &parts;
        let base = &self.base_url;
        let address = format!("{base}/files/{entity}/{project}/{run}/file_stream");
        let policy = self.settings.file_stream;
        retried(patience, policy, base, || {
            answer(self.posted(&address, policy).send(body))
        })
    }

    /// Puts a file where the server wants it; such addresses carry their own permission.
    pub(in crate::wandb) fn put(
        &self,
        patience: &Patience,
        address: &str,
        headers: &[(String, String)],
        content: &[u8],
    ) -> Result<(), RequestError> {
        // What follows the question mark is a permission and must not be told.
        let told = address.split('?').next().unwrap_or_default();
        let policy = self.settings.file_transfer;
        let sent = retried(patience, policy, told, || {
            let request = self
                .agent
                .put(address)
                .config()
                .timeout_global(Some(policy.timeout))
                .build();
            let request = headers.iter().fold(request, |request, (name, value)| {
                request.header(name, value)
            });
            answer(request.send(content))
        });
        sent.map(drop)
    }

    fn posted(
        &self,
        address: &str,
        policy: RetryPolicy,
    ) -> ureq::RequestBuilder<ureq::typestate::WithBody> {
        let request = self.agent.post(address);
        let request = request
            .config()
            .timeout_global(Some(policy.timeout))
            .build()
            .header("Authorization", &self.authorization)
            .header("Content-Type", "application/json");
        let named = [
            ("X-WANDB-USERNAME", &self.settings.username),
            ("X-WANDB-USER-EMAIL", &self.settings.user_email),
        ];
        named
            .into_iter()
            .fold(request, |request, (name, value)| match value {
                Some(value) => request.header(name, value),
                None => request,
            })
    }
}

fn retried(
    patience: &Patience,
    policy: RetryPolicy,
    address: &str,
    attempt: impl Fn() -> Tried,
) -> Result<Value, RequestError> {
    let mut failures = 0;
    loop {
        if patience.is_over() {
            return Err(RequestError::GivenUp);
        }
        let (problem, after) = match attempt() {
            Tried::Answered(answer) => {
                patience.answers.fetch_add(1, Ordering::Relaxed);
                return Ok(answer);
            }
            Tried::Refused { status, problem } => {
                return Err(RequestError::Refused {
                    address: address.to_owned(),
                    status,
                    problem,
                });
            }
            Tried::Again { problem, after } => (problem, after),
        };
        failures += 1;
        if failures > policy.retries {
            return Err(RequestError::Unreachable {
                address: address.to_owned(),
                problem,
            });
        }
        if patience.wait(after.unwrap_or_else(|| policy.wait(failures, chance()))) {
            return Err(RequestError::GivenUp);
        }
    }
}

fn answer(sent: Result<Response<Body>, ureq::Error>) -> Tried {
    let mut response = match sent {
        Ok(response) => response,
        Err(error) => {
            return Tried::Again {
                problem: error.to_string(),
                after: None,
            };
        }
    };
    let status = response.status().as_u16();
    let after = response.headers().get("Retry-After");
    let after = after
        .and_then(|value| value.to_str().ok())
        .and_then(|value| retry_after(value, SystemTime::now()));
    let body = response.body_mut().with_config().limit(LONGEST_ANSWER);
    let text = match body.read_to_string() {
        Ok(text) => text,
        Err(error) => {
            return Tried::Again {
                problem: format!("the answer broke off: {error}"),
                after,
            };
        }
    };
    if (200..300).contains(&status) {
        return match serde_json::from_str(&text) {
            Ok(answer) => Tried::Answered(answer),
            // Storage answers with nothing, or with XML.
            Err(_) => Tried::Answered(Value::Null),
        };
    }
    let problem = match serde_json::from_str::<Value>(&text) {
        Ok(answer) => format!("status {status}: {}", message_of(&answer)),
        Err(_) => format!("status {status}"),
    };
    if may_change(status) {
        Tried::Again { problem, after }
    } else {
        Tried::Refused { status, problem }
    }
}

/// The message in an answer that tells of errors in one of the server's ways.
fn message_of(answer: &Value) -> String {
    let errors = answer.get("errors").unwrap_or(answer);
    let message = errors.get(0).and_then(|error| error.get("message"));
    let message = message.or_else(|| answer.get("error"));
    match message.and_then(Value::as_str) {
        Some(message) => message.to_owned(),
        None => "no reason is given".to_owned(),
    }
}

/// A part of a path (RFC 3986).
fn percent_encoded(part: &str) -> String {
    let mut encoded = String::new();
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("a string takes any text");
        }
    }
    encoded
}

/// Between 0 and 1.
fn chance() -> f64 {
    let mut byte = [0];
    // Without a random number the waits are those of everybody else, which is no harm.
    let _ = getrandom::fill(&mut byte);
    f64::from(byte[0]) / 255.0
}
