//! The official archive, made small, fetched from a server on this machine and unpacked.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Cursor, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;
use strata_data::{DataError, DataRequest, Events, load};
use zip::write::{SimpleFileOptions, ZipWriter};

#[derive(Default)]
struct Notices(Vec<String>);

impl Events for Notices {
    fn notice(&mut self, line: &str) {
        self.0.push(line.to_owned());
    }

    fn progress(&mut self, _: u64, _: Option<u64>) {}

    fn interrupted(&self) -> bool {
        false
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn idx(magic: u32, sizes: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut file = magic.to_be_bytes().to_vec();
    for size in sizes {
        file.extend(size.to_be_bytes());
    }
    file.extend(bytes);
    file
}

/// Two training images and one test image of the Letters split, and members that must not be unpacked.
fn archive() -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut add = |name: &str, bytes: &[u8]| {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    };
    for (part, labels) in [("train", &[1_u8, 26][..]), ("test", &[2])] {
        let n = labels.len() as u32;
        let images = idx(0x0803, &[n, 28, 28], &vec![9; 784 * labels.len()]);
        add(
            &format!("gzip/emnist-letters-{part}-images-idx3-ubyte.gz"),
            &gzip(&images),
        );
        add(
            &format!("gzip/emnist-letters-{part}-labels-idx1-ubyte.gz"),
            &gzip(&idx(0x0801, &[n], labels)),
        );
    }
    add(
        "gzip/emnist-balanced-train-labels-idx1-ubyte.gz",
        &gzip(b"of another split"),
    );
    add("../../emnist-letters-escape", b"out of the folder");
    zip.finish().unwrap().into_inner()
}

/// Serves the bytes to one client.
fn serve_once(bytes: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/gzip.zip", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let head = lines
            .map_while(Result::ok)
            .take_while(|line| !line.is_empty())
            .count();
        assert!(head > 0);
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            bytes.len()
        )
        .unwrap();
        stream.write_all(&bytes).unwrap();
    });
    url
}

fn request(root: PathBuf, url: String) -> DataRequest {
    DataRequest {
        root,
        split: "letters".to_owned(),
        val_split: 0.5,
        seed: 1,
        download: true,
        url,
        md5: None,
        mlp_data_dir: None,
    }
}

#[test]
fn the_chosen_split_is_fetched_unpacked_and_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("data");
    let mut notices = Notices::default();
    let splits = load(&request(root.clone(), serve_once(archive())), &mut notices).unwrap();
    assert_eq!(
        (
            splits.train.len(),
            splits.validation.len(),
            splits.test.len()
        ),
        (1, 1, 1)
    );
    assert_eq!(
        splits.test.labels().collect::<Vec<_>>(),
        [1],
        "labels of Letters begin at 1"
    );
    let start = &notices.0[0];
    assert!(
        start.contains("560 MB") && start.contains("http://") && start.contains("gzip.zip"),
        "{start}"
    );

    let mut names: Vec<String> = std::fs::read_dir(root.join("EMNIST/raw"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "emnist-letters-test-images-idx3-ubyte",
            "emnist-letters-test-labels-idx1-ubyte",
            "emnist-letters-train-images-idx3-ubyte",
            "emnist-letters-train-labels-idx1-ubyte",
            "gzip.zip",
        ]
    );
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing escapes the folder"
    );
}

#[test]
fn an_archive_without_the_split_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let wanted = DataRequest {
        split: "digits".to_owned(),
        ..request(folder.path().into(), serve_once(archive()))
    };
    let error = load(&wanted, &mut Notices::default()).unwrap_err();
    assert!(matches!(&error, DataError::Archive { .. }), "{error}");
    assert!(error.to_string().contains("digits"), "{error}");
}

#[test]
fn what_is_no_archive_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let error = load(
        &request(folder.path().into(), serve_once(b"<html>".to_vec())),
        &mut Notices::default(),
    )
    .unwrap_err();
    assert!(error.to_string().contains("gzip.zip"), "{error}");
}
