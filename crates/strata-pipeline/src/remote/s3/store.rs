//! What a remote does, in requests.

use std::collections::HashMap;
use std::io::{Read as _, Write};
use std::path::Path;
use std::sync::{Mutex, OnceLock};

use rusty_s3::actions::ListObjectsV2;

use super::client::{Client, Failed, Request, backoff, broken, pause};
use super::settings::S3Settings;
use crate::progress::Stop;
use crate::remote::{Remote, RemoteError, Watch};

/// A bucket, or a folder of one.
pub struct S3Remote {
    pub(super) client: Client,
    /// Empty, or with a slash at the end.
    prefix: String,
    address: String,
    /// One file is uploaded in parts at a time: its parts take what memory and network give.
    pub(super) in_parts: Mutex<()>,
    bucket_is_there: OnceLock<()>,
}

/// A part of a list.
struct Page {
    /// Keys and sizes in bytes.
    keys: Vec<(String, u64)>,
    /// What the next page is asked for with.
    next: Option<String>,
}

impl std::fmt::Debug for S3Remote {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("S3Remote").field(&self.address).finish()
    }
}

impl S3Remote {
    /// The remote of some settings; nothing is asked of the server yet.
    pub fn open(settings: S3Settings) -> Self {
        let prefix = match settings.prefix.as_str() {
            "" => String::new(),
            prefix => format!("{prefix}/"),
        };
        Self {
            address: format!("s3://{}/{prefix}", settings.bucket.name()),
            client: Client::new(settings),
            prefix,
            in_parts: Mutex::new(()),
            bucket_is_there: OnceLock::new(),
        }
    }

    pub(super) fn full(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// A `HEAD` that finds nothing does not say what is missing; a list does.
    fn must_have_bucket(&self, stop: &dyn Stop) -> Result<(), RemoteError> {
        if self.bucket_is_there.get().is_some() {
            return Ok(());
        }
        match self.page("", 1, None, stop) {
            // A bucket that may not be listed is there.
            Ok(_) | Err(RemoteError::Refused { status: 403, .. }) => {
                let _ = self.bucket_is_there.set(());
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// A page of keys that begin with `start`.
    fn page(
        &self,
        start: &str,
        most: usize,
        token: Option<&str>,
        stop: &dyn Stop,
    ) -> Result<Page, RemoteError> {
        let (address, full) = (self.address(start), self.full(start));
        let text = self.client.with_retries(stop, || {
            let bucket = self.client.bucket();
            let mut list = ListObjectsV2::new(&bucket, self.client.credentials());
            list.with_prefix(full.as_str());
            list.with_max_keys(most);
            if let Some(token) = token {
                list.with_continuation_token(token);
            }
            self.client.send_for_text(list, &Request::new(&address))
        })?;
        let page =
            ListObjectsV2::parse_response(&text).map_err(|error| RemoteError::Connection {
                address,
                problem: format!("the answer is no list of objects: {error}"),
            })?;
        let keys = page.contents.into_iter().filter_map(|object| {
            let key = object.key.strip_prefix(&self.prefix)?.to_owned();
            Some((key, object.size.unwrap_or(0)))
        });
        Ok(Page {
            keys: keys.collect(),
            next: page.next_continuation_token,
        })
    }

    /// All keys that begin with `start`, page by page, given to `take` until it has enough.
    pub(super) fn each_page(
        &self,
        start: &str,
        stop: &dyn Stop,
        mut take: impl FnMut(Vec<(String, u64)>) -> bool,
    ) -> Result<(), RemoteError> {
        let mut token = None;
        loop {
            let page = self.page(start, 1000, token.as_deref(), stop)?;
            if !take(page.keys) || page.next.is_none() {
                return Ok(());
            }
            token = page.next;
        }
    }
}

impl Remote for S3Remote {
    fn address(&self, key: &str) -> String {
        format!("{}{key}", self.address)
    }

    fn size(&self, key: &str, stop: &dyn Stop) -> Result<Option<u64>, RemoteError> {
        let (address, full) = (self.address(key), self.full(key));
        let found = self.client.with_retries(stop, || {
            let bucket = self.client.bucket();
            let action = bucket.head_object(self.client.credentials(), &full);
            let sent = self.client.send(action, &Request::new(&address));
            match sent {
                Ok(response) => Ok(Some(length(&response).unwrap_or(0))),
                Err(Failed::Finally(RemoteError::Refused { status: 404, .. })) => Ok(None),
                Err(failed) => Err(failed),
            }
        })?;
        if found.is_none() {
            self.must_have_bucket(stop)?;
        }
        Ok(found)
    }

    fn upload(
        &self,
        file: &Path,
        key: &str,
        md5: Option<&str>,
        watch: Watch<'_>,
    ) -> Result<(), RemoteError> {
        self.send_file(file, key, md5, watch)
    }

    /// A connection that breaks is made anew for the rest, as long as something comes.
    fn download(
        &self,
        key: &str,
        into: &mut dyn Write,
        watch: Watch<'_>,
    ) -> Result<(), RemoteError> {
        let mut download = Download {
            remote: self,
            address: self.address(key),
            full: self.full(key),
            done: 0,
            etag: None,
        };
        let mut failures = 0;
        loop {
            let before = download.done;
            match download.attempt(into, watch) {
                Ok(()) => return Ok(()),
                Err(Failed::Finally(error)) => return Err(error),
                Err(Failed::Again { error, wait }) => {
                    failures = if download.done > before {
                        1
                    } else {
                        failures + 1
                    };
                    if failures >= self.client.most_failures() {
                        return Err(error);
                    }
                    pause(wait.unwrap_or_else(|| backoff(failures)), watch.stop);
                }
            }
        }
    }

    fn keys(&self, folder: &str, stop: &dyn Stop) -> Result<Vec<String>, RemoteError> {
        let mut keys = Vec::new();
        let start = format!("{}/", folder.trim_end_matches('/'));
        self.each_page(&start, stop, |page| {
            keys.extend(page.into_iter().map(|(key, _)| key));
            true
        })?;
        keys.sort();
        Ok(keys)
    }

    fn remove(&self, key: &str, stop: &dyn Stop) -> Result<(), RemoteError> {
        let (address, full) = (self.address(key), self.full(key));
        self.client.with_retries(stop, || {
            let bucket = self.client.bucket();
            let action = bucket.delete_object(self.client.credentials(), &full);
            match self.client.send(action, &Request::new(&address)) {
                Ok(_) => Ok(()),
                Err(Failed::Finally(RemoteError::Refused { code, .. })) if code == "NoSuchKey" => {
                    Ok(())
                }
                Err(failed) => Err(failed),
            }
        })
    }

    fn existing(
        &self,
        keys: &[String],
        jobs: usize,
        stop: &dyn Stop,
    ) -> Result<HashMap<String, u64>, RemoteError> {
        self.find(keys, jobs, stop)
    }
}

fn length(response: &ureq::http::Response<ureq::Body>) -> Option<u64> {
    let value = response.headers().get("content-length")?;
    value.to_str().ok()?.parse().ok()
}

/// An object that is coming in.
struct Download<'a> {
    remote: &'a S3Remote,
    address: String,
    full: String,
    /// Bytes that were written.
    done: u64,
    /// What the server calls these contents, so that the rest is of the same.
    etag: Option<String>,
}

impl Download<'_> {
    fn attempt(&mut self, into: &mut dyn Write, watch: Watch<'_>) -> Result<(), Failed> {
        if watch.stop.is_requested() {
            return Err(RemoteError::Interrupted.into());
        }
        let client = &self.remote.client;
        let bucket = client.bucket();
        let mut request = Request::new(&self.address);
        if self.done > 0 {
            request
                .headers
                .push(("range", format!("bytes={}-", self.done)));
            request
                .headers
                .extend(self.etag.clone().map(|etag| ("if-match", etag)));
        }
        let response = match client.send(
            bucket.get_object(client.credentials(), &self.full),
            &request,
        ) {
            Err(Failed::Finally(RemoteError::Refused {
                status: 404, code, ..
            })) if code != "NoSuchBucket" => {
                let address = self.address.clone();
                return Err(RemoteError::Missing { address }.into());
            }
            sent => sent?,
        };
        let is_rest = response.status() == 206;
        let etag = response
            .headers()
            .get("etag")
            .and_then(|etag| etag.to_str().ok());
        self.etag = etag.map(str::to_owned);
        let skip = if is_rest { 0 } else { self.done };
        let start = if is_rest { self.done } else { 0 };
        let end = length(&response).map(|length| start + length);
        self.receive(
            &mut response.into_body().into_reader(),
            skip,
            end,
            into,
            watch,
        )
    }

    /// `skip` bytes come for the second time, of a server that knows no ranges; all are here at `end`.
    fn receive(
        &mut self,
        body: &mut dyn std::io::Read,
        skip: u64,
        end: Option<u64>,
        into: &mut dyn Write,
        watch: Watch<'_>,
    ) -> Result<(), Failed> {
        let skipped = std::io::copy(&mut body.take(skip), &mut std::io::sink());
        skipped.map_err(|error| broken(&self.address, &error.to_string()))?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            if watch.stop.is_requested() {
                return Err(RemoteError::Interrupted.into());
            }
            let count = body.read(&mut buffer).map_err(|error| {
                broken(
                    &self.address,
                    &format!("the connection broke after {} bytes: {error}", self.done),
                )
            })?;
            if count == 0 {
                break;
            }
            into.write_all(&buffer[..count])
                .map_err(RemoteError::Disk)?;
            self.done += count as u64;
            watch.moved(count);
        }
        match end {
            Some(end) if self.done < end => {
                let problem = format!("the connection ended after {} of {end} bytes", self.done);
                Err(broken(&self.address, &problem))
            }
            _ => Ok(()),
        }
    }
}
