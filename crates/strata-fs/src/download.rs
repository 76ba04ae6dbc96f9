//! Downloads that resume.
//!
//! The bytes go to `<destination>.part`, with the server's validator (`ETag` or Last-Modified) in
//! `<destination>.part.json`. A later call asks for the rest with `Range` and `If-Range`: 206 appends, 200
//! begins anew. The file gets its name when all is there and its MD5 is the expected one.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::digest::md5_of_file;

/// What to download, and where to.
#[derive(Debug, Clone)]
pub struct DownloadRequest {
    /// An `http` or `https` address.
    pub url: String,
    /// The file to make; its folder is made if need be.
    pub destination: PathBuf,
    /// The expected MD5 in hexadecimal digits; none takes anything.
    pub md5: Option<String>,
}

/// What the caller sees and decides while bytes come in.
pub trait DownloadEvents {
    /// So many bytes of so many, if the server said how many, are on disk.
    fn progress(&mut self, done_bytes: u64, total_bytes: Option<u64>);
    /// Whether to stop; what is on disk stays for the next call.
    fn interrupted(&self) -> bool;
    /// Waits before another try.
    fn wait(&mut self, time: Duration);
}

/// Why a download failed.
#[derive(Debug, Error)]
pub enum DownloadError {
    /// No answer, not even a refusal, or the connection broke again and again.
    #[error("cannot download {url}: {problem}")]
    Connection {
        /// The address.
        url: String,
        /// What the network said.
        problem: String,
    },
    /// The server refused.
    #[error("cannot download {url}: the server answered {status}")]
    Status {
        /// The address.
        url: String,
        /// HTTP status.
        status: u16,
    },
    /// All came, but it is not what was expected.
    #[error("{url} has the MD5 {found}, not {expected}: the file was not kept")]
    Checksum {
        /// The address.
        url: String,
        /// What was expected.
        expected: String,
        /// What came.
        found: String,
    },
    /// The disk refused.
    #[error("cannot keep the download of {url}: {source}")]
    Disk {
        /// The address.
        url: String,
        /// What the system said.
        source: io::Error,
    },
    /// The caller stopped it; what is on disk stays for the next call.
    #[error("the download of {url} was interrupted; the next try goes on from there")]
    Interrupted {
        /// The address.
        url: String,
    },
}

/// After so many failures in a row without a byte, the download is given up.
const MOST_FAILURES: u32 = 5;
/// A server that was never reached is asked once more and no longer.
const MOST_FAILURES_UNREACHED: u32 = 2;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const SILENCE_TIMEOUT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_mins(1);

#[derive(Debug, Default, Serialize, Deserialize)]
struct Partial {
    url: String,
    validator: Option<String>,
}

/// Downloads a file, going on from what an earlier call left.
///
/// # Errors
/// See [`DownloadError`]; the destination is not touched then.
pub fn download(
    request: &DownloadRequest,
    events: &mut dyn DownloadEvents,
) -> Result<(), DownloadError> {
    Download::new(request)?.run(events)
}

enum Attempt {
    Complete,
    Retry {
        problem: DownloadError,
        after: Option<Duration>,
    },
}

struct Download<'a> {
    request: &'a DownloadRequest,
    part: PathBuf,
    note: PathBuf,
    agent: ureq::Agent,
    reached: bool,
}

impl<'a> Download<'a> {
    fn new(request: &'a DownloadRequest) -> Result<Self, DownloadError> {
        let beside = |ending: &str| {
            let mut path = request.destination.clone().into_os_string();
            path.push(ending);
            PathBuf::from(path)
        };
        if let Some(folder) = request.destination.parent() {
            fs_err::create_dir_all(folder).map_err(|source| disk(&request.url, source))?;
        }
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_resolve(Some(CONNECT_TIMEOUT))
            .timeout_recv_response(Some(SILENCE_TIMEOUT))
            .user_agent(concat!("strata/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        Ok(Self {
            request,
            part: beside(".part"),
            note: beside(".part.json"),
            agent,
            reached: false,
        })
    }

    fn run(mut self, events: &mut dyn DownloadEvents) -> Result<(), DownloadError> {
        let mut failures = 0;
        loop {
            let before = self.bytes_on_disk();
            match self.attempt(events)? {
                Attempt::Complete => return self.keep(),
                Attempt::Retry { problem, after } => {
                    failures = if self.bytes_on_disk() > before {
                        1
                    } else {
                        failures + 1
                    };
                    let most = if self.reached {
                        MOST_FAILURES
                    } else {
                        MOST_FAILURES_UNREACHED
                    };
                    if failures >= most {
                        return Err(problem);
                    }
                    let backoff = Duration::from_millis(500 << failures.min(6));
                    events.wait(after.unwrap_or(backoff).min(LONGEST_WAIT));
                }
            }
            if events.interrupted() {
                return Err(DownloadError::Interrupted {
                    url: self.request.url.clone(),
                });
            }
        }
    }

    fn attempt(&mut self, events: &mut dyn DownloadEvents) -> Result<Attempt, DownloadError> {
        let url = &self.request.url;
        let on_disk = self.bytes_on_disk();
        let validator = self.validator();
        let mut ask = self.agent.get(url);
        if let (true, Some(validator)) = (on_disk > 0, &validator) {
            ask = ask
                .header("Range", format!("bytes={on_disk}-"))
                .header("If-Range", validator);
        }
        let response = match ask.call() {
            Ok(response) => response,
            Err(error) => {
                let problem = DownloadError::Connection {
                    url: url.clone(),
                    problem: error.to_string(),
                };
                return Ok(Attempt::Retry {
                    problem,
                    after: None,
                });
            }
        };
        self.reached = true;
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };
        let status = response.status().as_u16();
        let length: Option<u64> = header("content-length").and_then(|length| length.parse().ok());
        let resumes = match status {
            200 => false,
            206 if on_disk > 0 => true,
            416 => {
                // What is on disk is not a beginning of what the server has.
                let _ = fs_err::remove_file(&self.part);
                let problem = DownloadError::Status {
                    url: url.clone(),
                    status,
                };
                return Ok(Attempt::Retry {
                    problem,
                    after: Some(Duration::ZERO),
                });
            }
            429 | 500..=599 => {
                let after = header("retry-after")
                    .and_then(|seconds| seconds.parse().ok())
                    .map(Duration::from_secs);
                return Ok(Attempt::Retry {
                    problem: DownloadError::Status {
                        url: url.clone(),
                        status,
                    },
                    after,
                });
            }
            _ => {
                return Err(DownloadError::Status {
                    url: url.clone(),
                    status,
                });
            }
        };
        if !resumes {
            let note = Partial {
                url: url.clone(),
                validator: header("etag").or_else(|| header("last-modified")),
            };
            let note = serde_json::to_vec(&note).expect("two texts are plain data");
            crate::write_atomically(&self.note, &note).map_err(|source| disk(url, source))?;
        }
        let start = if resumes { on_disk } else { 0 };
        let total = length.map(|length| start + length);
        self.receive(
            &mut response.into_body().into_reader(),
            start,
            total,
            events,
        )
    }

    fn receive(
        &self,
        body: &mut dyn Read,
        start: u64,
        total: Option<u64>,
        events: &mut dyn DownloadEvents,
    ) -> Result<Attempt, DownloadError> {
        let url = &self.request.url;
        let mut file = fs_err::OpenOptions::new()
            .create(true)
            .write(true)
            .append(start > 0)
            .truncate(start == 0)
            .open(&self.part)
            .map_err(|source| disk(url, source))?;
        let mut done = start;
        let mut buffer = vec![0; 1 << 16];
        loop {
            if events.interrupted() {
                return Err(DownloadError::Interrupted { url: url.clone() });
            }
            let count = match body.read(&mut buffer) {
                Ok(count) => count,
                Err(error) => {
                    let problem = DownloadError::Connection {
                        url: url.clone(),
                        problem: error.to_string(),
                    };
                    return Ok(Attempt::Retry {
                        problem,
                        after: None,
                    });
                }
            };
            if count == 0 {
                break;
            }
            file.write_all(&buffer[..count])
                .map_err(|source| disk(url, source))?;
            done += count as u64;
            events.progress(done, total);
        }
        if total.is_some_and(|total| done < total) {
            let problem = format!("the connection ended after {done} bytes");
            return Ok(Attempt::Retry {
                problem: DownloadError::Connection {
                    url: url.clone(),
                    problem,
                },
                after: None,
            });
        }
        file.sync_all().map_err(|source| disk(url, source))?;
        Ok(Attempt::Complete)
    }

    fn keep(&self) -> Result<(), DownloadError> {
        let url = &self.request.url;
        if let Some(expected) = &self.request.md5 {
            let found = md5_of_file(&self.part).map_err(|source| disk(url, source))?;
            if !found.eq_ignore_ascii_case(expected) {
                self.forget();
                return Err(DownloadError::Checksum {
                    url: url.clone(),
                    expected: expected.clone(),
                    found,
                });
            }
        }
        fs_err::rename(&self.part, &self.request.destination)
            .map_err(|source| disk(url, source))?;
        self.forget();
        Ok(())
    }

    /// Removes what only an unfinished download needs; it may not be there.
    fn forget(&self) {
        let _ = fs_err::remove_file(&self.part);
        let _ = fs_err::remove_file(&self.note);
    }

    fn bytes_on_disk(&self) -> u64 {
        fs_err::metadata(&self.part).map_or(0, |metadata| metadata.len())
    }

    /// The validator of what is on disk, if it came from the same address.
    fn validator(&self) -> Option<String> {
        let note: Partial = serde_json::from_slice(&read(&self.note)?).ok()?;
        (note.url == self.request.url).then_some(note.validator)?
    }
}

fn read(path: &Path) -> Option<Vec<u8>> {
    fs_err::read(path).ok()
}

fn disk(url: &str, source: io::Error) -> DownloadError {
    DownloadError::Disk {
        url: url.to_owned(),
        source,
    }
}
