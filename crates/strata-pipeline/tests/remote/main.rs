//! What every remote promises, kept by each of them.

#![allow(clippy::unwrap_used)]

#[allow(dead_code, reason = "the tests of the command line use the rest")]
mod s3_server;

use std::path::Path;
use std::sync::atomic::AtomicBool;

use s3_server::{ACCESS_KEY, BUCKET, COMPLETE, S3Server, Trouble};
use strata_fs::md5_of_bytes;
use strata_pipeline::config::Config;
use strata_pipeline::progress::Silent;
use strata_pipeline::remote::{
    Environment, LocalRemote, Remote, RemoteError, RemoteOptions, S3Remote, S3Settings, Watch,
};
use tempfile::TempDir;

/// Nobody wants anything to stop.
static GO_ON: AtomicBool = AtomicBool::new(false);

const UNWATCHED: Watch<'_> = Watch {
    progress: &Silent,
    stop: &GO_ON,
};

/// More than one part of an upload, and no multiple of it.
const LARGE: usize = (20 << 20) + 3;

fn key_of(contents: &[u8]) -> String {
    let md5 = md5_of_bytes(contents);
    format!("files/md5/{}/{}", &md5[..2], &md5[2..])
}

fn local(folder: &Path) -> LocalRemote {
    LocalRemote::new(folder.join("remote"))
}

/// A remote in the server; a request is tried three times.
fn s3(server: &S3Server, folder: &Path) -> S3Remote {
    let text = format!(
        "['remote \"s\"']\nurl = s3://{BUCKET}/some/prefix\nendpointurl = {}\naccess_key_id = {ACCESS_KEY}\nsecret_access_key = x\n",
        server.url()
    );
    fs_err::write(folder.join("config"), text).unwrap();
    let config = Config::open(Some(folder)).unwrap();
    let mut environment = Environment::default();
    environment
        .variables
        .insert("AWS_MAX_ATTEMPTS".to_owned(), "3".to_owned());
    let options = RemoteOptions::of(&config, "s").unwrap();
    S3Remote::open(S3Settings::of(&options, &environment).unwrap())
}

fn downloaded(remote: &dyn Remote, key: &str) -> Result<Vec<u8>, RemoteError> {
    let mut contents = Vec::new();
    remote.download(key, &mut contents, UNWATCHED)?;
    Ok(contents)
}

/// The promises of [`Remote`].
fn conforms(remote: &dyn Remote, folder: &Path) {
    let file = folder.join("file");
    let upload = |contents: &[u8], key: &str, md5: Option<&str>| {
        fs_err::write(&file, contents).unwrap();
        remote.upload(&file, key, md5, UNWATCHED)
    };
    let size = |key: &str| remote.size(key, &GO_ON).unwrap();
    let keys = |folder: &str| remote.keys(folder, &GO_ON).unwrap();

    // Nothing is there at first, and that is no error.
    assert_eq!(keys("files"), Vec::<String>::new());
    assert_eq!(size("files/md5/ab/cdef"), None);
    let missing = downloaded(remote, "files/md5/ab/cdef").unwrap_err();
    assert!(matches!(missing, RemoteError::Missing { .. }), "{missing}");
    assert!(
        missing.to_string().contains("files/md5/ab/cdef"),
        "{missing}"
    );

    // What was stored is there, of any size; a list of a folder is an object too.
    let large: Vec<u8> = (0..LARGE).map(|index| (index * 31 / 7) as u8).collect();
    for contents in [&b""[..], b"small", &large] {
        let key = key_of(contents);
        upload(contents, &key, Some(&md5_of_bytes(contents))).unwrap();
        assert_eq!(size(&key), Some(contents.len() as u64));
        assert!(downloaded(remote, &key).unwrap() == contents, "{key}");
    }
    let list = key_of(b"[]") + ".dir";
    upload(b"[]", &list, Some(&(md5_of_bytes(b"[]") + ".dir"))).unwrap();
    assert_eq!(downloaded(remote, &list).unwrap(), b"[]");
    upload(b"run", "runs/ab/abcd/0123", None).unwrap();
    assert_eq!(keys("runs"), ["runs/ab/abcd/0123"]);
    assert_eq!(keys("files").len(), 4);

    // Contents that are not what their name says are never stored, not even for a moment.
    for contents in [&b"damaged"[..], &large[1..]] {
        let key = "files/md5/00/112233445566778899aabbccddeeff";
        let refused = upload(contents, key, Some("00112233445566778899aabbccddeeff")).unwrap_err();
        assert!(matches!(refused, RemoteError::Damaged { .. }), "{refused}");
        assert_eq!(size(key), None);
    }
    assert_eq!(keys("files").len(), 4);

    // Many are found at once, however many there are.
    let mut asked: Vec<String> = (0..40_u32)
        .map(|number| key_of(&number.to_le_bytes()))
        .collect();
    for number in 0..20_u32 {
        let contents = number.to_le_bytes();
        upload(
            &contents,
            &key_of(&contents),
            Some(&md5_of_bytes(&contents)),
        )
        .unwrap();
    }
    asked.push(list.clone());
    let mut found: Vec<(String, u64)> = remote
        .existing(&asked, 3, &GO_ON)
        .unwrap()
        .into_iter()
        .collect();
    found.sort();
    let mut expected: Vec<(String, u64)> = asked[..20].iter().map(|key| (key.clone(), 4)).collect();
    expected.push((list.clone(), 2));
    expected.sort();
    assert_eq!(found, expected);

    // What is removed is gone, and nothing else; removing nothing is no error.
    for _ in 0..2 {
        remote.remove(&list, UNWATCHED.stop).unwrap();
    }
    assert_eq!(size(&list), None);
    assert_eq!(keys("files").len(), 23);
}

#[test]
fn a_folder_is_a_remote() {
    let folder = TempDir::new().unwrap();
    conforms(&local(folder.path()), folder.path());
}

#[test]
fn a_bucket_is_a_remote() {
    let (folder, server) = (TempDir::new().unwrap(), S3Server::start());
    server.set_keys_of_a_page(3);
    conforms(&s3(&server, folder.path()), folder.path());
    assert_eq!(server.open_uploads(), 0);
    assert!(
        server
            .keys()
            .iter()
            .all(|key| key.starts_with("some/prefix/")),
        "{:?}",
        server.keys()
    );
}

#[test]
fn a_bucket_that_is_busy_or_far_away_is_a_remote() {
    let (folder, server) = (TempDir::new().unwrap(), S3Server::start());
    let remote = s3(&server, folder.path());
    // The first answer tells that the server can be reached at all.
    assert_eq!(remote.size("files/md5/ab/cd", &GO_ON).unwrap(), None);
    for method in ["PUT", "GET", "HEAD", "POST"] {
        server.fail(method, "", 1, Trouble::Status(503, "SlowDown"));
        server.fail(method, "", 1, Trouble::Silence);
    }
    conforms(&remote, folder.path());
}

#[test]
fn a_broken_download_goes_on_where_it_was() {
    let (folder, server) = (TempDir::new().unwrap(), S3Server::start());
    let remote = s3(&server, folder.path());
    let contents: Vec<u8> = (0..300_000_u32)
        .map(|index| (index * 7 / 3) as u8)
        .collect();
    server.put("some/prefix/files/x", &contents);
    server.fail("GET", "files/x", 3, Trouble::Cut(70_000));
    // More breaks than tries: each brought something.
    assert!(downloaded(&remote, "files/x").unwrap() == contents);
    assert_eq!(server.take_log().len(), 4);

    server.fail("GET", "files/x", 9, Trouble::Cut(0));
    let broken = downloaded(&remote, "files/x").unwrap_err();
    assert!(matches!(broken, RemoteError::Connection { .. }), "{broken}");
    assert_eq!(server.take_log().len(), 3);
}

#[test]
fn parts_of_a_failed_upload_are_removed() {
    let (folder, server) = (TempDir::new().unwrap(), S3Server::start());
    let remote = s3(&server, folder.path());
    let file = folder.path().join("large");
    let contents = vec![7_u8; LARGE];
    fs_err::write(&file, &contents).unwrap();
    let (key, md5) = (key_of(&contents), md5_of_bytes(&contents));
    let upload = || remote.upload(&file, &key, Some(&md5), UNWATCHED);
    server.fail("PUT", &key, 9, Trouble::Silence);
    assert!(matches!(
        upload().unwrap_err(),
        RemoteError::Connection { .. }
    ));
    assert_eq!((server.open_uploads(), server.keys().len()), (0, 0));
    server.mend();
    upload().unwrap();
    assert!(server.get(&format!("some/prefix/{key}")).unwrap() == contents);
}

#[test]
fn an_upload_whose_last_answer_was_lost_is_complete() {
    let (folder, server) = (TempDir::new().unwrap(), S3Server::start());
    let remote = s3(&server, folder.path());
    let file = folder.path().join("large");
    let contents = vec![7_u8; LARGE];
    fs_err::write(&file, &contents).unwrap();
    let (key, md5) = (key_of(&contents), md5_of_bytes(&contents));
    let upload = || remote.upload(&file, &key, Some(&md5), UNWATCHED);
    server.fail(COMPLETE, &key, 1, Trouble::LostAnswer);
    upload().unwrap();
    assert!(server.get(&format!("some/prefix/{key}")).unwrap() == contents);

    // Somebody has removed the parts before.
    server.fail(COMPLETE, &key, 1, Trouble::Status(404, "NoSuchUpload"));
    let refused = upload().unwrap_err();
    assert!(matches!(refused, RemoteError::Refused { .. }), "{refused}");
}

#[test]
fn refusals_name_the_place_the_code_and_a_remedy_and_no_key() {
    let (folder, server) = (TempDir::new().unwrap(), S3Server::start());
    let remote = s3(&server, folder.path());
    for (code, hint) in [
        ("AccessDenied", "may not do this"),
        ("SignatureDoesNotMatch", "does not fit"),
        ("RequestTimeTooSkewed", "set the clock"),
    ] {
        server.fail("GET", "files/x", 1, Trouble::Status(403, code));
        let text = downloaded(&remote, "files/x").unwrap_err().to_string();
        for part in [
            "s3://bucket/some/prefix/files/x",
            "403",
            code,
            "It is so",
            hint,
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert!(
            !text.contains(ACCESS_KEY) && !text.contains("X-Amz"),
            "{text}"
        );
    }
}

#[test]
fn many_are_found_in_lists_and_few_by_questions() {
    let (folder, server) = (TempDir::new().unwrap(), S3Server::start());
    let remote = s3(&server, folder.path());
    // As if there were 4096 times as many: a fifth of a million pages would be too much for two keys.
    for number in 0..10 {
        server.put(&format!("some/prefix/files/md5/00/0{number}"), b"x");
    }
    let keys: Vec<String> = (0..60_u32)
        .map(|number| key_of(&number.to_le_bytes()))
        .collect();
    remote.existing(&keys[..2], 2, &GO_ON).unwrap();
    let log = server.take_log();
    assert_eq!(
        log.iter().filter(|line| line.starts_with("HEAD")).count(),
        2,
        "{log:?}"
    );
    remote.existing(&keys, 2, &GO_ON).unwrap();
    let log = server.take_log();
    assert_eq!(
        log.iter().filter(|line| line.starts_with("HEAD")).count(),
        0,
        "{log:?}"
    );
}
