//! Files sent: small ones at once, large ones in parts.

use std::io::Read;
use std::path::Path;
use std::sync::PoisonError;

use rusty_s3::actions::{CompleteMultipartUploadResponse, CreateMultipartUpload};
use strata_fs::{Md5, md5_of_bytes};

use super::client::{Failed, Request, broken};
use super::store::S3Remote;
use crate::parallel::in_parallel;
use crate::progress::Stop;
use crate::remote::{Remote as _, RemoteError, Watch};

/// A file of up to so many bytes goes in one request, and in memory. boto3 has the same.
const PART_BYTES: u64 = 8 << 20;
/// Parts that are in memory at a time have about so many bytes together.
const PARTS_BYTES: u64 = 64 << 20;
/// The most parts that an object may have.
const MOST_PARTS: u64 = 10_000;

/// What goes into one part.
struct Part {
    number: u16,
    bytes: Vec<u8>,
}

impl S3Remote {
    /// Every request carries the MD5 of what it brings, and the server refuses what arrives as something else.
    pub(super) fn send_file(
        &self,
        file: &Path,
        key: &str,
        md5: Option<&str>,
        watch: Watch<'_>,
    ) -> Result<(), RemoteError> {
        let mut source = fs_err::File::open(file)?;
        let size = source.metadata()?.len();
        let damaged = |found: String| RemoteError::Damaged {
            address: file.display().to_string(),
            found,
            verb: "sent",
        };
        let expected = md5.map(|md5| md5.trim_end_matches(".dir"));
        if size > PART_BYTES {
            return self.send_in_parts(&mut source, size, key, expected, &damaged, watch);
        }
        let bytes = read_up_to(&mut source, PART_BYTES + 1)?;
        let found = md5_of_bytes(&bytes);
        if expected.is_some_and(|expected| expected != found) {
            return Err(damaged(found));
        }
        let (address, full) = (self.address(key), self.full(key));
        self.client.with_retries(watch.stop, || {
            let bucket = self.client.bucket();
            let action = bucket.put_object(self.client.credentials(), &full);
            let mut request = Request::new(&address);
            request.body = &bytes;
            request.headers = vec![("content-md5", base64_of_hex(&found))];
            request.makes_object = true;
            self.client.send(action, &request)
        })?;
        watch.moved(bytes.len());
        Ok(())
    }

    /// The object appears when the server has all of its parts and is told so; if anything fails they are removed.
    fn send_in_parts(
        &self,
        source: &mut impl Read,
        size: u64,
        key: &str,
        expected: Option<&str>,
        damaged: &dyn Fn(String) -> RemoteError,
        watch: Watch<'_>,
    ) -> Result<(), RemoteError> {
        let _one_at_a_time = self.in_parts.lock().unwrap_or_else(PoisonError::into_inner);
        let upload = self.begin_upload(key, watch.stop)?;
        let finished =
            self.send_parts(source, size, key, &upload, watch)
                .and_then(|(etags, found)| {
                    if expected.is_some_and(|expected| expected != found) {
                        return Err(damaged(found));
                    }
                    self.complete_upload(key, &upload, &etags, size, watch.stop)
                });
        if finished.is_err() {
            self.abort_upload(key, &upload);
        }
        finished
    }

    fn begin_upload(&self, key: &str, stop: &dyn Stop) -> Result<String, RemoteError> {
        let (address, full) = (self.address(key), self.full(key));
        let text = self.client.with_retries(stop, || {
            let bucket = self.client.bucket();
            let action = bucket.create_multipart_upload(self.client.credentials(), &full);
            let mut request = Request::new(&address);
            request.makes_object = true;
            self.client.send_for_text(action, &request)
        })?;
        let answer = CreateMultipartUpload::parse_response(&text);
        let answer = answer.map_err(|error| RemoteError::Connection {
            address,
            problem: format!("the answer to a new upload is not understood: {error}"),
        })?;
        Ok(answer.upload_id().to_owned())
    }

    /// The names of the parts in order, and the MD5 of the whole.
    fn send_parts(
        &self,
        source: &mut impl Read,
        size: u64,
        key: &str,
        upload: &str,
        watch: Watch<'_>,
    ) -> Result<(Vec<String>, String), RemoteError> {
        let part_bytes = PART_BYTES.max(size.div_ceil(MOST_PARTS));
        let at_a_time = (PARTS_BYTES / part_bytes).max(1) as usize;
        let mut whole = Md5::new();
        let mut etags: Vec<String> = Vec::new();
        loop {
            let mut parts = Vec::new();
            while parts.len() < at_a_time {
                let bytes = read_up_to(source, part_bytes)?;
                if bytes.is_empty() {
                    break;
                }
                whole.update(&bytes);
                let number = u16::try_from(etags.len() + parts.len() + 1)
                    .map_err(|_| std::io::Error::other("the file grew while it was read"))?;
                parts.push(Part { number, bytes });
            }
            if parts.is_empty() {
                return Ok((etags, whole.hex()));
            }
            for etag in in_parallel(&parts, parts.len(), |part| {
                self.send_part(key, upload, part, watch)
            }) {
                etags.push(etag?);
            }
        }
    }

    fn send_part(
        &self,
        key: &str,
        upload: &str,
        part: &Part,
        watch: Watch<'_>,
    ) -> Result<String, RemoteError> {
        let (address, full) = (self.address(key), self.full(key));
        let md5 = base64_of_hex(&md5_of_bytes(&part.bytes));
        let etag = self.client.with_retries(watch.stop, || {
            let bucket = self.client.bucket();
            let action = bucket.upload_part(self.client.credentials(), &full, part.number, upload);
            let mut request = Request::new(&address);
            request.body = &part.bytes;
            request.headers = vec![("content-md5", md5.clone())];
            let response = self.client.send(action, &request)?;
            let etag = response
                .headers()
                .get("etag")
                .and_then(|etag| etag.to_str().ok());
            etag.map(str::to_owned)
                .ok_or_else(|| broken(&address, "the server gave a part no ETag"))
        })?;
        watch.moved(part.bytes.len());
        Ok(etag)
    }

    /// Where the answer was lost, the next try finds no such upload: if the object has the right size, it is complete.
    fn complete_upload(
        &self,
        key: &str,
        upload: &str,
        etags: &[String],
        size: u64,
        stop: &dyn Stop,
    ) -> Result<(), RemoteError> {
        let (address, full) = (self.address(key), self.full(key));
        let mut tries = 0;
        self.client.with_retries(stop, || {
            tries += 1;
            let bucket = self.client.bucket();
            let action = |etags| {
                bucket.complete_multipart_upload(self.client.credentials(), &full, upload, etags)
            };
            let body = action(etags.iter().map(String::as_str)).body();
            let mut request = Request::new(&address);
            request.body = body.as_bytes();
            let sent = self
                .client
                .send_for_text(action(etags.iter().map(String::as_str)), &request);
            let text = match sent {
                Err(Failed::Finally(RemoteError::Refused { code, .. }))
                    if tries > 1
                        && code == "NoSuchUpload"
                        && self.size(key, stop)? == Some(size) =>
                {
                    return Ok(());
                }
                sent => sent?,
            };
            // The server begins to answer before it is done, and may find an error then.
            match CompleteMultipartUploadResponse::parse(&text) {
                Ok(_) => Ok(()),
                Err(error) => Err(broken(
                    &address,
                    &format!("the upload was not completed: {error}"),
                )),
            }
        })
    }

    /// Parts that cannot be removed cost their owner money, but are nothing that anybody finds.
    fn abort_upload(&self, key: &str, upload: &str) {
        let (address, full) = (self.address(key), self.full(key));
        let bucket = self.client.bucket();
        let action = bucket.abort_multipart_upload(self.client.credentials(), &full, upload);
        let _ = self.client.send(action, &Request::new(&address));
    }
}

fn read_up_to(source: &mut impl Read, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Base64 (RFC 4648) of the bytes that hex digits stand for, as `Content-MD5` has them.
fn base64_of_hex(hex: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let nibbles: Vec<u32> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
    let mut text = String::new();
    for six in nibbles.chunks(6) {
        let value =
            six.iter().fold(0, |value, nibble| (value << 4) | nibble) << (4 * (6 - six.len()));
        // Two digits of hex are a byte, and a byte more makes a digit of Base64 more.
        let digits = six.len() / 2 + 1;
        for place in 0..4 {
            let digit = DIGITS[((value >> (18 - 6 * place)) & 63) as usize];
            text.push(if place < digits {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn md5s_are_sent_in_base64() {
        assert_eq!(
            base64_of_hex("900150983cd24fb0d6963f7d28e17f72"),
            "kAFQmDzST7DWlj99KOF/cg=="
        );
        assert_eq!(base64_of_hex("666f6f"), "Zm9v");
        assert_eq!(base64_of_hex("666f"), "Zm8=");
    }
}
