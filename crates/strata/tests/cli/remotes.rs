//! `strata config`, `strata remote`, and transfers that fail half-way.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use crate::project::{Outcome, Project, files_below};
use crate::s3_server::{ACCESS_KEY, BUCKET, S3Server, Trouble};

const SECRET: &str = "wJalrXUtnFEMI-secret";

/// A project without Git whose user has no keys of his own.
struct Study {
    project: Project,
}

impl Study {
    fn new() -> Self {
        Self {
            project: Project::without_git(),
        }
    }

    /// With `data/` of three files and `model`, tracked, and a bucket as the default remote.
    fn with_bucket(server: &S3Server) -> Self {
        let study = Self::new();
        study.ok(&[
            "remote",
            "add",
            "-d",
            "storage",
            &format!("s3://{BUCKET}/p"),
        ]);
        study.ok(&["remote", "modify", "storage", "endpointurl", &server.url()]);
        study.add_keys("storage");
        study.add_data();
        study
    }

    fn add_keys(&self, remote: &str) {
        self.ok(&[
            "remote",
            "modify",
            "--local",
            remote,
            "access_key_id",
            ACCESS_KEY,
        ]);
        self.ok(&[
            "remote",
            "modify",
            "--local",
            remote,
            "secret_access_key",
            SECRET,
        ]);
    }

    fn add_data(&self) {
        for name in ["a", "b", "c"] {
            self.project
                .write(&format!("data/{name}"), name.repeat(5000));
        }
        self.project.write("model", "m".repeat(9000));
        self.ok(&["add", "-q", "data", "model"]);
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.project.command(args);
        for (name, _) in std::env::vars_os() {
            let name_text = name.to_string_lossy().to_lowercase();
            if name_text.starts_with("aws_") || name_text.ends_with("_proxy") {
                command.env_remove(name);
            }
        }
        command
            .env("HOME", self.project.path("home"))
            .env("AWS_MAX_ATTEMPTS", "2");
        command
    }

    fn run(&self, args: &[&str]) -> Outcome {
        let outcome = Outcome::of(self.command(args).output().expect("the binary starts"));
        let all = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(!all.contains(SECRET) || args.contains(&"config"), "{all}");
        outcome
    }

    fn ok(&self, args: &[&str]) -> String {
        let outcome = self.run(args);
        assert_eq!(outcome.code, Some(0), "{args:?}: {}", outcome.stderr);
        outcome.stdout
    }

    /// What it says on stderr when it ends with `code`.
    fn fails(&self, code: i32, args: &[&str]) -> String {
        let outcome = self.run(args);
        assert_eq!(outcome.code, Some(code), "{args:?}: {}", outcome.stderr);
        outcome.stderr
    }

    fn objects(&self) -> Vec<PathBuf> {
        files_below(&self.project.path(".dvc/cache/files/md5"))
    }

    /// A colleague's copy: the same files in Git, an empty cache, no data.
    fn forget_data(&self) {
        let _ = fs::remove_dir_all(self.project.path(".dvc/cache"));
        let _ = fs::remove_dir_all(self.project.path("data"));
        let _ = fs::remove_file(self.project.path("model"));
    }
}

/// The object of a file of the study.
fn object_of(name: &str) -> String {
    let md5 = match name {
        "model" => strata_fs::md5_of_bytes("m".repeat(9000).as_bytes()),
        name => strata_fs::md5_of_bytes(name.repeat(5000).as_bytes()),
    };
    format!("files/md5/{}/{}", &md5[..2], &md5[2..])
}

fn is_list(key: &str) -> bool {
    key.strip_suffix(".dir").is_some()
}

#[test]
fn settings_are_set_looked_up_listed_and_removed() {
    let study = Study::new();
    study.ok(&["config", "core.autostage", "true"]);
    study.ok(&["config", "--local", "core.autostage", "false"]);
    study.ok(&["config", "--global", "core.checksum_jobs", "3"]);
    study.ok(&["remote", "add", "-d", "storage", "../elsewhere"]);
    let get = |args: &[&str]| study.ok(args);
    assert_eq!(get(&["config", "core.autostage"]), "false\n");
    assert_eq!(get(&["config", "--project", "core.autostage"]), "true\n");
    let origin = get(&["config", "--show-origin", "core.autostage"]);
    assert_eq!(origin, ".dvc/config.local\tfalse\n");
    let elsewhere = study
        .project
        .path("")
        .parent()
        .expect("a folder")
        .join("elsewhere");
    let elsewhere = elsewhere.display();
    let listed = get(&["config", "--list", "--project"]);
    let expected = format!(
        "remote.storage.url={elsewhere}\ncore.no_scm=True\ncore.autostage=true\ncore.remote=storage\n"
    );
    assert_eq!(listed, expected);
    let text = study.project.read(".dvc/config");
    let expected = "[core]\n    no_scm = True\n    autostage = true\n    remote = storage\n['remote \"storage\"']\n    url = \
                    ../../elsewhere\n";
    assert_eq!(text, expected);
    study.ok(&["config", "--local", "-u", "core.autostage"]);
    assert_eq!(get(&["config", "core.autostage"]), "true\n");
    // Our own verbs come first.
    let json = get(&["config", "parse-override", "a=1"]);
    assert!(json.starts_with('{'), "{json}");
    let mode = fs::metadata(study.project.path(".dvc/config.local"))
        .expect("a file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o077, 0, "keys are for their owner");
}

#[test]
fn wrong_settings_are_refused_as_by_dvc_and_change_nothing() {
    let study = Study::new();
    study.ok(&["remote", "add", "storage", "s3://b/p"]);
    let before = study.project.read(".dvc/config");
    let config = "ERROR: configuration error - config file error: ";
    for (code, args, expected) in [
        (
            251,
            &["config", "core.remot", "x"][..],
            "extra keys not allowed @ data['core']['remot']; did you mean 'remote'?",
        ),
        (
            251,
            &["config", "cor.remote", "x"],
            "extra keys not allowed @ data['cor']; did you mean 'core'?",
        ),
        (
            251,
            &["config", "remote.storage.jobs", "0"],
            "value must be at least 1 for dictionary value @ data['remote']['storage']['jobs']",
        ),
        (
            251,
            &["config", "remote.nope.jobs", "1"],
            "expected 'url' for dictionary value @ data['remote']['nope']",
        ),
        (
            251,
            &["config", "-u", "core.remote"],
            "option 'remote' doesn't exist in section 'core'",
        ),
        (
            251,
            &["config", "--local", "remote.storage.url"],
            "remote 'storage' doesn't exist",
        ),
        (
            251,
            &["remote", "add", "storage", "/x"],
            "remote 'storage' already exists. Use `-f|--force` to overwrite it.",
        ),
        (
            251,
            &["remote", "add", "other", "s4://x/y"],
            "Unsupported URL type s4:// for dictionary value @ data['remote']['other']",
        ),
        (
            251,
            &["remote", "modify", "storag", "jobs", "1"],
            "remote 'storag' doesn't exist. Did you mean 'storage'?",
        ),
        (
            251,
            &["remote", "modify", "storage", "regoin", "x"],
            "extra keys not allowed @ data['remote']['storage']['regoin']; did you mean 'region'?",
        ),
        (
            251,
            &["remote", "default", "nope"],
            "default remote must be present in remote list.",
        ),
        (
            251,
            &["remote", "rename", "storage", "storage"],
            "Rename failed. Remote name 'storage' already exists.",
        ),
        (
            251,
            &["remote", "remove", "nope"],
            "remote 'nope' doesn't exist.",
        ),
        (
            251,
            &["push", "-r", "storag"],
            "remote 'storag' doesn't exist. Did you mean 'storage'?",
        ),
    ] {
        let text = study.fails(code, args);
        assert!(text.starts_with(config), "{args:?}: {text}");
        assert!(text.contains(expected), "{args:?}: {text}");
    }
    let text = study.fails(254, &["config", "nonsense"]);
    assert!(
        text.contains("should look like remote.name.option"),
        "{text}"
    );
    study.fails(1, &["config", "--list", "core.remote"]);
    assert_eq!(study.project.read(".dvc/config"), before);
    study
        .project
        .write(".dvc/config.local", "[core]\n    remot = x\n");
    let text = study.fails(251, &["status"]);
    assert!(text.contains("data['core']['remot']"), "{text}");
}

#[test]
fn remotes_are_renamed_and_removed_with_what_the_local_level_says_of_them() {
    let study = Study::new();
    study.ok(&["remote", "add", "-d", "Storage", "s3://b/p"]);
    study.ok(&["remote", "modify", "--local", "storage", "profile", "me"]);
    assert_eq!(study.ok(&["remote", "default"]), "storage\n");
    study.ok(&["remote", "rename", "storage", "bucket"]);
    assert_eq!(
        study.ok(&["remote", "list"]),
        "bucket\ts3://b/p\t(default)\n"
    );
    assert_eq!(
        study.project.read(".dvc/config.local"),
        "['remote \"bucket\"']\n    profile = me\n"
    );
    let warned = study.run(&["remote", "modify", "bucket", "secret_access_key", SECRET]);
    assert!(warned.stderr.contains("--local"), "{}", warned.stderr);
    study.ok(&["remote", "default", "--unset"]);
    study.fails(1, &["remote", "default"]);
    study.ok(&["remote", "remove", "bucket"]);
    assert_eq!(study.ok(&["remote", "list"]), "");
    assert_eq!(study.project.read(".dvc/config.local"), "");
}

#[test]
fn data_go_to_a_bucket_and_come_back() {
    let server = S3Server::start();
    let study = Study::with_bucket(&server);
    let status = study.ok(&["status", "-c"]);
    assert!(
        status.contains("new:") && status.contains("data/a"),
        "{status}"
    );
    server.take_log();
    let pushed = study.run(&["push", "-j", "2"]);
    assert_eq!(
        (pushed.stdout.as_str(), pushed.stderr.as_str()),
        ("5 files pushed\n", "")
    );
    let log = server.take_log();
    let puts: Vec<&String> = log.iter().filter(|line| line.starts_with("PUT")).collect();
    assert!(is_list(puts.last().expect("a request")), "{puts:?}");
    assert_eq!(study.ok(&["push"]), "Everything is up to date.\n");
    assert_eq!(
        study.ok(&["status", "-c"]),
        "Cache and remote are in sync.\n"
    );
    study.forget_data();
    assert_eq!(study.ok(&["pull"]), "5 files fetched\n");
    assert_eq!(study.project.read("data/b"), "b".repeat(5000));
    let modes = study.objects().into_iter().map(|object| {
        let mode = fs::metadata(object)
            .expect("an object")
            .permissions()
            .mode();
        mode & 0o777
    });
    assert_eq!(modes.collect::<Vec<_>>(), [0o444; 5]);
    let log = study.project.read(".dvc/config");
    assert!(!log.contains(SECRET), "{log}");
}

#[test]
fn troubles_that_pass_are_not_noticed() {
    let server = S3Server::start();
    let study = Study::with_bucket(&server);
    server.fail("PUT", &object_of("a"), 1, Trouble::Silence);
    server.fail("PUT", &object_of("b"), 1, Trouble::Status(503, "SlowDown"));
    study.ok(&["push"]);
    study.forget_data();
    server.fail("GET", &object_of("a"), 1, Trouble::Cut(1000));
    server.fail(
        "GET",
        &object_of("b"),
        1,
        Trouble::Status(429, "TooManyRequests"),
    );
    server.fail("GET", &object_of("c"), 1, Trouble::Silence);
    study.ok(&["pull"]);
    assert_eq!(study.project.read("data/a"), "a".repeat(5000));
}

#[test]
fn a_fetch_that_fails_half_way_keeps_what_is_whole_and_the_next_completes_it() {
    let server = S3Server::start();
    let study = Study::with_bucket(&server);
    study.ok(&["push"]);
    study.forget_data();
    server.fail("GET", &object_of("a"), 9, Trouble::Cut(0));
    server.fail("GET", &object_of("b"), 9, Trouble::OtherContents);
    server.fail(
        "GET",
        &object_of("model"),
        9,
        Trouble::Status(403, "AccessDenied"),
    );
    let outcome = study.run(&["fetch"]);
    assert_eq!(outcome.code, Some(1));
    assert_eq!(outcome.stdout, "2 files fetched\n");
    for part in [
        "failed to fetch data: 3 files are not transferred",
        "data/a: s3://bucket/p/files/md5/",
        "data/b: s3://bucket/p/files/md5/",
        "is damaged",
        "model: s3://bucket/p/files/md5/",
        "AccessDenied",
    ] {
        assert!(outcome.stderr.contains(part), "{part}: {}", outcome.stderr);
    }
    let kept = study.objects();
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert!(
        kept.iter()
            .any(|object| object.ends_with(&object_of("c")["files/md5/".len()..]))
    );
    server.mend();
    assert_eq!(study.ok(&["pull"]), "3 files fetched\n");
    assert_eq!(study.project.read("data/b"), "b".repeat(5000));
}

#[test]
fn a_push_that_fails_half_way_leaves_no_list_and_the_next_completes_it() {
    let server = S3Server::start();
    let study = Study::with_bucket(&server);
    server.fail("PUT", &object_of("b"), 9, Trouble::Silence);
    let outcome = study.run(&["push"]);
    assert_eq!(
        (outcome.code, outcome.stdout.as_str()),
        (Some(1), "3 files pushed\n")
    );
    assert!(
        outcome
            .stderr
            .contains("failed to push data: 1 file is not transferred"),
        "{}",
        outcome.stderr
    );
    assert!(outcome.stderr.contains("\ndata/b: "), "{}", outcome.stderr);
    let keys = server.keys();
    assert!(
        keys.len() == 3 && !keys.iter().any(|key| is_list(key)),
        "{keys:?}"
    );
    server.mend();
    assert_eq!(study.ok(&["push"]), "2 files pushed\n");
}

#[test]
fn a_server_that_says_no_is_quoted_with_a_hint() {
    let server = S3Server::start();
    let study = Study::with_bucket(&server);
    study.ok(&["remote", "add", "lost", "s3://no-such-bucket/p"]);
    study.ok(&["remote", "modify", "lost", "endpointurl", &server.url()]);
    study.add_keys("lost");
    let text = study.fails(255, &["push", "-r", "lost"]);
    assert!(
        text.contains("s3://no-such-bucket/p/")
            && text.contains("NoSuchBucket")
            && text.contains("hint:"),
        "{text}"
    );
    study.ok(&[
        "remote",
        "modify",
        "--local",
        "lost",
        "access_key_id",
        "AKIAWRONG",
    ]);
    let text = study.fails(255, &["status", "-c", "-r", "lost"]);
    assert!(
        text.contains("InvalidAccessKeyId") && !text.contains("AKIAWRONG"),
        "{text}"
    );
    study.ok(&[
        "remote",
        "modify",
        "lost",
        "endpointurl",
        "http://127.0.0.1:1",
    ]);
    let text = study.fails(255, &["push", "-r", "lost", "model"]);
    assert!(!text.contains("X-Amz"), "{text}");
    study.ok(&["remote", "modify", "lost", "version_aware", "true"]);
    let text = study.fails(251, &["push", "-r", "lost"]);
    assert!(text.contains("version_aware is set"), "{text}");
}

#[test]
fn a_full_disk_leaves_nothing_half_written() {
    let study = Study::new();
    study.ok(&["remote", "add", "-d", "storage", "remote"]);
    study.add_data();
    study.project.write("large", vec![b'x'; 300_000]);
    study.ok(&["add", "-q", "large"]);
    let limited = |verb: &str| {
        let mut command = Command::new("sh");
        let script = format!(
            "trap '' XFSZ; ulimit -f 100; exec {} {verb}",
            env!("CARGO_BIN_EXE_strata")
        );
        let own = study.command(&[]);
        command
            .args(["-c", &script])
            .current_dir(study.project.path(""));
        for (name, value) in own.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        Outcome::of(command.output().expect("sh starts"))
    };
    let pushed = limited("push");
    assert_eq!(
        (pushed.code, pushed.stdout.as_str()),
        (Some(1), "5 files pushed\n"),
        "{}",
        pushed.stderr
    );
    assert!(
        pushed.stderr.contains("1 file is not transferred") && pushed.stderr.contains("\nlarge: "),
        "{}",
        pushed.stderr
    );
    assert_eq!(files_below(&study.project.path("remote")).len(), 5);
    study.ok(&["push"]);

    study.forget_data();
    fs::remove_file(study.project.path("large")).expect("a file");
    let fetched = limited("fetch");
    assert_eq!(
        (fetched.code, fetched.stdout.as_str()),
        (Some(1), "5 files fetched\n"),
        "{}",
        fetched.stderr
    );
    assert_eq!(study.objects().len(), 5);
    assert_eq!(study.ok(&["pull"]), "1 file fetched\n");
}

#[test]
fn damaged_objects_are_found_wherever_they_are() {
    let server = S3Server::start();
    let study = Study::with_bucket(&server);
    study.ok(&["remote", "add", "folder", "remote"]);
    let object = study.project.path(".dvc/cache").join(object_of("model"));
    let damage = |mode| {
        fs::set_permissions(&object, fs::Permissions::from_mode(0o644)).expect("a mode");
        fs::write(&object, "damaged").expect("a file");
        fs::set_permissions(&object, fs::Permissions::from_mode(mode)).expect("a mode");
    };
    // Read-only it passes for whole in the cache, as for DVC; no remote takes it.
    damage(0o444);
    for remote in ["storage", "folder"] {
        let text = study.fails(1, &["push", "-r", remote]);
        assert!(
            text.contains("model: ") && text.contains("is damaged"),
            "{text}"
        );
    }
    assert!(server.get(&format!("p/{}", object_of("model"))).is_none());
    assert!(
        !study
            .project
            .path("remote")
            .join(object_of("model"))
            .exists()
    );
    // A file that could be written to is hashed by whoever needs it.
    damage(0o644);
    let text = study.fails(1, &["push"]);
    assert!(text.contains("1 file is missing:\nmodel"), "{text}");
    assert!(!object.exists());
    assert_eq!(
        study.ok(&["status", "-c", "--json"]),
        "{\"model\":\"missing\"}\n"
    );
    study.ok(&["commit", "-q", "-f"]);
    study.ok(&["push", "-q"]);
    study.ok(&["push", "-q", "-r", "folder"]);
    damage(0o644);
    assert_eq!(
        study.ok(&["status", "-c", "--json"]),
        "{\"model\":\"deleted\"}\n"
    );
    fs::remove_file(study.project.path("model")).expect("a file");
    assert!(study.fails(255, &["checkout"]).contains("model"));

    // In a folder remote as in a bucket.
    let kept = study.project.path("remote").join(object_of("model"));
    fs::set_permissions(&kept, fs::Permissions::from_mode(0o644)).expect("a mode");
    fs::write(&kept, "damaged").expect("a file");
    assert_eq!(
        study.ok(&["status", "-c", "--json", "-r", "folder"]),
        "{\"model\":\"missing\"}\n"
    );
    fs::set_permissions(&kept, fs::Permissions::from_mode(0o444)).expect("a mode");
    assert!(
        study
            .fails(1, &["fetch", "-r", "folder"])
            .contains("is damaged")
    );
    study.ok(&["pull"]);
    assert_eq!(study.project.read("model"), "m".repeat(9000));
}

#[test]
fn outputs_go_to_the_remote_that_their_stage_names() {
    let study = Study::new();
    study.ok(&["remote", "add", "-d", "first", "first"]);
    study.ok(&["remote", "add", "second", "second"]);
    study.project.write(
        "dvc.yaml",
        "stages:\n  s:\n    cmd: echo a > a; echo b > b\n    outs:\n    - a\n    - b:\n        remote: second\n",
    );
    study.ok(&["repro", "-q"]);
    assert_eq!(study.ok(&["push"]), "2 files pushed\n");
    assert_eq!(files_below(&study.project.path("first")).len(), 1);
    assert_eq!(files_below(&study.project.path("second")).len(), 1);
    study.ok(&["push", "--run-cache", "-r", "first"]);
    let kept = files_below(&study.project.path("first/runs"));
    assert_eq!(
        kept.len(),
        files_below(&study.project.path(".dvc/cache/runs")).len()
    );
}

#[test]
fn a_key_in_a_url_is_refused_and_not_repeated() {
    let study = Study::new();
    let url = format!("s3://{ACCESS_KEY}:{SECRET}@{BUCKET}/p");
    let before = study.project.read(".dvc/config");
    let add = study.fails(251, &["remote", "add", "storage", &url]);
    assert!(
        add.contains("strata remote modify --local storage access_key_id"),
        "{add}"
    );
    assert!(add.contains(&format!("Take 's3://{BUCKET}/p'")), "{add}");
    let with_slash = format!("s3://{ACCESS_KEY}:x/{SECRET}@{BUCKET}/p");
    study.fails(251, &["remote", "add", "storage", &with_slash]);
    study.fails(251, &["remote", "add", "web", "https://me:pass@host/p"]);
    assert_eq!(study.project.read(".dvc/config"), before);

    study.ok(&[
        "remote",
        "add",
        "-d",
        "storage",
        &format!("s3://{BUCKET}/p"),
    ]);
    study.ok(&["remote", "add", "shell", "ssh://me@host/p@x"]);
    study.fails(251, &["remote", "modify", "storage", "url", &url]);
    let outcome = study.run(&["config", "remote.storage.url", &url]);
    assert_eq!(outcome.code, Some(251));
    assert!(!outcome.stderr.contains(SECRET), "{}", outcome.stderr);

    // Written by hand or by DVC, it is of no use and still not repeated.
    let written = study.project.read(".dvc/config");
    let written = written.replace(&format!("s3://{BUCKET}/p"), &url);
    study.project.write(".dvc/config", written);
    study.add_data();
    let push = study.fails(251, &["push"]);
    assert!(push.contains("a key stands in its URL"), "{push}");
}

/// In a folder and in a bucket.
#[test]
fn gc_removes_from_the_remote_what_nothing_needs() {
    let server = S3Server::start();
    for is_bucket in [true, false] {
        let study = if is_bucket {
            Study::with_bucket(&server)
        } else {
            let study = Study::new();
            study.ok(&["remote", "add", "-q", "-d", "storage", "store"]);
            study.add_data();
            study
        };
        study.ok(&["push"]);
        study.project.write("data/c", "changed");
        study.project.write("model", "changed as well");
        study.ok(&["add", "-q", "data", "model"]);
        study.ok(&["push"]);
        let count = || {
            let in_folder = files_below(&study.project.path("store/files/md5")).len();
            if is_bucket {
                server.keys().len()
            } else {
                in_folder
            }
        };
        // Five of each push, two of which are the same.
        assert_eq!(count(), 8);
        // What is no object belongs to somebody else.
        if is_bucket {
            server.put("p/files/md5/00/readme", b"x");
        } else {
            study.project.write("store/files/md5/00/readme", "x");
        }

        // Without a terminal nobody says yes; to show is not to remove.
        study.fails(1, &["gc", "-w", "-c"]);
        let shown = study.ok(&["gc", "-w", "-c", "--dry"]);
        assert_eq!(shown.matches("Removing ").count(), 6, "{shown}");
        assert!(
            shown.ends_with("Removed 3 objects from remote.\n"),
            "{shown}"
        );
        assert_eq!((count(), study.objects().len()), (9, 8));

        // A colleague who has nothing here learns from the remote which files belong to the folder.
        study.forget_data();
        let said = study.ok(&["gc", "-w", "-c", "-f", "-j", "2"]);
        assert_eq!(
            said,
            "No unused 'repo' cache to remove.\nRemoved 3 objects from remote.\n"
        );
        assert_eq!(count(), 6);
        let said = study.ok(&["gc", "-w", "-c", "-f", "-r", "storage"]);
        assert!(
            said.ends_with("No unused cache to remove from remote.\n"),
            "{said}"
        );
        study.ok(&["pull"]);
        assert_eq!(study.project.read("data/c"), "changed");
        study.ok(&["gc", "-w", "-c", "-f", "-q"]);

        // What the remote has goes from the cache.
        study.project.write("new", "new");
        study.ok(&["add", "-q", "new"]);
        study.ok(&["gc", "-w", "--not-in-remote", "-f"]);
        assert_eq!((study.objects().len(), count()), (1, 6));
    }
}

#[test]
fn gc_leaves_the_files_of_a_lost_list_alone() {
    let study = Study::new();
    study.fails(251, &["gc", "-w", "-c", "-f"]);
    study.fails(251, &["gc", "-w", "-c", "-f", "-r", "nope"]);
    let both = study.fails(255, &["gc", "-w", "-c", "--not-in-remote"]);
    assert!(both.contains("mutually exclusive"), "{both}");
    study.ok(&["remote", "add", "-q", "-d", "storage", "store"]);
    study.add_data();
    study.ok(&["push"]);
    study.forget_data();
    let objects = files_below(&study.project.path("store/files/md5"));
    let is_list = |object: &PathBuf| object.extension().is_some_and(|suffix| suffix == "dir");
    let list = objects
        .iter()
        .find(|object| is_list(object))
        .expect("a list");
    fs::remove_file(list).expect("it goes");
    for flags in [&["gc", "-w", "-c"][..], &["gc", "-w", "--not-in-remote"]] {
        study.fails(1, flags);
    }
    assert_eq!(files_below(&study.project.path("store/files/md5")).len(), 4);
    let said = study.ok(&["gc", "-w", "-c", "-f"]);
    assert!(said.ends_with("Removed 3 objects from remote.\n"), "{said}");
}

/// Their hashes are those of texts with LF, and they lie beside the others in the cache and in the remote.
#[test]
fn objects_of_dvc_2_are_pushed_and_pulled() {
    let server = S3Server::start();
    for is_bucket in [false, true] {
        let study = if is_bucket {
            Study::with_bucket(&server)
        } else {
            let study = Study::new();
            study.ok(&["remote", "add", "-q", "-d", "storage", "store"]);
            study
        };
        let project = &study.project;
        let place = |md5: &str| format!("{}/{}", &md5[..2], &md5[2..]);
        let file = strata_fs::md5_of_bytes(b"1\n2\n");
        let list = format!("[{{\"md5\": \"{file}\", \"relpath\": \"inside\"}}]");
        let folder = strata_fs::md5_of_bytes(list.as_bytes()) + ".dir";
        project.write(&format!(".dvc/cache/{}", place(&file)), "1\r\n2\r\n");
        project.write(&format!(".dvc/cache/{}", place(&folder)), &list);
        project.write(
            "text.dvc",
            format!("outs:\n- md5: {file}\n  size: 6\n  path: text\n"),
        );
        project.write(
            "old.dvc",
            format!("outs:\n- md5: {folder}\n  size: 6\n  nfiles: 1\n  path: old\n"),
        );
        let targets = ["text.dvc", "old.dvc"];
        let with = |command: &'static str| [&[command], &targets[..]].concat();
        assert_eq!(study.ok(&with("push")), "2 files pushed\n");
        assert_eq!(study.ok(&with("push")), "Everything is up to date.\n");
        if is_bucket {
            assert_eq!(
                server
                    .get(&format!("p/{}", place(&file)))
                    .expect("it is there"),
                b"1\r\n2\r\n"
            );
        } else {
            assert_eq!(
                project.read(&format!("store/{}", place(&file))),
                "1\r\n2\r\n"
            );
        }
        study.forget_data();
        assert!(study.ok(&with("pull")).contains("2 files fetched"));
        assert_eq!(project.read("text"), "1\r\n2\r\n");
        assert_eq!(project.read("old/inside"), "1\r\n2\r\n");

        // What is not what its name says is not taken.
        if is_bucket {
            server.put(&format!("p/{}", place(&file)), b"damaged");
        } else {
            let object = project.path(&format!("store/{}", place(&file)));
            fs::remove_file(&object).expect("it goes");
            fs::write(object, "damaged").expect("it is written");
        }
        study.forget_data();
        study.fails(1, &with("pull"));
    }
}
