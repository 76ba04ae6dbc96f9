//! A server on the loopback that speaks as much of S3 as a remote needs, and fails when it is told to.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// The only bucket.
pub(crate) const BUCKET: &str = "bucket";
/// The only key that may ask; signatures are not computed.
pub(crate) const ACCESS_KEY: &str = "AKIALOOPBACK";

/// Stands for the `POST` that completes an upload in parts, where something is to go wrong with it alone.
pub(crate) const COMPLETE: &str = "POST uploadId";

/// What goes wrong.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    /// An answer with a status and a code; a wait of 0 s is asked for.
    Status(u16, &'static str),
    /// The connection ends without an answer.
    Silence,
    /// The same, after what was asked for was done.
    LostAnswer,
    /// The connection ends after so many bytes of the answer's body.
    Cut(usize),
    /// The answer says so much and has other contents.
    OtherContents,
}

struct Fault {
    method: &'static str,
    key_part: String,
    times: usize,
    trouble: Trouble,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Vec<u8>>,
    uploads: HashMap<String, BTreeMap<u16, Vec<u8>>>,
    faults: Vec<Fault>,
    log: Vec<String>,
    keys_of_a_page: usize,
}

/// The server; it ends with the process.
#[derive(Clone)]
pub(crate) struct S3Server {
    state: Arc<Mutex<State>>,
    port: u16,
}

impl S3Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = State {
            keys_of_a_page: 1000,
            ..State::default()
        };
        let server = Self {
            state: Arc::new(Mutex::new(state)),
            port,
        };
        let own = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = own.clone();
                thread::spawn(move || server.serve(stream));
            }
        });
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The next `times` requests of a method for a key that has `key_part` in it fail.
    pub(crate) fn fail(
        &self,
        method: &'static str,
        key_part: &str,
        times: usize,
        trouble: Trouble,
    ) {
        self.state().faults.push(Fault {
            method,
            key_part: key_part.to_owned(),
            times,
            trouble,
        });
    }

    pub(crate) fn mend(&self) {
        self.state().faults.clear();
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.state().objects.keys().cloned().collect()
    }

    pub(crate) fn put(&self, key: &str, contents: &[u8]) {
        self.state()
            .objects
            .insert(key.to_owned(), contents.to_owned());
    }

    pub(crate) fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.state().objects.get(key).cloned()
    }

    pub(crate) fn open_uploads(&self) -> usize {
        self.state().uploads.len()
    }

    pub(crate) fn set_keys_of_a_page(&self, keys: usize) {
        self.state().keys_of_a_page = keys;
    }

    /// Methods and keys asked for since the last call.
    pub(crate) fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut self.state().log)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, stream: TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let mut stream = stream;
        loop {
            let request = Request::read(&mut reader)?;
            let (answer, trouble) = self.answer(&request);
            let mut answer = match &trouble {
                Some(Trouble::Silence | Trouble::LostAnswer) => return None,
                Some(Trouble::Status(status, code)) => {
                    Answer::error(*status, code).header("Retry-After", "0")
                }
                _ => answer,
            };
            if let Some(Trouble::OtherContents) = trouble {
                for byte in &mut answer.body {
                    *byte ^= 1;
                }
            }
            let mut head = format!(
                "HTTP/1.1 {} X\r\nContent-Length: {}\r\n",
                answer.status,
                answer.length()
            );
            for (name, value) in &answer.headers {
                let _ = write!(head, "{name}: {value}\r\n");
            }
            head.push_str("\r\n");
            stream.write_all(head.as_bytes()).ok()?;
            if request.method == "HEAD" {
                continue;
            }
            if let Some(Trouble::Cut(bytes)) = trouble {
                stream
                    .write_all(&answer.body[..bytes.min(answer.body.len())])
                    .ok()?;
                return None;
            }
            stream.write_all(&answer.body).ok()?;
        }
    }

    /// A request for which something is to go wrong changes nothing.
    fn answer(&self, request: &Request) -> (Answer, Option<Trouble>) {
        let mut state = self.state();
        state
            .log
            .push(format!("{} {}", request.method, request.key));
        let fault = state.faults.iter_mut().find(|fault| {
            fault.times > 0
                && request.is_called(fault.method)
                && request.key.contains(&fault.key_part)
        });
        let trouble = fault.map(|fault| {
            fault.times -= 1;
            fault.trouble.clone()
        });
        if matches!(trouble, Some(Trouble::Silence | Trouble::Status(..))) {
            return (Answer::new(200), trouble);
        }
        (state.answer(request), trouble)
    }
}

impl State {
    fn answer(&mut self, request: &Request) -> Answer {
        let credential = request.query("X-Amz-Credential").unwrap_or_default();
        if !credential.starts_with(ACCESS_KEY) || request.query("X-Amz-Signature").is_none() {
            return Answer::error(403, "InvalidAccessKeyId");
        }
        if request.bucket != BUCKET {
            return Answer::error(404, "NoSuchBucket");
        }
        let is_md5_wrong = request
            .headers
            .get("content-md5")
            .is_some_and(|md5| md5.len() != 24);
        let (key, upload) = (&request.key, request.query("uploadId"));
        match (request.method.as_str(), upload) {
            ("GET", _) if key.is_empty() => self.list(request),
            ("HEAD" | "GET", _) => match self.objects.get(key) {
                Some(contents) => part_of(contents, request),
                None => Answer::error(404, "NoSuchKey"),
            },
            ("PUT", _) if is_md5_wrong || !request.headers.contains_key("content-md5") => {
                Answer::error(400, "InvalidDigest")
            }
            ("PUT", None) => {
                self.objects.insert(key.clone(), request.body.clone());
                Answer::new(200).header("ETag", "\"whole\"")
            }
            ("PUT", Some(upload)) => {
                let number: u16 = request
                    .query("partNumber")
                    .and_then(|n| n.parse().ok())
                    .expect("a number");
                let Some(parts) = self.uploads.get_mut(&upload) else {
                    return Answer::error(404, "NoSuchUpload");
                };
                parts.insert(number, request.body.clone());
                Answer::new(200).header("ETag", &format!("\"part{number}\""))
            }
            ("POST", None) => {
                let id = format!("upload{}", self.uploads.len());
                self.uploads.insert(id.clone(), BTreeMap::new());
                Answer::xml(&format!(
                    "<InitiateMultipartUploadResult xmlns=\"{NAMESPACE}\"><Bucket>{BUCKET}</Bucket><Key>{key}</Key>\
                     <UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
                ))
            }
            ("POST", Some(upload)) => {
                let Some(parts) = self.uploads.remove(&upload) else {
                    return Answer::error(404, "NoSuchUpload");
                };
                self.objects
                    .insert(key.clone(), parts.into_values().flatten().collect());
                Answer::xml(&format!(
                    "<CompleteMultipartUploadResult xmlns=\"{NAMESPACE}\"><Location>x</Location><Bucket>{BUCKET}</Bucket>\
                     <Key>{key}</Key><ETag>\"x\"</ETag></CompleteMultipartUploadResult>"
                ))
            }
            ("DELETE", None) => {
                self.objects.remove(key);
                Answer::new(204)
            }
            ("DELETE", Some(upload)) => {
                self.uploads.remove(&upload);
                Answer::new(204)
            }
            _ => Answer::error(405, "MethodNotAllowed"),
        }
    }

    fn list(&self, request: &Request) -> Answer {
        let prefix = request.query("prefix").unwrap_or_default();
        let after = request.query("continuation-token").unwrap_or_default();
        let asked: usize = request
            .query("max-keys")
            .and_then(|keys| keys.parse().ok())
            .unwrap_or(1000);
        let most = asked.min(self.keys_of_a_page);
        let mut found = self
            .objects
            .iter()
            .filter(|(key, _)| key.starts_with(&prefix) && **key > after);
        let page: Vec<_> = found.by_ref().take(most).collect();
        let mut text = format!("<ListBucketResult xmlns=\"{NAMESPACE}\"><Name>{BUCKET}</Name>");
        for (key, contents) in &page {
            let size = contents.len();
            let _ = write!(
                text,
                "<Contents><Key>{key}</Key><Size>{size}</Size></Contents>"
            );
        }
        let more = found.next().is_some();
        let _ = write!(
            text,
            "<MaxKeys>{most}</MaxKeys><IsTruncated>{more}</IsTruncated>"
        );
        if let (true, Some((last, _))) = (more, page.last()) {
            let _ = write!(
                text,
                "<NextContinuationToken>{last}</NextContinuationToken>"
            );
        }
        text.push_str("</ListBucketResult>");
        Answer::xml(&text)
    }
}

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// The object, or the end of it that `Range: bytes=N-` asks for.
fn part_of(contents: &[u8], request: &Request) -> Answer {
    let range = request
        .headers
        .get("range")
        .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
    let start: Option<usize> = range.and_then(|start| start.parse().ok());
    let mut answer =
        Answer::new(if start.is_some() { 206 } else { 200 }).header("ETag", "\"whole\"");
    answer.body = Vec::from(&contents[start.unwrap_or(0).min(contents.len())..]);
    answer
}

struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    fn xml(text: &str) -> Self {
        let mut answer = Self::new(200).header("Content-Type", "application/xml");
        answer.body = Vec::from(text);
        answer
    }

    fn error(status: u16, code: &str) -> Self {
        let mut answer = Self::xml(&format!(
            "<Error><Code>{code}</Code><Message>It is so</Message></Error>"
        ));
        answer.status = status;
        answer
    }

    fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn length(&self) -> usize {
        self.body.len()
    }
}

struct Request {
    method: String,
    bucket: String,
    key: String,
    query: HashMap<String, String>,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

impl Request {
    /// None at the end of the connection.
    fn read(reader: &mut BufReader<TcpStream>) -> Option<Self> {
        let mut line = String::new();
        reader
            .read_line(&mut line)
            .ok()
            .filter(|count| *count > 0)?;
        let mut words = line.split_whitespace();
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut headers = HashMap::new();
        loop {
            let mut line = String::new();
            reader
                .read_line(&mut line)
                .ok()
                .filter(|count| *count > 0)?;
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            headers.insert(name.to_lowercase(), value.trim().to_owned());
        }
        let length = headers
            .get("content-length")
            .and_then(|length| length.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body).ok()?;
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let (bucket, key) = path.trim_start_matches('/').split_once('/')?;
        let query = query.split('&').map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        });
        Some(Self {
            method,
            bucket: bucket.to_owned(),
            key: decoded(key),
            query: query.collect(),
            headers,
            body,
        })
    }

    fn is_called(&self, method: &str) -> bool {
        match method {
            COMPLETE => self.method == "POST" && self.query.contains_key("uploadId"),
            method => self.method == method,
        }
    }

    fn query(&self, name: &str) -> Option<String> {
        self.query.get(name).cloned()
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().unwrap_or(b'0'), rest.next().unwrap_or(b'0')];
            let digits = String::from_utf8_lossy(&digits).into_owned();
            bytes.push(u8::from_str_radix(&digits, 16).unwrap_or(b'?'));
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
