//! Downloads from a server on this machine that behaves and misbehaves.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use strata_fs::{DownloadError, DownloadEvents, DownloadRequest, download};

const CONTENT: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const MD5: &str = "e9b1713db620f1e3a14b6812de523f4b";

/// What the server does with one connection.
#[derive(Clone, Copy)]
enum Answer {
    /// The whole content, or the asked range of it.
    Serve,
    /// The whole content, whatever range is asked for.
    IgnoreRange,
    /// So many bytes of it, then the connection is closed.
    Drop(usize),
    /// A status without content.
    Status(u16),
}

/// Answers one connection after the other, then stops. Gives back the requests' `Range` headers.
fn serve(answers: Vec<Answer>) -> (String, JoinHandle<Vec<Option<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!(
        "http://{}/gzip.zip",
        listener.local_addr().expect("an address")
    );
    let server = thread::spawn(move || {
        answers
            .into_iter()
            .map(|answer| reply(listener.accept().expect("a client").0, answer))
            .collect()
    });
    (url, server)
}

fn reply(mut stream: TcpStream, answer: Answer) -> Option<String> {
    let mut range = None;
    for line in BufReader::new(stream.try_clone().expect("a socket")).lines() {
        let line = line.expect("a header");
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("range: ") {
            range = Some(value.to_owned());
        }
    }
    let start = range.as_ref().and_then(|range| {
        range
            .strip_prefix("bytes=")?
            .strip_suffix('-')?
            .parse()
            .ok()
    });
    let (head, body) = match (answer, start) {
        (Answer::Status(status), _) => (
            format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\nRetry-After: 7\r\n"),
            &[][..],
        ),
        (Answer::Serve, Some(start)) if start < CONTENT.len() => (
            format!(
                "HTTP/1.1 206 Partial\r\nContent-Length: {}\r\n",
                CONTENT.len() - start
            ),
            &CONTENT[start..],
        ),
        (Answer::Serve, Some(_)) => (
            "HTTP/1.1 416 Range\r\nContent-Length: 0\r\n".to_owned(),
            &[][..],
        ),
        (Answer::Serve | Answer::IgnoreRange, _) => (
            format!(
                "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: {}\r\n",
                CONTENT.len()
            ),
            CONTENT,
        ),
        (Answer::Drop(bytes), _) => (
            format!(
                "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: {}\r\n",
                CONTENT.len()
            ),
            &CONTENT[..bytes],
        ),
    };
    // The client may have gone away: then there is nobody to tell.
    let _ = stream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes());
    let _ = stream.write_all(body);
    range
}

#[derive(Default)]
struct Events {
    waits: Vec<Duration>,
    progress: Vec<(u64, Option<u64>)>,
    stop_after_bytes: Option<u64>,
}

impl DownloadEvents for Events {
    fn progress(&mut self, done_bytes: u64, total_bytes: Option<u64>) {
        self.progress.push((done_bytes, total_bytes));
    }

    fn interrupted(&self) -> bool {
        let done = self.progress.last().map_or(0, |(done, _)| *done);
        self.stop_after_bytes.is_some_and(|stop| done >= stop)
    }

    fn wait(&mut self, time: Duration) {
        self.waits.push(time);
    }
}

fn request(folder: &Path, url: &str) -> DownloadRequest {
    DownloadRequest {
        url: url.to_owned(),
        destination: folder.join("raw/gzip.zip"),
        md5: Some(MD5.to_owned()),
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder.join("raw"))
        .expect("a folder")
        .map(|entry| entry.expect("a file").path())
        .collect();
    files.sort();
    files
}

#[test]
fn a_download_arrives_whole_and_leaves_nothing_beside() {
    let folder = tempfile::tempdir().unwrap();
    let (url, server) = serve(vec![Answer::Serve]);
    let mut events = Events::default();
    download(&request(folder.path(), &url), &mut events).unwrap();
    server.join().unwrap();
    assert_eq!(
        std::fs::read(folder.path().join("raw/gzip.zip")).unwrap(),
        CONTENT
    );
    assert_eq!(files(folder.path()).len(), 1);
    assert_eq!(events.progress.last(), Some(&(36, Some(36))));
}

#[test]
fn a_broken_connection_is_resumed_where_it_broke() {
    let folder = tempfile::tempdir().unwrap();
    let (url, server) = serve(vec![Answer::Drop(10), Answer::Serve]);
    download(&request(folder.path(), &url), &mut Events::default()).unwrap();
    assert_eq!(server.join().unwrap(), [None, Some("bytes=10-".to_owned())]);
    assert_eq!(
        std::fs::read(folder.path().join("raw/gzip.zip")).unwrap(),
        CONTENT
    );
}

#[test]
fn a_server_that_ignores_the_range_is_read_from_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let (url, server) = serve(vec![Answer::Drop(10), Answer::IgnoreRange]);
    download(&request(folder.path(), &url), &mut Events::default()).unwrap();
    server.join().unwrap();
    assert_eq!(
        std::fs::read(folder.path().join("raw/gzip.zip")).unwrap(),
        CONTENT
    );
}

#[test]
fn an_interrupted_download_goes_on_in_the_next_call() {
    let folder = tempfile::tempdir().unwrap();
    let (url, server) = serve(vec![Answer::Drop(20), Answer::Serve]);
    let mut events = Events {
        stop_after_bytes: Some(20),
        ..Events::default()
    };
    let stopped = download(&request(folder.path(), &url), &mut events).unwrap_err();
    assert!(
        matches!(stopped, DownloadError::Interrupted { .. }),
        "{stopped}"
    );
    assert!(!folder.path().join("raw/gzip.zip").exists());
    download(&request(folder.path(), &url), &mut Events::default()).unwrap();
    assert_eq!(server.join().unwrap()[1].as_deref(), Some("bytes=20-"));
}

#[test]
fn a_busy_server_is_asked_again_when_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let (url, server) = serve(vec![
        Answer::Status(503),
        Answer::Status(429),
        Answer::Serve,
    ]);
    let mut events = Events::default();
    download(&request(folder.path(), &url), &mut events).unwrap();
    server.join().unwrap();
    assert_eq!(
        events.waits,
        [Duration::from_secs(7), Duration::from_secs(7)]
    );
}

#[test]
fn a_refusal_is_final() {
    let folder = tempfile::tempdir().unwrap();
    let (url, server) = serve(vec![Answer::Status(404)]);
    let refused = download(&request(folder.path(), &url), &mut Events::default()).unwrap_err();
    server.join().unwrap();
    assert!(
        matches!(refused, DownloadError::Status { status: 404, .. }),
        "{refused}"
    );
}

#[test]
fn another_content_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (url, server) = serve(vec![Answer::Serve]);
    let wanted = DownloadRequest {
        md5: Some("0".repeat(32)),
        ..request(folder.path(), &url)
    };
    let refused = download(&wanted, &mut Events::default())
        .unwrap_err()
        .to_string();
    server.join().unwrap();
    assert!(refused.contains(MD5), "both sums are named: {refused}");
    assert_eq!(files(folder.path()), Vec::<PathBuf>::new());
}

#[test]
fn without_a_network_it_ends_soon() {
    let folder = tempfile::tempdir().unwrap();
    let mut events = Events::default();
    // Nothing listens on port 1.
    let failed = download(
        &request(folder.path(), "http://127.0.0.1:1/gzip.zip"),
        &mut events,
    )
    .unwrap_err();
    assert!(
        matches!(failed, DownloadError::Connection { .. }),
        "{failed}"
    );
    assert_eq!(events.waits.len(), 1, "one more try");
}
